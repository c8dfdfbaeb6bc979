// The URLs that clients are given: what is absolute is taken apart, and what is relative to another
// one is made absolute (RFC 3986). http, L1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <nen/core/ascii.hpp>
#include <nen/core/assert.hpp>
#include <nen/http/host.hpp>
#include <nen/http/target_rules.hpp>
#include <span>
#include <string_view>

namespace nen {

/// The schemes of RFC 9110 §4.2 and RFC 6455 §3.
enum class url_scheme : std::uint8_t { http, https, ws, wss };

constexpr std::string_view to_string(url_scheme scheme) {
  switch (scheme) {
    case url_scheme::http:
      return "http";
    case url_scheme::https:
      return "https";
    case url_scheme::ws:
      return "ws";
    case url_scheme::wss:
      return "wss";
  }
  return {};  // only a value that was cast into the enum comes here
}

constexpr bool is_secure(url_scheme scheme) {
  return scheme == url_scheme::https || scheme == url_scheme::wss;
}

constexpr std::uint16_t default_port(url_scheme scheme) { return is_secure(scheme) ? 443 : 80; }

/// Why a text is not a URL that can be asked for.
enum class url_fault : std::uint8_t {
  none,
  bad_character,       ///< one that no URL has, or a '%' without two hexadecimal digits
  no_scheme,           ///< it is relative
  unsupported_scheme,  ///< not http, https, ws or wss
  no_host,             ///< no "//" behind the scheme, or nothing behind that
  has_userinfo,        ///< "user@": RFC 9110 §4.2.4 has it treated as an error
  bad_host,            ///< neither a registered name nor an IPv4 or [IPv6] address
  bad_port,            ///< not a number from 1 to 65,535
  too_long,            ///< more bytes than there is room for
};

/// @returns a fault as a sentence for people, without a full stop
constexpr std::string_view to_string(url_fault fault) {
  switch (fault) {
    case url_fault::none:
      return "no fault";
    case url_fault::bad_character:
      return "the URL has a character that has to be percent-encoded";
    case url_fault::no_scheme:
      return "the URL has no scheme";
    case url_fault::unsupported_scheme:
      return "the URL's scheme is not http, https, ws or wss";
    case url_fault::no_host:
      return "the URL has no host";
    case url_fault::has_userinfo:
      return "the URL has user information in front of its host";
    case url_fault::bad_host:
      return "the URL's host is neither a name nor an address";
    case url_fault::bad_port:
      return "the URL's port is not a number from 1 to 65535";
    case url_fault::too_long:
      return "the URL is too long";
  }
  return {};  // only a value that was cast into the enum comes here
}

/// An absolute URL, taken apart. It is valid as long as the text it was made from.
struct url {
  url_scheme scheme = url_scheme::http;
  std::uint16_t port = 80;  ///< the scheme's where the URL has none
  std::string_view host;    ///< as in a Host field: an IPv6 address with its brackets
  std::string_view path;    ///< empty, or with its '/'; not decoded
  std::string_view query;   ///< empty, or with its '?'; not decoded

  constexpr bool has_default_port() const { return port == default_port(scheme); }

  /// The host as addresses are written elsewhere: without brackets.
  constexpr std::string_view address() const {
    return host.empty() || host[0] != '[' ? host : host.substr(1, host.size() - 2);
  }

  /// The origin-form of a request target (RFC 9112 §3.2.1) is these two, back to back.
  constexpr std::string_view target_path() const { return path.empty() ? "/" : path; }
  constexpr std::size_t target_size() const { return target_path().size() + query.size(); }
};

/// Whether two URLs have the same origin: what was meant for the one may be sent to the other
/// (RFC 6454 §5).
constexpr bool is_same_origin(const url& a, const url& b) {
  return a.scheme == b.scheme && a.port == b.port && equals_ignoring_case(a.host, b.host);
}

struct url_result {
  url_fault fault;
  url value;  ///< all empty unless the fault is none
};

/// Takes an absolute URL apart. Its fragment is dropped: it is never sent (RFC 9110 §7.1).
constexpr url_result parse_url(std::string_view text);

/// Resolves a reference, which may be absolute itself, and removes dot segments (RFC 3986 §5.2).
/// @param base       what the reference is relative to
/// @param reference  for example the value of a Location field
/// @param room       where the absolute URL is written; it needs to hold it as it is before the dot
///                   segments are removed
/// @returns          a view of `room`
/// @pre              neither the base nor the reference lies in `room` (asserted)
inline url_result resolve_url(const url& base, std::string_view reference, std::span<char> room);

namespace detail {

/// Where a URL's parts are, RFC 3986 appendix B. What is not there is empty.
struct url_parts {
  std::string_view scheme;     ///< without its ':'
  std::string_view authority;  ///< without its "//"
  std::string_view path;
  std::string_view query;  ///< with its '?'
  bool has_scheme = false;
  bool has_authority = false;
};

constexpr url_parts split_url(std::string_view text) {
  url_parts parts;
  text = text.substr(0, text.find('#'));
  const std::size_t mark = text.find_first_of(":/?");
  if (mark != text.npos && text[mark] == ':') {
    parts.has_scheme = true;
    parts.scheme = text.substr(0, mark);
    text.remove_prefix(mark + 1);
  }
  if (text.substr(0, 2) == "//") {
    parts.has_authority = true;
    text.remove_prefix(2);
    const std::size_t end = text.find_first_of("/?");
    parts.authority = text.substr(0, end);
    text.remove_prefix(parts.authority.size());
  }
  parts.path = text.substr(0, text.find('?'));
  parts.query = text.substr(parts.path.size());
  return parts;
}

/// Only what may be sent as it is; a client does not guess what a space was meant to be.
constexpr bool has_url_characters(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte <= 0x20 || byte >= 0x7f) return false;
    if (byte != '%') continue;
    if (text.size() - i < 3 || hex_value(text[i + 1]) < 0 || hex_value(text[i + 2]) < 0) {
      return false;
    }
  }
  return true;
}

constexpr bool read_scheme(std::string_view name, url_scheme& scheme) {
  for (const url_scheme each :
       {url_scheme::http, url_scheme::https, url_scheme::ws, url_scheme::wss}) {
    if (!equals_ignoring_case(name, to_string(each))) continue;
    scheme = each;
    return true;
  }
  return false;
}

constexpr bool is_url_host(std::string_view host) {
  if (host.empty()) return false;
  if (host[0] == '[') return host.back() == ']' && is_ipv6(host.substr(1, host.size() - 2));
  return skip_reg_name(host) == host.size();
}

/// host [ ":" port ], RFC 3986 §3.2; a port may be empty, and is the scheme's then.
constexpr url_fault read_authority(std::string_view authority, url& to) {
  if (authority.find('@') != authority.npos) return url_fault::has_userinfo;
  const std::size_t behind_address = authority.find(']');
  const std::size_t colon =
      authority.find(':', behind_address == authority.npos ? 0 : behind_address);
  to.host = authority.substr(0, colon);
  if (to.host.empty()) return url_fault::no_host;
  if (!is_url_host(to.host)) return url_fault::bad_host;
  to.port = default_port(to.scheme);
  const std::string_view digits =
      colon == authority.npos ? std::string_view{} : authority.substr(colon + 1);
  if (digits.empty()) return url_fault::none;
  const auto port = parse_decimal<std::uint16_t>(digits);
  if (!port || *port == 0) return url_fault::bad_port;
  to.port = *port;
  return url_fault::none;
}

}  // namespace detail

constexpr url_result parse_url(std::string_view text) {
  const auto refuse = [](url_fault fault) { return url_result{fault, {}}; };
  if (!detail::has_url_characters(text)) return refuse(url_fault::bad_character);
  const detail::url_parts parts = detail::split_url(text);
  if (!parts.has_scheme) return refuse(url_fault::no_scheme);
  url to;
  if (!detail::read_scheme(parts.scheme, to.scheme)) return refuse(url_fault::unsupported_scheme);
  if (!parts.has_authority) return refuse(url_fault::no_host);
  const url_fault fault = detail::read_authority(parts.authority, to);
  if (fault != url_fault::none) return refuse(fault);
  to.path = parts.path;
  to.query = parts.query;
  if (!detail::is_target(to.path) || !detail::is_target(to.query)) {
    return refuse(url_fault::bad_character);
  }
  return {url_fault::none, to};
}

namespace detail {

/// Writes as far as there is room.
class url_writer {
 public:
  explicit url_writer(std::span<char> room) : room_(room) {}

  void put(std::string_view text) {
    NEN_ASSERT(!overlaps(text));
    if (text.size() > room_.size() - size_) {
      is_full_ = true;
    } else if (!text.empty()) {
      std::memcpy(room_.data() + size_, text.data(), text.size());
      size_ += text.size();
    }
  }

  /// RFC 3986 §5.2.4, in place, for the path that begins at this byte: each segment that stays
  /// moves down to where the ones in front of it end. The path begins with a '/'.
  void remove_dot_segments(std::size_t begin) {
    char* const first = room_.data() + begin;
    char* to = first;
    const char* from = first;
    const char* const end = room_.data() + size_;
    while (from != end) {
      const char* segment_end = from + 1;
      while (segment_end != end && *segment_end != '/') ++segment_end;
      const auto size = static_cast<std::size_t>(segment_end - from);
      const std::string_view segment(from, size);
      const bool is_up = segment == "/..";
      if (is_up || segment == "/.") {
        while (is_up && to != first && *--to != '/') {
        }
        // A path that ends in a dot segment is that of a folder.
        if (segment_end == end) *to++ = '/';
      } else {
        std::memmove(to, from, size);
        to += size;
      }
      from = segment_end;
    }
    size_ = static_cast<std::size_t>(to - room_.data());
  }

  bool is_full() const { return is_full_; }
  std::size_t size() const { return size_; }
  std::string_view text() const { return {room_.data(), size_}; }

 private:
  bool overlaps(std::string_view text) const {
    const auto address = [](const char* at) { return reinterpret_cast<std::uintptr_t>(at); };
    return !text.empty() && address(text.data()) < address(room_.data() + room_.size()) &&
           address(room_.data()) < address(text.data() + text.size());
  }

  std::span<char> room_;
  std::size_t size_ = 0;
  bool is_full_ = false;
};

/// RFC 3986 §5.2.3: the base's path without its last segment, and the reference's behind it.
inline void put_merged_path(url_writer& to, const url& base, const url_parts& reference) {
  if (reference.path.empty()) {
    to.put(base.target_path());
  } else if (reference.path[0] == '/') {
    to.put(reference.path);
  } else {
    const std::string_view path = base.target_path();
    to.put(path.substr(0, path.rfind('/') + 1));
    to.put(reference.path);
  }
}

/// ":" and a port.
class port_suffix {
 public:
  explicit port_suffix(std::uint16_t port) { end_ = write_decimal(text_ + 1, port); }
  port_suffix(const port_suffix&) = delete;
  port_suffix& operator=(const port_suffix&) = delete;
  std::string_view text() const { return {text_, static_cast<std::size_t>(end_ - text_)}; }

 private:
  char text_[1 + decimal_digits_max] = {':'};
  const char* end_;
};

}  // namespace detail

inline url_result resolve_url(const url& base, std::string_view reference, std::span<char> room) {
  const auto refuse = [](url_fault fault) { return url_result{fault, {}}; };
  if (!detail::has_url_characters(reference)) return refuse(url_fault::bad_character);
  const detail::url_parts parts = detail::split_url(reference);
  url_scheme scheme = base.scheme;
  if (parts.has_scheme && !detail::read_scheme(parts.scheme, scheme)) {
    return refuse(url_fault::unsupported_scheme);
  }
  // "http:path" is for parsers of another age (RFC 3986 §5.2.2); for these schemes it has no host.
  if (parts.has_scheme && !parts.has_authority) return refuse(url_fault::no_host);

  detail::url_writer to(room);
  to.put(to_string(scheme));
  to.put("://");
  if (parts.has_authority) {
    to.put(parts.authority);
  } else {
    to.put(base.host);
    if (!base.has_default_port()) to.put(detail::port_suffix(base.port).text());
  }
  const std::size_t path_begin = to.size();
  if (parts.has_authority) {
    to.put(parts.path);
  } else {
    detail::put_merged_path(to, base, parts);
  }
  if (to.is_full()) return refuse(url_fault::too_long);
  // Without a path of its own, a reference means the base's as it is.
  const bool keeps_path = !parts.has_authority && parts.path.empty();
  if (!keeps_path) to.remove_dot_segments(path_begin);
  to.put(keeps_path && parts.query.empty() ? base.query : parts.query);
  if (to.is_full()) return refuse(url_fault::too_long);
  return parse_url(to.text());
}

}  // namespace nen
