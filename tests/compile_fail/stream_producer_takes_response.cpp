// expect: a callback that is called later takes and returns what its documentation says
#include <nen/http/event_stream.hpp>
#include <nen/http/router.hpp>

nen::reply events(nen::response& res) {
  return nen::event_stream(res, [](nen::response&) {});
}
