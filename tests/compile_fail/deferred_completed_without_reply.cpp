// expect: what completes a deferred answer takes (const nen::request&, nen::response&) and
#include <nen/http/router.hpp>

nen::reply finish(const nen::deferred& waiting, nen::response& res) {
  waiting.complete([](const nen::request&, nen::response& late) { late.text("late"); });
  return res.text("done");
}
