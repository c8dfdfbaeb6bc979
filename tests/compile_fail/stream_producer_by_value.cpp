// expect: a callback that is called later takes and returns what its documentation says
#include <nen/http/body_stream.hpp>
#include <nen/http/router.hpp>

nen::reply streamed(nen::response& res) {
  return res.stream("a/b", [](nen::body_stream out) { out.finish(); });
}
