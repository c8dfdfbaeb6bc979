// io, L2: one shard's loop: a ring and a timer wheel. A turn waits once, then runs what completed,
// then what is due, then lets the owner finish the turn.
#pragma once

#include <nen/core/timer_wheel.hpp>
#include <nen/io/completion.hpp>
#include <nen/io/ring.hpp>

#include <optional>

namespace nen {

template <ring Ring>
class event_loop {
 public:
  [[nodiscard]] result<void> open() noexcept {
    if (auto done = ring_.open(); !done) return done;
    timers_.start(ring_.now_ms());
    return {};
  }

  Ring& ring() noexcept { return ring_; }
  const Ring& ring() const noexcept { return ring_; }
  timer_wheel& timers() noexcept { return timers_; }
  tick now() const noexcept { return ring_.now_ms(); }

  /// One turn.
  /// @param owner  on_completion(const completion&), on_timer(timer&), and on_turn_end(), which may
  ///               queue more operations: they are submitted by the next turn's wait
  template <class Owner>
  void turn(Owner& owner) {
    const std::optional<tick> deadline = timers_.next_deadline(now());
    ring_.wait(deadline ? &*deadline : nullptr,
               [&](const completion& done) { owner.on_completion(done); });
    timers_.advance(now(), [&](timer& due) { owner.on_timer(due); });
    owner.on_turn_end();
  }

 private:
  Ring ring_;
  timer_wheel timers_;
};

}  // namespace nen
