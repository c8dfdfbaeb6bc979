// A log-linear histogram of nanoseconds: 256 buckets for each power of two, so that a percentile is
// at most 0.4 % above the true value, whatever its size. Recording is a shift and an increment.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace load {

class histogram {
 public:
  void record(std::uint64_t nanoseconds) {
    ++buckets_[index_of(nanoseconds)];
    ++count_;
    sum_ += nanoseconds;
    max_ = std::max(max_, nanoseconds);
  }

  void add(const histogram& other) {
    for (std::size_t i = 0; i < buckets_.size(); ++i) buckets_[i] += other.buckets_[i];
    count_ += other.count_;
    sum_ += other.sum_;
    max_ = std::max(max_, other.max_);
  }

  std::uint64_t count() const { return count_; }
  std::uint64_t max() const { return max_; }
  double mean() const {
    return count_ == 0 ? 0.0 : static_cast<double>(sum_) / static_cast<double>(count_);
  }

  /// The smallest bucket's end that `share` (0 to 1) of all values do not exceed; 0 without values.
  std::uint64_t percentile(double share) const {
    const auto wanted = std::max<std::uint64_t>(
        1, static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(count_))));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < buckets_.size(); ++i) {
      seen += buckets_[i];
      if (seen >= wanted) return std::min(end_of(i), max_);
    }
    return 0;
  }

 private:
  static constexpr unsigned exact_bits = 9;  // values below 512 have a bucket each
  static constexpr std::uint64_t half = 1U << (exact_bits - 1);
  static constexpr unsigned value_bits_max =
      42;  // more than an hour; what is longer counts as that

  static std::size_t index_of(std::uint64_t value) {
    value = std::min(value, (std::uint64_t{1} << value_bits_max) - 1);
    const auto width = static_cast<unsigned>(std::bit_width(value));
    const unsigned shift = width <= exact_bits ? 0 : width - exact_bits;
    return static_cast<std::size_t>(shift * half + (value >> shift));
  }

  /// The largest value that a bucket counts.
  static std::uint64_t end_of(std::size_t index) {
    if (index < 2 * half) return index;
    const auto shift = static_cast<unsigned>(index / half - 1);
    const std::uint64_t mantissa = index - shift * half;
    return ((mantissa + 1) << shift) - 1;
  }

  std::vector<std::uint64_t> buckets_ =
      std::vector<std::uint64_t>((value_bits_max - exact_bits) * half + 2 * half);
  std::uint64_t count_ = 0;
  std::uint64_t sum_ = 0;
  std::uint64_t max_ = 0;
};

}  // namespace load
