// The UTF-8 validator against all that RFC 3629 allows, at the first byte that breaks it.
#include <nen/ws/utf8.hpp>

#include <algorithm>
#include <array>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "support/catch.hpp"
#include "ws/guarded.hpp"

namespace {

using nen::ws::is_utf8;
using nen::ws::utf8_validator;

/// RFC 3629 §3 by its table of bits.
std::string encoded(unsigned point) {
  const auto byte = [](unsigned value) { return static_cast<char>(value); };
  if (point < 0x80) return {byte(point)};
  if (point < 0x800) return {byte(0xc0 | point >> 6), byte(0x80 | (point & 63))};
  if (point < 0x10000) {
    return {byte(0xe0 | point >> 12), byte(0x80 | (point >> 6 & 63)), byte(0x80 | (point & 63))};
  }
  return {byte(0xf0 | point >> 18), byte(0x80 | (point >> 12 & 63)), byte(0x80 | (point >> 6 & 63)),
          byte(0x80 | (point & 63))};
}

/// How many bytes are taken before the first wrong one.
std::size_t valid_bytes(std::string_view text) {
  utf8_validator validator{};
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!validator.feed(text.substr(i, 1))) return i;
  }
  return text.size();
}

/// Counts, by their length, the byte strings that are taken and begin and end with a character.
void count_characters(utf8_validator before, std::size_t size,
                      std::array<std::size_t, 5>& characters) {
  for (int byte = 0; byte < 256; ++byte) {
    utf8_validator validator = before;
    const char c = static_cast<char>(byte);
    if (!validator.feed({&c, 1})) continue;
    if (validator.finish()) {
      ++characters[size];
    } else if (size < 4) {
      count_characters(validator, size + 1, characters);
    } else {
      ++characters[0];  // longer than any character
    }
  }
}

}  // namespace

TEST_CASE("every Unicode character is taken, and nothing else is", "[utf8]") {
  std::size_t refused = 0;
  for (unsigned point = 0; point <= 0x10ffff; ++point) {
    const bool is_surrogate = point >= 0xd800 && point <= 0xdfff;
    refused += is_utf8(encoded(point)) == is_surrogate ? 1U : 0U;
  }
  CHECK(refused == 0);
  // All of them are taken, and these numbers leave no room for any other byte string.
  std::array<std::size_t, 5> characters{};
  count_characters({}, 1, characters);
  CHECK(characters == std::array<std::size_t, 5>{0, 0x80, 0x800 - 0x80, 0x10000 - 0x800 - 0x800,
                                                 0x110000 - 0x10000});
}

TEST_CASE("a wrong byte is found where it stands", "[utf8]") {
  const struct {
    std::string_view text;
    std::size_t valid;
    const char* why;
  } cases[] = {
      {"\x80", 0, "a continuation byte alone"},
      {"\xbf", 0, "a continuation byte alone"},
      {"a\x80", 1, "a continuation byte behind ASCII"},
      {"\xc3\xa9\xa9", 2, "a continuation byte behind a character"},
      {"\xc0\xaf", 0, "overlong, two bytes"},
      {"\xc1\xbf", 0, "overlong, two bytes"},
      {"\xe0\x80\xaf", 1, "overlong, three bytes"},
      {"\xe0\x9f\xbf", 1, "overlong, three bytes"},
      {"\xf0\x80\x80\xaf", 1, "overlong, four bytes"},
      {"\xf0\x8f\xbf\xbf", 1, "overlong, four bytes"},
      {"\xed\xa0\x80", 1, "the first surrogate"},
      {"\xed\xbf\xbf", 1, "the last surrogate"},
      {"\xf4\x90\x80\x80", 1, "U+110000"},
      {"\xf5\x80\x80\x80", 0, "above U+10FFFF"},
      {"\xf8\x88\x80\x80\x80", 0, "five bytes"},
      {"\xfc\x84\x80\x80\x80\x80", 0, "six bytes"},
      {"\xfe", 0, "no UTF-8 byte"},
      {"\xff", 0, "no UTF-8 byte"},
      {"\xc3(", 1, "ASCII inside a character"},
      {"\xe2\x82(", 2, "ASCII inside a character"},
      {"\xe2(\xac", 1, "ASCII inside a character"},
      {"\xf0\x9f\x98(", 3, "ASCII inside a character"},
      {"\xe2\x82\xc3\xa9", 2, "a character inside a character"},
      {"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xf4\x90\x80\x80\x65", 12, "late"},
  };
  for (const auto& c : cases) {
    INFO(c.why);
    CHECK(valid_bytes(c.text) == c.valid);
    CHECK(!is_utf8(c.text));
  }
}

TEST_CASE("text that ends inside a character is right so far and not at its end", "[utf8]") {
  for (const unsigned point : {0x80U, 0x7ffU, 0x800U, 0xffffU, 0x10000U, 0x10ffffU}) {
    const std::string character = encoded(point);
    for (std::size_t size = 1; size < character.size(); ++size) {
      utf8_validator validator{};
      CHECK(validator.feed(std::string_view(character).substr(0, size)));
      CHECK(!validator.finish());
      CHECK(!is_utf8(std::string_view(character).substr(0, size)));
      CHECK(validator.feed(std::string_view(character).substr(size)));
      CHECK(validator.finish());
    }
  }
  CHECK(is_utf8(""));
}

TEST_CASE("after a wrong byte nothing makes the text right again", "[utf8]") {
  utf8_validator validator{};
  CHECK(!validator.feed("\xff"));
  CHECK(!validator.feed("a"));
  CHECK(!validator.feed(""));
  CHECK(!validator.feed(std::string(1000, 'a')));
  CHECK(!validator.finish());
  validator.reset();
  CHECK(validator.feed("a"));
  CHECK(validator.finish());
}

TEST_CASE("one character in ASCII is judged the same wherever it stands", "[utf8]") {
  const struct {
    std::string_view bytes;
    bool valid;
  } cases[] = {
      {"\xc3\xa9", true},      {"\xe2\x82\xac", true}, {"\xf0\x9f\x98\x80", true}, {"\x80", false},
      {"\xed\xa0\x80", false}, {"\xc3", false},        {"\xf0\x9f\x98", false},
  };
  for (const auto& c : cases) {
    for (std::size_t at = 0; at <= 300; ++at) {
      std::string text(300, 'x');
      text.insert(at, c.bytes);
      if (is_utf8(text) != c.valid) FAIL("at " << at);
    }
  }
  SUCCEED();
}

TEST_CASE("where a text is cut does not change the outcome", "[utf8]") {
  std::mt19937 random(3629);
  const std::string_view parts[] = {"ASCII of some length, to be skipped quickly. ", "\xc3\xa9",
                                    "\xe6\x97\xa5\xe6\x9c\xac", "\xf0\x9f\x98\x80", "x"};
  for (int round = 0; round < 300; ++round) {
    std::string text;
    while (text.size() < 400) text += parts[random() % std::size(parts)];
    if (round % 2 == 0) text[random() % text.size()] = static_cast<char>(random());
    const std::size_t valid = valid_bytes(text);
    for (int cutting = 0; cutting < 20; ++cutting) {
      utf8_validator validator{};
      bool is_valid = true;
      for (std::size_t at = 0; at < text.size();) {
        const std::size_t size = std::min<std::size_t>(random() % 200, text.size() - at);
        is_valid = validator.feed(std::string_view(text).substr(at, size));
        at += size;
        if (is_valid != (at <= valid)) FAIL("round " << round << ", byte " << at);
      }
    }
  }
  SUCCEED();
}

TEST_CASE("nothing behind the text is read", "[utf8]") {
  const nen::test::guarded memory(1024);
  for (std::size_t size = 0; size < 600; ++size) {
    const std::string text(size, 'a');
    if (!is_utf8({memory.place(text), size})) FAIL(size << " bytes");
    const std::string wrong = text + '\xff';
    if (is_utf8({memory.place(wrong), size + 1})) FAIL(size << " bytes");
  }
  SUCCEED();
}
