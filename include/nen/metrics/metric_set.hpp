// metrics, L1: an application's own metrics: named and checked at compile time, counted by each
// shard for itself, shown beside the server's.
#pragma once

#include <nen/core/fixed_string.hpp>
#include <nen/core/this_shard.hpp>
#include <nen/core/type_list.hpp>
#include <nen/metrics/exposition.hpp>
#include <nen/metrics/histogram.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>

namespace nen {
namespace detail {

constexpr bool is_metric_name(std::string_view name) noexcept {
  bool allowed = !name.empty() && !is_digit(name.front());
  for (const char c : name) {
    allowed =
        allowed && (is_digit(c) || c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'));
  }
  return allowed;
}

/// What a metric must be; its name stands in the compiler's message.
template <fixed_string Name, fixed_string Help, metric_kind Kind>
struct check_metric {
  using done = void;
  static constexpr std::string_view name = Name.view();
  static_assert(is_metric_name(name),
                "a metric's name consists of letters, digits and '_' and begins with no digit: "
                "write \"shop_orders_total\"");
  static_assert(!name.starts_with("nen_") && !name.starts_with("process_"),
                "names that begin with nen_ or process_ are those of nen's own metrics: begin the "
                "metric's name with your application's");
  static_assert(Kind != metric_kind::counter ||
                    (name.ends_with("_total") && name.size() > std::string_view("_total").size()),
                "a counter's name ends in _total: write \"shop_orders_total\"");
  static_assert(Kind == metric_kind::counter || !name.ends_with("_total"),
                "only a counter's name ends in _total: leave it out, or make it a "
                "nen::counter_metric");
  static_assert(!name.ends_with("_bucket") && !name.ends_with("_count") &&
                    !name.ends_with("_sum") && !name.ends_with("_created"),
                "a metric's name ends in none of _bucket, _count, _sum and _created, which are the "
                "names of a histogram's parts");
  static_assert(!Help.empty(), "a metric says in a sentence what it counts: write one");
};

}  // namespace detail

/// One metric. A type of its own that derives from it is how it is named where it is counted:
/// @code  struct orders : nen::counter_metric<"shop_orders_total", "Orders placed."> {};  @endcode
/// A name that ends in `_seconds`, or in `_seconds_total`, is counted in nanoseconds and shown in
/// seconds.
template <fixed_string Name, fixed_string Help, metric_kind Kind>
struct metric {
  using checked = typename detail::check_metric<Name, Help, Kind>::done;

  static constexpr metric_kind kind = Kind;
  static constexpr std::string_view name = Name.view();
  static constexpr std::string_view help = Help.view();
  static constexpr bool is_time = name.ends_with("_seconds") || name.ends_with("_seconds_total");
};

/// What only grows.
template <fixed_string Name, fixed_string Help>
struct counter_metric : metric<Name, Help, metric_kind::counter> {};
/// What goes up and down.
template <fixed_string Name, fixed_string Help>
struct gauge_metric : metric<Name, Help, metric_kind::gauge> {};
/// How often which duration, or size, occurs.
template <fixed_string Name, fixed_string Help>
struct histogram_metric : metric<Name, Help, metric_kind::histogram> {};

namespace detail {

/// What one shard counts for one metric. A gauge is set by all to one value, so it has none here.
template <class Metric, metric_kind Kind = Metric::kind>
struct metric_cell {};
template <class Metric>
struct metric_cell<Metric, metric_kind::counter> {
  std::uint64_t value;
};
template <class Metric>
struct metric_cell<Metric, metric_kind::histogram> {
  histogram seen;
};

template <class Metric, metric_kind Kind = Metric::kind>
struct metric_gauge {};
template <class Metric>
struct metric_gauge<Metric, metric_kind::gauge> {
  std::int64_t value;
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

}  // namespace detail

/// The metrics of an application, as a state of its server:
/// @code
///   using metrics = nen::metric_set<config.shards, orders, open_carts, checkout_time>;
///   nen::server<routes, config, metrics> server;
///   nen::reply order(metrics& m, nen::response& res) { m.add<orders>(); … }
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

 public:
  /// Adds to a counter, or to a gauge, which also takes negative numbers.
  template <class M>
  void add(std::conditional_t<M::kind == metric_kind::gauge, std::int64_t, std::uint64_t> amount =
               1) noexcept {
    check<M>();
    static_assert(M::kind != metric_kind::histogram,
                  "metric_set::add is for counters and gauges: write record for a histogram");
    if constexpr (M::kind == metric_kind::gauge) {
      __atomic_fetch_add(&gauge<M>(), amount, __ATOMIC_RELAXED);
    } else if constexpr (M::kind == metric_kind::counter) {
      if (has_own()) [[likely]] {
        std::uint64_t& mine = cell<M>(own()).value;
        __atomic_store_n(&mine, __atomic_load_n(&mine, __ATOMIC_RELAXED) + amount,
                         __ATOMIC_RELAXED);
      } else {
        __atomic_fetch_add(&cell<M>(shared()).value, amount, __ATOMIC_RELAXED);
      }
    }
  }

  /// Sets a gauge: of what several threads set, the last one stays.
  template <class M>
  void set(std::int64_t value) noexcept {
    check<M>();
    static_assert(M::kind == metric_kind::gauge,
                  "metric_set::set is for gauges: what a counter or a histogram has counted stays");
    if constexpr (M::kind == metric_kind::gauge) {
      __atomic_store_n(&gauge<M>(), value, __ATOMIC_RELAXED);
    }
  }

  /// Records a value in a histogram: nanoseconds where its name ends in _seconds.
  template <class M>
  void record(std::uint64_t value, std::uint64_t count = 1) noexcept {
    check<M>();
    static_assert(M::kind == metric_kind::histogram,
                  "metric_set::record is for histograms: write add for a counter or a gauge");
    if constexpr (M::kind == metric_kind::histogram) {
      if (has_own()) [[likely]] {
        cell<M>(own()).seen.record(value, count);
      } else {
        cell<M>(shared()).seen.record_shared(value, count);
      }
    }
  }

  /// What a counter has counted, on all threads; for a gauge, what it is. From any thread.
  template <class M>
  auto value() const noexcept {
    check<M>();
    static_assert(M::kind != metric_kind::histogram,
                  "metric_set::value is for counters and gauges: write snapshot for a histogram");
    if constexpr (M::kind == metric_kind::gauge) {
      return __atomic_load_n(&gauge<M>(), __ATOMIC_RELAXED);
    } else if constexpr (M::kind == metric_kind::counter) {
      std::uint64_t sum = 0;
      for (const cells& each : cells_) {
        sum += __atomic_load_n(&cell<M>(each).value, __ATOMIC_RELAXED);
      }
      return sum;
    }
  }

  /// What all threads recorded in a histogram. From any thread.
  template <class M>
  histogram_snapshot snapshot() const noexcept {
    check<M>();
    static_assert(M::kind == metric_kind::histogram,
                  "metric_set::snapshot is for histograms: write value for a counter or a gauge");
    histogram_snapshot taken;
    if constexpr (M::kind == metric_kind::histogram) {
      for (const cells& each : cells_) taken.add(cell<M>(each).seen);
    }
    return taken;
  }

  /// Writes all of them. What has such a function and is a state of a server is shown by
  /// nen::metrics_route.
  void expose(exposition& to) const noexcept { (expose_one<Metric>(to), ...); }

 private:
  using cells = detail::metric_cells<Metric...>;

  template <class M>
  static constexpr void check() noexcept {
    static_assert((std::is_same_v<M, Metric> || ...),
                  "this metric is not in the nen::metric_set: add it to the set's list");
  }

  template <class M>
  static auto& cell(cells& of) noexcept {
    return static_cast<detail::metric_cell<M>&>(of);
  }
  template <class M>
  static const auto& cell(const cells& of) noexcept {
    return static_cast<const detail::metric_cell<M>&>(of);
  }
  template <class M>
  std::int64_t& gauge() noexcept {
    return static_cast<detail::metric_gauge<M>&>(gauges_).value;
  }
  template <class M>
  const std::int64_t& gauge() const noexcept {
    return static_cast<const detail::metric_gauge<M>&>(gauges_).value;
  }
  /// The shards that a set has no cells for, because it was made for fewer, share the last one.
  bool has_own() const noexcept {
    return detail::this_shard.serves(this) && detail::this_shard.index < Shards;
  }
  cells& own() noexcept { return cells_[detail::this_shard.index]; }
  cells& shared() noexcept { return cells_[Shards]; }

  template <class M>
  void expose_one(exposition& to) const noexcept;

  struct gauges : detail::metric_gauge<Metric>... {};

  std::array<cells, Shards + 1> cells_;
  gauges gauges_;
};

template <std::uint32_t Shards, class... Metric>
template <class M>
void metric_set<Shards, Metric...>::expose_one(exposition& to) const noexcept {
  if (!to.family(M::kind, M::name, M::help)) return;
  if constexpr (M::kind == metric_kind::histogram) {
    std::array<const histogram*, Shards + 1> each;
    for (std::size_t i = 0; i < each.size(); ++i) each[i] = &cell<M>(cells_[i]).seen;
    to.histogram({}, each);
  } else if constexpr (M::kind == metric_kind::gauge) {
    const std::int64_t now = value<M>();
    to.sample({},
              M::is_time ? metric_value::signed_nanoseconds(now) : metric_value::signed_of(now));
  } else {
    const std::uint64_t now = value<M>();
    to.sample({}, M::is_time ? metric_value::nanoseconds(now) : metric_value::of(now));
  }
}

}  // namespace nen
