// A hierarchical timer wheel in wrapping 32-bit milliseconds: O(1) arm, re-arm and cancel.
// core, L0
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>

#include <nen/core/assert.hpp>
#include <nen/core/intrusive_list.hpp>

namespace nen {

/// Milliseconds of a monotonic clock, modulo 2^32. Two ticks are compared by their difference, so
/// they have to be less than 2^31 ms (24.8 days) apart.
using tick = std::uint32_t;

/// True when a comes before b.
[[nodiscard]] constexpr bool tick_before(tick a, tick b) noexcept {
  return static_cast<std::int32_t>(a - b) < 0;
}

struct timer_tag {};

/// A member or base class of what wants to be called later. All zero is "not armed".
struct timer : list_hook<timer_tag> {
  tick deadline;   ///< when it is due; meaningful while armed
  tick scheduled;  ///< when the wheel looks at it next, at the latest when it is due

  /// True exactly when the wheel holds it: after arm, until it expires or is cancelled.
  [[nodiscard]] constexpr bool armed() const noexcept { return linked(); }
};

/// Four levels of 64 buckets. A bucket of level k is 64^k ms wide; timers beyond the last level
/// wait in its furthest bucket and are sorted in again. All zero is a wheel without timers at tick
/// 0, so a static wheel lies in .bss; one on the stack is written `timer_wheel wheel{};`.
class timer_wheel {
 public:
  timer_wheel() = default;
  timer_wheel(const timer_wheel&) = delete;
  timer_wheel& operator=(const timer_wheel&) = delete;

  /// Sets the time before the first use.
  /// @pre  no timer is armed (asserted)
  void start(tick now) noexcept {
    NEN_ASSERT(armed_ == 0);
    now_ = now;
  }

  /// The time of the last start or advance.
  [[nodiscard]] tick now() const noexcept { return now_; }

  /// How many timers are armed.
  [[nodiscard]] std::uint32_t armed() const noexcept { return armed_; }

  /// Arms a timer, or moves the deadline of an armed one. Moving it to later is only a store: the
  /// wheel finds out when it comes to the bucket. A deadline that has passed expires in the next
  /// advance (in the running one if the timer was about to be looked at in it).
  /// @param deadline  less than 2^31 ms after now(); anything further counts as passed
  void arm(timer& t, tick deadline) noexcept {
    t.deadline = deadline;
    if (t.armed()) {
      // A timer that is scheduled for no later than now waits in due_ or overdue_ already.
      if (!tick_before(deadline, t.scheduled) || !tick_before(now_, t.scheduled)) {
        return;
      }
      list::remove(t);
    } else {
      ++armed_;
    }
    place(t);
  }

  /// Disarms a timer; nothing happens when it is not armed.
  void cancel(timer& t) noexcept {
    if (!t.armed()) {
      return;
    }
    list::remove(t);
    NEN_ASSERT(armed_ > 0);
    --armed_;
  }

  /// Moves the time on and calls expired(timer&) for every armed timer whose deadline is not after
  /// now, in no particular order. A timer is disarmed before its call. The callback may arm and
  /// cancel any timer; one that it arms with a deadline that has passed expires in the next
  /// advance, so that a callback cannot keep this one from ending. It must not call advance.
  /// However far the time moves, the cost is that of the timers concerned, not of the ticks.
  /// @param now  a step back, which a monotonic clock does not make, only costs a look at every
  ///             timer; so does one of 2^31 ms or more
  template <class F>
  void advance(tick now, F&& expired) {
    collect(now);
    while (timer* const t = due_.pop_front()) {
      if (tick_before(now_, t->deadline)) {
        place(*t);
        continue;
      }
      NEN_ASSERT(armed_ > 0);
      --armed_;
      expired(*t);
    }
  }

  /// How long one can sleep: at this tick the next advance has something to do. It is never later
  /// than the earliest deadline, and may be earlier: a timer far away is looked at once a level on
  /// its way down, and one that was moved to later is looked at where it was before.
  /// @returns  a tick that is not before now; nothing when no timer is armed
  [[nodiscard]] std::optional<tick> next_deadline(tick now) noexcept {
    if (armed_ == 0) {
      return std::nullopt;
    }
    if (!due_.empty() || !overdue_.empty()) {
      return now;
    }
    std::optional<tick> earliest;
    for (unsigned level = 0; level < levels; ++level) {
      const std::optional<tick> first = first_of(level);
      if (first && (!earliest || tick_before(*first, *earliest))) {
        earliest = first;
      }
    }
    NEN_ASSERT(earliest.has_value());
    return tick_before(*earliest, now) ? now : *earliest;
  }

 private:
  using list = intrusive_list<timer, timer_tag>;

  static constexpr unsigned levels = 4;
  static constexpr unsigned level_bits = 6;
  static constexpr unsigned buckets = 1U << level_bits;

  /// The number of the level's bucket that a tick lies in, counted from tick 0.
  static constexpr tick number_at(tick t, unsigned level) noexcept {
    return t >> (level * level_bits);
  }

  /// How many buckets of the level lie between two ticks. It wraps where the tick does.
  static constexpr tick buckets_between(tick from, tick to, unsigned level) noexcept {
    const tick wrap = ~tick{0} >> (level * level_bits);
    return (number_at(to, level) - number_at(from, level)) & wrap;
  }

  static constexpr unsigned slot_of(tick number) noexcept { return number & (buckets - 1); }

  /// Puts a timer that is in no list where it belongs, seen from now_.
  [[gnu::noinline]] void place(timer& t) noexcept {
    if (!tick_before(now_, t.deadline)) {
      t.scheduled = now_;
      overdue_.push_back(t);
      return;
    }
    // A timer goes to the lowest level whose 64 buckets reach as far. There it lies 1 … 64 buckets
    // ahead and never in the bucket of now_, because at least one bucket's width is to go.
    const tick ahead = t.deadline - now_;
    unsigned level = (static_cast<unsigned>(std::bit_width(ahead)) - 1) / level_bits;
    tick number = 0;
    if (level < levels) {
      number = number_at(t.deadline, level);
    } else {
      level = levels - 1;
      number = number_at(now_, level) + buckets;
    }
    t.scheduled = number << (level * level_bits);
    occupied_[level] |= std::uint64_t{1} << slot_of(number);
    wheel_[level][slot_of(number)].push_back(t);
  }

  /// Moves the time, and the timers of all buckets that it reaches to due_.
  void collect(tick now) noexcept {
    due_.take_all(overdue_);
    for (unsigned level = 0; level < levels; ++level) {
      // A step back looks like one of almost the whole range, and reaches every bucket of the
      // level.
      const tick passed = buckets_between(now_, now, level);
      if (passed == 0) {
        break;  // Still in the same bucket, so in the same one of the wider levels too.
      }
      const unsigned first = slot_of(number_at(now_, level) + 1);
      std::uint64_t reached = std::rotr(occupied_[level], static_cast<int>(first));
      if (passed < buckets) {
        reached &= (std::uint64_t{1} << passed) - 1;
      }
      for (; reached != 0; reached &= reached - 1) {
        const unsigned slot = slot_of(first + static_cast<unsigned>(std::countr_zero(reached)));
        occupied_[level] &= ~(std::uint64_t{1} << slot);
        due_.take_all(wheel_[level][slot]);
      }
    }
    now_ = now;
  }

  /// When the level's first bucket with a timer in it begins. Cancelling leaves the bit of an
  /// emptied bucket set (it does not know the bucket), so such bits are cleared here.
  std::optional<tick> first_of(unsigned level) noexcept {
    const tick next = number_at(now_, level) + 1;
    while (occupied_[level] != 0) {
      const std::uint64_t ahead = std::rotr(occupied_[level], static_cast<int>(slot_of(next)));
      const tick number = next + static_cast<tick>(std::countr_zero(ahead));
      if (!wheel_[level][slot_of(number)].empty()) {
        return number << (level * level_bits);
      }
      occupied_[level] &= ~(std::uint64_t{1} << slot_of(number));
    }
    return std::nullopt;
  }

  tick now_;
  std::uint32_t armed_;
  std::uint64_t occupied_[levels];  // a bit is set for every bucket that is not empty, and for some
  list wheel_[levels][buckets];
  list due_;      // what this advance has still to look at
  list overdue_;  // what was armed too late for its bucket: for the next advance
};

}  // namespace nen
