// What taking and giving back a slot costs.
#include <benchmark/benchmark.h>

#include <array>
#include <cstdint>
#include <nen/core/pool.hpp>

namespace {

struct slot {
  char bytes[256];
};

constexpr std::uint32_t slots = 100'000;

using pool = nen::pool<slot, slots>;
pool p;

/// A slot is taken and given back at once: always the same, which is warm.
void pool_acquire_release(benchmark::State& state) {
  for (auto _ : state) {
    const auto index = p.try_acquire();
    benchmark::DoNotOptimize(index);
    p.release(index);
  }
}

/// 1,000 slots are taken and given back in another order; the time is that of one.
void pool_acquire_release_scattered(benchmark::State& state) {
  constexpr std::size_t held = 1000;
  static std::array<pool::index_type, held> indices;
  while (state.KeepRunningBatch(held)) {
    for (auto& index : indices) index = p.try_acquire();
    for (std::size_t i = 0; i < held; ++i) p.release(indices[i * 389 % held]);
  }
}

void pool_exhausted(benchmark::State& state) {
  static nen::pool<slot, 1> one;
  const auto held = one.try_acquire();
  for (auto _ : state) benchmark::DoNotOptimize(one.try_acquire());
  one.release(held);
}

void pool_index_of(benchmark::State& state) {
  const auto held = p.try_acquire();
  slot* s = &p[held];
  for (auto _ : state) {
    benchmark::DoNotOptimize(s);
    benchmark::DoNotOptimize(p.index_of(*s));
  }
  p.release(held);
}

BENCHMARK(pool_acquire_release);
BENCHMARK(pool_acquire_release_scattered);
BENCHMARK(pool_exhausted);
BENCHMARK(pool_index_of);

}  // namespace
