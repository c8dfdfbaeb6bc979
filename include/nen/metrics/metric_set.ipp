// metrics, L1: the part of metric_set that counts, adds up and shows.
#pragma once

namespace nen {

template <std::uint32_t Shards, class... Metric>
template <class M>
void metric_set<Shards, Metric...>::add_at(std::size_t index, amount_of<M> amount) noexcept {
  static_assert(M::kind != metric_kind::histogram,
                "metric_set::add is for counters and gauges: write record for a histogram");
  if constexpr (M::kind == metric_kind::gauge) {
    __atomic_fetch_add(&gauge<M>(index), amount, __ATOMIC_RELAXED);
  } else if constexpr (M::kind == metric_kind::counter) {
    if (has_own()) [[likely]] {
      std::uint64_t& mine = cell<M>(own(), index);
      __atomic_store_n(&mine, __atomic_load_n(&mine, __ATOMIC_RELAXED) + amount, __ATOMIC_RELAXED);
    } else {
      __atomic_fetch_add(&cell<M>(shared(), index), amount, __ATOMIC_RELAXED);
    }
  }
}

template <std::uint32_t Shards, class... Metric>
template <class M>
void metric_set<Shards, Metric...>::set_at(std::size_t index, std::int64_t value) noexcept {
  static_assert(M::kind == metric_kind::gauge,
                "metric_set::set is for gauges: what a counter or a histogram has counted stays");
  if constexpr (M::kind == metric_kind::gauge)
    __atomic_store_n(&gauge<M>(index), value, __ATOMIC_RELAXED);
}

template <std::uint32_t Shards, class... Metric>
template <class M>
void metric_set<Shards, Metric...>::record_at(std::size_t index, std::uint64_t value,
                                              std::uint64_t count) noexcept {
  static_assert(M::kind == metric_kind::histogram,
                "metric_set::record is for histograms: write add for a counter or a gauge");
  if constexpr (M::kind == metric_kind::histogram) {
    if (has_own()) [[likely]] {
      cell<M>(own(), index).record(value, count);
    } else {
      cell<M>(shared(), index).record_shared(value, count);
    }
  }
}

template <std::uint32_t Shards, class... Metric>
template <class M>
auto metric_set<Shards, Metric...>::value_at(std::size_t index) const noexcept -> amount_of<M> {
  static_assert(M::kind != metric_kind::histogram,
                "metric_set::value is for counters and gauges: write snapshot for a histogram");
  amount_of<M> sum = 0;
  if constexpr (M::kind == metric_kind::gauge) {
    sum = __atomic_load_n(&gauge<M>(index), __ATOMIC_RELAXED);
  } else if constexpr (M::kind == metric_kind::counter) {
    for (const cells& each : cells_)
      sum += __atomic_load_n(&cell<M>(each, index), __ATOMIC_RELAXED);
  }
  return sum;
}

template <std::uint32_t Shards, class... Metric>
template <class M>
histogram_snapshot metric_set<Shards, Metric...>::snapshot_at(std::size_t index) const noexcept {
  static_assert(M::kind == metric_kind::histogram,
                "metric_set::snapshot is for histograms: write value for a counter or a gauge");
  histogram_snapshot taken;
  if constexpr (M::kind == metric_kind::histogram) {
    for (const cells& each : cells_) taken.add(cell<M>(each, index));
  }
  return taken;
}

template <std::uint32_t Shards, class... Metric>
template <class M>
void metric_set<Shards, Metric...>::expose_one(exposition& to) const noexcept {
  if (!to.family(M::kind, M::name, M::help)) return;
  for (std::size_t i = 0; i < M::series; ++i) expose_series<M>(to, i);
}

template <std::uint32_t Shards, class... Metric>
template <class M>
void metric_set<Shards, Metric...>::expose_series(exposition& to,
                                                  std::size_t index) const noexcept {
  const metric_label label{M::label::name, M::label::values[index]};
  if constexpr (M::kind == metric_kind::histogram) {
    std::array<const histogram*, Shards + 1> each;
    for (std::size_t i = 0; i < each.size(); ++i) each[i] = &cell<M>(cells_[i], index);
    to.histogram({label}, each);
  } else {
    const auto now = value_at<M>(index);
    if constexpr (M::kind == metric_kind::gauge) {
      to.sample({label},
                M::is_time ? metric_value::signed_nanoseconds(now) : metric_value::signed_of(now));
    } else {
      to.sample({label}, M::is_time ? metric_value::nanoseconds(now) : metric_value::of(now));
    }
  }
}

}  // namespace nen
