// metrics, L1: writes metrics as text, a piece at a time, into memory that is given: whole lines as
// long as they fit, and the next time from where it stopped.
#pragma once

#include <nen/core/ascii.hpp>
#include <nen/metrics/histogram.hpp>
#include <nen/metrics/metrics_format.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <iterator>
#include <span>
#include <string_view>

namespace nen {

enum class metric_kind : std::uint8_t { counter, gauge, histogram };

/// One label of a series. One whose value is empty is left out, which means the same.
struct metric_label {
  std::string_view name;
  std::string_view value;  ///< any UTF-8 text; it is escaped where it is written
};

/// The number of a series: a whole one, or one of billionths, so that durations in nanoseconds are
/// written as seconds without loss.
class metric_value {
 public:
  static constexpr metric_value of(std::uint64_t count) noexcept { return {count, false, false}; }
  static constexpr metric_value signed_of(std::int64_t value) noexcept {
    return {magnitude(value), value < 0, false};
  }
  static constexpr metric_value nanoseconds(std::uint64_t ns) noexcept { return {ns, false, true}; }
  static constexpr metric_value signed_nanoseconds(std::int64_t ns) noexcept {
    return {magnitude(ns), ns < 0, true};
  }

  /// sign, digits of 2^64, point
  static constexpr std::size_t bytes_max = 22;
  /// @returns  the end of what was written
  constexpr char* write(char* out) const noexcept;

 private:
  constexpr metric_value(std::uint64_t number, bool negative, bool billionths) noexcept
      : number_(number), negative_(negative), billionths_(billionths) {}
  static constexpr std::uint64_t magnitude(std::int64_t value) noexcept {
    return value < 0 ? std::uint64_t{0} - static_cast<std::uint64_t>(value)
                     : static_cast<std::uint64_t>(value);
  }

  std::uint64_t number_;
  bool negative_;
  bool billionths_;
};

/// Where the next piece begins. The default one is the begin of all.
struct exposition_position {
  std::uint32_t family = 0;
  std::uint32_t unit = 0;  ///< header, sample or line of a histogram within the family
};

/// Writes one piece. Whoever has metrics calls the same functions in the same order for each piece;
/// what lies before its begin, and behind its end, is passed over cheaply. The number of samples of
/// a family must not depend on what was counted.
///
/// @code
///   if (to.family(metric_kind::counter, "nen_requests_total", "Requests that were routed."))
///     to.sample({{"route", "/"}}, metric_value::of(n));
/// @endcode
class exposition {
 public:
  using labels = std::initializer_list<metric_label>;

  /// @param room  memory for the piece; 4 KiB are good
  exposition(std::span<char> room, metrics_format format, exposition_position from) noexcept
      : room_(room), at_(from), format_(format) {}
  exposition(const exposition&) = delete;
  exposition& operator=(const exposition&) = delete;

  /// Begins a metric.
  /// @param name  as in Prometheus' text: that of a counter ends in `_total`. One that ends in
  ///              `_seconds` or `_seconds_total`, or in bytes, says its unit in OpenMetrics.
  /// @returns  false when none of its samples is to be written now: leave them out
  bool family(metric_kind kind, std::string_view name, std::string_view help) noexcept;

  void sample(labels of, metric_value value) noexcept {
    sample(std::span<const metric_label>(of.begin(), of.size()), value);
  }
  void sample(std::span<const metric_label> of, metric_value value) noexcept;

  /// Writes what all of these saw together as one histogram: buckets with fixed bounds, the sum and
  /// the count. A name that ends in `_seconds` means nanoseconds that were recorded.
  ///
  /// A value that a bound does not exceed is always counted under it; one above a bound is counted
  /// under it too if the bound's fine bucket holds both, that is if it exceeds the bound by less
  /// than 1/64. Sum and count are exact.
  void histogram(labels of, std::span<const nen::histogram* const> seen) noexcept {
    histogram(std::span<const metric_label>(of.begin(), of.size()), seen);
  }
  void histogram(std::span<const metric_label> of,
                 std::span<const nen::histogram* const> seen) noexcept;

  /// Ends the text.
  /// @returns  true when all of it is written with this piece
  bool finish() noexcept;

  std::string_view text() const noexcept { return {room_.data(), size_}; }
  /// Where the next piece begins.
  exposition_position next() const noexcept { return at_; }
  /// True when not even one line fitted: it needs more room, or is passed over by skip().
  bool blocked() const noexcept { return full_ && size_ == 0; }
  /// Where the piece behind the line begins that did not fit.
  exposition_position skip() const noexcept { return {at_.family, at_.unit + 1}; }

  metrics_format format() const noexcept { return format_; }

 private:
  static constexpr std::size_t bounds_max = 24;
  /// An upper bound of a histogram's bucket, and how it is written.
  struct bound {
    std::uint64_t value;
    std::string_view text;
  };
  struct cumulated {
    std::array<std::uint64_t, bounds_max> below{};
    std::uint64_t count = 0;
    std::uint64_t sum = 0;
  };

  static std::span<const bound> time_bounds() noexcept;
  static std::span<const bound> size_bounds() noexcept;
  static cumulated cumulate(std::span<const nen::histogram* const> seen,
                            std::span<const bound> bounds) noexcept;

  bool is_openmetrics() const noexcept { return format_ == metrics_format::openmetrics; }
  /// OpenMetrics' name of a counter is without the suffix that its sample has.
  std::string_view family_name() const noexcept {
    const bool cut = is_openmetrics() && kind_ == metric_kind::counter && name_.ends_with("_total");
    return cut ? name_.substr(0, name_.size() - 6) : name_;
  }

  /// A unit is written whole or not at all.
  bool begin_unit() noexcept {
    if (full_ || unit_++ < at_.unit) return false;
    unit_begin_ = size_;
    return true;
  }
  void end_unit() noexcept {
    if (full_) {
      size_ = unit_begin_;
    } else {
      at_.unit = unit_;
    }
  }
  void put(std::string_view text) noexcept {
    if (full_ || text.size() > room_.size() - size_) {
      full_ = true;
      return;
    }
    if (!text.empty()) std::memcpy(room_.data() + size_, text.data(), text.size());
    size_ += text.size();
  }
  void put(metric_value value) noexcept {
    char text[metric_value::bytes_max];
    put({text, static_cast<std::size_t>(value.write(text) - text)});
  }
  void put_escaped(std::string_view text, bool quotes) noexcept;
  void put_header(std::string_view help) noexcept;
  void put_series(std::string_view suffix, std::span<const metric_label> of,
                  metric_label last) noexcept;
  void put_line(std::string_view suffix, std::span<const metric_label> of, metric_label last,
                metric_value value) noexcept {
    put_series(suffix, of, last);
    put(" ");
    put(value);
    put("\n");
  }

  std::span<char> room_;
  std::size_t size_ = 0;
  std::size_t unit_begin_ = 0;
  exposition_position at_;      // behind the last unit that was written
  std::uint32_t families_ = 0;  // begun
  std::uint32_t unit_ = 0;      // units of this family, begun
  std::string_view name_;
  metric_kind kind_ = metric_kind::gauge;
  metrics_format format_;
  bool full_ = false;  // true exactly when a unit did not fit
};

}  // namespace nen

#include <nen/metrics/exposition.ipp>
