#include <array>
#include <nen/http/percent.hpp>
#include <string>
#include <string_view>

#include "support/catch.hpp"

using nen::percent_decode;
using nen::percent_status;

TEST_CASE("percent-encoded text is decoded") {
  struct {
    std::string_view raw;
    percent_status status;
    std::string_view text;
  } const cases[] = {
      {"", percent_status::ok, ""},
      {"plain", percent_status::ok, "plain"},
      {"a%20b", percent_status::ok, "a b"},
      {"%2F", percent_status::ok, "/"},
      {"%2f%2F", percent_status::ok, "//"},
      {"a+b", percent_status::ok, "a+b"},
      {"%25%32%30", percent_status::ok, "%20"},
      {"%C3%A4", percent_status::ok, "\xC3\xA4"},
      {"%ff", percent_status::ok, "\xFF"},
      {"%", percent_status::bad_escape, ""},
      {"%2", percent_status::bad_escape, ""},
      {"abc%4", percent_status::bad_escape, ""},
      {"%zz", percent_status::bad_escape, ""},
      {"%4g", percent_status::bad_escape, ""},
      {"%g4", percent_status::bad_escape, ""},
      {"%%41", percent_status::bad_escape, ""},
      {"%00", percent_status::bad_escape, ""},
      {"a%00b", percent_status::bad_escape, ""},
  };
  for (const auto& c : cases) {
    CAPTURE(c.raw);
    std::array<char, 32> room{};
    const nen::percent_result result = percent_decode(c.raw, room);
    CHECK(result.status == c.status);
    CHECK(result.text == c.text);
  }
}

TEST_CASE("text without an escape is not copied") {
  const std::string_view raw = "plain";
  CHECK(percent_decode(raw, {}).text.data() == raw.data());
}

TEST_CASE("decoded text that does not fit into the room is refused and writes no further") {
  std::array<char, 4> room{'.', '.', '.', '#'};
  CHECK(percent_decode("%41bcd", std::span(room).first(3)).status == percent_status::no_room);
  CHECK(room[3] == '#');
  CHECK(percent_decode("%41bc", std::span(room).first(3)).text == "Abc");
}

TEST_CASE("text can be decoded in its own memory") {
  std::string text = "x%41%42y%43";
  CHECK(percent_decode(text, text).text == "xAByC");
}
