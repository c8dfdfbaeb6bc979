// Percent-encoded text that ends inside an escape: what lies behind it is somebody else's.
#include <array>
#include <nen/http/percent.hpp>
#include <string_view>
#include <vector>

#include "support/catch.hpp"

using nen::percent_decode;
using nen::percent_status;

TEST_CASE("an escape that the text's end cuts is refused, whatever lies behind it") {
  constexpr std::string_view whole = "%41x%42%43";
  struct {
    std::size_t size;
    percent_status status;
    std::string_view text;
  } const cases[] = {
      {0, percent_status::ok, ""},         {1, percent_status::bad_escape, ""},
      {2, percent_status::bad_escape, ""}, {3, percent_status::ok, "A"},
      {4, percent_status::ok, "Ax"},       {5, percent_status::bad_escape, ""},
      {6, percent_status::bad_escape, ""}, {7, percent_status::ok, "AxB"},
      {8, percent_status::bad_escape, ""}, {9, percent_status::bad_escape, ""},
      {10, percent_status::ok, "AxBC"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.size);
    std::array<char, 16> room{};
    const auto before_more = percent_decode(whole.substr(0, c.size), room);
    CHECK(before_more.status == c.status);
    CHECK(before_more.text == c.text);
    // Behind these there is nothing at all, which a sanitizer watches.
    const std::vector<char> alone(whole.begin(), whole.begin() + static_cast<long>(c.size));
    CHECK(percent_decode({alone.data(), alone.size()}, room).status == c.status);
  }
}
