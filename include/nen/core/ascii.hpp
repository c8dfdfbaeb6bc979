// Characters as protocols see them: ASCII only, no locale, and everything constexpr.
// core, L0
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <type_traits>

namespace nen {

/// An ASCII capital becomes small; every other byte stays what it is.
[[nodiscard]] constexpr char to_lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

[[nodiscard]] constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

[[nodiscard]] constexpr bool is_alpha(char c) noexcept {
  return to_lower(c) >= 'a' && to_lower(c) <= 'z';
}

/// The value of a hexadecimal digit in either case, or -1.
[[nodiscard]] constexpr int hex_value(char c) noexcept {
  if (is_digit(c)) {
    return c - '0';
  }
  const char lower = to_lower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

namespace detail {

[[nodiscard, gnu::noinline]] constexpr bool equal_letters(const char* a, const char* b,
                                                          std::size_t size) noexcept {
  for (std::size_t i = 0; i < size; ++i) {
    if (to_lower(a[i]) != to_lower(b[i])) return false;
  }
  return true;
}

}  // namespace detail

/// Field names and the like: equal but for ASCII case.
[[nodiscard]] constexpr bool equals_ignoring_case(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size() && detail::equal_letters(a.data(), b.data(), a.size());
}

namespace detail {

consteval std::array<bool, 256> make_token_table() {
  std::array<bool, 256> table{};
  for (std::size_t c = 0; c < 128; ++c) {
    table[c] = is_digit(static_cast<char>(c)) || is_alpha(static_cast<char>(c));
  }
  for (const char c : std::string_view{"!#$%&'*+-.^_`|~"}) {
    table[static_cast<unsigned char>(c)] = true;
  }
  return table;
}

inline constexpr std::array<bool, 256> token_table = make_token_table();

}  // namespace detail

/// tchar, RFC 9110 §5.6.2.
[[nodiscard]] constexpr bool is_token_char(char c) noexcept {
  return detail::token_table[static_cast<unsigned char>(c)];
}

/// token = 1*tchar, RFC 9110 §5.6.2: at least one character.
[[nodiscard]] constexpr bool is_token(std::string_view text) noexcept {
  for (const char c : text) {
    if (!is_token_char(c)) {
      return false;
    }
  }
  return !text.empty();
}

/// Takes spaces and tabs (OWS, RFC 9110 §5.6.3) off both ends, and nothing else.
[[nodiscard]] constexpr std::string_view trim_ows(std::string_view text) noexcept {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) {
    text.remove_prefix(1);
  }
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) {
    text.remove_suffix(1);
  }
  return text;
}

/// The whole text as a decimal number: digits only, with one '-' in front where Integer is signed.
/// No sign '+', no space, no empty text; leading zeros are digits like others.
/// @returns  nothing when the text is something else or the number does not fit into Integer
template <std::integral Integer>
requires(!std::same_as<Integer, bool>)
    [[nodiscard]] constexpr std::optional<Integer> parse_decimal(std::string_view text) noexcept {
  using magnitude_type = std::make_unsigned_t<Integer>;
  bool negative = false;
  if constexpr (std::is_signed_v<Integer>) {
    if (!text.empty() && text.front() == '-') {
      negative = true;
      text.remove_prefix(1);
    }
  }
  if (text.empty()) {
    return std::nullopt;
  }
  // The least number of a signed type is one further from zero than its greatest.
  const std::uint64_t limit =
      static_cast<std::uint64_t>(std::numeric_limits<Integer>::max()) + (negative ? 1U : 0U);
  std::uint64_t magnitude = 0;
  for (const char c : text) {
    if (!is_digit(c)) {
      return std::nullopt;
    }
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (magnitude > limit / 10 || magnitude * 10 > limit - digit) {
      return std::nullopt;
    }
    magnitude = magnitude * 10 + digit;
  }
  const std::uint64_t bits = negative ? std::uint64_t{0} - magnitude : magnitude;
  return static_cast<Integer>(static_cast<magnitude_type>(bits));
}

/// The most bytes that write_decimal writes.
inline constexpr std::size_t decimal_digits_max = 20;

/// How many bytes write_decimal writes for this value.
[[nodiscard]] constexpr std::size_t decimal_size(std::uint64_t value) noexcept {
  std::size_t digits = 1;
  while (value >= 10) {
    value /= 10;
    ++digits;
  }
  return digits;
}

/// Writes the value in decimal, without a closing NUL.
/// @param out  room for decimal_size(value) bytes; decimal_digits_max is always enough
/// @returns    the end of what was written
constexpr char* write_decimal(char* out, std::uint64_t value) noexcept {
  char* const end = out + decimal_size(value);
  char* at = end;
  do {
    *--at = static_cast<char>('0' + value % 10);
    value /= 10;
  } while (value != 0);
  return end;
}

}  // namespace nen
