// expect: a callback that is called later captures at most 48 bytes: capture a pointer to the rest
#include <nen/http/router.hpp>

struct details {
  char text[49];
};

nen::reply later(nen::response& res) {
  const details d{};
  res.defer().after(1, [d](const nen::request&, nen::response& r) { return r.text(d.text); });
  return res.later();
}
