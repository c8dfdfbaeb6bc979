// Cookies (RFC 6265): the Cookie field read where it lies, and Set-Cookie written so that no text
// in it can become an attribute, a field or a second response. http, L1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <nen/core/ascii.hpp>
#include <nen/http/date.hpp>
#include <nen/http/fields.hpp>
#include <nen/http/request.hpp>
#include <nen/http/response.hpp>
#include <optional>
#include <span>
#include <string_view>

namespace nen {

/// A cookie as a client sends it. Quotes around the value are part of it (RFC 6265 §5.2).
struct cookie_pair {
  std::string_view name, value;
};

/// The cookies of a request in the order they came, over all its Cookie fields: a view that splits
/// the text as it is walked. Pieces without '=' or without a name are no cookies and are skipped.
class cookie_pairs {
 public:
  class iterator;

  constexpr cookie_pairs() noexcept = default;
  /// @param text  the value of one Cookie field
  explicit constexpr cookie_pairs(std::string_view text) noexcept : text_(text) {}
  /// @param all  fields of which those named Cookie are read
  explicit constexpr cookie_pairs(const fields& all) noexcept : fields_(all) {}

  constexpr iterator begin() const noexcept;
  constexpr iterator end() const noexcept;

  /// @param name  compared with case
  /// @returns     the first such cookie's value, or nothing. Clients send the cookie with the
  ///              longest path first (RFC 6265 §5.4).
  constexpr std::optional<std::string_view> find(std::string_view name) const noexcept;

  /// @returns how many cookies have this name: more than one when they differ in path or domain
  constexpr std::size_t count(std::string_view name) const noexcept;

 private:
  std::string_view text_;
  nen::fields fields_;
};

/// Walks cookie_pairs; it makes each pair when it is reached.
class cookie_pairs::iterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = cookie_pair;
  using difference_type = std::ptrdiff_t;
  using pointer = void;
  using reference = cookie_pair;

  constexpr iterator() noexcept = default;
  constexpr iterator(std::string_view text, const nen::fields& all) noexcept
      : rest_(text), fields_(all) {
    ++*this;
  }

  constexpr cookie_pair operator*() const noexcept { return pair_; }
  constexpr iterator& operator++() noexcept {
    for (;;) {
      while (!rest_.empty()) {
        const std::string_view piece = rest_.substr(0, rest_.find(';'));
        rest_.remove_prefix(piece.size() == rest_.size() ? piece.size() : piece.size() + 1);
        if (take(piece)) return *this;
      }
      if (next_field_ == fields_.size()) {
        pair_ = {};
        return *this;
      }
      const nen::field line = fields_[next_field_++];
      if (equals_ignoring_case(line.name, "Cookie")) rest_ = line.value;
    }
  }
  constexpr iterator operator++(int) noexcept {
    iterator before = *this;
    ++*this;
    return before;
  }
  /// Of one view: no cookie's name is empty, so only the end has none.
  friend constexpr bool operator==(const iterator& a, const iterator& b) noexcept {
    if (a.pair_.name.empty() || b.pair_.name.empty()) {
      return a.pair_.name.empty() == b.pair_.name.empty();
    }
    return a.next_field_ == b.next_field_ && a.rest_.size() == b.rest_.size();
  }

 private:
  constexpr bool take(std::string_view piece) noexcept {
    const std::size_t equals = piece.find('=');
    if (equals == std::string_view::npos) return false;
    pair_ = {trim_ows(piece.substr(0, equals)), trim_ows(piece.substr(equals + 1))};
    return !pair_.name.empty();
  }

  cookie_pair pair_;
  std::string_view rest_;  // of the field that pair_ is from
  nen::fields fields_;
  std::size_t next_field_ = 0;
};

constexpr cookie_pairs::iterator cookie_pairs::begin() const noexcept { return {text_, fields_}; }
constexpr cookie_pairs::iterator cookie_pairs::end() const noexcept { return {}; }

constexpr std::optional<std::string_view> cookie_pairs::find(std::string_view name) const noexcept {
  for (const cookie_pair pair : *this) {
    if (pair.name == name) return pair.value;
  }
  return std::nullopt;
}

constexpr std::size_t cookie_pairs::count(std::string_view name) const noexcept {
  std::size_t n = 0;
  for (const cookie_pair pair : *this) n += pair.name == name ? 1 : 0;
  return n;
}

[[nodiscard]] constexpr cookie_pairs cookies_of(const request& req) noexcept {
  return cookie_pairs(req.fields());
}

/// To which requests from other sites the client adds the cookie (RFC 6265bis §4.1.2.7).
enum class same_site : std::uint8_t {
  unset,   ///< no attribute: the client decides
  lax,     ///< only when a user comes from there by a link
  strict,  ///< to none
  none,    ///< to all; clients want `secure` with it
};

/// A cookie to be set. Attributes that are left out are not written.
struct cookie {
  std::string_view name = {};   ///< token, RFC 9110 §5.6.2
  std::string_view value = {};  ///< cookie-value, RFC 6265 §4.1.1: encode anything else yourself
  /// Seconds to live. 0 makes the client forget the cookie; it is written as an Expires in 1970,
  /// because RFC 6265 §4.1.1 has no Max-Age of 0.
  std::optional<std::uint32_t> max_age = {};
  std::optional<std::int64_t> expires = {};  ///< Unix seconds, years 1601 to 9999
  std::string_view domain = {};              ///< a host name, without a dot in front
  std::string_view path = {};                ///< from '/' on; clients ignore any other
  bool secure = false;
  bool http_only = false;
  nen::same_site same_site = nen::same_site::unset;
};

/// What is wrong with a cookie.
enum class cookie_fault : std::uint8_t {
  none,
  bad_name,
  bad_value,
  bad_expires,
  bad_domain,
  bad_path,
  not_secure,  ///< same_site::none and names that begin with __Secure- or __Host- need `secure`
  not_host,    ///< a name that begins with __Host- needs the path "/" and no domain
  too_long,    ///< the text would be longer than cookie_bytes_max or the room for it
};

/// The longest text of a Set-Cookie field: what every client keeps, RFC 6265 §6.1.
inline constexpr std::size_t cookie_bytes_max = 4096;

namespace detail {

/// cookie-octet, RFC 6265 §4.1.1: visible ASCII without '"', ',', ';' and '\'.
constexpr bool is_cookie_octet(char c) noexcept {
  return c > ' ' && c < '\x7f' && c != '"' && c != ',' && c != ';' && c != '\\';
}

constexpr bool is_cookie_value(std::string_view value) noexcept {
  if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
    value = value.substr(1, value.size() - 2);
  }
  for (const char c : value) {
    if (!is_cookie_octet(c)) return false;
  }
  return true;
}

/// path-value, RFC 6265 §4.1.1, from '/' on. No white space at its end: clients take it off.
constexpr bool is_cookie_path(std::string_view path) noexcept {
  for (const char c : path) {
    if (c < ' ' || c >= '\x7f' || c == ';') return false;
  }
  return !path.empty() && path.front() == '/' && path.back() != ' ';
}

/// A host name, RFC 1034 §3.5 as RFC 1123 §2.1 has it: labels of letters, digits and inner '-'.
constexpr bool is_host_name(std::string_view name) noexcept {
  if (name.size() > 253) return false;
  for (;;) {
    const std::string_view label = name.substr(0, name.find('.'));
    if (label.empty() || label.size() > 63 || label.front() == '-' || label.back() == '-') {
      return false;
    }
    for (const char c : label) {
      if (!is_alpha(c) && !is_digit(c) && c != '-') return false;
    }
    if (label.size() == name.size()) return true;
    name.remove_prefix(label.size() + 1);
  }
}

/// Clients compare the prefixes without case (RFC 6265bis §5.4), so this does.
constexpr bool has_cookie_prefix(std::string_view name, std::string_view prefix) noexcept {
  return equals_ignoring_case(name.substr(0, prefix.size()), prefix);
}

/// Text that stops growing at the end of its room and remembers that it would have.
class bounded_text {
 public:
  explicit constexpr bounded_text(std::span<char> room) noexcept : room_(room) {}
  constexpr bounded_text& add(std::string_view text) noexcept {
    if (text.size() > room_.size() - size_) {
      overflowed_ = true;
      text = {};
    }
    for (const char c : text) room_[size_++] = c;
    return *this;
  }
  constexpr bool overflowed() const noexcept { return overflowed_; }
  constexpr std::string_view view() const noexcept { return {room_.data(), size_}; }

 private:
  std::span<char> room_;
  std::size_t size_ = 0;
  bool overflowed_ = false;
};

constexpr std::string_view same_site_text(same_site value) noexcept {
  switch (value) {
    case same_site::unset:
      break;
    case same_site::lax:
      return "; SameSite=Lax";
    case same_site::strict:
      return "; SameSite=Strict";
    case same_site::none:
      return "; SameSite=None";
  }
  return "";
}

}  // namespace detail

/// Judges everything but the length.
[[nodiscard]] constexpr cookie_fault check_cookie(const cookie& c) noexcept {
  constexpr std::int64_t year_1601 = -11'644'473'600;  // clients know none before, RFC 6265 §5.1.1
  constexpr std::int64_t year_10000 = 253'402'300'800;
  if (!is_token(c.name)) return cookie_fault::bad_name;
  if (!detail::is_cookie_value(c.value)) return cookie_fault::bad_value;
  if (c.expires && (*c.expires < year_1601 || *c.expires >= year_10000)) {
    return cookie_fault::bad_expires;
  }
  if (!c.domain.empty() && !detail::is_host_name(c.domain)) return cookie_fault::bad_domain;
  if (!c.path.empty() && !detail::is_cookie_path(c.path)) return cookie_fault::bad_path;
  const bool is_host = detail::has_cookie_prefix(c.name, "__Host-");
  if (!c.secure && (is_host || detail::has_cookie_prefix(c.name, "__Secure-") ||
                    c.same_site == same_site::none)) {
    return cookie_fault::not_secure;
  }
  if (is_host && (c.path != "/" || !c.domain.empty())) return cookie_fault::not_host;
  return cookie_fault::none;
}

struct cookie_text {
  cookie_fault fault;
  std::string_view text;  ///< the value of a Set-Cookie field; empty unless the fault is none
};

/// Writes the value of a Set-Cookie field (RFC 6265 §4.1.1), or nothing when the cookie is faulty.
/// @param room  where it goes; cookie_bytes_max bytes are always enough
[[nodiscard]] constexpr cookie_text write_cookie(const cookie& c, std::span<char> room) noexcept {
  const cookie_fault fault = check_cookie(c);
  if (fault != cookie_fault::none) return {fault, {}};
  if (room.size() > cookie_bytes_max) room = room.first(cookie_bytes_max);

  detail::bounded_text out(room);
  out.add(c.name).add("=").add(c.value);
  const bool forget = c.max_age == 0U;
  if (forget || c.expires) {
    char date[imf_fixdate_size]{};
    write_imf_fixdate(date, forget ? 0 : *c.expires);
    out.add("; Expires=").add({date, sizeof date});
  }
  if (c.max_age && !forget) {
    char digits[decimal_digits_max]{};
    const char* const end = write_decimal(digits, *c.max_age);
    out.add("; Max-Age=").add({digits, static_cast<std::size_t>(end - digits)});
  }
  if (!c.domain.empty()) out.add("; Domain=").add(c.domain);
  if (!c.path.empty()) out.add("; Path=").add(c.path);
  if (c.secure) out.add("; Secure");
  if (c.http_only) out.add("; HttpOnly");
  out.add(detail::same_site_text(c.same_site));
  if (out.overflowed()) return {cookie_fault::too_long, {}};
  return {cookie_fault::none, out.view()};
}

/// Appends a Set-Cookie field. A faulty cookie turns the answer into a 500, like any field that is
/// not allowed; check_cookie() tells beforehand where text comes from users.
/// @code  return set_cookie(res, {.name = "sid", .value = id, .path = "/"}).text("hi");  @endcode
/// @pre  no reply made yet (asserted)
inline response& set_cookie(response& res, const cookie& c) noexcept {
  char room[cookie_bytes_max];
  const cookie_text written = write_cookie(c, room);
  return written.fault == cookie_fault::none ? res.field("Set-Cookie", written.text) : res.fail();
}

}  // namespace nen
