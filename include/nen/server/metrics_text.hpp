// server, L3: everything that a server counts and measures, as metrics. One family after the other,
// always the same ones in the same order, so that the text can be written in pieces.
#pragma once

#include <nen/core/ascii.hpp>
#include <nen/core/version.hpp>
#include <nen/http/method.hpp>
#include <nen/metrics/exposition.hpp>
#include <nen/server/close_reason.hpp>
#include <nen/server/metrics_tables.hpp>
#include <nen/server/process_figures.hpp>
#include <nen/server/route_metrics.hpp>
#include <nen/server/server_metrics.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace nen::detail {

/// A number as the value of a label.
class label_number {
 public:
  explicit label_number(std::uint64_t number) noexcept : end_(write_decimal(text_, number)) {}
  std::string_view view() const noexcept { return {text_, static_cast<std::size_t>(end_ - text_)}; }

 private:
  char text_[decimal_digits_max];
  char* end_;
};

/// The methods of a route as the value of a label: "GET", or "PUT,PATCH".
class label_methods {
 public:
  explicit label_methods(method_set methods) noexcept {
    for (std::uint8_t i = 0; i < method_count; ++i) {
      if (!methods.contains(static_cast<method>(i))) continue;
      if (size_ != 0) text_[size_++] = ',';
      const std::string_view name = to_string(static_cast<method>(i));
      std::memcpy(text_ + size_, name.data(), name.size());
      size_ += name.size();
    }
  }
  std::string_view view() const noexcept { return {text_, size_}; }

 private:
  char text_[64];  // all names are 46 bytes and the separators between them 8
  std::size_t size_ = 0;
};

/// Writes the families of a server.
class metrics_writer {
 public:
  metrics_writer(exposition& to, const server_metrics& all) noexcept : to_(to), all_(all) {}

  void write() {
    write_process();
    write_connections();
    write_counters();
    write_groups();
    write_routes();
    write_pools();
    write_loop();
    all_.expose_states(to_);
  }

 private:
  static constexpr metric_kind counter_kind = metric_kind::counter;
  static constexpr metric_kind gauge_kind = metric_kind::gauge;

  /// One series without labels.
  template <class Value>
  void one(metric_kind kind, std::string_view name, std::string_view help, Value value) {
    if (to_.family(kind, name, help)) to_.sample({}, value());
  }
  /// One series for each shard: value(shard).
  template <class Value>
  void of_shards(metric_kind kind, std::string_view name, std::string_view help, Value value) {
    if (!to_.family(kind, name, help)) return;
    for (std::uint32_t i = 0; i < all_.shards(); ++i) {
      to_.sample({{"shard", label_number(i).view()}}, metric_value::of(value(i)));
    }
  }
  std::uint64_t sum(counter shard_counters::*which) const noexcept {
    std::uint64_t total = 0;
    for (std::uint32_t i = 0; i < all_.shards(); ++i) total += (all_.counters(i).*which).value();
    return total;
  }

  void write_process();
  void write_connections();
  void write_counters();
  void write_groups();
  void write_pools();
  void write_loop();

  void write_routes();
  /// Calls f(index, labels route and method) for each route, and for what has none.
  template <class F>
  void for_each_route(F f) const;
  const route_metrics& route(std::uint32_t shard, std::uint32_t index) const noexcept {
    return index < all_.routes().size() ? all_.route(shard, index) : all_.unrouted(shard);
  }
  void write_route_times(std::string_view name, std::string_view help,
                         histogram route_metrics::*which);
  /// One histogram of all shards: find(shard) is each one's.
  template <class Find>
  void merged(std::span<const metric_label> of, Find find);

  static constexpr std::uint32_t shards_max = 1024;  // as many as config::shards allows

  exposition& to_;
  const server_metrics& all_;
};

}  // namespace nen::detail

#include <nen/server/metrics_text.ipp>
