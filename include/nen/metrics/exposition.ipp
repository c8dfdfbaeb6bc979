// metrics, L1: the part of exposition that writes lines.
#pragma once

namespace nen {

constexpr char* metric_value::write(char* out) const noexcept {
  if (negative_) *out++ = '-';
  if (!billionths_) return write_decimal(out, number_);
  constexpr std::uint64_t one = 1'000'000'000;
  out = write_decimal(out, number_ / one);
  std::uint64_t fraction = number_ % one;
  if (fraction == 0) return out;
  *out++ = '.';
  for (std::uint64_t place = one / 10; fraction != 0; place /= 10) {
    *out++ = static_cast<char>('0' + (fraction / place));
    fraction %= place;
  }
  return out;
}

inline bool exposition::family(metric_kind kind, std::string_view name,
                               std::string_view help) noexcept {
  if (full_) return false;
  const std::uint32_t index = families_++;
  if (index < at_.family) return false;
  if (index > at_.family) at_ = {index, 0};
  kind_ = kind;
  name_ = name;
  unit_ = 0;
  if (begin_unit()) {
    put_header(help);
    end_unit();
  }
  return !full_;
}

inline void exposition::sample(std::span<const metric_label> of, metric_value value) noexcept {
  if (!begin_unit()) return;
  put_line(kind_ == metric_kind::counter && is_openmetrics() ? "_total" : "", of, {}, value);
  end_unit();
}

inline bool exposition::finish() noexcept {
  if (full_) return false;
  const std::uint32_t index = families_++;
  if (index > at_.family) at_ = {index, 0};
  unit_ = 0;
  if (begin_unit()) {
    if (is_openmetrics()) put("# EOF\n");
    end_unit();
  }
  return !full_;
}

inline void exposition::put_escaped(std::string_view text, bool quotes) noexcept {
  for (const char& c : text) {
    if (c == '\\') {
      put("\\\\");
    } else if (c == '\n') {
      put("\\n");
    } else if (c == '"' && quotes) {
      put("\\\"");
    } else {
      put({&c, 1});
    }
  }
}

inline void exposition::put_header(std::string_view help) noexcept {
  constexpr std::string_view kinds[] = {" counter\n", " gauge\n", " histogram\n"};
  const std::string_view name = family_name();
  put("# HELP ");
  put(name);
  put(" ");
  put_escaped(help, is_openmetrics());
  put("\n# TYPE ");
  put(name);
  put(kinds[static_cast<std::size_t>(kind_)]);
  if (!is_openmetrics()) return;
  for (const std::string_view unit : {std::string_view("_seconds"), std::string_view("_bytes")}) {
    if (!name.ends_with(unit)) continue;
    put("# UNIT ");
    put(name);
    put(" ");
    put(unit.substr(1));
    put("\n");
  }
}

/// Writes a series' name and labels.
inline void exposition::put_series(std::string_view suffix, std::span<const metric_label> of,
                                   metric_label last) noexcept {
  put(family_name());
  put(suffix);
  bool open = false;
  const auto put_label = [&](const metric_label& each) {
    if (each.value.empty()) return;
    put(open ? "," : "{");
    open = true;
    put(each.name);
    put("=\"");
    put_escaped(each.value, true);
    put("\"");
  };
  for (const metric_label& each : of) put_label(each);
  put_label(last);
  if (open) put("}");
}

/// Seconds, as other libraries write them, so that series are the same in both formats.
inline std::span<const exposition::bound> exposition::time_bounds() noexcept {
  static constexpr bound bounds[] = {
      {1'000, "1e-06"},       {5'000, "5e-06"},       {10'000, "1e-05"},
      {25'000, "2.5e-05"},    {50'000, "5e-05"},      {100'000, "0.0001"},
      {250'000, "0.00025"},   {500'000, "0.0005"},    {1'000'000, "0.001"},
      {2'500'000, "0.0025"},  {5'000'000, "0.005"},   {10'000'000, "0.01"},
      {25'000'000, "0.025"},  {50'000'000, "0.05"},   {100'000'000, "0.1"},
      {250'000'000, "0.25"},  {500'000'000, "0.5"},   {1'000'000'000, "1.0"},
      {2'500'000'000, "2.5"}, {5'000'000'000, "5.0"}, {10'000'000'000, "10.0"},
  };
  static_assert(std::size(bounds) <= bounds_max);
  return bounds;
}

/// Bytes, or whatever is counted.
inline std::span<const exposition::bound> exposition::size_bounds() noexcept {
  static constexpr bound bounds[] = {
      {1, "1.0"},
      {4, "4.0"},
      {16, "16.0"},
      {64, "64.0"},
      {256, "256.0"},
      {1'024, "1024.0"},
      {4'096, "4096.0"},
      {16'384, "16384.0"},
      {65'536, "65536.0"},
      {262'144, "262144.0"},
      {1'048'576, "1048576.0"},
      {4'194'304, "4194304.0"},
      {16'777'216, "16777216.0"},
      {67'108'864, "67108864.0"},
      {268'435'456, "268435456.0"},
      {1'073'741'824, "1073741824.0"},
  };
  static_assert(std::size(bounds) <= bounds_max);
  return bounds;
}

/// One walk over the fine buckets for all bounds.
inline exposition::cumulated exposition::cumulate(std::span<const nen::histogram* const> seen,
                                                  std::span<const bound> bounds) noexcept {
  cumulated result;
  for (const nen::histogram* each : seen) {
    // Of one that nobody used not a page is touched.
    if (each->count() == 0) continue;
    std::size_t next = 0;
    std::uint64_t count = 0;
    for (std::size_t b = 0; b < bounds.size(); ++b) {
      const std::size_t end = histogram_buckets::index_of(bounds[b].value) + 1;
      for (; next < end; ++next) count += each->bucket(next);
      result.below[b] += count;
    }
    for (; next < histogram_buckets::count; ++next) count += each->bucket(next);
    result.count += count;
    result.sum += each->sum();
  }
  return result;
}

inline void exposition::histogram(std::span<const metric_label> of,
                                  std::span<const nen::histogram* const> seen) noexcept {
  const bool is_time = name_.ends_with("_seconds");
  const std::span<const bound> bounds = is_time ? time_bounds() : size_bounds();
  const auto units = static_cast<std::uint32_t>(bounds.size()) + 1;
  if (full_ || unit_ + units <= at_.unit) {  // all of it was written with a piece before
    unit_ += units;
    return;
  }
  // Where the lines of one series are in two pieces, the later ones count more. That is no
  // contradiction: they include the earlier ones, and the last three lines are one unit.
  const cumulated now = cumulate(seen, bounds);
  for (std::size_t b = 0; b < bounds.size(); ++b) {
    if (!begin_unit()) continue;
    put_line("_bucket", of, {"le", bounds[b].text}, metric_value::of(now.below[b]));
    end_unit();
  }
  if (!begin_unit()) return;
  put_line("_bucket", of, {"le", "+Inf"}, metric_value::of(now.count));
  put_line("_sum", of, {},
           is_time ? metric_value::nanoseconds(now.sum) : metric_value::of(now.sum));
  put_line("_count", of, {}, metric_value::of(now.count));
  end_unit();
}

}  // namespace nen
