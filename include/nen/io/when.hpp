// io, L2: awaiting several tasks at once, or one for a limited time. The tasks are started in the
// order of the arguments, by the co_await. None of it allocates.
#pragma once

#include <nen/core/assert.hpp>
#include <nen/io/context.hpp>
#include <nen/io/sleep.hpp>
#include <nen/io/task.hpp>

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

namespace nen {

namespace detail {

/// A task's value where one is needed: void becomes std::monostate.
template <class T>
using value_in_group = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

template <class T>
value_in_group<T> take_for_group(task<T>& child) {
  if constexpr (std::is_void_v<T>) {
    child.take();
    return {};
  } else {
    return child.take();
  }
}

/// @returns  false when there is no use in starting another one: the tree has ended. The parent
///           waits for ever then, because this child will not be counted.
template <class T>
bool start_in_group(task<T>& child, child_group& group, task_owner& owner) noexcept {
  if (!child.has_frame()) {
    owner.end(task_end::out_of_frames);
    return false;
  }
  child.promise().begin(owner, nullptr, &group);
  owner.run_inside(child.address());
  return !owner.is_over();
}

}  // namespace detail

/// What the first of several tasks gave.
/// @tparam T  what the tasks give; std::monostate for void
template <class... T>
struct first_of {
  std::size_t index;         ///< which task it was: 0 is the first argument
  std::variant<T...> value;  ///< value.index() is the same
};

namespace detail {

template <class... T>
class all_awaiter {
 public:
  explicit all_awaiter(task<T>&&... children) noexcept : children_(std::move(children)...) {}
  all_awaiter(const all_awaiter&) = delete;
  all_awaiter& operator=(const all_awaiter&) = delete;

  bool await_ready() const noexcept { return false; }
  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> parent) noexcept {
    task_owner& owner = owner_of(parent);
    group_.begin(parent.address(), sizeof...(T), nullptr);
    std::apply(
        [&](auto&... child) { static_cast<void>((start_in_group(child, group_, owner) && ...)); },
        children_);
    return group_.waits();
  }
  std::tuple<value_in_group<T>...> await_resume() {
    return std::apply(
        [](auto&... child) {
          // In braces they are evaluated in order, so it is the first exception that is seen.
          return std::tuple<value_in_group<T>...>{take_for_group(child)...};
        },
        children_);
  }

 private:
  std::tuple<task<T>...> children_;
  child_group group_;
};

template <class... T>
class any_awaiter : private child_group {
 public:
  using result = first_of<value_in_group<T>...>;

  explicit any_awaiter(task<T>&&... children) noexcept : children_(std::move(children)...) {}
  any_awaiter(const any_awaiter&) = delete;
  any_awaiter& operator=(const any_awaiter&) = delete;

  bool await_ready() const noexcept { return false; }
  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> parent) noexcept {
    task_owner& owner = owner_of(parent);
    begin(parent.address(), 1, &destroy_others);
    std::apply(
        [&](auto&... child) {
          static_cast<void>(((start_in_group(child, *this, owner) && !has_enough()) && ...));
        },
        children_);
    return waits();
  }
  result await_resume() { return take_from<0>(); }

 private:
  static void destroy_others(child_group& group) noexcept {
    std::apply([](auto&... child) { (destroy_unless_done(child), ...); },
               static_cast<any_awaiter&>(group).children_);
  }
  template <class U>
  static void destroy_unless_done(task<U>& child) noexcept {
    if (!child.done()) child = {};
  }

  /// One task has ended, and only one: the others are destroyed.
  template <std::size_t I>
  result take_from() {
    auto& child = std::get<I>(children_);
    if constexpr (I + 1 < sizeof...(T)) {
      if (!child.done()) return take_from<I + 1>();
    }
    using value = std::variant<value_in_group<T>...>;
    return {I, value(std::in_place_index<I>, take_for_group(child))};
  }

  std::tuple<task<T>...> children_;
};

template <class T>
class deadline_awaiter : private child_group, private sleeper {
 public:
  using result = std::conditional_t<std::is_void_v<T>, bool, std::optional<value_in_group<T>>>;

  deadline_awaiter(const context& ctx, std::uint64_t ms, task<T>&& child) noexcept
      : sleeper(*ctx.host().timers, ctx.now_ms(), ms, &destroy_child), child_(std::move(child)) {}

  bool await_ready() const noexcept { return false; }
  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> parent) noexcept {
    task_owner& owner = owner_of(parent);
    begin(parent.address(), 1, &cancel_limit);
    if (!start_in_group(child_, *this, owner)) return true;
    if (!waits()) return false;
    sleeper::await_suspend(parent);
    return true;
  }
  result await_resume() {
    if (!child_.has_frame()) return {};
    if constexpr (std::is_void_v<T>) {
      child_.take();
      return true;
    } else {
      return child_.take();
    }
  }

 private:
  static void cancel_limit(child_group& group) noexcept {
    static_cast<deadline_awaiter&>(group).cancel();
  }
  static void destroy_child(sleeper& limit) noexcept {
    static_cast<deadline_awaiter&>(limit).child_ = {};
  }

  task<T> child_;
};

}  // namespace detail

/// Awaited, it runs the tasks at the same time and goes on when all of them have ended. Then the
/// co_await throws the exception of the first argument that has one.
/// @returns  an awaitable of a std::tuple of what they give, std::monostate for void
template <class... T>
[[nodiscard]] detail::all_awaiter<T...> when_all(task<T>... tasks) noexcept {
  return detail::all_awaiter<T...>(std::move(tasks)...);
}

/// Awaited, it runs the tasks at the same time and goes on when the first has ended, be it by an
/// exception. The others are destroyed before that, where they wait; those that come after a task
/// that ends at once are not started.
/// @returns  an awaitable of first_of
template <class... T>
[[nodiscard]] detail::any_awaiter<T...> when_any(task<T>... tasks) noexcept {
  static_assert(sizeof...(T) > 0, "nen::when_any of no task would never go on");
  return detail::any_awaiter<T...>(std::move(tasks)...);
}

/// Awaited, it runs a task and destroys it, where it waits, when the time is over. A task that runs
/// without waiting is not interrupted. What is due in the same millisecond is run in no certain
/// order, so either may come first then.
/// @param ms  counted from this call
/// @returns   an awaitable of std::optional<T>, for void of bool: false when the time was over
template <class T>
[[nodiscard]] detail::deadline_awaiter<T> with_deadline(const context& ctx, std::uint32_t ms,
                                                        task<T> child) noexcept {
  return detail::deadline_awaiter<T>(ctx, ms, std::move(child));
}
/// @param how_long  a std::chrono::duration; rounded up to milliseconds
template <detail::duration D, class T>
[[nodiscard]] detail::deadline_awaiter<T> with_deadline(const context& ctx, const D& how_long,
                                                        task<T> child) noexcept {
  return detail::deadline_awaiter<T>(ctx, detail::milliseconds_of(how_long), std::move(child));
}

}  // namespace nen
