// timer_wheel: a random walk against an ordered map, with a fixed seed.
#include <nen/core/timer_wheel.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <random>

#include "support/catch.hpp"

namespace {

using nen::tick;
using nen::timer;
using nen::timer_wheel;

constexpr tick day_ms = 24U * 60U * 60U * 1000U;

/// A wheel beside a model that is obviously right: absolute 64-bit deadlines in a multimap.
class wheel_model {
 public:
  static constexpr std::size_t timers = 60;

  wheel_model(std::uint32_t seed, std::uint64_t start) : random_(seed), now_(start) {
    wheel_->start(narrow(start));
  }

  void step() {
    const std::uint32_t kind = draw(100);
    const std::size_t which = draw(timers);
    if (kind < 45) {
      arm(which, now_ + duration());
    } else if (kind < 50) {
      arm(which, now_ - std::min<std::uint64_t>(now_, draw(5000)));  // already passed
    } else if (kind < 60) {
      cancel(which);
    } else if (kind < 80) {
      advance(now_ + draw(3) * draw(100));
    } else if (kind < 90) {
      advance_to_next();
    } else {
      advance(now_ + std::min<std::uint64_t>(duration(), farthest_jump()));
    }
    check();
  }

  std::uint64_t now() const { return now_; }
  std::uint64_t expired() const { return expired_; }

  /// Sleeps from deadline to deadline until nothing is armed.
  /// @returns  how often the wheel woke up for nothing
  std::uint64_t drain() {
    quiet_ = true;
    std::uint64_t spurious = 0;
    while (!model_.empty()) {
      const std::uint64_t before = expired_;
      advance_to_next();
      spurious += expired_ == before ? 1 : 0;
      check();
    }
    return spurious;
  }

 private:
  static tick narrow(std::uint64_t t) { return static_cast<tick>(t); }

  std::uint32_t draw(std::size_t below) {
    return static_cast<std::uint32_t>(random_() % static_cast<std::uint32_t>(below));
  }

  /// 0 ms … 20 days, every order of magnitude alike, often next to a power of 64.
  std::uint64_t duration() {
    const std::uint64_t magnitude = std::uint64_t{1} << draw(31);
    const std::uint64_t near = magnitude + draw(5);
    const std::uint64_t wanted = draw(3) == 0 ? near - std::min<std::uint64_t>(near, 2)
                                              : magnitude - 1 + random_() % magnitude;
    return std::min<std::uint64_t>(wanted, 20U * std::uint64_t{day_ms});
  }

  /// Timers and time stay less than 2^31 ms apart, which is what the wheel asks for.
  std::uint64_t farthest_jump() const { return 3U * std::uint64_t{day_ms}; }

  void forget(std::size_t which) {
    const auto [first, last] = model_.equal_range(deadlines_[which]);
    for (auto it = first; it != last; ++it) {
      if (it->second == which) {
        model_.erase(it);
        return;
      }
    }
  }

  void arm(std::size_t which, std::uint64_t deadline) {
    forget(which);
    deadlines_[which] = deadline;
    model_.emplace(deadline, which);
    armed_in_[which] = advances_;
    wheel_->arm(timers_[which], narrow(deadline));
  }

  void cancel(std::size_t which) {
    forget(which);
    deadlines_[which] = ~std::uint64_t{0};
    wheel_->cancel(timers_[which]);
  }

  void advance_to_next() {
    const auto next = wheel_->next_deadline(narrow(now_));
    if (next) {
      advance(now_ + (*next - narrow(now_)));
    }
  }

  void advance(std::uint64_t to) {
    ++advances_;
    now_ = to;
    wheel_->advance(narrow(to), [&](timer& t) { on_expired(t); });
    // What is still due was armed by a callback of this very advance.
    for (const auto& [deadline, which] : model_) {
      if (deadline > now_) {
        break;
      }
      REQUIRE(armed_in_[which] == advances_);
    }
  }

  void on_expired(timer& t) {
    const auto which = static_cast<std::size_t>(&t - timers_.data());
    REQUIRE_FALSE(t.armed());
    REQUIRE(deadlines_[which] <= now_);
    forget(which);
    deadlines_[which] = ~std::uint64_t{0};
    ++expired_;
    if (quiet_) {
      return;
    }
    switch (draw(6)) {
      case 0:
        arm(which, now_ + duration());
        break;
      case 1:
        arm(draw(timers), now_ + duration());
        break;
      case 2:
        cancel(draw(timers));
        break;
      case 3:
        arm(draw(timers), now_ - std::min<std::uint64_t>(now_, draw(200)));
        break;
      default:
        break;
    }
  }

  void check() {
    REQUIRE(wheel_->armed() == model_.size());
    const auto next = wheel_->next_deadline(narrow(now_));
    REQUIRE(next.has_value() == !model_.empty());
    if (next) {
      const std::uint64_t wait = *next - narrow(now_);
      const std::uint64_t earliest = std::max(model_.begin()->first, now_);
      REQUIRE(now_ + wait <= earliest);
    }
  }

  std::mt19937 random_;
  std::uint64_t now_;
  std::unique_ptr<timer_wheel> wheel_{new timer_wheel{}};
  std::array<timer, timers> timers_{};
  std::multimap<std::uint64_t, std::size_t> model_;
  std::array<std::uint64_t, timers> deadlines_ = [] {
    std::array<std::uint64_t, timers> none{};
    none.fill(~std::uint64_t{0});
    return none;
  }();
  std::array<std::uint64_t, timers> armed_in_{};
  std::uint64_t advances_ = 0;
  std::uint64_t expired_ = 0;
  bool quiet_ = false;
};

}  // namespace

TEST_CASE("a random walk agrees with an ordered map, across the clock's wrap-around",
          "[timer_wheel]") {
  const std::uint32_t seed = GENERATE(1U, 2U, 3U, 4U, 5U, 6U, 7U, 8U);
  INFO("seed " << seed);
  // Starts a little before the 32-bit clock wraps, so that every seed crosses it.
  wheel_model model(seed, (std::uint64_t{1} << 32) - 5000 * std::uint64_t{seed});
  for (int i = 0; i < 4000; ++i) {
    model.step();
  }
  CHECK(model.now() > (std::uint64_t{1} << 32));
  CHECK(model.expired() > 500);
  // Each timer is looked at once a level, and once every 4.6 hours when it is days away; one that
  // was moved to later also at its former place.
  CHECK(model.drain() <= wheel_model::timers * 6 + 20 * 24 / 4);
}
