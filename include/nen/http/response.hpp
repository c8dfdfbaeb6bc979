// http, L1: what a handler writes its answer with. Head and body go straight
// into the memory they are sent from; nothing is built up first.
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
class request;

namespace detail {
struct response_access;
}

/// The answer to one request. A handler sets the status and fields it wants,
/// then returns what one of the functions that give a reply returned.
class response {
 public:
  /// @param handle  what defer() gives; a default one where an answer can't
  /// wait
  response(output& out, const response_defaults& defaults, response_framing framing,
           deferred handle = {}) noexcept
      : out_(&out), defaults_(&defaults), framing_(framing), handle_(handle) {
    out_->begin_message();
  }

  /// Sets the status code; 200 if never called.
  /// @pre  no reply made yet (asserted)
  response& set_status(nen::status code) noexcept;

  /// Appends one field line to the head. Names that frame the message
  /// (Content-Length, Transfer-Encoding, Connection) and Content-Type are
  /// written by the response itself. Connection names Upgrade where that is
  /// written, as RFC 9110 §7.8 asks.
  /// @param name   token, RFC 9110 §5.6.2
  /// @param value  field value, RFC 9110 §5.5: no CR, LF or NUL
  /// A line that is not allowed, or too long for a send slot, turns the answer
  /// into a 500.
  /// @pre  no reply made yet (asserted)
  response& field(std::string_view name, std::string_view value) noexcept;

  /// True when a line of this name (compared without case) was added by field().
  bool has_field(std::string_view name) const noexcept;

  /// Turns the answer into a 500: for what is found to be wrong while it is
  /// being written.
  response& fail() noexcept {
    failed_ = true;
    return *this;
  }

  /// Says "Connection: close" and closes when this response is sent.
  response& close() noexcept {
    framing_.keep_alive = false;
    closes_ = true;
    return *this;
  }

  /// Answers with `body`, copied into send slots; more than
  /// config::response_bytes_max bytes become a 500. send() takes any media type
  /// (RFC 9110 §8.3.1); it is checked like a field's value.
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

  /// Answers with bytes that outlive the server (string literals, tables,
  /// mapped files): they are sent from where they are.
  reply send_static(std::string_view content_type, std::string_view body) noexcept;

  /// Answers with a bare status; its reason phrase is the body where one is
  /// allowed.
  reply status(nen::status code) noexcept;
  reply status(int code) noexcept {
    NEN_ASSERT(code >= 100 && code <= 999);
    return status(static_cast<nen::status>(code));
  }

  /// Answers with a redirection to `location` (RFC 9110 §10.2.2), 302 by
  /// default.
  reply redirect(std::string_view location, nen::status code = nen::status::found) noexcept;

  /// Answers with one JSON value (http/json.hpp): a number, a string, a bool,
  /// or an object.
  /// @code  return res.json({{"id", 7}, {"name", name}});  @endcode
  reply json(const json_value& value) noexcept;

  /// For a body whose length is not known yet: begin, write as often as needed,
  /// finish.
  /// @code  res.begin("text/csv"); for (…) res.write(…); return res.finish();
  /// @endcode
  response& begin(std::string_view content_type) noexcept;
  response& write(std::string_view part) noexcept;
  reply finish() noexcept;

  /// Answers with a body of unknown length, written as fast as the client reads
  /// it: chunked (RFC 9112 §7.1), or up to the connection's end for HTTP/1.0.
  /// @param producer  void(body_stream&), see http/body_stream.hpp; it is kept
  /// by value, at most 48
  ///                  bytes, and the request is not: capture what it needs. A
  ///                  503 instead of the stream when config::streams are open
  ///                  already.
  template <class Producer>
  reply stream(std::string_view content_type, Producer producer) noexcept {
    auto* const host = detail::deferred_access::host(handle_);
    if (host == nullptr) return bare_status();  // an error's answer: nobody can wait for more of it
    if (open_stream(content_type)) host->call->stream(*host).set(producer);
    return reply{};
  }
  bool is_streaming() const noexcept { return streams_; }
  bool is_chunked() const noexcept { return !framing_.http_1_0; }

  /// In a handler in nen::streamed: has the body taken part by part, of
  /// whatever length it is. The next part is read when the one before was
  /// taken, so that the client feels how fast that goes.
  /// @param consumer  reply(const body_part&, response&): answers when the last
  /// part has come (or
  ///                  earlier; then the connection closes), and returns more()
  ///                  before. It is told when no last part will come:
  ///                  body_part::is_cancelled. It is kept by value, at most 48
  ///                  bytes.
  template <class Consumer>
  reply receive(Consumer consumer) noexcept {
    auto* const host = detail::deferred_access::host(handle_);
    if (host == nullptr) return bare_status();
    host->call->receive(*host).set(consumer);
    return more();
  }
  /// The next part, please: at once, or after a while, or (later) when
  /// defer().wake() says so.
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
  /// The client waits up to listen_options::handler_timeout; then it is told
  /// 503.
  deferred defer() noexcept {
    deferred_ = true;
    return handle_;
  }
  /// Ends the handler without an answer; what was written is taken back.
  /// @pre  defer() was called (asserted), so that somebody can answer
  reply later() noexcept;

  /// Leaves HTTP: 101 with these field lines (RFC 9110 §15.2.2). What is
  /// written behind it, and what the client sends behind this request, is of
  /// another protocol.
  /// @param lines  whole lines, Upgrade among them; Connection is written here
  /// @pre  HTTP/1.1, and the session knows what follows
  reply switch_protocols(std::string_view lines) noexcept;
  bool is_upgraded() const noexcept { return upgraded_; }

  nen::status code() const noexcept { return code_; }
  bool is_deferred() const noexcept { return deferred_; }
  bool finished() const noexcept { return finished_; }
  /// Of the body, as far as it is written here and sent: a streamed one is not.
  std::uint64_t body_bytes() const noexcept { return framing_.without_body ? 0 : body_bytes_; }
  /// False when the connection is to be closed behind this response.
  bool keeps_alive() const noexcept { return framing_.keep_alive; }
  /// True when what the handler wrote could not be sent and a 500 stands in its
  /// place.
  bool was_replaced() const noexcept { return replaced_; }

  /// Throws away what was written and starts over: for an error that ends a
  /// half-written answer.
  [[gnu::cold]] void start_over() noexcept;

 private:
  friend struct detail::response_access;

  // Only for an answer that goes on elsewhere.
  response(const response&) = default;
  response& operator=(const response&) = default;

  static constexpr std::size_t length_digits = 20;  // of 2^64
  static constexpr std::uint64_t unknown_length = ~std::uint64_t{0};

  /// RFC 9110 §8.6: not with 1xx, 204 and 304.
  bool has_length() const noexcept {
    if (code_ == nen::status::ok) [[likely]]
      return true;
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
    if (!failed_)
      failed_ = !(framing_.without_body ? out_->count(part.size()) : out_->append(part));
  }
  bool open_stream(std::string_view content_type) noexcept;
  void check_content_type(std::string_view value) noexcept {
    if (!detail::is_field_value(value)) failed_ = true;
  }
  reply send_checked(std::string_view content_type, std::string_view body) noexcept;
  char* put_length(char* cursor, std::uint64_t length) noexcept;
  char* open_head(std::size_t more) noexcept;
  void close_head(std::string_view content_type, std::uint64_t length) noexcept;
  reply done() noexcept;
  static reply made() noexcept { return reply{}; }

  /// Adds to the head what every answer to this request has.
  void decorate() {
    NEN_ASSERT(!head_closed_);
    if (decorate_ != nullptr) decorate_(*request_, *this);
  }

  output* out_;
  const response_defaults* defaults_;
  void (*decorate_)(const request&, response&) = nullptr;
  const request* request_ = nullptr;  // valid with decorate_
  response_framing framing_;
  deferred handle_;
  nen::status code_ = nen::status::ok;
  bool head_open_ = false;    // true exactly when the status line is written and
                              // the head is not complete
  bool head_closed_ = false;  // true exactly when the head is complete
  bool failed_ = false;       // true exactly when something of this answer could not be written
  bool finished_ = false;     // true exactly when a reply was made
  bool replaced_ = false;
  bool receives_ = false;     // true exactly when more of the request's body is wanted
  bool streams_ = false;      // true exactly when the body is written by a producer
  bool deferred_ = false;     // true exactly when the answer comes later
  bool upgraded_ = false;     // true exactly when the connection leaves HTTP behind this answer
  bool closes_ = false;       // true exactly when close() was called
  bool has_upgrade_ = false;  // true exactly when an Upgrade field is written
  std::uint32_t more_after_ms_ = 0;
  std::uint64_t body_bytes_ = 0;
  char* length_gap_ = nullptr;  // where finish() puts the body's length
};

}  // namespace nen

#include <nen/http/response.ipp>
