// io, L2: waiting for a descriptor that is somebody else's: a client library's socket, a pipe, an
// eventfd. Whoever runs the loop (a shard) does the polling.
#pragma once

#include <nen/core/timer_wheel.hpp>
#include <nen/io/ring.hpp>
#include <nen/io/sleep.hpp>
#include <nen/io/task.hpp>

#include <coroutine>
#include <cstdint>
#include <utility>

namespace nen {

/// What became of waiting for a descriptor.
enum class poll_outcome : std::uint8_t {
  ready,      ///< it can be read or written, or has an error, which reading or writing will tell
  timed_out,  ///< the time that was given is over
  no_slot,    ///< config::polls coroutines wait for descriptors already
  failed,     ///< it cannot be polled, because it is closed for example
};

namespace detail {

class poll_wait;

/// The shard's side of it.
struct poll_host {
  struct poll_functions {
    /// Has the wait told when the descriptor is ready.
    /// @returns  a number for end, never 0; or 0: every slot is taken
    std::uint32_t (*begin)(poll_host&, poll_wait&, int descriptor, readiness) noexcept;
    /// Nobody waits any more.
    void (*end)(poll_host&, std::uint32_t number) noexcept;
  };
  const poll_functions* polling;
};

/// Waits once. It can be destroyed at any time.
class poll_wait : public alarm {
 public:
  /// @param timeout_ms  0: no limit
  poll_wait(poll_host& host, timer_wheel& wheel, tick now, int descriptor, readiness what,
            std::uint32_t timeout_ms) noexcept
      : alarm{{}, [](alarm& self) { static_cast<poll_wait&>(self).is_due(); }},
        host_(host),
        wheel_(wheel),
        until_(now + timeout_ms),
        has_limit_(timeout_ms != 0),
        what_(what),
        descriptor_(descriptor) {}
  poll_wait(const poll_wait&) = delete;
  poll_wait& operator=(const poll_wait&) = delete;
  ~poll_wait() { leave(); }

  bool await_ready() const noexcept { return false; }
  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> awaiting) noexcept {
    number_ = host_.polling->begin(host_, *this, descriptor_, what_);
    if (number_ == 0) {
      outcome_ = poll_outcome::no_slot;
      return false;
    }
    waiter_.wait_as(awaiting);
    if (has_limit_) wheel_.arm(*this, until_);
    return true;
  }
  poll_outcome await_resume() const noexcept { return outcome_; }

  /// Called by the loop when the polling has ended. This object may be gone afterwards.
  /// @param result  a completion's
  void has_ended(std::int32_t result) {
    number_ = 0;
    wheel_.cancel(*this);
    outcome_ = result < 0 ? poll_outcome::failed : poll_outcome::ready;
    waiter_.resume();
  }

 private:
  void is_due() {
    leave();
    outcome_ = poll_outcome::timed_out;
    waiter_.resume();
  }
  void leave() noexcept {
    wheel_.cancel(*this);
    if (number_ != 0) host_.polling->end(host_, std::exchange(number_, 0U));
  }

  poll_host& host_;
  timer_wheel& wheel_;
  tick until_;
  bool has_limit_;
  readiness what_;
  poll_outcome outcome_ = poll_outcome::ready;
  int descriptor_;
  std::uint32_t number_ = 0;  // not 0 exactly while the host knows this object
  waiter waiter_{};
};

}  // namespace detail
}  // namespace nen
