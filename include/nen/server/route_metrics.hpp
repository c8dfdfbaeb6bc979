// server, L3: what an HTTP shard measures of each route and of its loop. There is none of it where
// no handler takes nen::server_metrics.
#pragma once

#include <nen/http/status.hpp>
#include <nen/metrics/counter.hpp>
#include <nen/metrics/histogram.hpp>

#include <array>
#include <cstddef>
#include <cstdint>

namespace nen {

/// What one shard has measured of one route.
struct route_metrics {
  static constexpr std::size_t status_classes = 5;
  /// A handler's time is taken of one call in so many, and recorded as often.
  static constexpr std::uint32_t handler_sample = 16;

  std::array<counter, status_classes> answers;  ///< by the status code's first digit, less one
  histogram latency;       ///< ns from when a request was read to when the kernel had its answer
  histogram handler_time;  ///< ns from the handler's call to its return
  std::uint32_t calls;     ///< of the handler, modulo 2^32: the shard's own

  void count(status code) noexcept {
    const auto value = static_cast<std::size_t>(code);
    answers[value < 100 || value > 599 ? status_classes - 1 : value / 100 - 1].add();
  }
};

/// What one shard has measured of its loop.
struct loop_metrics {
  histogram batch;  ///< completions a turn
  histogram busy;   ///< ns a turn: so long did whatever came meanwhile have to wait
};

namespace detail {

/// Takes the time of one call of a handler in so many.
template <class Clock>
class handler_stopwatch {
 public:
  handler_stopwatch(route_metrics& route, const Clock& clock) noexcept
      : route_(route), clock_(clock), runs_(route.calls++ % route_metrics::handler_sample == 0) {
    if (runs_) began_ns_ = clock_.clock_ns();
  }
  ~handler_stopwatch() {
    if (runs_)
      route_.handler_time.record(clock_.clock_ns() - began_ns_, route_metrics::handler_sample);
  }
  handler_stopwatch(const handler_stopwatch&) = delete;
  handler_stopwatch& operator=(const handler_stopwatch&) = delete;

 private:
  route_metrics& route_;
  const Clock& clock_;
  const bool runs_;
  std::uint64_t began_ns_;
};

/// When the request in hand was read, and for which route; kept by its connection.
template <bool Measures>
struct request_timing {
  std::uint64_t began_ns;
  std::uint32_t route;  // route + 1; 0: none
};
template <>
struct request_timing<false> {};

/// What one shard measures of its routes; the first one stands for requests without a route.
template <std::size_t Routes, bool Measures>
struct http_metrics {
  std::array<route_metrics, Routes + 1> routes;
};
template <std::size_t Routes>
struct http_metrics<Routes, false> {};

}  // namespace detail

}  // namespace nen
