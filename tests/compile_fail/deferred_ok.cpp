// Callbacks and producers as they should be, with captures as large as they may be.
#include <nen/http/event_stream.hpp>
#include <nen/http/router.hpp>

struct details {
  char text[48];
};

nen::reply answer(const nen::request&, nen::response& res) { return res.text("late"); }

nen::reply later(nen::response& res) {
  const details d{};
  const auto handle = res.defer();
  handle.after(1, [d](const nen::request&, nen::response& r) { return r.text(d.text); });
  handle.after(1, answer);
  handle.after(1, &answer);
  handle.complete([&d](const nen::request&, nen::response& r) { return r.text(d.text); });
  handle.complete(&answer);
  return res.later();
}

nen::reply streamed(nen::response& res) {
  const details d{};
  return res.stream("a/b", [d](nen::body_stream& out) { out.write(d.text); });
}

nen::reply events(nen::response& res) {
  return nen::event_stream(res, [count = 0](nen::body_stream& out) mutable {
    if (++count == 3) out.finish();
  });
}
