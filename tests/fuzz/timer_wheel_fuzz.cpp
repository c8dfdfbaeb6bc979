// The timer wheel against a sorted list of deadlines in 64 bits, which knows no buckets and never
// wraps. The input is a program: where the time starts, then one operation after the other.
#include <cstdint>
#include <iterator>
#include <map>
#include <nen/core/timer_wheel.hpp>
#include <optional>

#include "fuzz/fuzz.hpp"

using namespace nen;
using namespace nen::test::fuzz;

namespace {

constexpr std::size_t timers_max = 16;

class model {
 public:
  explicit model(choices& from) : from_(from) {
    now_ = std::uint64_t{1} << 32 | from.number();
    wheel_.start(static_cast<tick>(now_));
  }
  ~model() {
    for (timer& t : timers_) wheel_.cancel(t);
  }

  void step() {
    switch (from_.below(8)) {
      case 0:
      case 1:
      case 2:
        arm(any(), now_ + distance());
        break;
      case 3:
        arm(any(), now_ - distance() % 5000);  // has passed
        break;
      case 4:
        cancel(any());
        break;
      case 5:
        advance(now_ + distance());
        break;
      case 6:
        advance(now_ + from_.byte());
        break;
      default:
        sleep();
        break;
    }
    check();
  }

  /// Sleeping as long as the wheel says, again and again, reaches every timer in time.
  void drain() {
    is_draining_ = true;
    // Each timer is looked at once a level and when it was moved, and before that once for each
    // time that it lies beyond the last level, whose furthest bucket is more than 63 of its
    // buckets (2^18 ms each) ahead. Each look is worth a sleep.
    std::uint64_t looks = 0;
    for (const auto& [deadline, i] : due_)
      looks += 16 + (deadline > now_ ? (deadline - now_) / (std::uint64_t{63} << 18) : 0);
    for (std::uint64_t sleeps = 0; !due_.empty(); ++sleeps) {
      NEN_PROPERTY(sleeps <= looks);
      sleep();
      check();
    }
    NEN_PROPERTY(!wheel_.next_deadline(static_cast<tick>(now_)));
  }

 private:
  std::size_t any() { return from_.below(timers_max); }

  /// Up to 2^30 ms, small and large ones alike.
  std::uint64_t distance() {
    const std::size_t bits = from_.below(31);
    return from_.number() & ((std::uint64_t{1} << bits) - 1);
  }

  void arm(std::size_t i, std::uint64_t deadline) {
    forget(i);
    where_[i] = due_.emplace(deadline, i);
    wheel_.arm(timers_[i], static_cast<tick>(deadline));
  }
  void cancel(std::size_t i) {
    forget(i);
    wheel_.cancel(timers_[i]);
  }
  void forget(std::size_t i) {
    if (where_[i]) due_.erase(*where_[i]);
    where_[i].reset();
    armed_inside_[i] = false;
  }

  void advance(std::uint64_t to) {
    now_ = to;
    for (bool& inside : armed_inside_) inside = false;
    wheel_.advance(static_cast<tick>(now_), [this](timer& t) { expired(t); });
    // What a callback armed may wait for the next turn, everything else is done.
    for (const auto& [deadline, i] : due_) {
      NEN_PROPERTY(deadline > now_ || armed_inside_[i]);
    }
  }

  void expired(timer& t) {
    const auto i = static_cast<std::size_t>(&t - timers_);
    NEN_PROPERTY(!t.armed());
    NEN_PROPERTY(where_[i].has_value());
    NEN_PROPERTY((*where_[i])->first <= now_);
    forget(i);
    if (is_draining_) return;
    switch (from_.below(6)) {
      case 0:
        arm_inside(i, now_ + distance());
        break;
      case 1:
        arm_inside(any(), now_ + distance());
        break;
      case 2:
        arm_inside(any(), now_ - distance() % 5000);
        break;
      case 3:
        cancel(any());
        break;
      default:
        break;
    }
  }
  void arm_inside(std::size_t i, std::uint64_t deadline) {
    arm(i, deadline);
    armed_inside_[i] = true;
  }

  void sleep() {
    const auto until = wheel_.next_deadline(static_cast<tick>(now_));
    if (!until) return;
    advance(now_ + static_cast<tick>(*until - static_cast<tick>(now_)));
  }

  void check() {
    NEN_SAME(wheel_.now(), static_cast<tick>(now_));
    NEN_SAME(wheel_.armed(), due_.size());
    for (std::size_t i = 0; i < timers_max; ++i) {
      NEN_SAME(timers_[i].armed(), where_[i].has_value());
    }
    const auto next = wheel_.next_deadline(static_cast<tick>(now_));
    NEN_SAME(next.has_value(), !due_.empty());
    if (!next) return;
    // Between now and the earliest deadline that has not passed.
    const std::uint64_t earliest = due_.begin()->first > now_ ? due_.begin()->first : now_;
    NEN_PROPERTY(static_cast<tick>(*next - static_cast<tick>(now_)) <= earliest - now_);
  }

  using queue = std::multimap<std::uint64_t, std::size_t>;

  choices& from_;
  timer_wheel wheel_{};
  timer timers_[timers_max]{};
  queue due_;
  std::optional<queue::iterator> where_[timers_max];
  bool armed_inside_[timers_max]{};
  std::uint64_t now_ = 0;
  bool is_draining_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > input_bytes_max) return 0;
  choices from(data, size);
  model m(from);
  while (!from.empty()) m.step();
  m.drain();
  return 0;
}
