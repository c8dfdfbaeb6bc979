// ascii: characters and numbers, edges of every range.
#include <nen/core/ascii.hpp>

#include <cctype>
#include <cstdint>
#include <limits>
#include <string>

#include "support/catch.hpp"

namespace {

template <class Integer>
struct number_case {
  std::string_view text;
  std::optional<Integer> expected;
};

template <class Integer, std::size_t N>
void check_numbers(const number_case<Integer> (&cases)[N]) {
  for (const auto& c : cases) {
    INFO("text: \"" << c.text << "\"");
    CHECK(nen::parse_decimal<Integer>(c.text) == c.expected);
  }
}

}  // namespace

TEST_CASE("only ASCII capitals change when made small", "[ascii]") {
  for (int i = 0; i < 256; ++i) {
    const char c = static_cast<char>(i);
    const char expected = i >= 'A' && i <= 'Z' ? static_cast<char>(i + 32) : c;
    CHECK(nen::to_lower(c) == expected);
  }
}

TEST_CASE("the token characters are those of RFC 9110 5.6.2", "[ascii]") {
  const std::string tokens =
      "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  for (int i = 0; i < 256; ++i) {
    const char c = static_cast<char>(i);
    INFO("character " << i);
    CHECK(nen::is_token_char(c) == (tokens.find(c) != std::string::npos));
  }
}

TEST_CASE("a token has at least one character and token characters only", "[ascii]") {
  CHECK(nen::is_token("Content-Type"));
  CHECK_FALSE(nen::is_token(""));
  CHECK_FALSE(nen::is_token("a b"));
  CHECK_FALSE(nen::is_token("a:"));
  CHECK_FALSE(nen::is_token(std::string_view("a\0", 2)));
}

TEST_CASE("digits, letters and hexadecimal digits agree with the C library's", "[ascii]") {
  for (int i = 0; i < 256; ++i) {
    const char c = static_cast<char>(i);
    const bool ascii = i < 128;
    INFO("character " << i);
    CHECK(nen::is_digit(c) == (ascii && std::isdigit(i) != 0));
    CHECK(nen::is_alpha(c) == (ascii && std::isalpha(i) != 0));
    const bool hex = ascii && std::isxdigit(i) != 0;
    CHECK(nen::hex_value(c) == (hex ? std::stoi(std::string(1, c), nullptr, 16) : -1));
  }
}

TEST_CASE("names are compared without case", "[ascii]") {
  CHECK(nen::equals_ignoring_case("", ""));
  CHECK(nen::equals_ignoring_case("Content-Length", "content-LENGTH"));
  CHECK_FALSE(nen::equals_ignoring_case("Host", "Hos"));
  CHECK_FALSE(nen::equals_ignoring_case("Host", "Hosy"));
  // '@' and '`', '[' and '{' differ by the bit that makes the case of letters.
  CHECK_FALSE(nen::equals_ignoring_case("@", "`"));
  CHECK_FALSE(nen::equals_ignoring_case("[", "{"));
  CHECK_FALSE(nen::equals_ignoring_case("\xC4", "\xE4"));
}

TEST_CASE("optional white space is taken off both ends and only there", "[ascii]") {
  const struct {
    std::string_view text, expected;
  } cases[] = {
      {"", ""},       {" ", ""},          {" \t \t", ""},       {"a", "a"},
      {"  a", "a"},   {"a\t", "a"},       {" \ta b\t ", "a b"}, {"\ra\n", "\ra\n"},
      {" \r ", "\r"}, {"\va\f", "\va\f"},
  };
  for (const auto& c : cases) {
    INFO("text: \"" << c.text << "\"");
    CHECK(nen::trim_ows(c.text) == c.expected);
  }
}

TEST_CASE("8-bit numbers are read over their whole range and not beyond", "[ascii]") {
  for (int value = -1100; value <= 1100; ++value) {
    const std::string text = std::to_string(value);
    INFO("text: " << text);
    const auto as_unsigned = nen::parse_decimal<std::uint8_t>(text);
    const auto as_signed = nen::parse_decimal<std::int8_t>(text);
    REQUIRE(as_unsigned.has_value() == (value >= 0 && value <= 255));
    REQUIRE(as_signed.has_value() == (value >= -128 && value <= 127));
    if (as_unsigned) {
      CHECK(*as_unsigned == value);
    }
    if (as_signed) {
      CHECK(*as_signed == value);
    }
  }
}

TEST_CASE("wide numbers are read up to their limits and not beyond", "[ascii]") {
  check_numbers<std::uint64_t>({
      {"0", 0},
      {"18446744073709551615", UINT64_MAX},
      {"18446744073709551616", {}},
      {"18446744073709551620", {}},
      {"99999999999999999999", {}},
      {"118446744073709551615", {}},
      {"00000000000000000000000000000000000007", 7},
  });
  check_numbers<std::int64_t>({
      {"9223372036854775807", INT64_MAX},
      {"9223372036854775808", {}},
      {"-9223372036854775808", INT64_MIN},
      {"-9223372036854775809", {}},
      {"-0", 0},
  });
  check_numbers<std::uint32_t>({{"4294967295", UINT32_MAX}, {"4294967296", {}}});
  check_numbers<std::uint16_t>({{"65535", std::uint16_t{65535}}, {"65536", {}}});
}

TEST_CASE("what is not a decimal number as a whole is refused", "[ascii]") {
  for (const std::string_view text :
       {"", "-", "+1", " 1", "1 ", "1a", "a1", "0x10", "1.0", "1e3", "--1", "1-", "-1", "\xB2"}) {
    INFO("text: \"" << text << "\"");
    CHECK_FALSE(nen::parse_decimal<std::uint32_t>(text).has_value());
  }
  for (const std::string_view text : {"", "-", "--1", "- 1", "-1-", "+1"}) {
    INFO("text: \"" << text << "\"");
    CHECK_FALSE(nen::parse_decimal<int>(text).has_value());
  }
  CHECK_FALSE(nen::parse_decimal<int>(std::string_view("1\0", 2)).has_value());
}

TEST_CASE("numbers are written in decimal and their size is known before", "[ascii]") {
  std::uint64_t power = 1;
  for (int digits = 1; digits <= 20; ++digits, power *= 10) {
    for (const std::uint64_t value : {power - 1, power, power + 1}) {
      char out[nen::decimal_digits_max + 1] = {};
      const char* const end = nen::write_decimal(out, value);
      CHECK(std::string(out) == std::to_string(value));
      CHECK(static_cast<std::size_t>(end - out) == nen::decimal_size(value));
    }
  }
  char out[nen::decimal_digits_max + 1] = {};
  CHECK(nen::write_decimal(out, UINT64_MAX) == out + 20);
  CHECK(std::string(out) == "18446744073709551615");
}

TEST_CASE("everything works in constant expressions", "[ascii]") {
  STATIC_REQUIRE(nen::to_lower('A') == 'a');
  STATIC_REQUIRE(nen::equals_ignoring_case("A", "a"));
  STATIC_REQUIRE(nen::trim_ows(" a ") == "a");
  STATIC_REQUIRE(nen::parse_decimal<int>("-12") == -12);
  STATIC_REQUIRE([] {
    char out[20] = {};
    return std::string_view(out, static_cast<std::size_t>(nen::write_decimal(out, 120) - out)) ==
           "120";
  }());
}
