// metrics, L1: an application's own metrics, counted by each shard for itself and shown beside the
// server's.
#pragma once

#include <nen/core/assert.hpp>
#include <nen/core/fixed_string.hpp>
#include <nen/core/this_shard.hpp>
#include <nen/metrics/exposition.hpp>
#include <nen/metrics/histogram.hpp>
#include <nen/metrics/metric.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace nen {
namespace detail {

/// What one shard counts for one metric. A gauge is set by all to one value, so it has none here.
template <class Metric, metric_kind Kind = Metric::kind>
struct metric_cell {};
template <class Metric>
struct metric_cell<Metric, metric_kind::counter> {
  std::array<std::uint64_t, Metric::series> series;
};
template <class Metric>
struct metric_cell<Metric, metric_kind::histogram> {
  std::array<histogram, Metric::series> series;
};

template <class Metric, metric_kind Kind = Metric::kind>
struct metric_gauge {};
template <class Metric>
struct metric_gauge<Metric, metric_kind::gauge> {
  std::array<std::int64_t, Metric::series> series;
};

/// A shard's cells, in cache lines that no other shard writes to.
template <class... Metric>
struct alignas(64) metric_cells : metric_cell<Metric>... {};

/// The name that OpenMetrics knows it by: without _total.
constexpr std::string_view family_name(std::string_view name) noexcept {
  return name.ends_with("_total") ? name.substr(0, name.size() - 6) : name;
}

template <class... Metric>
constexpr bool have_same_name() noexcept {
  const std::array<std::string_view, sizeof...(Metric)> names{family_name(Metric::name)...};
  for (std::size_t i = 0; i < names.size(); ++i) {
    for (std::size_t j = i + 1; j < names.size(); ++j) {
      if (names[i] == names[j]) return true;
    }
  }
  return false;
}

/// Whether a metric is named as it has to be where it is counted.
template <class Metric, fixed_string Value>
struct check_series {
  using done = void;
  static_assert(!Metric::has_label || !Value.empty(),
                "this metric has a label: name one of its values, m.add<payments, \"card\">()");
  static_assert(Metric::has_label || Value.empty(),
                "this metric has no label: leave the value out, or give it a nen::labelled");
  static_assert(!Metric::has_label || Value.empty() ||
                    Metric::index_of(Value.view()) < Metric::series,
                "this metric's label has no such value: add it to the metric's nen::labelled");
};

}  // namespace detail

/// The metrics of an application, as a state of its server:
/// @code
///   using metrics = nen::metric_set<config.shards, orders, paid, checkout_time>;
///   nen::server<routes, config, metrics> server;
///   nen::reply order(metrics& m, nen::response& res) { m.add<orders>(); m.add<paid, "card">(); … }
/// @endcode
/// Each shard counts in cells of its own, without locked instructions; what other threads count
/// goes into one more, with them. nen::metrics_route shows the set, added up.
/// @tparam Shards  config::shards of the server
template <std::uint32_t Shards, class... Metric>
class metric_set {
  static_assert(Shards >= 1,
                "nen::metric_set has cells for at least one shard: write "
                "config::shards of its server");
  static_assert(!detail::have_same_name<Metric...>(),
                "two metrics of a nen::metric_set have the same name (_total does not tell names "
                "apart): rename one of them");

  template <class M>
  using amount_of = std::conditional_t<M::kind == metric_kind::gauge, std::int64_t, std::uint64_t>;

 public:
  /// Adds to a counter, or to a gauge, which also takes negative numbers.
  /// @tparam Value  one of its label's, where it has one
  template <class M, fixed_string Value = "">
  void add(amount_of<M> amount = 1) noexcept {
    add_at<M>(index_of<M, Value>(), amount);
  }
  /// The same for a value of the label that is known when the program runs.
  /// @param index  of the value among the label's, in their order (asserted)
  template <class M>
  void add_at(std::size_t index, amount_of<M> amount = 1) noexcept;

  /// Sets a gauge: of what several threads set, the last one stays.
  template <class M, fixed_string Value = "">
  void set(std::int64_t value) noexcept {
    set_at<M>(index_of<M, Value>(), value);
  }
  template <class M>
  void set_at(std::size_t index, std::int64_t value) noexcept;

  /// Records a value in a histogram: nanoseconds where its name ends in _seconds.
  template <class M, fixed_string Value = "">
  void record(std::uint64_t value, std::uint64_t count = 1) noexcept {
    record_at<M>(index_of<M, Value>(), value, count);
  }
  template <class M>
  void record_at(std::size_t index, std::uint64_t value, std::uint64_t count = 1) noexcept;

  /// What a counter has counted, on all threads; for a gauge, what it is. From any thread.
  template <class M, fixed_string Value = "">
  auto value() const noexcept {
    return value_at<M>(index_of<M, Value>());
  }
  template <class M>
  amount_of<M> value_at(std::size_t index) const noexcept;

  /// What all threads recorded in a histogram. From any thread.
  template <class M, fixed_string Value = "">
  histogram_snapshot snapshot() const noexcept {
    return snapshot_at<M>(index_of<M, Value>());
  }
  template <class M>
  histogram_snapshot snapshot_at(std::size_t index) const noexcept;

  /// Writes all of them. What has such a function and is a state of a server is shown by
  /// nen::metrics_route.
  void expose(exposition& to) const noexcept { (expose_one<Metric>(to), ...); }

 private:
  using cells = detail::metric_cells<Metric...>;

  template <class M, fixed_string Value>
  static constexpr std::size_t index_of() noexcept {
    static_assert((std::is_same_v<M, Metric> || ...),
                  "this metric is not in the nen::metric_set: add it to the set's list");
    using checked [[maybe_unused]] = typename detail::check_series<M, Value>::done;
    return M::index_of(Value.view());
  }

  template <class M>
  static auto& cell(cells& of, std::size_t index) noexcept {
    NEN_ASSERT(index < M::series);
    return static_cast<detail::metric_cell<M>&>(of).series[index];
  }
  template <class M>
  static const auto& cell(const cells& of, std::size_t index) noexcept {
    NEN_ASSERT(index < M::series);
    return static_cast<const detail::metric_cell<M>&>(of).series[index];
  }
  template <class M>
  std::int64_t& gauge(std::size_t index) noexcept {
    NEN_ASSERT(index < M::series);
    return static_cast<detail::metric_gauge<M>&>(gauges_).series[index];
  }
  template <class M>
  const std::int64_t& gauge(std::size_t index) const noexcept {
    NEN_ASSERT(index < M::series);
    return static_cast<const detail::metric_gauge<M>&>(gauges_).series[index];
  }

  /// The shards that a set has no cells for, because it was made for fewer, share the last one.
  bool has_own() const noexcept {
    return detail::this_shard.serves(this) && detail::this_shard.index < Shards;
  }
  cells& own() noexcept { return cells_[detail::this_shard.index]; }
  cells& shared() noexcept { return cells_[Shards]; }

  template <class M>
  void expose_one(exposition& to) const noexcept;
  template <class M>
  void expose_series(exposition& to, std::size_t index) const noexcept;

  struct gauges : detail::metric_gauge<Metric>... {};

  std::array<cells, Shards + 1> cells_;
  gauges gauges_;
};

}  // namespace nen

#include <nen/metrics/metric_set.ipp>
