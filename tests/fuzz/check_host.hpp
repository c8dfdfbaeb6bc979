// Properties of hosts and addresses: the grammar of RFC 3986 §3.2.2 by hand, and libc's own reading
// of numeric addresses.
#pragma once

#include <algorithm>
#include <nen/http/host.hpp>
#include <nen/net/address.hpp>
#include <string>
#include <string_view>

#include "fuzz/fuzz.hpp"

namespace nen::test::fuzz {

inline bool is_address(int family, std::string_view text) {
  in6_addr room{};
  return text.find('\0') == text.npos && ::inet_pton(family, std::string(text).c_str(), &room) == 1;
}

inline bool is_in(std::string_view text, std::string_view others) {
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return is_alpha(c) || is_digit(c) || others.find(c) != others.npos;
  });
}

inline bool is_future_address(std::string_view text) {
  const std::size_t dot = text.find('.');
  if (text.empty() || dot == text.npos || (text[0] != 'v' && text[0] != 'V')) return false;
  const std::string_view version = text.substr(1, dot - 1);
  const std::string_view rest = text.substr(dot + 1);
  return !version.empty() && version.find_first_not_of("0123456789abcdefABCDEF") == text.npos &&
         !rest.empty() && is_in(rest, "-._~!$&'()*+,;=:");
}

inline bool is_name(std::string_view text) {
  if (text.empty()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      const std::string_view digits = text.substr(i + 1, 2);
      if (digits.size() < 2 || hex_value(digits[0]) < 0 || hex_value(digits[1]) < 0) return false;
      i += 2;
    } else if (!is_in(text.substr(i, 1), "-._~!$&'()*+,;=")) {
      return false;
    }
  }
  return true;
}

inline bool expected_host_and_port(std::string_view text) {
  const std::size_t close = text.starts_with('[') ? text.find(']') : 0;
  if (close == text.npos) return false;
  const std::size_t colon = text.find(':', close);
  const std::string_view host = text.substr(0, colon);
  const std::string_view port = colon == text.npos ? "" : text.substr(colon + 1);
  if (!std::all_of(port.begin(), port.end(), is_digit)) return false;
  if (!host.starts_with('[')) return is_name(host);
  if (!host.ends_with(']')) return false;
  const std::string_view literal = host.substr(1, host.size() - 2);
  return is_future_address(literal) || is_address(AF_INET6, literal);
}

inline void check_numeric_address(std::string_view text, std::uint16_t port) {
  const bool bracketed = text.size() >= 2 && text.starts_with('[') && text.ends_with(']');
  const std::string_view bare = bracketed ? text.substr(1, text.size() - 2) : text;
  const bool is_4 =
      !bracketed && (is_address(AF_INET, text) || equals_ignoring_case(text, "localhost"));
  const auto seen = endpoint::parse(text, port);
  NEN_SAME(seen.has_value(), is_4 || is_address(AF_INET6, bare));
  if (!seen) {
    NEN_SAME(seen.error().code().value(), EINVAL);
    return;
  }
  NEN_SAME(seen->family(), is_4 ? AF_INET : AF_INET6);
  NEN_SAME(seen->port(), port);
  const std::string written(seen->to_string());
  const std::size_t colon = written.rfind(':');
  NEN_SAME(written.substr(colon + 1), std::to_string(port));
  NEN_PROPERTY(endpoint::parse(written.substr(0, colon), port).value() == *seen);
  NEN_PROPERTY(endpoint::from_native(seen->data(), seen->size()).value() == *seen);
  // What is written is a host for a URI too.
  NEN_PROPERTY(is_host_and_port(written));
}

inline void check_unix_path(std::string_view path) {
  const auto seen = endpoint::unix_path(path);
  const bool abstract = path.starts_with('@');
  const bool fits = !path.empty() && path != "@" && path.size() <= endpoint::path_bytes_max &&
                    (abstract || path.find('\0') == path.npos);
  NEN_SAME(seen.has_value(), fits);
  if (!seen) return;
  NEN_PROPERTY(seen->is_unix());
  NEN_SAME(seen->is_abstract(), abstract);
  NEN_SAME(seen->unix_name(), path.substr(abstract ? 1 : 0));
  NEN_PROPERTY(endpoint::from_native(seen->data(), seen->size()).value() == *seen);
  const endpoint_text written = seen->to_string();
  for (const char c : written.view()) NEN_PROPERTY(c >= ' ' && c != '\x7f');
}

/// Whatever the kernel may hand out is taken or refused, and can be printed.
inline void check_native(std::string_view bytes) {
  sockaddr_storage native{};
  const std::size_t size = bytes.size() < sizeof native ? bytes.size() : sizeof native;
  std::memcpy(&native, bytes.data(), size);
  constexpr int families[] = {AF_INET, AF_INET6, AF_UNIX, AF_UNSPEC};
  for (const int family : families) {
    if (family != AF_UNSPEC) native.ss_family = static_cast<sa_family_t>(family);
    const auto seen = endpoint::from_native(reinterpret_cast<const sockaddr*>(&native),
                                            static_cast<socklen_t>(size));
    if (!seen) continue;
    NEN_SAME(std::size_t{seen->size()}, size);
    NEN_SAME(seen->family(), int{native.ss_family});
    NEN_PROPERTY(!seen->to_string().view().empty());
    NEN_PROPERTY(seen->unix_name().size() < sizeof(sockaddr_un::sun_path) + 1);
  }
}

inline void check_host(choices from) {
  static guarded_bytes area(input_bytes_max);
  const auto text = [&] { return std::string_view(area.place(from.rest()), from.rest().size()); };
  NEN_SAME(is_host_and_port(text()), expected_host_and_port(from.rest()));
  check_unix_path(text());
  check_native(from.rest());
  const auto port = static_cast<std::uint16_t>(from.rest().size() * 257);
  check_numeric_address(text(), port);
}

}  // namespace nen::test::fuzz
