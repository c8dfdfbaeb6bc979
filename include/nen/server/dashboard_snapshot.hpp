// server, L3: what the dashboard's page is told: names once, and running totals whenever it asks.
// Rates and percentiles are its own work.
#pragma once

#include <nen/core/version.hpp>
#include <nen/http/method.hpp>
#include <nen/metrics/histogram.hpp>
#include <nen/server/close_reason.hpp>
#include <nen/server/dashboard_rows.hpp>
#include <nen/server/exposed_states.hpp>
#include <nen/server/metrics_tables.hpp>
#include <nen/server/process_figures.hpp>
#include <nen/server/route_metrics.hpp>
#include <nen/server/server_metrics.hpp>
#include <nen/server/server_status.hpp>

#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace nen::detail {

/// Since the process was started.
inline std::uint64_t process_age_ms() noexcept {
  const auto ticks = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
  const std::uint64_t now = clock_ns(CLOCK_BOOTTIME) / 1'000'000;
  const std::uint64_t start = stat_of_process(22) * 1000 / ticks;
  return now > start ? now - start : 0;
}

/// A histogram with eight buckets for each power of two, summed over shards: 12.5 % wide.
class coarse_histogram {
 public:
  static constexpr std::size_t fine_in_one = 8;
  static constexpr std::size_t count = histogram_buckets::count / fine_in_one;

  void add(const histogram& from) noexcept {
    if (from.count() == 0) return;  // so that pages nobody wrote to are not read either
    for (std::size_t i = 0; i < histogram_buckets::count; ++i)
      counts_[i / fine_in_one] += from.bucket(i);
  }
  /// Items [bucket, count] for those that hold something.
  void list(dashboard_rows& rows) const noexcept {
    for (std::size_t i = 0; i < count; ++i)
      if (counts_[i] != 0) rows.open().number(i).number(counts_[i]).close();
  }

 private:
  std::array<std::uint64_t, count> counts_{};
};

/// Writes what there is to tell about a server. Row 0 of its routes stands for answers without one.
class dashboard_snapshot {
 public:
  dashboard_snapshot(const server_metrics& all, dashboard_rows& to) noexcept
      : all_(all), rows_(to) {}

  /// What does not change while the server lives.
  void names() const noexcept {
    // Another process has other counters: the page begins anew.
    rows_.begin("names");
    rows_.open().number(start_of_process_ns()).number(static_cast<std::uint64_t>(::getpid()));
    rows_.text(library_version).close();
    rows_.end();
    name_counters();
    rows_.begin("pool_names");
    for_each_pool([&](const pool_figures& pool) {
      rows_.open().text(pool.name).number(std::uint64_t{pool.size} * all_.shards()).close();
    });
    rows_.end();
    rows_.begin("route_names");
    rows_.open().text("").text("").close();
    for (const route_info& route : all_.routes()) {
      rows_.open().text(method_names(route.methods).view()).text(route.pattern).close();
    }
    rows_.end();
  }

  /// All running totals but the histograms of single routes.
  void totals(const server_status& status) const noexcept {
    rusage used{};
    ::getrusage(RUSAGE_SELF, &used);
    const auto us = [](const timeval& t) {
      return static_cast<std::uint64_t>(t.tv_sec) * 1'000'000 +
             static_cast<std::uint64_t>(t.tv_usec);
    };
    rows_.begin("process");
    rows_.item(process_age_ms());
    rows_.item(status.is_draining() ? 2 : status.is_overloaded() ? 1 : 0);
    rows_.item(us(used.ru_utime));
    rows_.item(us(used.ru_stime));
    rows_.item(memory_of_process().resident_bytes);
    rows_.end();
    count_counters();
    fill_pools();
    shards();
    routes();
    latency_of_all();
    rows_.begin("groups");
    all_.groups([this](const group_figures& group) {
      rows_.open().number(group.members).number(group.missed).close();
    });
    rows_.end();
    rows_.begin("busy");
    coarse_histogram busy;
    for (std::uint32_t s = 0; s < all_.shards(); ++s) busy.add(all_.loop(s).busy);
    busy.list(rows_);
    rows_.end();
    rows_.begin("end");
    rows_.end();
  }

  /// The latencies of one route. @param row  its index + 1, 0: what has no route; others: nothing
  void histogram_of(std::uint64_t row) const noexcept {
    if (row > all_.routes().size()) return;
    coarse_histogram latency;
    for (std::uint32_t s = 0; s < all_.shards(); ++s)
      latency.add(route(s, static_cast<std::uint32_t>(row)).latency);
    rows_.begin("histogram", row);
    latency.list(rows_);
    rows_.end();
  }

 private:
  /// "GET", "PUT,PATCH", "any"
  class method_names {
   public:
    explicit method_names(method_set methods) noexcept {
      std::size_t several = 0;
      for (std::uint8_t i = 0; i < method_count; ++i) {
        if (!methods.contains(static_cast<method>(i))) continue;
        if (++several > 3) break;
        if (several > 1) text_[size_++] = ',';
        for (const char c : to_string(static_cast<method>(i))) text_[size_++] = c;
      }
      if (several > 3) {
        size_ = 0;
        for (const char c : std::string_view("any")) text_[size_++] = c;
      }
    }
    std::string_view view() const noexcept { return {text_, size_}; }

   private:
    char text_[32];  // the three longest are 21 bytes
    std::size_t size_ = 0;
  };

  const route_metrics& route(std::uint32_t shard, std::uint32_t row) const noexcept {
    return row == 0 ? all_.unrouted(shard) : all_.route(shard, row - 1);
  }
  std::uint32_t row_count() const noexcept {
    return static_cast<std::uint32_t>(all_.routes().size()) + 1;
  }
  /// Of the first shard; all have the same ones in the same order.
  template <class F>
  void for_each_pool(F f) const noexcept {
    all_.pools(0, f);
  }

  void name_counters() const noexcept {
    rows_.begin("counter_names");
    rows_.open().text("connections_accepted").text("").text("").close();
    rows_.open().text("connections_closed").text("").text("").close();
    for (std::size_t i = 1; i <= tcp::close_reasons; ++i) {
      const auto why = static_cast<tcp::close_reason>(i);
      rows_.open().text("closes").text("").text(to_string(why)).close();
    }
    for (const counter_row& each : counter_rows)
      rows_.open().text(each.name).text(each.pool).text(each.kind).close();
    rows_.end();
  }
  void count_counters() const noexcept {
    const auto item = [this](auto value_in) {
      std::uint64_t sum = 0;
      for (std::uint32_t s = 0; s < all_.shards(); ++s) sum += value_in(all_.counters(s)).value();
      rows_.item(sum);
    };
    rows_.begin("counters");
    item([](const shard_counters& c) -> auto& { return c.connections_accepted; });
    item([](const shard_counters& c) -> auto& { return c.connections_closed; });
    for (std::size_t i = 1; i <= tcp::close_reasons; ++i)
      item([i](const shard_counters& c) -> auto& {
        return c.closes[static_cast<tcp::close_reason>(i)];
      });
    for (const counter_row& each : counter_rows)
      item([&each](const shard_counters& c) -> auto& { return c.*each.which; });
    rows_.end();
  }
  void fill_pools() const noexcept {
    rows_.begin("pools");
    std::size_t which = 0;
    for_each_pool([&](const pool_figures&) {
      std::uint64_t in_use = 0, high_water = 0;
      for (std::uint32_t s = 0; s < all_.shards(); ++s) {
        std::size_t at = 0;
        all_.pools(s, [&](const pool_figures& pool) {
          if (at++ != which) return;
          in_use += pool.in_use;
          high_water += pool.high_water;
        });
      }
      ++which;
      rows_.open().number(in_use).number(high_water).close();
    });
    rows_.end();
  }
  void shards() const noexcept {
    rows_.begin("shards");
    for (std::uint32_t s = 0; s < all_.shards(); ++s) {
      const shard_counters& c = all_.counters(s);
      // A connection may be accepted between the two: first those that are closed.
      const std::uint64_t closed = c.connections_closed.value();
      rows_.open().number(c.connections_accepted.value() - closed).number(c.requests.value());
      rows_.number(c.bytes_received.value()).number(c.bytes_sent.value()).close();
    }
    rows_.end();
  }
  /// Answers by class, and of the time in the handler its sum and what that was summed over.
  void routes() const noexcept {
    rows_.begin("routes");
    for (std::uint32_t row = 0; row < row_count(); ++row) {
      std::array<std::uint64_t, route_metrics::status_classes> answers{};
      std::uint64_t took = 0, times = 0;
      for (std::uint32_t s = 0; s < all_.shards(); ++s) {
        const route_metrics& its = route(s, row);
        for (std::size_t i = 0; i < answers.size(); ++i) answers[i] += its.answers[i].value();
        took += its.handler_time.sum();
        times += its.handler_time.count();
      }
      rows_.open();
      for (const std::uint64_t each : answers) rows_.number(each);
      rows_.number(took).number(times).close();
    }
    rows_.end();
  }
  /// Reads 16 KiB for each route on each shard that was ever called: about two microseconds each.
  void latency_of_all() const noexcept {
    coarse_histogram latency;
    for (std::uint32_t s = 0; s < all_.shards(); ++s) {
      for (std::uint32_t row = 0; row < row_count(); ++row) latency.add(route(s, row).latency);
    }
    rows_.begin("latency");
    latency.list(rows_);
    rows_.end();
  }

  const server_metrics& all_;
  dashboard_rows& rows_;
};

}  // namespace nen::detail
