// expect: a callback that is called later takes and returns what its documentation says
#include <nen/http/router.hpp>

nen::reply later(nen::response& res) {
  res.defer().after(1, [](const nen::request&, nen::response&) {});
  return res.later();
}
