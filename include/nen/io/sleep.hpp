// io, L2: what a task awaits to go on later.
#pragma once

#include <nen/core/timer_wheel.hpp>
#include <nen/io/task.hpp>

#include <coroutine>
#include <cstdint>

namespace nen::detail {

/// A timer in a shard's wheel that knows what to do when it is due.
struct alarm : timer {
  void (*fire)(alarm&);  ///< called by the loop; this object may be gone afterwards
};

/// A timer in the frame of the task that sleeps. Even one that is due at once goes through the
/// loop. It can be destroyed at any time, and is not fired any more then.
class sleeper : public alarm {
 public:
  /// @param now  when it begins
  /// @param ms   how long it takes; there is no limit
  /// @param before_resume  is called before the task is resumed; may be nullptr
  sleeper(timer_wheel& wheel, tick now, std::uint64_t ms,
          void (*before_resume)(sleeper&) noexcept = nullptr) noexcept
      : alarm{{}, [](alarm& self) { static_cast<sleeper&>(self).is_due(); }},
        wheel_(wheel),
        left_ms_(ms),
        before_resume_(before_resume) {
    deadline = now;
  }
  sleeper(const sleeper&) = delete;
  sleeper& operator=(const sleeper&) = delete;
  ~sleeper() { cancel(); }

  bool await_ready() const noexcept { return false; }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> awaiting) noexcept {
    waiter_.wait_as(awaiting);
    arm();
  }
  void await_resume() const noexcept {}

  void cancel() noexcept { wheel_.cancel(*this); }

 private:
  void is_due() {
    if (left_ms_ > 0) return arm();
    if (before_resume_ != nullptr) before_resume_(*this);
    waiter_.resume();
  }

  // The wheel's ticks wrap, so that it takes less than 2^31 ms at a time; longer sleeps are slept
  // in parts.
  void arm() noexcept {
    constexpr std::uint64_t longest = std::uint64_t{1} << 30;
    const std::uint64_t part = left_ms_ < longest ? left_ms_ : longest;
    left_ms_ -= part;
    wheel_.arm(*this, deadline + static_cast<tick>(part));
  }

  timer_wheel& wheel_;
  std::uint64_t left_ms_;  // after the deadline that it is armed for
  void (*before_resume_)(sleeper&) noexcept;
  waiter waiter_{};
};

}  // namespace nen::detail
