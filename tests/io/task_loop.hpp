// A loop for tasks without a ring: a timer wheel and a clock that the test moves.
#pragma once

#include <nen/core/frame_pool.hpp>
#include <nen/core/timer_wheel.hpp>
#include <nen/io/context.hpp>
#include <nen/io/sleep.hpp>
#include <nen/io/task.hpp>

#include <array>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "support/catch.hpp"

namespace nen::test {

inline constexpr std::array<frame_class, 4> frame_classes = {
    {{256, 1200}, {512, 1200}, {2048, 256}, {16384, 16}}};
inline frame_pool<frame_classes> frames;

/// Of a test from its first to its last line: every frame and every timer has to come back.
class world : public detail::context_host {
 public:
  explicit world(tick begin = 1000) : context_host{}, time(begin) {
    call = &calls;
    timers = &wheel;
    wheel.start(time);
  }
  ~world() {
    CHECK(frames.in_use() == 0);
    CHECK(wheel.armed() == 0);
  }

  /// A turn of the loop after some time.
  void pass(tick ms) {
    time += ms;
    wheel.advance(time, [](timer& due) {
      auto& alarm = static_cast<detail::alarm&>(due);
      alarm.fire(alarm);
    });
  }
  /// Turns until nobody sleeps, a millisecond each.
  /// @returns  how many
  int pass_all() {
    int turns = 0;
    for (; wheel.armed() > 0; ++turns) pass(1);
    return turns;
  }

  timer_wheel wheel{};
  tick time;
  context ctx{*this};

 private:
  static tick tell_time(const detail::stream_host& host) noexcept {
    return static_cast<const world&>(host).time;
  }
  /// Of what a shard can do, only the clock is there.
  static constexpr functions calls = {nullptr, nullptr, nullptr, nullptr,
                                      nullptr, nullptr, nullptr, tell_time};

  detail::frames_in_use scope_{frames};
};

/// Only so many frames, of any class, can be had while this lives.
class frames_left {
 public:
  explicit frames_left(int count) {
    // It takes the narrowest first, so that those given back are the widest.
    while (void* const frame = frames.acquire(1)) taken_.push_back(frame);
    REQUIRE(static_cast<std::size_t>(count) < taken_.size());
    for (; count > 0; --count) give_back();
  }
  ~frames_left() {
    while (!taken_.empty()) give_back();
  }
  frames_left(const frames_left&) = delete;
  frames_left& operator=(const frames_left&) = delete;

 private:
  void give_back() {
    frames.release(taken_.back());
    taken_.pop_back();
  }
  std::vector<void*> taken_;
};

/// Runs one tree. When it is told about the end it takes the result and destroys the tree, as it is
/// allowed to.
template <class T>
class root : public detail::task_owner {
 public:
  using value_type = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

  explicit root(task<T> t) : detail::task_owner(), tree(std::move(t)) {
    static constexpr functions mine = {&on_resume, &on_ended};
    call = &mine;
  }
  root(const root&) = delete;
  root& operator=(const root&) = delete;

  root& start() {
    tree.start(*this);
    return *this;
  }
  bool returned() const { return end == detail::task_end::returned; }
  bool out_of_frames() const { return end == detail::task_end::out_of_frames; }

  task<T> tree;
  std::optional<detail::task_end> end;
  std::optional<value_type> value;
  std::exception_ptr exception;
  int resumed = 0;  // by the loop

 private:
  static void on_resume(task_owner& owner, std::coroutine_handle<> where) {
    ++static_cast<root&>(owner).resumed;
    owner.run(where);
  }
  static void on_ended(task_owner& owner, detail::task_end how) noexcept {
    static_cast<root&>(owner).on_end(how);
  }
  void on_end(detail::task_end how) {
    CHECK_FALSE(end.has_value());
    CHECK_FALSE(running());
    end = how;
    if (how == detail::task_end::returned) {
      try {
        if constexpr (std::is_void_v<T>) {
          tree.take();
          value.emplace();
        } else {
          value.emplace(tree.take());
        }
      } catch (...) {
        exception = std::current_exception();
      }
    }
    tree = {};
  }
};

template <class T>
root(task<T>) -> root<T>;

/// Counts how many of it live: what a task must destroy.
class tracker {
 public:
  explicit tracker(int& alive) : alive_(&alive) { ++*alive_; }
  tracker(tracker&& other) noexcept : alive_(std::exchange(other.alive_, nullptr)) {}
  tracker& operator=(tracker&&) = delete;
  ~tracker() {
    if (alive_ != nullptr) --*alive_;
  }

 private:
  int* alive_;
};

}  // namespace nen::test
