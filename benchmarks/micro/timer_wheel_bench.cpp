// What a timer costs while 100,000 others are armed: one per connection of a big server.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <nen/core/timer_wheel.hpp>

namespace {

constexpr std::size_t timer_count = 100'000;

/// Numbers that no predictor learns.
class scattered {
 public:
  std::uint32_t operator()(std::uint32_t below) {
    state_ = state_ * 6364136223846793005U + 1442695040888963407U;
    return static_cast<std::uint32_t>((state_ >> 33) % below);
  }

 private:
  std::uint64_t state_ = 1;
};

/// A wheel with every timer armed within the next minute.
struct armed_wheel {
  nen::timer_wheel wheel{};
  nen::timer timers[timer_count]{};
  scattered random;

  nen::tick deadline() { return wheel.now() + 1 + random(60'000); }
  nen::timer& any() { return timers[random(timer_count)]; }
  void arm_all() {
    for (nen::timer& t : timers) wheel.arm(t, deadline());
  }
  void clear() {
    for (nen::timer& t : timers) wheel.cancel(t);
  }
};

armed_wheel all;

void timer_cancel_and_arm(benchmark::State& state) {
  all.arm_all();
  for (auto _ : state) {
    nen::timer& t = all.any();
    all.wheel.cancel(t);
    all.wheel.arm(t, all.deadline());
  }
  all.clear();
}

/// What a busy connection does: its deadline moves to later and later.
void timer_move_to_later(benchmark::State& state) {
  all.arm_all();
  for (auto _ : state) {
    nen::timer& t = all.any();
    all.wheel.arm(t, t.deadline + 10);
  }
  all.clear();
}

void timer_move_to_earlier(benchmark::State& state) {
  all.arm_all();
  nen::tick offset = 59'000;
  for (auto _ : state) {
    all.wheel.arm(all.any(), all.wheel.now() + offset);
    if (--offset == 0) offset = 59'000;
  }
  all.clear();
}

/// The same without 100,000 timers' cache misses.
void timer_cancel_and_arm_one(benchmark::State& state) {
  nen::timer& t = all.timers[0];
  for (auto _ : state) {
    all.wheel.cancel(t);
    all.wheel.arm(t, all.wheel.now() + 60'000);
  }
  all.clear();
}

void timer_next_deadline(benchmark::State& state) {
  all.arm_all();
  for (auto _ : state) benchmark::DoNotOptimize(all.wheel.next_deadline(all.wheel.now()));
  all.clear();
}

/// A millisecond passes; every timer that expires is armed anew.
void timer_advance_1_ms(benchmark::State& state) {
  all.arm_all();
  std::int64_t expired = 0;
  for (auto _ : state) {
    all.wheel.advance(all.wheel.now() + 1, [&](nen::timer& t) {
      ++expired;
      all.wheel.arm(t, all.wheel.now() + 60'000);
    });
  }
  state.counters["expired_per_ms"] =
      static_cast<double>(expired) / static_cast<double>(state.iterations());
  all.clear();
}

/// A minute passes at once, and everything expires.
void timer_expire_all(benchmark::State& state) {
  for (auto _ : state) {
    state.PauseTiming();
    all.arm_all();
    state.ResumeTiming();
    std::size_t expired = 0;
    all.wheel.advance(all.wheel.now() + 60'001, [&](nen::timer&) { ++expired; });
    if (expired != timer_count) state.SkipWithError("not all expired");
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(timer_count));
}

BENCHMARK(timer_cancel_and_arm);
BENCHMARK(timer_move_to_later);
BENCHMARK(timer_move_to_earlier);
BENCHMARK(timer_cancel_and_arm_one);
BENCHMARK(timer_next_deadline);
BENCHMARK(timer_advance_1_ms);
BENCHMARK(timer_expire_all);

}  // namespace
