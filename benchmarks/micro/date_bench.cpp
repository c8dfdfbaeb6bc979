// What the Date field costs; a server renders it once a second.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <nen/http/date.hpp>

namespace {

void write_date(benchmark::State& state) {
  char text[nen::imf_fixdate_size];
  constexpr std::int64_t first = 1'700'000'000;
  constexpr std::int64_t last = 250'000'000'000;  // of the year 9892
  std::int64_t second = first;
  for (auto _ : state) {
    benchmark::DoNotOptimize(nen::write_imf_fixdate(text, second));
    benchmark::ClobberMemory();
    second = second < last ? second + 12'345 : first;
  }
}

BENCHMARK(write_date);

}  // namespace
