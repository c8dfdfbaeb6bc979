// http, L1: what a handler writes its answer with. Head and body go straight into the memory they
// are sent from; nothing is built up first.
#pragma once

#include <nen/core/ascii.hpp>
#include <nen/core/output.hpp>
#include <nen/http/deferred.hpp>
#include <nen/http/head_lines.hpp>
#include <nen/http/reply.hpp>
#include <nen/http/status.hpp>

#include <cstdint>
#include <cstring>
#include <string_view>

namespace nen {

class json_value;

/// The answer to one request. A handler sets the status and fields it wants, then returns what one
/// of the functions that give a reply returned.
class response {
 public:
  /// @param handle  what defer() gives; a default one where an answer can't wait
  response(output& out, const response_defaults& defaults, response_framing framing,
           deferred handle = {}) noexcept
      : out_(out), defaults_(defaults), framing_(framing), handle_(handle) {
    out_.begin_message();
  }
  response(const response&) = delete;
  response& operator=(const response&) = delete;

  /// Sets the status code; 200 if never called.
  /// @pre  no reply made yet (asserted)
  response& set_status(nen::status code) noexcept;

  /// Appends one field line to the head. Names that frame the message (Content-Length,
  /// Transfer-Encoding, Connection) and Content-Type are written by the response itself.
  /// @param name   token, RFC 9110 §5.6.2
  /// @param value  field value, RFC 9110 §5.5: no CR, LF or NUL
  /// A line that is not allowed, or too long for a send slot, turns the answer into a 500.
  /// @pre  no reply made yet (asserted)
  response& field(std::string_view name, std::string_view value) noexcept;

  /// Turns the answer into a 500: for what is found to be wrong while it is being written.
  response& fail() noexcept {
    failed_ = true;
    return *this;
  }

  /// Says "Connection: close" and closes when this response is sent.
  response& close() noexcept {
    framing_.keep_alive = false;
    return *this;
  }

  /// Answers with `body`, copied into send slots; more than config::response_bytes_max bytes become
  /// a 500. send() takes any media type (RFC 9110 §8.3.1); it is checked like a field's value.
  reply text(std::string_view body) noexcept {
    return send_checked("text/plain; charset=utf-8", body);
  }
  reply html(std::string_view body) noexcept {
    return send_checked("text/html; charset=utf-8", body);
  }
  reply bytes(std::string_view body) noexcept {
    return send_checked("application/octet-stream", body);
  }
  reply send(std::string_view content_type, std::string_view body) noexcept;

  /// Answers with bytes that outlive the server (string literals, tables, mapped files): they are
  /// sent from where they are.
  reply send_static(std::string_view content_type, std::string_view body) noexcept;

  /// Answers with a bare status; its reason phrase is the body where one is allowed.
  reply status(nen::status code) noexcept;
  reply status(int code) noexcept {
    NEN_ASSERT(code >= 100 && code <= 999);
    return status(static_cast<nen::status>(code));
  }

  /// Answers with a redirection to `location` (RFC 9110 §10.2.2), 302 by default.
  reply redirect(std::string_view location, nen::status code = nen::status::found) noexcept;

  /// Answers with one JSON value (http/json.hpp): a number, a string, a bool, or an object.
  /// @code  return res.json({{"id", 7}, {"name", name}});  @endcode
  reply json(const json_value& value) noexcept;

  /// For a body whose length is not known yet: begin, write as often as needed, finish.
  /// @code  res.begin("text/csv"); for (…) res.write(…); return res.finish();
  /// @endcode
  response& begin(std::string_view content_type) noexcept;
  response& write(std::string_view part) noexcept;
  reply finish() noexcept;

  /// Answers with a body of unknown length, written as fast as the client reads it: chunked (RFC
  /// 9112 §7.1), or up to the connection's end for HTTP/1.0.
  /// @param producer  void(body_stream&), see http/body_stream.hpp; it is kept by value, at most 48
  ///                  bytes, and the request is not: capture what it needs. A
  ///                  503 instead of the stream when config::streams are open
  ///                  already.
  template <class Producer>
  reply stream(std::string_view content_type, Producer producer) noexcept {
    auto* const host = detail::deferred_access::host(handle_);
    if (host == nullptr) return bare_status();  // an error's answer: nobody can wait for more of it
    if (!has_content()) return send_checked({}, {});
    check_content_type(content_type);
    framing_.streams = true;
    close_head(content_type, unknown_length);
    if (!failed_ && !framing_.without_body) {
      host->call->stream(*host).set(producer);
      streams_ = true;
    }
    return done();
  }
  bool is_streaming() const noexcept { return streams_; }
  bool is_chunked() const noexcept { return !framing_.http_1_0; }

  /// In a handler in nen::streamed: has the body taken part by part, of whatever length it is. The
  /// next part is read when the one before was taken, so that the client feels how fast that goes.
  /// @param consumer  reply(const body_part&, response&): answers when the last part has come (or
  ///                  earlier; then the connection closes), and returns more() before. It is told
  ///                  when no last part will come: body_part::is_cancelled. It is kept by value, at
  ///                  most 48 bytes.
  template <class Consumer>
  reply receive(Consumer consumer) noexcept {
    auto* const host = detail::deferred_access::host(handle_);
    if (host == nullptr) return bare_status();
    host->call->receive(*host).set(consumer);
    return more();
  }
  /// The next part, please: at once, or after a while, or (later) when defer().wake() says so.
  reply more(std::uint32_t after_ms = 0) noexcept {
    start_over();
    more_after_ms_ = after_ms;
    receives_ = finished_ = true;
    return reply{};
  }
  bool is_receiving() const noexcept { return receives_; }
  std::uint32_t more_after_ms() const noexcept { return more_after_ms_; }

  /// For an answer that comes later: keep the handle, then return later().
  /// @code  waiting.push_back(res.defer()); return res.later();  @endcode
  /// The client waits up to listen_options::handler_timeout; then it is told 503.
  deferred defer() noexcept {
    deferred_ = true;
    return handle_;
  }
  /// Ends the handler without an answer; what was written is taken back.
  /// @pre  defer() was called (asserted), so that somebody can answer
  reply later() noexcept;

  nen::status code() const noexcept { return code_; }
  bool is_deferred() const noexcept { return deferred_; }
  bool finished() const noexcept { return finished_; }
  /// False when the connection is to be closed behind this response.
  bool keeps_alive() const noexcept { return framing_.keep_alive; }
  /// True when what the handler wrote could not be sent and a 500 stands in its place.
  bool was_replaced() const noexcept { return replaced_; }

  /// Throws away what was written and starts over: for an error that ends a half-written answer.
  void start_over() noexcept;

 private:
  static constexpr std::size_t length_digits = 20;  // of 2^64
  static constexpr std::uint64_t unknown_length = ~std::uint64_t{0};

  /// RFC 9110 §8.6: not with 1xx, 204 and 304.
  bool has_length() const noexcept {
    const auto value = static_cast<std::uint16_t>(code_);
    return value >= 200 && value != 204 && value != 304;
  }
  /// RFC 9110 §15.3.6: a 205 says that its length is 0.
  bool has_content() const noexcept { return has_length() && code_ != nen::status::reset_content; }
  reply bare_status() noexcept {
    const auto code = code_;
    start_over();
    return status(code);
  }
  void append(std::string_view part) noexcept {
    if (!failed_) failed_ = !(framing_.without_body ? out_.count(part.size()) : out_.append(part));
  }
  void check_content_type(std::string_view value) noexcept {
    if (!detail::is_field_value(value)) failed_ = true;
  }
  reply send_checked(std::string_view content_type, std::string_view body) noexcept;
  char* put_length(char* cursor, std::uint64_t length) noexcept;
  char* open_head(std::size_t more) noexcept;
  void close_head(std::string_view content_type, std::uint64_t length) noexcept;
  reply done() noexcept;

  output& out_;
  const response_defaults& defaults_;
  response_framing framing_;
  deferred handle_;
  nen::status code_ = nen::status::ok;
  bool head_open_ = false;    // true exactly when the status line is written and
                              // the head is not complete
  bool head_closed_ = false;  // true exactly when the head is complete
  bool failed_ = false;       // true exactly when something of this answer could not be written
  bool finished_ = false;     // true exactly when a reply was made
  bool replaced_ = false;
  bool receives_ = false;  // true exactly when more of the request's body is wanted
  bool streams_ = false;   // true exactly when the body is written by a producer
  bool deferred_ = false;  // true exactly when the answer comes later
  std::uint32_t more_after_ms_ = 0;
  std::uint64_t body_bytes_ = 0;  // written by write()
  char* length_gap_ = nullptr;    // where finish() puts the body's length
};

inline response& response::set_status(nen::status code) noexcept {
  NEN_ASSERT(!head_closed_);
  if (head_open_ && code != code_) {  // fields were written first: they move by the difference
    const auto before = detail::status_line_bytes(code_);
    const auto after = detail::status_line_bytes(code);
    if (after > before && out_.room(after - before) == nullptr) {
      failed_ = true;
      return *this;
    }
    char* const line = out_.message();
    const auto rest = static_cast<std::size_t>(out_.cursor() - line) - before;
    std::memmove(line + after, line + before, rest);
    detail::put_status_line(line, code);
    out_.shift_cursor(line + after + rest);
  }
  code_ = code;
  return *this;
}

inline response& response::field(std::string_view name, std::string_view value) noexcept {
  NEN_ASSERT(!head_closed_);
  if (!detail::is_field_name(name) || !detail::is_field_value(value) ||
      detail::is_own_field(name)) {
    failed_ = true;
    return *this;
  }
  if (char* cursor = open_head(name.size() + value.size() + 4)) {
    cursor = detail::put(cursor, name);
    cursor = detail::put(cursor, ": ");
    cursor = detail::put(cursor, value);
    out_.advance_to(detail::put(cursor, "\r\n"));
  }
  return *this;
}

inline reply response::send(std::string_view content_type, std::string_view body) noexcept {
  check_content_type(content_type);
  return send_checked(content_type, body);
}

inline reply response::send_checked(std::string_view content_type, std::string_view body) noexcept {
  if (!has_content()) content_type = body = {};
  close_head(content_type, body.size());
  append(body);
  return done();
}

inline reply response::send_static(std::string_view content_type, std::string_view body) noexcept {
  check_content_type(content_type);
  if (!has_content()) content_type = body = {};
  close_head(content_type, body.size());
  if (!framing_.without_body && !failed_) out_.attach(body);
  return done();
}

inline reply response::status(nen::status code) noexcept {
  set_status(code);
  return send_checked("text/plain; charset=utf-8", reason_phrase(code));
}

inline reply response::redirect(std::string_view location, nen::status code) noexcept {
  set_status(code);
  field("Location", location);
  return send_checked({}, {});
}

inline response& response::begin(std::string_view content_type) noexcept {
  check_content_type(content_type);
  close_head(content_type, unknown_length);
  return *this;
}

inline response& response::write(std::string_view part) noexcept {
  NEN_ASSERT(head_closed_ && !finished_);
  if (!has_content()) return *this;
  body_bytes_ += part.size();
  append(part);
  return *this;
}

inline reply response::finish() noexcept {
  NEN_ASSERT(head_closed_ && !finished_);
  if (!failed_ && has_length()) {
    // Right-aligned: the spaces before the digits are OWS, RFC 9110 §5.6.3.
    char digits[length_digits];
    const auto size = static_cast<std::size_t>(write_decimal(digits, body_bytes_) - digits);
    std::memcpy(length_gap_ + (length_digits - size), digits, size);
  }
  return done();
}

inline reply response::later() noexcept {
  NEN_ASSERT(deferred_ && !finished_);
  start_over();
  deferred_ = finished_ = true;
  return reply{};
}

inline void response::start_over() noexcept {
  out_.restart_message();
  code_ = nen::status::ok;
  head_open_ = head_closed_ = failed_ = finished_ = deferred_ = streams_ = receives_ = false;
  framing_.streams = false;
  body_bytes_ = 0;
  length_gap_ = nullptr;
}

/// Writes the status line and the common lines if they are not there yet.
/// @returns  room for `more` bytes behind them, or nullptr when the head is too long
inline char* response::open_head(std::size_t more) noexcept {
  if (failed_) return nullptr;
  const auto opening = head_open_ ? 0 : detail::status_line_bytes(code_) + defaults_.lines.size();
  char* cursor = out_.room(opening + more);
  if (cursor == nullptr) {
    failed_ = true;
    return nullptr;
  }
  if (!head_open_) {
    cursor = detail::put_status_line(cursor, code_);
    cursor = detail::put(cursor, defaults_.lines);
    out_.advance_to(cursor);
    head_open_ = true;
  }
  return cursor;
}

/// Content-Length, or a gap for it that finish() fills.
inline char* response::put_length(char* cursor, std::uint64_t length) noexcept {
  cursor = detail::put(cursor, "Content-Length: ");
  if (length == unknown_length) {
    length_gap_ = cursor;
    std::memset(cursor, ' ', length_digits);
    cursor += length_digits;
  } else {
    cursor = write_decimal(cursor, length);
  }
  return detail::put(cursor, "\r\n");
}

/// Completes the head.
/// @param length  of the body; unknown_length leaves a gap for finish() to fill
inline void response::close_head(std::string_view content_type, std::uint64_t length) noexcept {
  constexpr auto fixed = std::string_view(
                             "Content-Type: \r\nContent-Length: "
                             "\r\nConnection: keep-alive\r\n\r\n")
                             .size();
  NEN_ASSERT(!head_closed_);
  char* cursor = open_head(fixed + content_type.size() + length_digits);
  head_closed_ = true;
  if (cursor == nullptr) return;
  if (has_length()) {
    if (!content_type.empty()) {
      cursor = detail::put(cursor, "Content-Type: ");
      cursor = detail::put(cursor, content_type);
      cursor = detail::put(cursor, "\r\n");
    }
    if (framing_.streams) {
      framing_.keep_alive &= is_chunked();
      if (is_chunked()) cursor = detail::put(cursor, "Transfer-Encoding: chunked\r\n");
    } else {
      cursor = put_length(cursor, length);
    }
  }
  if (!framing_.keep_alive) {
    cursor = detail::put(cursor, "Connection: close\r\n");
  } else if (framing_.http_1_0) {
    cursor = detail::put(cursor, "Connection: keep-alive\r\n");
  }
  out_.advance_to(detail::put(cursor, "\r\n"));
}

/// Ends the answer; one that could not be written whole is replaced by a 500 and the connection
/// closes.
inline reply response::done() noexcept {
  NEN_ASSERT(!finished_);
  if (failed_) {
    start_over();
    code_ = nen::status::internal_server_error;
    replaced_ = true;
    framing_.keep_alive = false;
    const auto phrase = reason_phrase(code_);
    close_head("text/plain; charset=utf-8", phrase.size());
    if (!framing_.without_body && !failed_) failed_ = !out_.append(phrase);
    NEN_ASSERT(!failed_);  // config asks for send slots that hold this
  }
  finished_ = true;
  deferred_ = false;  // who took a handle and answered all the same has answered
  return reply{};
}

}  // namespace nen
