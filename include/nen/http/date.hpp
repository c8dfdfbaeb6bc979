// The Date field's text from a Unix time, without libc and its locks. http, L1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nen/core/assert.hpp>

namespace nen {

/// The size of an IMF-fixdate: it is the same for every date.
inline constexpr std::size_t imf_fixdate_size = 29;

/// Writes a time as IMF-fixdate, for example "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 §5.6.7).
/// @param out           room for 29 bytes; no NUL is added
/// @param unix_seconds  seconds since 1970-01-01 00:00:00 UTC; years 0 to 9999 (asserted)
/// @returns             the end of what was written, `out + 29`
[[gnu::cold]] constexpr char* write_imf_fixdate(char* out, std::int64_t unix_seconds);

namespace detail {

struct civil_date {
  std::int64_t year;
  int month;  ///< 1 to 12
  int day;    ///< 1 to 31
};

/// The Gregorian date of a day counted from 1970-01-01. Years are taken from March to February, so
/// that the leap day is a year's last and every month's length follows one linear rule.
constexpr civil_date civil_from_days(std::int64_t days) {
  constexpr std::int64_t days_per_400_years = 146'097;
  constexpr std::int64_t days_from_0000_03_01 = 719'468;
  const std::int64_t shifted = days + days_from_0000_03_01;
  const std::int64_t era =
      (shifted >= 0 ? shifted : shifted - (days_per_400_years - 1)) / days_per_400_years;
  const auto day_of_era = static_cast<int>(shifted - era * days_per_400_years);
  const int year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const int day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int month_from_march = (5 * day_of_year + 2) / 153;
  const int day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
  const int month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
  return {era * 400 + year_of_era + (month <= 2 ? 1 : 0), month, day};
}

constexpr char* write_two_digits(char* out, int value) {
  out[0] = static_cast<char>('0' + value / 10);
  out[1] = static_cast<char>('0' + value % 10);
  return out + 2;
}

constexpr char* write_text(char* out, const char* text, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) out[i] = text[i];
  return out + size;
}

}  // namespace detail

constexpr char* write_imf_fixdate(char* out, std::int64_t unix_seconds) {
  constexpr std::int64_t seconds_per_day = 86'400;
  constexpr std::int64_t year_0 = -62'167'219'200;
  constexpr std::int64_t year_10000 = 253'402'300'800;
  NEN_ASSERT(unix_seconds >= year_0 && unix_seconds < year_10000);

  std::int64_t days = unix_seconds / seconds_per_day;
  auto second = static_cast<int>(unix_seconds % seconds_per_day);
  if (second < 0) {  // Division rounds towards zero; a day before 1970 has to start at midnight.
    second += static_cast<int>(seconds_per_day);
    --days;
  }
  // 1970-01-01 was a Thursday.
  const auto weekday = static_cast<std::size_t>(((days % 7) + 11) % 7);
  const detail::civil_date date = detail::civil_from_days(days);
  const auto month = static_cast<std::size_t>(date.month - 1);
  const auto year = static_cast<int>(date.year);

  out = detail::write_text(out, &"SunMonTueWedThuFriSat"[weekday * 3], 3);
  out = detail::write_text(out, ", ", 2);
  out = detail::write_two_digits(out, date.day);
  *out++ = ' ';
  out = detail::write_text(out, &"JanFebMarAprMayJunJulAugSepOctNovDec"[month * 3], 3);
  *out++ = ' ';
  out = detail::write_two_digits(out, year / 100);
  out = detail::write_two_digits(out, year % 100);
  *out++ = ' ';
  out = detail::write_two_digits(out, second / 3600);
  *out++ = ':';
  out = detail::write_two_digits(out, second / 60 % 60);
  *out++ = ':';
  out = detail::write_two_digits(out, second % 60);
  return detail::write_text(out, " GMT", 4);
}

}  // namespace nen
