// Writes the head of a client's request, and lets nothing into it that would make it another one.
// http, L1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <nen/core/ascii.hpp>
#include <nen/core/assert.hpp>
#include <nen/http/head_lines.hpp>
#include <nen/http/host.hpp>
#include <nen/http/method.hpp>
#include <nen/http/target_rules.hpp>
#include <nen/http/url.hpp>
#include <span>
#include <string_view>

namespace nen {

/// Why a request's head cannot be written.
enum class request_fault : std::uint8_t {
  none,
  target_invalid,     ///< not a target or a host as RFC 9112 §3.2 has them
  field_invalid,      ///< not a token, or a value with a control character (RFC 9110 §5.1, §5.5)
  field_reserved,     ///< one that the writer alone writes: what frames or routes the message
  content_forbidden,  ///< TRACE and CONNECT have no content (RFC 9110 §9.3.6, §9.3.8)
  too_long,           ///< more bytes than there is room for
};

/// @returns a fault as a sentence for people, without a full stop
constexpr std::string_view to_string(request_fault fault) {
  switch (fault) {
    case request_fault::none:
      return "no fault";
    case request_fault::target_invalid:
      return "the request's target or host is malformed";
    case request_fault::field_invalid:
      return "a field of the request has a character that it may not have";
    case request_fault::field_reserved:
      return "the request has a field that is written by the client itself";
    case request_fault::content_forbidden:
      return "a TRACE or CONNECT request has no content";
    case request_fault::too_long:
      return "the request's head is too long";
  }
  return {};  // only a value that was cast into the enum comes here
}

/// What the head of a request says besides its target and its fields.
struct request_options {
  std::string_view user_agent{};  ///< the value of User-Agent; empty for none (RFC 9110 §10.1.5)
  std::string_view upgrade_to{};  ///< the value of Upgrade, which Connection then names (§7.8)
  bool close = false;             ///< "Connection: close": this is the connection's last request
};

/// Writes one head after the other into memory of the caller. What goes wrong is kept, and said at
/// the end: nothing in between has to be checked.
/// @code
///   nen::request_writer head(room);
///   head.start(nen::method::post, url).field("Accept", "text/plain");
///   if (head.finish(body.size()) == nen::request_fault::none) send(head.text(), body);
/// @endcode
class request_writer {
 public:
  explicit request_writer(std::span<char> room) : room_(room) {}

  /// Begins a head with the request line and Host. What was written before is taken back.
  /// The target is the URL's in origin-form, and for CONNECT its host and port (RFC 9112 §3.2).
  /// @param to  from parse_url or resolve_url, or with a path and a query of the caller's
  request_writer& start(method m, const url& to, const request_options& options = {});

  /// The same for a target in any form: `*`, an absolute URL for a proxy, a path on a Unix socket.
  /// @param host  the value of Host; empty where the target has no authority (RFC 9112 §3.2)
  request_writer& start(method m, std::string_view target, std::string_view host,
                        const request_options& options = {});

  /// Appends one field line.
  /// @param name   token, RFC 9110 §5.6.2; not Host, Connection or another that start or finish
  ///               write, nor one that speaks of the connection only
  /// @param value  RFC 9110 §5.5: no CR, LF or NUL
  /// @pre          start was called, finish was not (asserted)
  request_writer& field(std::string_view name, std::string_view value);

  /// Ends the head of a request without content. Where the method makes a server expect one, the
  /// head says that it has none (RFC 9110 §8.6).
  [[nodiscard]] request_fault finish();

  /// Ends the head of a request whose content has this many bytes.
  [[nodiscard]] request_fault finish(std::uint64_t content_length);

  /// Ends the head of a request whose content follows in chunks (RFC 9112 §7.1). Only for a server
  /// that is known to speak HTTP/1.1.
  [[nodiscard]] request_fault finish_chunked();

  /// The head. @pre finish returned none (asserted)
  std::string_view text() const {
    NEN_ASSERT(state_ == state::finished && fault_ == request_fault::none);
    return {room_.data(), size_};
  }

  request_fault fault() const { return fault_; }

 private:
  enum class state : std::uint8_t { idle, open, finished };

  request_writer& open(method m, const request_options& options);
  void put_options();
  void check_content();
  void put_line(std::string_view name, std::string_view value);
  void put_length(std::uint64_t length);
  void put(std::string_view bytes);
  void put_host(const url& of, bool always_with_port);
  request_fault end();
  bool is_reserved(std::string_view name) const;
  void fail(request_fault fault) {
    if (fault_ == request_fault::none) fault_ = fault;
  }

  std::span<char> room_;
  std::size_t size_ = 0;
  request_options options_;
  method method_ = method::get;
  request_fault fault_ = request_fault::none;  ///< the first thing that went wrong
  state state_ = state::idle;
};

namespace detail {

/// Fields that frame or route the message, or speak of the connection only (RFC 9110 §7.6.1): a
/// second one beside the writer's own would make two receivers see two messages. TE and Trailer
/// have to be named in Connection or announce what is not sent.
inline constexpr std::string_view reserved_request_fields[] = {
    "host", "content-length",   "transfer-encoding", "connection", "keep-alive",
    "te",   "proxy-connection", "trailer",           "upgrade",
};

/// Any form of a target that has only characters of one; a client sends no other.
constexpr bool is_sendable_target(std::string_view target) {
  return !target.empty() && has_url_characters(target) && is_target(target);
}

}  // namespace detail

inline void request_writer::put(std::string_view bytes) {
  if (bytes.size() > room_.size() - size_) return fail(request_fault::too_long);
  if (fault_ != request_fault::none) return;
  detail::put(room_.data() + size_, bytes);
  size_ += bytes.size();
}

inline void request_writer::put_line(std::string_view name, std::string_view value) {
  put(name);
  put(": ");
  put(value);
  put("\r\n");
}

inline request_writer& request_writer::open(method m, const request_options& options) {
  size_ = 0;
  method_ = m;
  options_ = options;
  fault_ = request_fault::none;
  state_ = state::open;
  NEN_ASSERT(!to_string(m).empty());
  put(to_string(m));
  put(" ");
  return *this;
}

inline void request_writer::put_host(const url& of, bool always_with_port) {
  if (!detail::is_url_host(of.host) || of.port == 0) fail(request_fault::target_invalid);
  put(of.host);
  if (always_with_port || !of.has_default_port()) put(detail::port_suffix(of.port).text());
}

inline request_writer& request_writer::start(method m, const url& to,
                                             const request_options& options) {
  open(m, options);
  if (m == method::connect) {
    put_host(to, true);
  } else {
    const bool is_path = to.target_path()[0] == '/' && (to.query.empty() || to.query[0] == '?') &&
                         to.path.find('?') == to.path.npos;
    const bool is_sendable = detail::is_sendable_target(to.target_path()) &&
                             (to.query.empty() || detail::is_sendable_target(to.query));
    if (!is_path || !is_sendable) fail(request_fault::target_invalid);
    put(to.target_path());
    put(to.query);
  }
  put(" HTTP/1.1\r\nHost: ");
  put_host(to, false);
  put("\r\n");
  put_options();
  return *this;
}

inline request_writer& request_writer::start(method m, std::string_view target,
                                             std::string_view host,
                                             const request_options& options) {
  open(m, options);
  const bool is_host = host.empty() || is_host_and_port(host);
  if (!is_host || !detail::is_sendable_target(target)) fail(request_fault::target_invalid);
  put(target);
  put(" HTTP/1.1\r\n");
  put_line("Host", host);
  put_options();
  return *this;
}

inline void request_writer::put_options() {
  if (!detail::is_field_value(options_.user_agent) ||
      !detail::is_field_value(options_.upgrade_to)) {
    fail(request_fault::field_invalid);
  }
  if (!options_.user_agent.empty()) put_line("User-Agent", options_.user_agent);
  const bool upgrades = !options_.upgrade_to.empty();
  if (upgrades) put_line("Upgrade", options_.upgrade_to);
  if (upgrades || options_.close) {
    put_line("Connection", !upgrades ? "close" : options_.close ? "Upgrade, close" : "Upgrade");
  }
}

inline bool request_writer::is_reserved(std::string_view name) const {
  for (const std::string_view reserved : detail::reserved_request_fields) {
    if (equals_ignoring_case(name, reserved)) return true;
  }
  return !options_.user_agent.empty() && equals_ignoring_case(name, "user-agent");
}

inline request_writer& request_writer::field(std::string_view name, std::string_view value) {
  NEN_ASSERT(state_ == state::open);
  if (!detail::is_field_name(name) || !detail::is_field_value(value)) {
    fail(request_fault::field_invalid);
  } else if (is_reserved(name)) {
    fail(request_fault::field_reserved);
  }
  put_line(name, value);
  return *this;
}

inline void request_writer::put_length(std::uint64_t length) {
  char digits[decimal_digits_max];
  put_line("Content-Length",
           {digits, static_cast<std::size_t>(write_decimal(digits, length) - digits)});
}

inline request_fault request_writer::end() {
  NEN_ASSERT(state_ == state::open);
  put("\r\n");
  state_ = state::finished;
  return fault_;
}

inline request_fault request_writer::finish() {
  switch (method_) {
    case method::post:
    case method::put:
    case method::patch:
      put_length(0);
      break;
    case method::get:
    case method::head:
    case method::delete_:
    case method::connect:
    case method::options:
    case method::trace:
      break;
  }
  return end();
}

inline void request_writer::check_content() {
  if (method_ == method::trace || method_ == method::connect) {
    fail(request_fault::content_forbidden);
  }
}

inline request_fault request_writer::finish(std::uint64_t content_length) {
  check_content();
  put_length(content_length);
  return end();
}

inline request_fault request_writer::finish_chunked() {
  check_content();
  put("Transfer-Encoding: chunked\r\n");
  return end();
}

}  // namespace nen
