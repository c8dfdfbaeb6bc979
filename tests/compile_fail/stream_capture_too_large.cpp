// expect: a callback that is called later captures at most 48 bytes: capture a pointer to the rest
#include <nen/http/body_stream.hpp>
#include <nen/http/router.hpp>

struct details {
  char text[49];
};

nen::reply streamed(nen::response& res) {
  const details d{};
  return res.stream("a/b", [d](nen::body_stream& out) { out.write(d.text); });
}
