// The opening handshake of a WebSocket (RFC 6455 §4): what a request has to have, and the answer's
// key. ws, L1.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <nen/core/ascii.hpp>
#include <nen/core/assert.hpp>
#include <nen/core/digest.hpp>
#include <nen/ws/lists.hpp>
#include <optional>
#include <span>
#include <string_view>

namespace nen::ws {

/// The version of the protocol, RFC 6455 §4.1; the value of Sec-WebSocket-Version.
inline constexpr std::string_view version = "13";

/// The text of Sec-WebSocket-Accept.
using accept_text = std::array<char, base64_size(sha1_digest{}.size())>;

/// Sec-WebSocket-Key is 16 random bytes in base64 (RFC 6455 §11.3.1).
[[nodiscard]] constexpr bool is_key(std::string_view value) noexcept {
  std::array<char, 18> nonce{};
  return value.size() == base64_size(16) && read_base64(value, nonce) == std::size_t{16};
}

/// The answer to a key, RFC 6455 §4.2.2 step 5.4.
/// @pre  is_key(key) (asserted)
[[nodiscard]] constexpr accept_text accept_key(std::string_view key) noexcept;

/// Whether an answer's Sec-WebSocket-Accept is the one that this key calls for (RFC 6455 §4.1).
[[nodiscard]] constexpr bool is_accept_of(std::string_view accept, std::string_view key) noexcept {
  const accept_text expected = accept_key(key);
  return accept == std::string_view(expected.data(), expected.size());
}

/// What a server does with a request for a WebSocket.
enum class handshake_verdict : std::uint8_t {
  ok,                ///< 101, RFC 6455 §4.2.2
  bad_request,       ///< 400
  upgrade_required,  ///< 426 with Sec-WebSocket-Version: 13, RFC 6455 §4.2.2 and §4.4
};

/// The lines of a field that may be repeated. A request that has more is refused.
struct field_lines {
  static constexpr std::size_t lines_max = 4;
  std::array<std::string_view, lines_max> lines{};
  std::size_t count = 0;

  constexpr std::span<const std::string_view> view() const noexcept {
    return {lines.data(), count};
  }
};

/// How many subprotocols a request may offer: each is compared with each.
inline constexpr std::size_t protocols_max = 64;

/// The fields of a request that concern its handshake. Give it every field of the request, then ask
/// for the verdict. It holds views of the request's text.
class handshake {
 public:
  /// Takes one field; those that do not concern the handshake are ignored.
  constexpr void add_field(std::string_view name, std::string_view value) noexcept;

  /// Judges the request by RFC 6455 §4.2.1. Host is what the HTTP parser has checked.
  /// @param is_get         the method is GET
  /// @param version_minor  of HTTP/1.x
  /// Whoever asks for a WebSocket of another version is told ours; everything else that is missing,
  /// malformed or repeated is a bad request.
  [[nodiscard]] constexpr handshake_verdict verdict(bool is_get, int version_minor) const noexcept;

  /// Sec-WebSocket-Key.
  constexpr std::string_view key() const noexcept { return key_.value; }

  /// The lines of Sec-WebSocket-Extensions, for extensions().
  constexpr std::span<const std::string_view> extension_lines() const noexcept {
    return extensions_.view();
  }

  /// Calls `function(std::string_view)` for each subprotocol that the client would speak, the one
  /// it likes best first, until it returns true.
  /// @returns  the one it returned true for, or nothing; names compare with case
  template <class Function>
  constexpr std::optional<std::string_view> find_protocol(Function function) const {
    for (const std::string_view line : protocols_.view()) {
      for (const std::string_view name : list_elements(line)) {
        if (function(name)) return name;
      }
    }
    return std::nullopt;
  }

  /// Whether the client would speak this subprotocol.
  constexpr bool offers_protocol(std::string_view name) const noexcept {
    return find_protocol([name](std::string_view offered) { return offered == name; }).has_value();
  }

 private:
  /// A field that may be there once.
  struct single {
    std::string_view value;
    std::size_t count = 0;
  };

  static constexpr void add(single& field, std::string_view value) noexcept {
    field.value = value;
    ++field.count;
  }
  constexpr void add(field_lines& field, std::string_view value) noexcept {
    if (field.count == field_lines::lines_max) {
      has_too_many_ = true;
      return;
    }
    field.lines[field.count++] = value;
  }
  constexpr bool has_valid_protocols() const noexcept;
  constexpr bool has_valid_extensions() const noexcept;

  single key_;
  single version_;
  field_lines protocols_;
  field_lines extensions_;
  bool is_upgrade_ = false;    // Connection has "upgrade"
  bool is_websocket_ = false;  // Upgrade has "websocket"
  bool has_too_many_ = false;  // lines of one field
};

/// Whether a browser's Origin (RFC 6454 §6.2) is the server itself as Host names it: the scheme,
/// the host and the port are the same. "null" and lists of origins are not.
/// @param origin  the value of Origin, for example "http://example.org:8080"
/// @param host    the value of Host
/// @param is_tls  browsers reach the server by https, also when a proxy ends TLS in front of it
[[nodiscard]] constexpr bool same_origin(std::string_view origin, std::string_view host,
                                         bool is_tls = false) noexcept;

namespace detail {

/// A version is a number up to 255 without leading zeros, RFC 6455 §4.3.
constexpr bool is_version(std::string_view value) noexcept {
  const auto number = parse_decimal<std::uint8_t>(value);
  return number && value.size() == decimal_size(*number);
}

/// Takes ":port" off when it is the one that is meant without it.
constexpr std::string_view without_default_port(std::string_view host, bool is_tls) noexcept {
  const std::string_view port = is_tls ? ":443" : ":80";
  if (host.ends_with(port)) return host.substr(0, host.size() - port.size());
  return host.ends_with(':') ? host.substr(0, host.size() - 1) : host;
}

}  // namespace detail

constexpr accept_text accept_key(std::string_view key) noexcept {
  constexpr std::string_view guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";  // RFC 6455 §1.3
  NEN_ASSERT(is_key(key));
  std::array<char, base64_size(16) + guid.size()> text{};
  char* at = text.data();
  for (const char c : key) *at++ = c;
  for (const char c : guid) *at++ = c;
  const sha1_digest digest = sha1({text.data(), text.size()});
  accept_text accept{};
  write_base64(accept.data(), {digest.data(), digest.size()});
  return accept;
}

constexpr void handshake::add_field(std::string_view name, std::string_view value) noexcept {
  if (equals_ignoring_case(name, "Upgrade")) {
    is_websocket_ = is_websocket_ || has_element(value, "websocket");
  } else if (equals_ignoring_case(name, "Connection")) {
    is_upgrade_ = is_upgrade_ || has_element(value, "upgrade");
  } else if (equals_ignoring_case(name, "Sec-WebSocket-Key")) {
    add(key_, value);
  } else if (equals_ignoring_case(name, "Sec-WebSocket-Version")) {
    add(version_, value);
  } else if (equals_ignoring_case(name, "Sec-WebSocket-Protocol")) {
    add(protocols_, value);
  } else if (equals_ignoring_case(name, "Sec-WebSocket-Extensions")) {
    add(extensions_, value);
  }
}

constexpr handshake_verdict handshake::verdict(bool is_get, int version_minor) const noexcept {
  if (!is_get || version_minor < 1 || !is_upgrade_ || !is_websocket_ || version_.count != 1 ||
      !detail::is_version(version_.value)) {
    return handshake_verdict::bad_request;
  }
  // The rest of the request may follow other rules in another version.
  if (version_.value != version) return handshake_verdict::upgrade_required;
  // A key may be there once alone, §11.3.1.
  if (key_.count != 1 || !is_key(key_.value) || has_too_many_ || !has_valid_protocols() ||
      !has_valid_extensions()) {
    return handshake_verdict::bad_request;
  }
  return handshake_verdict::ok;
}

/// Tokens, none of them twice, RFC 6455 §4.1 and §11.3.4.
constexpr bool handshake::has_valid_protocols() const noexcept {
  std::array<std::string_view, protocols_max> names{};
  std::size_t count = 0;
  for (const std::string_view line : protocols_.view()) {
    const std::size_t before = count;
    for (const std::string_view name : list_elements(line)) {
      if (!is_token(name) || count == protocols_max) return false;
      for (std::size_t i = 0; i < count; ++i) {
        if (names[i] == name) return false;
      }
      names[count++] = name;
    }
    if (count == before) return false;  // The field is 1#token: without one it has no meaning.
  }
  return true;
}

constexpr bool handshake::has_valid_extensions() const noexcept {
  for (const std::string_view line : extensions_.view()) {
    if (!is_extension_list(line)) return false;
  }
  return true;
}

constexpr bool same_origin(std::string_view origin, std::string_view host, bool is_tls) noexcept {
  const std::string_view scheme = is_tls ? "https://" : "http://";
  if (!equals_ignoring_case(origin.substr(0, scheme.size()), scheme)) return false;
  origin.remove_prefix(scheme.size());
  host = detail::without_default_port(host, is_tls);
  return !host.empty() && equals_ignoring_case(detail::without_default_port(origin, is_tls), host);
}

}  // namespace nen::ws
