// metrics, L1: how often each duration was seen, within 1 % of it: buckets whose width grows with
// their value (HDR). One thread records, any thread may read.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

namespace nen {

/// How values are put into buckets: every value below 128 has its own, and from there on each
/// power of two is cut into 64 equal ones. A value differs from the middle of its bucket by 1/128
/// of itself (0.8 %) at most, and from the bucket's ends by less than 1/64 (1.6 %).
struct histogram_buckets {
  static constexpr std::size_t per_octave = 64;
  static constexpr std::size_t count = 2048;
  /// The largest value that has a bucket of its own accuracy: in nanoseconds, 137 seconds.
  static constexpr std::uint64_t value_max = (std::uint64_t{1} << 37) - 1;

  /// @pre value <= value_max
  static constexpr std::size_t index_of(std::uint64_t value) noexcept {
    const unsigned shift = static_cast<unsigned>(std::bit_width(value | per_octave)) - 7;
    return (std::size_t{shift} * per_octave) + static_cast<std::size_t>(value >> shift);
  }

  /// The least value that falls into bucket @p index.
  static constexpr std::uint64_t lowest(std::size_t index) noexcept {
    const unsigned shift = shift_of(index);
    return static_cast<std::uint64_t>(index - (std::size_t{shift} * per_octave)) << shift;
  }

  /// The greatest value that falls into bucket @p index.
  static constexpr std::uint64_t highest(std::size_t index) noexcept {
    return lowest(index) + width(index) - 1;
  }

  /// What stands for every value in bucket @p index.
  static constexpr std::uint64_t middle(std::size_t index) noexcept {
    return lowest(index) + ((width(index) - 1) / 2);
  }

  static constexpr std::uint64_t width(std::size_t index) noexcept {
    return std::uint64_t{1} << shift_of(index);
  }

 private:
  static constexpr unsigned shift_of(std::size_t index) noexcept {
    return index < 2 * per_octave ? 0 : static_cast<unsigned>((index / per_octave) - 1);
  }
};

/// 16 KiB of counters, of which only the pages are ever touched whose values occur (8 powers of two
/// share one). Single writer, like `counter`: no locked instruction. Zero is empty, so that it can
/// be a part of what lies in .bss.
///
/// A reader on another thread sees each number as it was at some moment, and later ones when it
/// reads again, but not all of them at the same moment: what was recorded while it read may be in
/// the buckets and not yet in `count()`, or the other way round.
class histogram {
 public:
  /// @param value  as a rule nanoseconds; above `histogram_buckets::value_max` it is counted in the
  ///               last bucket and by `clamped()`, while `sum()` has it whole.
  /// @param count  how many times it was seen.
  void record(std::uint64_t value, std::uint64_t count = 1) noexcept {
    if (value > histogram_buckets::value_max) [[unlikely]]
      add(clamped_, count);
    add(buckets_[bucket_of(value)], count);
    add(count_, count);
    add(sum_, value * count);
  }

  /// The same for a histogram that several threads record into: with locked instructions. A
  /// histogram is recorded into by this function alone or by `record` alone.
  void record_shared(std::uint64_t value, std::uint64_t count = 1) noexcept {
    if (value > histogram_buckets::value_max) [[unlikely]]
      add_shared(clamped_, count);
    add_shared(buckets_[bucket_of(value)], count);
    add_shared(count_, count);
    add_shared(sum_, value * count);
  }

  /// How many values were recorded, without a walk over the buckets.
  std::uint64_t count() const noexcept { return load(count_); }
  /// Of all values, modulo 2^64: in nanoseconds that is 584 years.
  std::uint64_t sum() const noexcept { return load(sum_); }
  /// How many values were above `histogram_buckets::value_max`.
  std::uint64_t clamped() const noexcept { return load(clamped_); }
  std::uint64_t bucket(std::size_t index) const noexcept { return load(buckets_[index]); }

 private:
  static std::size_t bucket_of(std::uint64_t value) noexcept {
    const bool fits = value <= histogram_buckets::value_max;
    return histogram_buckets::index_of(fits ? value : histogram_buckets::value_max);
  }
  static std::uint64_t load(const std::uint64_t& cell) noexcept {
    return __atomic_load_n(&cell, __ATOMIC_RELAXED);
  }
  static void add(std::uint64_t& cell, std::uint64_t amount) noexcept {
    __atomic_store_n(&cell, load(cell) + amount, __ATOMIC_RELAXED);
  }
  static void add_shared(std::uint64_t& cell, std::uint64_t amount) noexcept {
    __atomic_fetch_add(&cell, amount, __ATOMIC_RELAXED);
  }

  std::uint64_t count_;
  std::uint64_t sum_;
  std::uint64_t clamped_;
  std::array<std::uint64_t, histogram_buckets::count> buckets_;
};

/// What one or several histograms held when they were added: plain numbers, which stand still.
/// Its count is what its buckets add up to, so that percentiles and count always agree.
class histogram_snapshot {
 public:
  void add(const histogram& from) noexcept {
    for (std::size_t i = 0; i < buckets_.size(); ++i) {
      const std::uint64_t seen = from.bucket(i);
      buckets_[i] += seen;
      count_ += seen;
    }
    sum_ += from.sum();
    clamped_ += from.clamped();
  }
  void add(const histogram_snapshot& from) noexcept {
    for (std::size_t i = 0; i < buckets_.size(); ++i) buckets_[i] += from.buckets_[i];
    count_ += from.count_;
    sum_ += from.sum_;
    clamped_ += from.clamped_;
  }

  std::uint64_t count() const noexcept { return count_; }
  std::uint64_t sum() const noexcept { return sum_; }
  std::uint64_t clamped() const noexcept { return clamped_; }
  std::uint64_t bucket(std::size_t index) const noexcept { return buckets_[index]; }

  /// The least value that a share of @p q of all values does not exceed (nearest rank): 0.5 is the
  /// median, 1 the greatest. Within 1/128 of the exact one; 0 when nothing was recorded.
  /// @param q  from 0 to 1; what lies outside, and what is no number, counts as the nearer end.
  std::uint64_t percentile(double q) const noexcept;

  /// Calls @p f(lowest, highest, count) for each bucket that holds something, from the least on.
  template <class F>
  void for_each_bucket(F f) const {
    for (std::size_t i = 0; i < buckets_.size(); ++i) {
      if (buckets_[i] == 0) continue;
      f(histogram_buckets::lowest(i), histogram_buckets::highest(i), buckets_[i]);
    }
  }

 private:
  std::uint64_t count_ = 0;
  std::uint64_t sum_ = 0;
  std::uint64_t clamped_ = 0;
  std::array<std::uint64_t, histogram_buckets::count> buckets_{};
};

namespace detail {

/// Which of @p count values in ascending order the percentile @p q is, counted from 1.
inline std::uint64_t percentile_rank(double q, std::uint64_t count) noexcept {
  if (!(q > 0)) return 1;
  if (q >= 1) return count;
  const double exact = q * static_cast<double>(count);
  auto rank = static_cast<std::uint64_t>(exact);
  if (static_cast<double>(rank) < exact) ++rank;
  if (rank < 1) return 1;
  return rank < count ? rank : count;
}

}  // namespace detail

inline std::uint64_t histogram_snapshot::percentile(double q) const noexcept {
  if (count_ == 0) return 0;
  const std::uint64_t rank = detail::percentile_rank(q, count_);
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < buckets_.size(); ++i) {
    below += buckets_[i];
    if (below >= rank) return histogram_buckets::middle(i);
  }
  return histogram_buckets::middle(buckets_.size() - 1);
}

/// The percentile of all values in @p histograms together (one of each shard, say), without a copy
/// of them. See `histogram_snapshot::percentile`.
inline std::uint64_t percentile(std::span<const histogram* const> histograms, double q) noexcept {
  const auto in_bucket = [histograms](std::size_t index) {
    std::uint64_t sum = 0;
    for (const histogram* each : histograms) sum += each->bucket(index);
    return sum;
  };
  std::uint64_t count = 0;
  for (std::size_t i = 0; i < histogram_buckets::count; ++i) count += in_bucket(i);
  if (count == 0) return 0;
  const std::uint64_t rank = detail::percentile_rank(q, count);
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < histogram_buckets::count; ++i) {
    // What is recorded between the two walks only makes `below` larger, so the rank is reached.
    below += in_bucket(i);
    if (below >= rank) return histogram_buckets::middle(i);
  }
  return histogram_buckets::middle(histogram_buckets::count - 1);
}

}  // namespace nen
