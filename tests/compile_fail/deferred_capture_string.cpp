// expect: a callback that is called later is kept as bytes: capture numbers
#include <nen/http/router.hpp>

#include <string>

nen::reply later(nen::response& res) {
  const std::string text = "text";
  res.defer().after(1, [text](const nen::request&, nen::response& r) { return r.text(text); });
  return res.later();
}
