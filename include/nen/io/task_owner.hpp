// io, L2: who runs a tree of tasks, and what awaitables need to know of it.
#pragma once

// The rule of all of it: an awaitable never resumes anybody from inside another coroutine. Who goes
// on next is noted in the task_owner, and its run() resumes it after the one before has suspended;
// what waits for the outside is resumed by the loop. So the stack stays flat with every compiler
// and every level of optimisation (with symmetric transfer GCC nests the calls below -O2), and a
// tree of tasks may be destroyed whenever its owner isn't running.

#include <nen/core/assert.hpp>
#include <nen/core/frame_pool.hpp>

// Clang 14 has coroutines, but doesn't say so in the way that libstdc++ asks for.
#if defined(__clang__) && !defined(__cpp_impl_coroutine)
#define __cpp_impl_coroutine 201902L
#include <coroutine>
#undef __cpp_impl_coroutine
#else
#include <coroutine>
#endif
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

namespace nen::detail {

/// How a tree of tasks came to its end by itself.
enum class task_end : std::uint8_t {
  returned,       ///< its root did, or an exception left it: task::take() knows
  out_of_frames,  ///< a task of it got no frame; where it was awaited cannot go on
};

/// Who runs a tree of tasks: a root, what that awaits, and so on. It outlives the tree, and has one
/// at a time. All zero but for call, it runs nothing.
class task_owner {
 public:
  struct functions {
    /// What a task waited for has happened. The owner does what it has to do before, calls
    /// run(where) and does what it has to do after. Or it destroys the tree; but it doesn't keep
    /// `where` for later, because the tree may go on for another reason meanwhile.
    void (*resume)(task_owner&, std::coroutine_handle<> where);
    /// The tree ended. It may be destroyed in here, and must be after out_of_frames: nothing of it
    /// will run again. Nobody touches the owner after this call.
    void (*ended)(task_owner&, task_end) noexcept;
  };
  const functions* call;

  /// True while a task of the tree runs: it must not be destroyed then (asserted for the root).
  [[nodiscard]] bool running() const noexcept { return state_ != state::idle; }

  /// Runs a suspended task and everything that goes on because of it, until all of the tree waits.
  /// Never `where.resume()`: that would leave out whoever goes on next.
  /// @pre  not running() (asserted)
  void run(std::coroutine_handle<> where) noexcept {
    NEN_ASSERT(state_ == state::idle);
    state_ = state::running;
    run_inside(where.address());
    const state after = std::exchange(state_, state::idle);
    if (after == state::returned) {
      call->ended(*this, task_end::returned);
    } else if (after == state::out_of_frames) {
      call->ended(*this, task_end::out_of_frames);
    }
  }

  // For awaitables, from inside run().

  /// The task that goes on when the one that runs has suspended.
  void go_on(void* frame) noexcept {
    NEN_ASSERT(state_ == state::running && next_ == nullptr);
    next_ = frame;
  }

  /// Runs a child until it waits or has ended, while its parent is suspended.
  void run_inside(void* frame) noexcept {
    NEN_ASSERT(next_ == nullptr);
    do {
      std::coroutine_handle<>::from_address(frame).resume();
      frame = std::exchange(next_, nullptr);
    } while (frame != nullptr);
  }

  /// Nothing more of the tree runs.
  void end(task_end how) noexcept {
    NEN_ASSERT(state_ == state::running && next_ == nullptr);
    state_ = how == task_end::returned ? state::returned : state::out_of_frames;
  }
  [[nodiscard]] bool is_over() const noexcept { return state_ != state::running; }

 private:
  enum class state : std::uint8_t { idle, running, returned, out_of_frames };

  void* next_;
  state state_;
};

/// Several children of one parent, which goes on when enough of them have ended. What is to be done
/// then is done before the parent is resumed and not in its await_resume, because GCC 12 runs that
/// late when there are several co_awaits in one expression: when the last of them was waited for.
class child_group {
 public:
  /// @param enough  how many have to end
  /// @param then    is called when they have; may be nullptr
  void begin(void* parent, std::uint32_t enough, void (*then)(child_group&) noexcept) noexcept {
    NEN_ASSERT(parent_ == nullptr);
    parent_ = parent;
    then_ = then;
    left_ = enough + 1;  // One more, for those that end while others are still to be started.
  }
  void one_ended(task_owner& owner) noexcept {
    if (!count_down()) owner.go_on(parent_);
  }
  /// While children are started: true when those that ended are enough already.
  [[nodiscard]] bool has_enough() const noexcept { return left_ == 1; }
  /// All that are wanted were started.
  /// @returns  true when the parent has to wait
  [[nodiscard]] bool waits() noexcept { return count_down(); }

 private:
  bool count_down() noexcept {
    NEN_ASSERT(left_ > 0);
    if (--left_ > 0) return true;
    if (then_ != nullptr) then_(*this);
    return false;
  }

  void* parent_ = nullptr;
  void (*then_)(child_group&) noexcept = nullptr;
  std::uint32_t left_ = 0;
};

/// What tasks of every type have in common: where the frame comes from, who runs it, who waits.
class promise_base {
 public:
  static void* operator new(std::size_t bytes) noexcept {
    frame_source* const frames = current_frames();
    // A task is made on a thread that runs tasks: by a handler or by another task.
    NEN_ASSERT(frames != nullptr);
    return frames->acquire(bytes);
  }
  static void operator delete(void* frame) noexcept {
    frame_source* const frames = current_frames();
    // A task ends on the thread that made it; another one's pool would not know the frame.
    NEN_ASSERT(frames != nullptr);
    frames->release(frame);
  }

  promise_base() = default;
  promise_base(const promise_base&) = delete;
  promise_base& operator=(const promise_base&) = delete;

  /// Before a task is resumed for the first time.
  /// @param parent  is resumed when it has ended; nullptr: the owner is told
  /// @param group   is told instead; may be nullptr
  void begin(task_owner& owner, void* parent, child_group* group) noexcept {
    NEN_ASSERT(owner_ == nullptr);
    owner_ = &owner;
    parent_ = parent;
    group_ = group;
  }

  [[nodiscard]] task_owner& owner() const noexcept {
    NEN_ASSERT(owner_ != nullptr);
    return *owner_;
  }

  /// True for the root of a tree of which a task runs.
  [[nodiscard]] bool is_running_root() const noexcept {
    return owner_ != nullptr && parent_ == nullptr && group_ == nullptr && owner_->running();
  }

  std::suspend_always initial_suspend() const noexcept { return {}; }

  struct at_end {
    bool await_ready() const noexcept { return false; }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> ended) const noexcept {
      ended.promise().tell_the_end();
    }
    void await_resume() const noexcept {}
  };
  at_end final_suspend() const noexcept { return {}; }

 private:
  void tell_the_end() const noexcept {
    if (parent_ != nullptr) {
      owner_->go_on(parent_);
    } else if (group_ != nullptr) {
      group_->one_ended(*owner_);
    } else {
      owner_->end(task_end::returned);
    }
  }

  task_owner* owner_ = nullptr;  // known from its start on
  void* parent_ = nullptr;
  child_group* group_ = nullptr;
};

/// Who runs the task that awaits something.
template <class Promise>
task_owner& owner_of(std::coroutine_handle<Promise> awaiting) noexcept {
  static_assert(std::is_base_of_v<promise_base, Promise>,
                "what nen offers to co_await is awaited in a nen::task, not in another coroutine");
  return awaiting.promise().owner();
}

/// What an awaitable keeps that waits for the outside. In its destructor the awaitable takes itself
/// out of whatever would call resume: its tree may be destroyed while it waits. All zero is "nobody
/// waits".
class waiter {
 public:
  template <class Promise>
  void wait_as(std::coroutine_handle<Promise> awaiting) noexcept {
    NEN_ASSERT(!waits());
    owner_ = &owner_of(awaiting);
    frame_ = awaiting.address();
  }
  [[nodiscard]] bool waits() const noexcept { return frame_ != nullptr; }

  /// Called by the loop, at most once for each wait_as. This object may be gone afterwards.
  /// @pre  waits() (asserted)
  void resume() {
    NEN_ASSERT(waits());
    const auto where = std::coroutine_handle<>::from_address(std::exchange(frame_, nullptr));
    owner_->call->resume(*owner_, where);
  }

 private:
  void* frame_;
  task_owner* owner_;
};

}  // namespace nen::detail
