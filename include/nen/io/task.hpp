// io, L2: coroutines that run on a shard. Their frames come from the shard's frame_pool, never from
// the heap. How they are run is told in task_owner.hpp.
#pragma once

#include <nen/core/assert.hpp>
#include <nen/core/frame_pool.hpp>
#include <nen/io/task_owner.hpp>

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <new>
#include <type_traits>
#include <utility>

namespace nen {

template <class T = void>
class task;

namespace detail {

/// What a task has to give when it has ended: a value, or the exception that left it.
template <class T>
class promise final : public promise_base {
 public:
  promise() noexcept {}
  ~promise() { forget(); }

  task<T> get_return_object() noexcept { return task<T>::adopt(address()); }
  static task<T> get_return_object_on_allocation_failure() noexcept { return {}; }

  template <class U = T>
  requires std::is_convertible_v<U, T>
  void return_value(U&& value) noexcept(std::is_nothrow_constructible_v<T, U>) {
    ::new (static_cast<void*>(&value_)) T(std::forward<U>(value));
    outcome_ = outcome::value;
  }
  void unhandled_exception() noexcept {
    forget();  // It may come from a destructor after co_return.
    ::new (static_cast<void*>(&exception_)) std::exception_ptr(std::current_exception());
    outcome_ = outcome::exception;
  }

  T take() {
    if (outcome_ == outcome::exception) std::rethrow_exception(exception_);
    NEN_ASSERT(outcome_ == outcome::value);
    outcome_ = outcome::taken;
    return std::move(value_);
  }

  void* address() noexcept { return std::coroutine_handle<promise>::from_promise(*this).address(); }

 private:
  enum class outcome : std::uint8_t { none, value, taken, exception };

  void forget() noexcept {
    switch (std::exchange(outcome_, outcome::none)) {
      case outcome::none:
        break;
      case outcome::value:
      case outcome::taken:
        value_.~T();
        break;
      case outcome::exception:
        exception_.~exception_ptr();
        break;
    }
  }

  union {
    T value_;
    std::exception_ptr exception_;
  };
  outcome outcome_ = outcome::none;
};

template <>
class promise<void> final : public promise_base {
 public:
  inline task<void> get_return_object() noexcept;
  static inline task<void> get_return_object_on_allocation_failure() noexcept;

  void return_void() const noexcept {}
  void unhandled_exception() noexcept { exception_ = std::current_exception(); }

  void take() const {
    if (exception_ != nullptr) std::rethrow_exception(exception_);
  }

 private:
  std::exception_ptr exception_;
};

/// Awaits one task.
template <class T>
class task_awaiter {
 public:
  explicit task_awaiter(task<T>& child) noexcept : child_(child) {}

  bool await_ready() const noexcept { return false; }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> parent) const noexcept {
    task_owner& owner = owner_of(parent);
    if (!child_.has_frame()) return owner.end(task_end::out_of_frames);
    child_.promise().begin(owner, parent.address(), nullptr);
    owner.go_on(child_.address());
  }
  T await_resume() const { return child_.take(); }

 private:
  task<T>& child_;
};

}  // namespace detail

/// A coroutine that gives a T, or nothing for void. It begins to run when it is awaited:
/// `T value = co_await child(…);`. Its frame comes from the pool of the shard that it is made on;
/// when that has none left, whoever awaits it ends, together with the whole tree of tasks up to the
/// handler (503). An exception that leaves it leaves the co_await.
/// Whatever it takes by reference, and the captures of a lambda, must outlive it.
template <class T>
class [[nodiscard]] task {
  static_assert(!std::is_reference_v<T>,
                "a nen::task gives a value: return a pointer instead of a reference");
  static_assert(std::is_void_v<T> || std::is_move_constructible_v<T>,
                "what a nen::task gives is moved to whoever awaits it, so it needs a move "
                "constructor");
  static constexpr std::size_t alignment() noexcept {
    if constexpr (std::is_void_v<T>) {
      return 1;
    } else {
      return alignof(T);
    }
  }
  static_assert(
      alignment() <= detail::frame_source::alignment,
      "what a nen::task gives lies in its frame, which is aligned to 16 bytes and no more");

 public:
  using promise_type = detail::promise<T>;

  /// A task without a frame.
  task() noexcept = default;
  task(task&& other) noexcept : frame_(std::exchange(other.frame_, nullptr)) {}
  task& operator=(task&& other) noexcept {
    if (this != &other) {
      destroy();
      frame_ = std::exchange(other.frame_, nullptr);
    }
    return *this;
  }
  ~task() { destroy(); }

  /// False when there was no frame for it, and after it was moved away.
  [[nodiscard]] bool has_frame() const noexcept { return frame_ != nullptr; }
  /// True when it has ended: take() has something to give.
  [[nodiscard]] bool done() const noexcept { return has_frame() && handle().done(); }

  /// The value, or the exception that left the task.
  /// @pre  done(), and a value was not taken before (asserted)
  T take() {
    NEN_ASSERT(done());
    return promise().take();
  }

  /// Runs it as a root until it waits. This object may be gone afterwards, because the owner may
  /// have destroyed it when it was told about the end.
  /// @pre  it was not started before (asserted)
  void start(detail::task_owner& owner) noexcept {
    if (!has_frame()) return owner.call->ended(owner, detail::task_end::out_of_frames);
    promise().begin(owner, nullptr, nullptr);
    owner.run(handle());
  }

  detail::task_awaiter<T> operator co_await() && noexcept { return detail::task_awaiter<T>(*this); }

  /// For memory that knows no constructors, as the slots of a pool: the frame without its task.
  [[nodiscard]] void* release() noexcept { return std::exchange(frame_, nullptr); }
  /// The task of a frame that was released.
  [[nodiscard]] static task adopt(void* frame) noexcept {
    task t;
    t.frame_ = frame;
    return t;
  }

  /// For awaitables. @pre  has_frame()
  [[nodiscard]] void* address() const noexcept { return frame_; }
  [[nodiscard]] promise_type& promise() const noexcept { return handle().promise(); }

 private:
  [[nodiscard]] std::coroutine_handle<promise_type> handle() const noexcept {
    return std::coroutine_handle<promise_type>::from_address(frame_);
  }
  void destroy() noexcept {
    if (!has_frame()) return;
    NEN_ASSERT(!promise().is_running_root());
    handle().destroy();
  }

  void* frame_ = nullptr;
};

inline task<void> detail::promise<void>::get_return_object() noexcept {
  return task<void>::adopt(std::coroutine_handle<promise>::from_promise(*this).address());
}
inline task<void> detail::promise<void>::get_return_object_on_allocation_failure() noexcept {
  return {};
}

}  // namespace nen
