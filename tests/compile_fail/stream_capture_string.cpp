// expect: a callback that is called later is kept as bytes: capture numbers
#include <nen/http/body_stream.hpp>
#include <nen/http/router.hpp>

#include <string>

nen::reply streamed(nen::response& res) {
  const std::string text = "text";
  return res.stream("a/b", [text](nen::body_stream& out) { out.write(text); });
}
