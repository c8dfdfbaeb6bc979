// core, L0: reads IP addresses as people and proxies write them: strictly, and at compile time too.
#pragma once

#include <nen/core/ascii.hpp>
#include <nen/core/client_address.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace nen {

/// An IPv4 address in dotted decimal (no leading zeros: some would read them as octal), or an IPv6
/// address of RFC 4291 §2.2 without brackets and zone. One that stands for an IPv4 address
/// (::ffff:192.0.2.1) becomes that.
/// @returns  the address with port 0, or nothing when the text is anything else
[[nodiscard]] constexpr std::optional<client_address> parse_ip(std::string_view text) noexcept;

namespace detail {

/// Where a character is first; npos: nowhere. (With -fsanitize=undefined, GCC 12 takes
/// string_view::find for no constant expression where the text is a template's argument.)
constexpr std::size_t index_of(char c, std::string_view text) noexcept {
  for (std::size_t i = 0; i < text.size(); ++i)
    if (text[i] == c) return i;
  return text.npos;
}

/// @param out  four bytes, written as far as the text goes
constexpr bool read_ipv4(std::string_view text, std::uint8_t* out) noexcept {
  for (std::size_t octet = 0; octet < 4; ++octet) {
    if (octet > 0) {
      if (text.empty() || text[0] != '.') return false;
      text.remove_prefix(1);
    }
    std::size_t size = 0;
    unsigned value = 0;
    while (size < 3 && size < text.size() && is_digit(text[size]))
      value = value * 10 + static_cast<unsigned>(text[size++] - '0');
    if (size == 0 || value > 255 || (size > 1 && text[0] == '0')) return false;
    out[octet] = static_cast<std::uint8_t>(value);
    text.remove_prefix(size);
  }
  return text.empty();
}

/// @param out  16 bytes, zero at first
constexpr bool read_ipv6(std::string_view text, std::uint8_t (&out)[16]) noexcept {
  constexpr std::size_t no_gap = 17;
  std::size_t at = 0;        // bytes written
  std::size_t gap = no_gap;  // how many were written before "::"
  bool wants_group = true;   // behind a single colon, and at first
  if (text.substr(0, 2) == "::") {
    gap = 0;
    wants_group = false;
    text.remove_prefix(2);
  }
  while (!text.empty()) {
    std::size_t size = 0;
    unsigned value = 0;
    while (size < text.size() && size < 5 && hex_value(text[size]) >= 0)
      value = value << 4 | static_cast<unsigned>(hex_value(text[size++]));
    if (size < text.size() && text[size] == '.') {
      if (at > 12 || !read_ipv4(text, out + at)) return false;
      at += 4;
      wants_group = false;
      break;
    }
    if (size == 0 || size > 4 || at > 14) return false;
    out[at++] = static_cast<std::uint8_t>(value >> 8);
    out[at++] = static_cast<std::uint8_t>(value & 0xff);
    wants_group = false;
    text.remove_prefix(size);
    if (text.empty()) break;
    if (text[0] != ':') return false;
    text.remove_prefix(1);
    wants_group = true;
    if (text.empty() || text[0] != ':') continue;
    if (gap != no_gap) return false;
    gap = at;
    wants_group = false;
    text.remove_prefix(1);
  }
  if (wants_group) return false;
  if (gap == no_gap) return at == 16;
  if (at > 14) return false;  // "::" stands for one group at least
  for (std::size_t i = at; i > gap; --i) {
    out[16 - at + i - 1] = out[i - 1];
    out[i - 1] = 0;
  }
  return true;
}

}  // namespace detail

constexpr std::optional<client_address> parse_ip(std::string_view text) noexcept {
  if (detail::index_of(':', text) == text.npos) {
    std::uint8_t bytes[4] = {};
    if (!detail::read_ipv4(text, bytes)) return std::nullopt;
    return client_address::ipv4(bytes);
  }
  std::uint8_t bytes[16] = {};
  if (!detail::read_ipv6(text, bytes)) return std::nullopt;
  return client_address::ipv6(bytes);
}

}  // namespace nen
