// HTTP dates from text to a Unix time: the three forms of RFC 9110 §5.6.7, strictly. http, L1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nen/core/ascii.hpp>
#include <optional>
#include <string_view>

namespace nen {

/// Reads an HTTP-date (RFC 9110 §5.6.7): IMF-fixdate and the obsolete forms of RFC 850 and asctime.
/// Names have their case, the day must exist and be the weekday that it claims to be; the second
/// may be 60 (a leap second), which is the next minute's first.
/// @param now  Unix seconds; only the two-digit year of RFC 850 needs it: a date that would be more
///             than 50 years ahead is a century earlier
/// @returns    Unix seconds, or nothing when the text is no such date
[[nodiscard]] constexpr std::optional<std::int64_t> parse_http_date(std::string_view text,
                                                                    std::int64_t now) noexcept;

namespace detail {

/// Days from 1970-01-01 to a Gregorian date: civil_from_days (http/date.hpp) the other way.
constexpr std::int64_t days_from_civil(std::int64_t year, int month, int day) noexcept {
  const std::int64_t march_year = month <= 2 ? year - 1 : year;
  const std::int64_t era = (march_year >= 0 ? march_year : march_year - 399) / 400;
  const std::int64_t year_of_era = march_year - era * 400;
  const int month_from_march = month > 2 ? month - 3 : month + 9;
  const int day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
  const std::int64_t day_of_era =
      year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146'097 + day_of_era - 719'468;
}

constexpr int days_in_month(std::int64_t year, int month) noexcept {
  if (month == 2) return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28;
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

struct date_parts {
  int weekday = 0;  ///< Sunday is 0
  std::int64_t year = 0;
  int month = 0, day = 0, hour = 0, minute = 0, second = 0;

  /// @returns  Unix seconds, or nothing when there is no such moment or it is another weekday
  constexpr std::optional<std::int64_t> seconds() const noexcept {
    if (day < 1 || day > days_in_month(year, month)) return std::nullopt;
    if (hour > 23 || minute > 59 || second > 60) return std::nullopt;
    const std::int64_t days = days_from_civil(year, month, day);
    // 1970-01-01 was a Thursday.
    if ((days % 7 + 11) % 7 != weekday) return std::nullopt;
    return days * 86'400 + hour * 3600 + minute * 60 + second;
  }
};

/// Takes pieces off the front of a text. After the first that is not there it has failed for good,
/// so that only the end needs to be asked.
class date_reader {
 public:
  explicit constexpr date_reader(std::string_view text) noexcept : rest_(text) {}

  /// @returns true exactly when everything was there and nothing is left
  constexpr bool is_complete() const noexcept { return !failed_ && rest_.empty(); }

  constexpr void literal(std::string_view expected) noexcept {
    failed_ |= rest_.substr(0, expected.size()) != expected;
    skip(expected.size());
  }

  constexpr int number(std::size_t digits) noexcept {
    int value = 0;
    for (const char c : rest_.substr(0, digits)) {
      failed_ |= !is_digit(c);
      value = value * 10 + (is_digit(c) ? c - '0' : 0);
    }
    failed_ |= rest_.size() < digits;
    skip(digits);
    return value;
  }

  /// asctime's day: a space stands for the first digit of 1 to 9.
  constexpr int padded_day() noexcept {
    if (rest_.empty() || rest_.front() != ' ') return number(2);
    skip(1);
    return number(1);
  }

  /// @param names  each of three letters
  /// @returns      which of them is next
  constexpr int name(std::string_view names) noexcept {
    for (std::size_t at = 0; at < names.size(); at += 3) {
      if (rest_.substr(0, 3) == names.substr(at, 3)) {
        skip(3);
        return static_cast<int>(at / 3);
      }
    }
    failed_ = true;
    return 0;
  }

  constexpr int weekday() noexcept { return name("SunMonTueWedThuFriSat"); }
  constexpr int month() noexcept { return name("JanFebMarAprMayJunJulAugSepOctNovDec") + 1; }

  constexpr void time_of_day(date_parts& parts) noexcept {
    parts.hour = number(2);
    literal(":");
    parts.minute = number(2);
    literal(":");
    parts.second = number(2);
  }

  constexpr bool is_next(char c) const noexcept { return !rest_.empty() && rest_.front() == c; }

 private:
  constexpr void skip(std::size_t size) noexcept {
    rest_.remove_prefix(size < rest_.size() ? size : rest_.size());
  }

  std::string_view rest_;
  bool failed_ = false;
};

/// "Sun, 06 Nov 1994 08:49:37 GMT", behind the weekday.
constexpr std::optional<std::int64_t> parse_imf_fixdate(date_reader in, date_parts parts) noexcept {
  in.literal(", ");
  parts.day = in.number(2);
  in.literal(" ");
  parts.month = in.month();
  in.literal(" ");
  parts.year = in.number(4);
  in.literal(" ");
  in.time_of_day(parts);
  in.literal(" GMT");
  return in.is_complete() ? parts.seconds() : std::nullopt;
}

/// "Sun Nov  6 08:49:37 1994", behind the weekday.
constexpr std::optional<std::int64_t> parse_asctime(date_reader in, date_parts parts) noexcept {
  in.literal(" ");
  parts.month = in.month();
  in.literal(" ");
  parts.day = in.padded_day();
  in.literal(" ");
  in.time_of_day(parts);
  in.literal(" ");
  parts.year = in.number(4);
  return in.is_complete() ? parts.seconds() : std::nullopt;
}

/// "Sunday, 06-Nov-94 08:49:37 GMT", behind the weekday's first three letters.
constexpr std::optional<std::int64_t> parse_rfc850(date_reader in, date_parts parts,
                                                   std::int64_t now) noexcept {
  constexpr std::string_view endings[] = {"day", "day", "sday", "nesday", "rsday", "day", "urday"};
  in.literal(endings[parts.weekday]);
  in.literal(", ");
  parts.day = in.number(2);
  in.literal("-");
  parts.month = in.month();
  in.literal("-");
  const int year_of_century = in.number(2);
  in.literal(" ");
  in.time_of_day(parts);
  in.literal(" GMT");
  if (!in.is_complete()) return std::nullopt;

  // The latest such year that is not more than 50 years ahead; of 50 years, the Gregorian mean.
  constexpr std::int64_t seconds_per_50_years = 1'577'847'600;
  constexpr std::int64_t year_2400 = 13'569'465'600;
  const std::int64_t latest = (now < year_2400 ? now : year_2400) + seconds_per_50_years;
  for (parts.year = 2400 + year_of_century; parts.year >= 1900; parts.year -= 100) {
    const std::int64_t begin_of_day = days_from_civil(parts.year, parts.month, parts.day) * 86'400;
    if (begin_of_day <= latest) return parts.seconds();
  }
  return std::nullopt;
}

}  // namespace detail

constexpr std::optional<std::int64_t> parse_http_date(std::string_view text,
                                                      std::int64_t now) noexcept {
  detail::date_reader in(text);
  detail::date_parts parts;
  parts.weekday = in.weekday();
  if (in.is_next(',')) return detail::parse_imf_fixdate(in, parts);
  if (in.is_next(' ')) return detail::parse_asctime(in, parts);
  return detail::parse_rfc850(in, parts, now);
}

}  // namespace nen
