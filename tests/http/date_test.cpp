// Tests of http/date.hpp.
#include <nen/http/date.hpp>

#include <cstdint>
#include <ctime>
#include <string>
#include <string_view>

#include "support/catch.hpp"

namespace {

std::string date_of(std::int64_t seconds) {
  std::string text(nen::imf_fixdate_size + 1, '#');
  char* const end = nen::write_imf_fixdate(text.data(), seconds);
  REQUIRE(end == text.data() + nen::imf_fixdate_size);
  REQUIRE(text.back() == '#');  // nothing is written behind the 29 bytes
  text.pop_back();
  return text;
}

}  // namespace

TEST_CASE("dates have the form of IMF-fixdate") {
  struct row {
    std::int64_t seconds;
    std::string_view text;
  };
  const row rows[] = {{784'111'777, "Sun, 06 Nov 1994 08:49:37 GMT"},
                      {0, "Thu, 01 Jan 1970 00:00:00 GMT"},
                      {-1, "Wed, 31 Dec 1969 23:59:59 GMT"},
                      {951'782'400, "Tue, 29 Feb 2000 00:00:00 GMT"},
                      {4'107'542'400, "Mon, 01 Mar 2100 00:00:00 GMT"},
                      {4'107'542'399, "Sun, 28 Feb 2100 23:59:59 GMT"},
                      {253'402'300'799, "Fri, 31 Dec 9999 23:59:59 GMT"},
                      {-62'167'219'200, "Sat, 01 Jan 0000 00:00:00 GMT"}};
  for (const row& r : rows) CHECK(date_of(r.seconds) == r.text);
}

TEST_CASE("dates are the C library's over four centuries") {
  std::int64_t failures = 0;
  for (std::int64_t day = -73'000; day < 146'000; ++day) {
    const std::int64_t seconds = day * 86'400 + (day * 7919 % 86'400 + 86'400) % 86'400;
    const auto as_time = static_cast<std::time_t>(seconds);
    std::tm broken{};
    gmtime_r(&as_time, &broken);
    char wanted[40];
    std::strftime(wanted, sizeof wanted, "%a, %d %b %Y %H:%M:%S GMT", &broken);
    char text[nen::imf_fixdate_size];
    nen::write_imf_fixdate(text, seconds);
    if (std::string_view(text, sizeof text) != wanted) ++failures;
  }
  CHECK(failures == 0);
}

TEST_CASE("a date can be made at compile time") {
  constexpr bool is_right = [] {
    char text[29]{};
    nen::write_imf_fixdate(text, 784'111'777);
    return std::string_view(text, 29) == "Sun, 06 Nov 1994 08:49:37 GMT";
  }();
  STATIC_REQUIRE(is_right);
}
