// io, L2: how one task of a tree tells another that something is there, for a limited time; and how
// one waits for its own end.
#pragma once

#include <nen/core/assert.hpp>
#include <nen/core/timer_wheel.hpp>
#include <nen/io/sleep.hpp>
#include <nen/io/task.hpp>

#include <coroutine>
#include <cstdint>

namespace nen::detail {

class signal_wait;

/// Set once, and waited for by one task at a time. Zero: not set, nobody waits.
struct signal {
  signal_wait* waiting;
  bool is_set;

  /// Who waits goes on in a later turn, because a task runs just now.
  inline void set() noexcept;
};

class signal_wait : public alarm {
 public:
  /// @param now  the wheel's; an armed timer needs a deadline
  /// @param ms   0: no limit
  signal_wait(signal& which, timer_wheel& wheel, tick now, std::uint32_t ms) noexcept
      : alarm{{}, [](alarm& self) { static_cast<signal_wait&>(self).is_due(); }},
        signal_(which),
        wheel_(wheel),
        limited_(ms != 0) {
    deadline = now + ms;
  }
  signal_wait(const signal_wait&) = delete;
  signal_wait& operator=(const signal_wait&) = delete;
  ~signal_wait() {
    leave();
    wheel_.cancel(*this);
  }

  bool await_ready() const noexcept { return signal_.is_set; }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> awaiting) noexcept {
    NEN_ASSERT(signal_.waiting == nullptr);
    signal_.waiting = this;
    waiter_.wait_as(awaiting);
    if (limited_) wheel_.arm(*this, deadline);
  }
  void await_resume() const noexcept {}

 private:
  friend signal;

  void call() noexcept { wheel_.arm(*this, wheel_.now()); }
  void is_due() {
    leave();
    waiter_.resume();
  }
  void leave() noexcept {
    if (signal_.waiting == this) signal_.waiting = nullptr;
  }

  signal& signal_;
  timer_wheel& wheel_;
  bool limited_;
  waiter waiter_{};
};

inline void signal::set() noexcept {
  is_set = true;
  if (waiting != nullptr) waiting->call();
}

/// Awaited by a task that is over, but whose end must not be counted: whoever awaits it destroys
/// it.
struct never {
  bool await_ready() const noexcept { return false; }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise>) const noexcept {}
  void await_resume() const noexcept {}
};

}  // namespace nen::detail
