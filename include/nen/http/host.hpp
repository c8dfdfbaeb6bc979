// Whether a text is host[:port] as Host and an http URI's authority have to be. http, L1.
#pragma once

#include <array>
#include <cstddef>
#include <nen/core/ascii.hpp>
#include <string_view>

namespace nen {

/// Checks `uri-host [ ":" port ]` (RFC 9110 §7.2) by the characters that RFC 3986 §3.2.2 and
/// §3.2.3 allow. The host may not be empty: an http URI without one is invalid (RFC 9110 §4.2.1).
/// User information ("user@") is not part of it and is refused (RFC 9110 §4.2.4).
constexpr bool is_host_and_port(std::string_view text);

namespace detail {

/// unreserved and sub-delims of RFC 3986 §2.2 and §2.3: what a reg-name may have besides '%'.
consteval std::array<bool, 256> make_reg_name_table() {
  std::array<bool, 256> table{};
  for (std::size_t c = 0; c < 128; ++c) {
    table[c] = is_digit(static_cast<char>(c)) || is_alpha(static_cast<char>(c));
  }
  for (const char c : std::string_view{"-._~!$&'()*+,;="}) {
    table[static_cast<unsigned char>(c)] = true;
  }
  return table;
}

inline constexpr std::array<bool, 256> reg_name_table = make_reg_name_table();

constexpr bool is_reg_name_char(char c) { return reg_name_table[static_cast<unsigned char>(c)]; }

/// IPv4address: four numbers up to 255 without leading zeros (RFC 3986 §3.2.2).
constexpr bool is_ipv4(std::string_view text) {
  for (int octet = 0; octet < 4; ++octet) {
    if (octet > 0) {
      if (text.empty() || text[0] != '.') return false;
      text.remove_prefix(1);
    }
    std::size_t size = 0;
    int value = 0;
    while (size < 3 && size < text.size() && is_digit(text[size])) {
      value = value * 10 + (text[size++] - '0');
    }
    if (size == 0 || value > 255 || (size > 1 && text[0] == '0')) return false;
    text.remove_prefix(size);
  }
  return text.empty();
}

/// IPv6address: eight groups, of which one "::" replaces one or more and an IPv4 address at the end
/// is two (RFC 3986 §3.2.2).
[[gnu::cold]] constexpr bool is_ipv6(std::string_view text) {
  bool has_gap = text.substr(0, 2) == "::";
  if (has_gap) text.remove_prefix(2);
  int groups = 0;
  while (!text.empty() || !has_gap) {
    std::size_t size = 0;
    while (size < text.size() && hex_value(text[size]) >= 0) ++size;
    if (size < text.size() && text[size] == '.') {
      if (!is_ipv4(text)) return false;
      groups += 2;
      break;
    }
    if (size == 0 || size > 4) return false;
    ++groups;
    text.remove_prefix(size);
    if (text.empty()) break;
    if (text[0] != ':' || text.size() == 1) return false;
    text.remove_prefix(1);
    if (text[0] != ':') continue;
    if (has_gap) return false;
    has_gap = true;
    text.remove_prefix(1);
  }
  return has_gap ? groups < 8 : groups == 8;
}

/// What stands between '[' and ']': an IPv6 address or "v" 1*HEXDIG "." and the future's address.
constexpr bool is_ip_literal(std::string_view text) {
  if (text.size() < 2) return false;
  if (to_lower(text[0]) != 'v') return is_ipv6(text);
  std::size_t i = 1;
  while (i < text.size() && hex_value(text[i]) >= 0) ++i;
  if (i == 1 || i + 1 >= text.size() || text[i] != '.') return false;
  for (const char c : text.substr(i + 1)) {
    if (!is_reg_name_char(c) && c != ':') return false;
  }
  return true;
}

/// @returns where the run of characters that a reg-name has as they are ends
constexpr const char* skip_reg_name_chars(const char* at, const char* end) {
  while (end - at >= 4 && is_reg_name_char(at[0]) && is_reg_name_char(at[1]) &&
         is_reg_name_char(at[2]) && is_reg_name_char(at[3])) {
    at += 4;
  }
  while (at != end && is_reg_name_char(*at)) ++at;
  return at;
}

/// @returns where a reg-name or an IPv4 address (which is one by its characters) ends
constexpr std::size_t skip_reg_name(std::string_view text) {
  const char* at = text.data();
  const char* const end = at + text.size();
  for (;;) {
    at = skip_reg_name_chars(at, end);
    const bool is_encoded =
        end - at > 2 && *at == '%' && hex_value(at[1]) >= 0 && hex_value(at[2]) >= 0;
    if (!is_encoded) return static_cast<std::size_t>(at - text.data());
    at += 3;
  }
}

}  // namespace detail

constexpr bool is_host_and_port(std::string_view text) {
  std::size_t host_end = 0;
  if (!text.empty() && text[0] == '[') {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return false;
    if (!detail::is_ip_literal(text.substr(1, close - 1))) return false;
    host_end = close + 1;
  } else {
    host_end = detail::skip_reg_name(text);
  }
  if (host_end == 0) return false;
  if (host_end == text.size()) return true;
  if (text[host_end] != ':') return false;
  for (const char c : text.substr(host_end + 1)) {
    if (!is_digit(c)) return false;
  }
  return true;
}

}  // namespace nen
