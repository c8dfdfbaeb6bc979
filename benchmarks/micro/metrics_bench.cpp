// What counting and measuring costs a request, and a scrape.
#include <benchmark/benchmark.h>

#include <nen/core/this_shard.hpp>
#include <nen/metrics/counter.hpp>
#include <nen/metrics/exposition.hpp>
#include <nen/metrics/histogram.hpp>
#include <nen/metrics/metric_set.hpp>
#include <nen/server/counters.hpp>
#include <nen/server/route_metrics.hpp>

#include <array>
#include <cstdint>
#include <random>

namespace {

/// Times as servers have them: most are alike, some are far longer.
std::array<std::uint64_t, 4096> some_times() {
  std::array<std::uint64_t, 4096> all{};
  std::mt19937_64 random{1};
  std::lognormal_distribution<double> time(10, 1);
  for (auto& each : all) each = static_cast<std::uint64_t>(time(random));
  return all;
}
const std::array<std::uint64_t, 4096> times = some_times();

void histogram_record(benchmark::State& state) {
  static nen::histogram seen;
  std::size_t i = 0;
  for (auto _ : state) seen.record(times[i++ % times.size()]);
  benchmark::DoNotOptimize(seen.count());
}

/// All that is counted of a request whose route is measured: bytes both ways, the request, its
/// answer's class, and the time that it took. (Clocks are read once a turn of the loop.)
void measured_request(benchmark::State& state) {
  static nen::shard_counters counters;
  static std::array<nen::route_metrics, 8> routes;
  std::size_t i = 0;
  for (auto _ : state) {
    nen::route_metrics& route = routes[i % routes.size()];
    counters.bytes_received.add(120);
    counters.requests.add();
    route.count(nen::status::ok);
    route.latency.record(times[i++ % times.size()]);
    counters.bytes_sent.add(150);
    benchmark::ClobberMemory();
  }
}

struct orders : nen::counter_metric<"shop_orders_total", "Orders placed."> {};
struct wait : nen::histogram_metric<"shop_wait_seconds", "Time that customers wait."> {};
using set = nen::metric_set<2, orders, wait>;
set shop;

void metric_set_on_a_shard(benchmark::State& state) {
  nen::detail::this_shard = {&shop, sizeof shop, 1};
  std::size_t i = 0;
  for (auto _ : state) {
    shop.add<orders>();
    shop.record<wait>(times[i++ % times.size()]);
    benchmark::ClobberMemory();
  }
  nen::detail::this_shard = {};
}

void metric_set_elsewhere(benchmark::State& state) {
  std::size_t i = 0;
  for (auto _ : state) {
    shop.add<orders>();
    shop.record<wait>(times[i++ % times.size()]);
    benchmark::ClobberMemory();
  }
}

void percentile_of_two(benchmark::State& state) {
  static std::array<nen::histogram, 2> seen;
  for (const std::uint64_t time : times) {
    seen[0].record(time);
    seen[1].record(time * 3);
  }
  const nen::histogram* const both[] = {&seen[0], &seen[1]};
  for (auto _ : state) benchmark::DoNotOptimize(nen::percentile(both, 0.99));
}

/// The text of one histogram: 24 lines.
void histogram_exposition(benchmark::State& state) {
  static nen::histogram seen;
  for (const std::uint64_t time : times) seen.record(time);
  const nen::histogram* const one[] = {&seen};
  char room[4096];
  for (auto _ : state) {
    nen::exposition to(room, nen::metrics_format::openmetrics, {});
    if (to.family(nen::metric_kind::histogram, "shop_wait_seconds", "Time that customers wait."))
      to.histogram({{"route", "/orders/:id"}, {"method", "GET"}}, one);
    benchmark::DoNotOptimize(to.finish());
  }
}

BENCHMARK(histogram_record);
BENCHMARK(measured_request);
BENCHMARK(metric_set_on_a_shard);
BENCHMARK(metric_set_elsewhere);
BENCHMARK(percentile_of_two);
BENCHMARK(histogram_exposition);

}  // namespace
