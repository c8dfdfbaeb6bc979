// http, L1: whose request it is that a reverse proxy passes on: X-Forwarded-For, and Forwarded of
// RFC 7239, read from the right as far as the proxies are trusted.
#pragma once

#include <nen/core/ascii.hpp>
#include <nen/core/cidr.hpp>
#include <nen/core/client_address.hpp>
#include <nen/core/ip_text.hpp>
#include <nen/http/fields.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace nen {

/// The field in which the proxies in front tell whose request it is. There is no guessing: one that
/// they don't write is passed on as the client wrote it, so that anybody could be anybody.
enum class forwarded_field : std::uint8_t {
  none,
  x_forwarded_for,  ///< "192.0.2.1, 2001:db8::7"
  forwarded,        ///< RFC 7239: for=192.0.2.1;proto=https, for="[2001:db8::7]:4711"
};

namespace detail {

/// An address as either field writes a node (RFC 7239 §6): with or without a port, IPv6 with or
/// without brackets. Names that hide an address ("_gazonk", "unknown") are none.
constexpr std::optional<client_address> read_node(std::string_view text) noexcept {
  std::string_view port;
  if (!text.empty() && text.front() == '[') {
    const std::size_t end = text.find(']');
    if (end == text.npos) return std::nullopt;
    port = text.substr(end + 1);
    text = text.substr(1, end - 1);
    if (text.find(':') == text.npos) return std::nullopt;
  } else if (const std::size_t colon = text.find(':');
             colon != text.npos && text.find(':', colon + 1) == text.npos) {
    port = text.substr(colon);
    text = text.substr(0, colon);
  }
  auto address = parse_ip(text);
  if (!address || port.empty()) return address;
  if (port.front() != ':') return std::nullopt;
  // A port that is hidden (RFC 7239 §6.2: "_" and more) or out of range takes nothing away.
  if (const auto number = parse_decimal<std::uint16_t>(port.substr(1))) address->port = *number;
  return address;
}

/// Takes the last element off a list (RFC 9110 §5.6.1). It is looked for from the right, because
/// that is the end which a proxy that is trusted wrote: a quote that a client never closed further
/// left can't swallow it.
/// @param has_quotes  a comma inside of quotes separates nothing
constexpr std::string_view take_last_element(std::string_view& list, bool has_quotes) noexcept {
  bool quoted = false;
  std::size_t at = list.size();
  for (; at != 0; --at) {
    const char c = list[at - 1];
    if (c == ',' && !quoted) break;
    if (c != '"' || !has_quotes) continue;
    std::size_t escapes = 0;
    while (escapes + 1 < at && list[at - 2 - escapes] == '\\') ++escapes;
    if (!quoted || escapes % 2 == 0) quoted = !quoted;
  }
  const std::string_view last = trim_ows(list.substr(at));
  list = list.substr(0, at == 0 ? 0 : at - 1);
  return last;
}

/// Takes a quoted string or what else stands before the next ';' off a forwarded-element.
/// @returns  the value; nothing when it is neither a quoted string nor a token
constexpr std::optional<std::string_view> take_value(std::string_view& element) noexcept {
  if (element.empty() || element.front() != '"') {
    const std::string_view value = trim_ows(element.substr(0, element.find(';')));
    element.remove_prefix(value.size());
    if (!is_token(value)) return std::nullopt;
    return value;
  }
  std::size_t end = 1;
  while (end < element.size() && element[end] != '"') end += element[end] == '\\' ? 2 : 1;
  if (end >= element.size()) return std::nullopt;
  const std::string_view value = element.substr(1, end - 1);
  element.remove_prefix(end + 1);
  return value;
}

/// The value of "for" in a forwarded-element (RFC 7239 §4): pairs with ';' between them, each a
/// token, '=', and a token or a quoted string. Its escapes stay as they are: an address has no
/// character that needs one, so that what has is none.
constexpr std::optional<std::string_view> for_of_element(std::string_view element) noexcept {
  std::optional<std::string_view> found;
  while (true) {
    element = trim_ows(element);
    if (element.empty()) return found;
    if (element.front() == ';') {
      element.remove_prefix(1);
      continue;
    }
    const std::size_t equals = element.find('=');
    if (equals == element.npos || !is_token(element.substr(0, equals))) return std::nullopt;
    const bool is_for = equals_ignoring_case(element.substr(0, equals), "for");
    if (is_for && found) return std::nullopt;  // each parameter once
    element.remove_prefix(equals + 1);
    const auto value = take_value(element);
    if (!value) return std::nullopt;
    if (is_for) found = value;
    element = trim_ows(element);
    if (!element.empty() && element.front() != ';') return std::nullopt;
  }
}

}  // namespace detail

/// Whose request it is. Each proxy has appended whom it was asked by, so the last entry comes from
/// the peer, whom we know; as long as an entry names a proxy that is trusted too, the one before it
/// can be believed. Where an entry is no address, what stands before it is worth nothing either:
/// the client is the last hop that could be believed.
/// @param peer     the other end of the connection, which has to be trusted already
/// @param trusted  the proxies in between
/// @returns        the first address from the right that is not trusted; if all are, the leftmost
[[nodiscard]] inline client_address forwarded_client(const fields& all, forwarded_field which,
                                                     const client_address& peer,
                                                     cidr_list trusted) noexcept {
  const std::string_view name =
      which == forwarded_field::forwarded ? "Forwarded" : "X-Forwarded-For";
  constexpr int hops_max = 32;  // nobody has more proxies, and a client may write thousands
  int hops = 0;
  client_address client = peer;
  if (which == forwarded_field::none) return client;
  // Several lines of a field are one list, in their order (RFC 9110 §5.3).
  for (std::size_t i = all.size(); i != 0; --i) {
    const field line = all[i - 1];
    if (!equals_ignoring_case(line.name, name)) continue;
    std::string_view list = line.value;
    while (!list.empty()) {
      const std::string_view element =
          detail::take_last_element(list, which == forwarded_field::forwarded);
      if (++hops > hops_max) return client;
      if (element.empty()) continue;  // empty elements count for nothing (RFC 9110 §5.6.1.2)
      std::optional<std::string_view> node = element;
      if (which == forwarded_field::forwarded) node = detail::for_of_element(element);
      const auto address = node ? detail::read_node(*node) : std::nullopt;
      if (!address) return client;
      client = *address;
      if (!is_in(trusted, client)) return client;
    }
  }
  return client;
}

}  // namespace nen
