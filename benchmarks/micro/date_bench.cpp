// What the Date field costs; a server renders it once a second.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <nen/http/date.hpp>

namespace {

void write_date(benchmark::State& state) {
  char text[nen::imf_fixdate_size];
  std::int64_t second = 1'700'000'000;
  for (auto _ : state) {
    benchmark::DoNotOptimize(nen::write_imf_fixdate(text, second));
    benchmark::ClobberMemory();
    second += 12'345;
  }
}

BENCHMARK(write_date);

}  // namespace
