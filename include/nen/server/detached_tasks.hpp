// server, L3: the coroutines of a shard that nobody awaits.
#pragma once

#include <nen/core/assert.hpp>
#include <nen/core/pool.hpp>
#include <nen/io/context.hpp>
#include <nen/io/sleep.hpp>
#include <nen/io/task.hpp>

#include <coroutine>
#include <cstdint>

namespace nen::detail {

/// Who looks after coroutines that nobody awaits.
struct detached_host {
  /// One has ended; its slot is to be given back.
  void (*task_ended)(detached_host&, task_owner&, task_end) noexcept;
};

/// A coroutine that nobody awaits. The loop starts it, because it is made while others run.
struct detached_task : task_owner, alarm {
  void* frame;
  detached_host* in;

  void start(detached_host& host, nen::task<>&& made, timer_wheel& wheel, tick now) noexcept {
    static constexpr functions calls = {
        [](task_owner& self, std::coroutine_handle<> where) { self.run(where); },
        [](task_owner& self, task_end how) noexcept {
          detached_host& its = *static_cast<detached_task&>(self).in;
          its.task_ended(its, self, how);
        }};
    call = &calls;
    in = &host;
    frame = made.release();
    fire = [](alarm& self) {
      auto& it = static_cast<detached_task&>(self);
      auto root = nen::task<>::adopt(it.frame);
      root.promise().begin(it, nullptr, nullptr);
      it.run(std::coroutine_handle<>::from_address(root.release()));
    };
    wheel.arm(*this, now);
  }
};

/// @tparam Count  how many there can be at once
template <std::uint32_t Count>
class detached_tasks {
 public:
  /// @returns  null when every slot is taken
  detached_task* acquire() noexcept {
    const auto index = slots_.try_acquire();
    return index == decltype(slots_)::none ? nullptr : &slots_[index];
  }
  void release(detached_task& t) noexcept { slots_.release(slots_.index_of(t)); }

  /// Destroys all of them where they wait. @pre  none is running
  void destroy_all(timer_wheel& wheel) noexcept {
    for (std::uint32_t i = 0; i < slots_.high_water(); ++i) {
      if (!slots_.is_held(i)) continue;
      wheel.cancel(slots_[i]);
      const auto root = nen::task<>::adopt(slots_[i].frame);  // its end destroys it
      slots_.release(i);
    }
  }

  const auto& slots() const noexcept { return slots_; }

 private:
  pool<detached_task, Count> slots_;
};

}  // namespace nen::detail
