// Properties of HTTP dates: a text is read as a moment exactly when libc writes that moment so.
#pragma once

#include <array>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <nen/http/date.hpp>
#include <nen/http/date_parse.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz/fuzz.hpp"

namespace nen::test::fuzz {

enum date_form { imf_fixdate, rfc850, asctime_padded, asctime_zero, date_forms };

inline std::tm parts_of(std::int64_t moment) {
  const std::time_t time = moment;
  std::tm parts{};
  gmtime_r(&time, &parts);
  return parts;
}

/// The moment as RFC 9110 §5.6.7 writes it. A leap second is the one before the moment, as :60.
inline std::string date_text(std::int64_t moment, date_form form, bool leap) {
  constexpr std::array days = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                               "Thursday", "Friday", "Saturday"};
  constexpr std::array months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::tm t = parts_of(leap ? moment - 1 : moment);
  const char* const day = days[static_cast<std::size_t>(t.tm_wday)];
  const char* const month = months[static_cast<std::size_t>(t.tm_mon)];
  const int year = t.tm_year + 1900;
  const int century_year = (year % 100 + 100) % 100;
  const int second = leap ? 60 : t.tm_sec;
  std::array<char, 128> text{};
  switch (form) {
    case imf_fixdate:
      std::snprintf(text.data(), text.size(), "%.3s, %02d %s %04d %02d:%02d:%02d GMT", day,
                    t.tm_mday, month, year, t.tm_hour, t.tm_min, second);
      break;
    case rfc850:
      std::snprintf(text.data(), text.size(), "%s, %02d-%s-%02d %02d:%02d:%02d GMT", day, t.tm_mday,
                    month, century_year, t.tm_hour, t.tm_min, second);
      break;
    default:
      std::snprintf(text.data(), text.size(),
                    form == asctime_zero ? "%.3s %s %02d %02d:%02d:%02d %04d"
                                         : "%.3s %s %2d %02d:%02d:%02d %04d",
                    day, month, t.tm_mday, t.tm_hour, t.tm_min, second, year);
  }
  return text.data();
}

constexpr std::int64_t first_of_year_0 = -62'167'219'200;
constexpr std::int64_t first_of_year_10000 = 253'402'300'800;
constexpr std::int64_t seconds_per_50_years = 1'577'847'600;

/// Whatever is read as a date is one of the ways to write it.
inline void check_date_text(std::string_view text, std::int64_t now) {
  const auto moment = parse_http_date(text, now);
  if (!moment) return;
  NEN_PROPERTY(*moment >= first_of_year_0 && *moment <= first_of_year_10000);
  bool is_written_so = false;
  for (int form = 0; form < date_forms; ++form) {
    for (const bool leap : {false, true}) {
      if (leap && *moment % 60 != 0) continue;
      is_written_so |= date_text(*moment, static_cast<date_form>(form), leap) == text;
    }
  }
  if (!is_written_so) fail(NEN_FUZZ_WHERE, "read as a date: " + shown(text));
  const bool has_century = text.find('-') == text.npos;
  if (has_century) return;
  // RFC 9110 §5.6.7: of the years that the two digits may mean, the latest not 50 years ahead.
  NEN_PROPERTY(*moment / 86'400 * 86'400 <= now + seconds_per_50_years + 86'400);
  std::tm later = parts_of(*moment);
  later.tm_year += 100;
  NEN_PROPERTY(timegm(&later) + 86'400 > now + seconds_per_50_years);
}

/// Every way to write a moment is read as that moment.
inline void check_date_moment(std::int64_t moment) {
  std::array<char, imf_fixdate_size> written{};
  NEN_PROPERTY(write_imf_fixdate(written.data(), moment) == written.data() + written.size());
  NEN_SAME(std::string_view(written.data(), written.size()), date_text(moment, imf_fixdate, false));
  for (int form = 0; form < date_forms; ++form) {
    // Two digits of a year are enough for those who live then.
    if (form == rfc850 && (moment < 0 || moment > 10'000'000'000)) continue;
    for (const bool leap : {false, true}) {
      if (leap && (moment % 60 != 0 || moment == first_of_year_0)) continue;
      const std::string text = date_text(moment, static_cast<date_form>(form), leap);
      const auto seen = parse_http_date(text, moment);
      if (seen != moment) fail(NEN_FUZZ_WHERE, "not read as what it was written for: " + text);
    }
  }
}

/// A date that may not exist has one weekday at most.
inline void check_date_parts(choices& from) {
  const unsigned flags = from.byte();
  std::tm t{};
  t.tm_year = static_cast<int>(from.number() % 10'000) - 1900;
  if ((flags & 1) != 0) t.tm_year -= (t.tm_year + 1900) % 100;
  t.tm_mon = (flags & 2) != 0 ? 1 : static_cast<int>(from.below(12));
  t.tm_mday = (flags & 4) != 0 ? 28 + static_cast<int>(from.below(4)) : from.byte() % 33;
  t.tm_hour = from.byte() % 26;
  t.tm_min = from.byte() % 62;
  t.tm_sec = from.byte() % 62;
  std::tm real = t;
  const std::time_t moment = timegm(&real);
  // timegm makes another date of one that does not exist.
  const bool exists = real.tm_mon == t.tm_mon && real.tm_mday == t.tm_mday;
  const bool exists_all = t.tm_hour < 24 && t.tm_min < 60 && t.tm_sec < 60 && exists;
  const bool is_leap_second = t.tm_sec == 60 && t.tm_hour < 24 && t.tm_min < 60;
  if (is_leap_second) return;  // check_date_moment has them
  constexpr std::string_view days = "SunMonTueWedThuFriSat";
  constexpr std::string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec";
  for (int day = 0; day < 7; ++day) {
    std::array<char, 128> text{};
    std::snprintf(text.data(), text.size(), "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT",
                  &days[static_cast<std::size_t>(3 * day)], t.tm_mday,
                  &months[static_cast<std::size_t>(3 * t.tm_mon)], t.tm_year + 1900, t.tm_hour,
                  t.tm_min, t.tm_sec);
    const auto seen = parse_http_date(text.data(), 0);
    const bool is_date = exists_all && day == real.tm_wday;
    if (seen != (is_date ? std::optional<std::int64_t>(moment) : std::nullopt)) {
      fail(NEN_FUZZ_WHERE, "misread: " + shown(std::string_view(text.data())));
    }
  }
}

inline void check_dates(choices from) {
  const std::int64_t now = static_cast<std::int64_t>(from.number()) * 3;  // up to the year 2378
  check_date_text(from.rest(), now);
  const std::uint64_t wide = std::uint64_t{from.number()} << 32 | from.number();
  constexpr auto range = static_cast<std::uint64_t>(first_of_year_10000 - first_of_year_0);
  check_date_moment(first_of_year_0 + static_cast<std::int64_t>(wide % range));
  check_date_parts(from);
}

}  // namespace nen::test::fuzz
