// Tests of http/date_parse.hpp.
#include <nen/http/date.hpp>
#include <nen/http/date_parse.hpp>

#include <cstdint>
#include <ctime>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "support/catch.hpp"

using nen::parse_http_date;

namespace {

constexpr std::int64_t year_2026 = 1'767'225'600;

std::string format(const char* how, std::int64_t seconds) {
  const auto as_time = static_cast<std::time_t>(seconds);
  std::tm broken{};
  gmtime_r(&as_time, &broken);
  char text[64];
  return {text, std::strftime(text, sizeof text, how, &broken)};
}

}  // namespace

TEST_CASE("the three forms of a date are read") {
  struct {
    std::string_view text;
    std::int64_t seconds;
  } const cases[] = {
      {"Sun, 06 Nov 1994 08:49:37 GMT", 784'111'777},
      {"Sunday, 06-Nov-94 08:49:37 GMT", 784'111'777},
      {"Sun Nov  6 08:49:37 1994", 784'111'777},
      {"Sun Nov 06 08:49:37 1994", 784'111'777},
      {"Thu, 01 Jan 1970 00:00:00 GMT", 0},
      {"Wed, 31 Dec 1969 23:59:59 GMT", -1},
      {"Tue, 29 Feb 2000 00:00:00 GMT", 951'782'400},
      {"Fri, 31 Dec 9999 23:59:59 GMT", 253'402'300'799},
      {"Sat, 01 Jan 0000 00:00:00 GMT", -62'167'219'200},
      {"Sat, 31 Dec 2016 23:59:60 GMT", 1'483'228'800},
      {"Friday, 31-Dec-99 23:59:59 GMT", 946'684'799},
      {"Wed Dec 31 23:59:59 1969", -1},
  };
  for (const auto& c : cases) {
    CAPTURE(c.text);
    CHECK(parse_http_date(c.text, year_2026) == c.seconds);
  }
  STATIC_REQUIRE(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT", 0) == 784'111'777);
}

TEST_CASE("what is no date is refused") {
  const std::string_view cases[] = {
      "",
      "Sun",
      "Sun,",
      "Sunday",
      "0",
      "784111777",
      "Sun, 06 Nov 1994 08:49:37",
      "Sun, 06 Nov 1994 08:49:37 GM",
      "Sun, 06 Nov 1994 08:49:37 GMT ",
      " Sun, 06 Nov 1994 08:49:37 GMT",
      "Sun, 06 Nov 1994 08:49:37 UTC",
      "Sun, 06 Nov 1994 08:49:37 gmt",
      "Sun, 06 Nov 1994 08:49:37 +0000",
      "Sun, 6 Nov 1994 08:49:37 GMT",
      "Sun, 06 Nov 94 08:49:37 GMT",
      "Sun, 06 nov 1994 08:49:37 GMT",
      "sun, 06 Nov 1994 08:49:37 GMT",
      "Sun,06 Nov 1994 08:49:37 GMT",
      "Sun, 06  Nov 1994 08:49:37 GMT",
      "Sun, 06 Nov 1994 8:49:37 GMT",
      "Sun, 06 Nov 1994 08:49 GMT",
      "Sun, 06 Nov 1994 24:00:00 GMT",
      "Sun, 06 Nov 1994 08:60:37 GMT",
      "Sun, 06 Nov 1994 08:49:61 GMT",
      "Sun, 06 Nov 1994 -8:49:37 GMT",
      "Sun, 06 Nov 199x 08:49:37 GMT",
      "Mon, 06 Nov 1994 08:49:37 GMT",
      "Wed, 30 Feb 2000 00:00:00 GMT",
      "Thu, 29 Feb 1900 00:00:00 GMT",
      "Tue, 31 Apr 2024 00:00:00 GMT",
      "Wed, 00 May 2024 00:00:00 GMT",
      "Thu, 32 Jan 2025 00:00:00 GMT",
      "Sun, 06-Nov-94 08:49:37 GMT",
      "Sunday, 06-Nov-1994 08:49:37 GMT",
      "Sunday, 06 Nov 94 08:49:37 GMT",
      "Sunday, 6-Nov-94 08:49:37 GMT",
      "Sunda, 06-Nov-94 08:49:37 GMT",
      "Sunsday, 06-Nov-94 08:49:37 GMT",
      "Monday, 06-Nov-94 08:49:37 GMT",
      "Sun Nov 6 08:49:37 1994",
      "Sun Nov   6 08:49:37 1994",
      "Sun Nov  0 08:49:37 1994",
      "Sun Nov 16 08:49:37 1994",
      "Sun Nov  6 08:49:37 1994 GMT",
      "Sun Nov  6 08:49:37 94",
      "Wed Nov  6 08:49:37 199",  // the right weekday
      "Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT",
  };
  for (const std::string_view text : cases) {
    CAPTURE(text);
    CHECK_FALSE(parse_http_date(text, year_2026));
  }
}

TEST_CASE("a two-digit year is the latest that is not more than 50 years ahead") {
  const auto year = [](std::string_view text, std::int64_t now) {
    const auto seconds = parse_http_date(text, now);
    return seconds ? format("%Y", *seconds) : "";
  };
  CHECK(year("Monday, 06-Jan-75 00:00:00 GMT", year_2026) == "");  // 2075 begins with a Tuesday
  CHECK(year("Sunday, 06-Jan-75 00:00:00 GMT", year_2026) == "2075");
  CHECK(year("Thursday, 06-Jan-77 00:00:00 GMT", year_2026) == "1977");
  CHECK(year("Thursday, 06-Jan-28 00:00:00 GMT", year_2026) == "2028");
  CHECK(year("Thursday, 06-Jan-28 00:00:00 GMT", 0) == "");  // 1928, which began otherwise
  CHECK(year("Friday, 06-Jan-28 00:00:00 GMT", 0) == "1928");
  CHECK(year("Saturday, 06-Jan-01 00:00:00 GMT", year_2026) == "2001");
  for (const std::int64_t now : {INT64_MIN, INT64_MAX}) {  // no overflow, whatever the clock says
    for (int day = 0; day < 7; ++day) {
      const auto text = format("%A, 06-Jan-28 00:00:00 GMT", day * 86'400);
      const auto read = parse_http_date(text, now);
      CHECK((!read || now > 0));
    }
  }
}

TEST_CASE("all dates are read back as they were written") {
  std::int64_t failures = 0;
  for (std::int64_t day = -36'000; day < 146'000; ++day) {
    const std::int64_t seconds = day * 86'400 + (day * 7919 % 86'400 + 86'400) % 86'400;
    char text[nen::imf_fixdate_size];
    nen::write_imf_fixdate(text, seconds);
    failures += parse_http_date({text, sizeof text}, 0) != seconds;
    failures += parse_http_date(format("%a %b %e %H:%M:%S %Y", seconds), 0) != seconds;
    // 49 years back and ahead are always meant.
    const auto obsolete = format("%A, %d-%b-%y %H:%M:%S GMT", seconds);
    failures += seconds > 0 && parse_http_date(obsolete, seconds) != seconds;
    failures += seconds > 0 && parse_http_date(obsolete, seconds + 49 * 31'556'952LL) != seconds;
    failures += seconds > 0 && parse_http_date(obsolete, seconds - 49 * 31'556'952LL) != seconds;
  }
  CHECK(failures == 0);
}

TEST_CASE("a date with one byte changed or cut off is refused or another date") {
  const std::string_view forms[] = {"Sun, 06 Nov 1994 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
                                    "Sunday, 06-Nov-94 08:49:37 GMT"};
  for (const std::string_view form : forms) {
    for (std::size_t size = 0; size < form.size(); ++size) {
      const std::vector<char> cut(form.begin(), form.begin() + static_cast<std::ptrdiff_t>(size));
      CHECK_FALSE(parse_http_date({cut.data(), cut.size()}, year_2026));
    }
    for (std::size_t at = 0; at < form.size(); ++at) {
      for (int byte = 0; byte < 256; ++byte) {
        std::string changed(form);
        changed[at] = static_cast<char>(byte);
        const auto read = parse_http_date(changed, year_2026);
        // asctime may pad the day's first digit with a zero, and is the same date.
        const bool is_same = changed == form || changed == "Sun Nov 06 08:49:37 1994";
        REQUIRE((read == 784'111'777) == is_same);
      }
    }
  }
}
