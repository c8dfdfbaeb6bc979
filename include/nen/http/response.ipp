// http, L1: how a response is written, from its first line to its end.
#pragma once

#include <new>

namespace nen {

inline response& response::set_status(nen::status code) noexcept {
  NEN_ASSERT(!head_closed_);
  if (head_open_ && code != code_) {  // fields were written first: they move by the difference
    const auto before = detail::status_line_bytes(code_);
    const auto after = detail::status_line_bytes(code);
    if (after > before && out_->room(after - before) == nullptr) {
      failed_ = true;
      return *this;
    }
    char* const line = out_->message();
    const auto rest = static_cast<std::size_t>(out_->cursor() - line) - before;
    std::memmove(line + after, line + before, rest);
    detail::put_status_line(line, code);
    out_->shift_cursor(line + after + rest);
  }
  code_ = code;
  return *this;
}

[[gnu::noinline]] inline response& response::field(std::string_view name,
                                                   std::string_view value) noexcept {
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
    out_->advance_to(detail::put(cursor, "\r\n"));
    has_upgrade_ |= equals_ignoring_case(name, "Upgrade");
  }
  return *this;
}

inline bool response::has_field(std::string_view name) const noexcept {
  if (!head_open_ || head_closed_) return false;
  const std::string_view head(out_->message(),
                              static_cast<std::size_t>(out_->cursor() - out_->message()));
  for (auto end = head.find('\n'); end != std::string_view::npos; end = head.find('\n', end + 1)) {
    const auto line = head.substr(end + 1);
    if (line.size() > name.size() && line[name.size()] == ':' &&
        equals_ignoring_case(line.substr(0, name.size()), name))
      return true;
  }
  return false;
}

inline reply response::send(std::string_view content_type, std::string_view body) noexcept {
  check_content_type(content_type);
  return send_checked(content_type, body);
}

inline reply response::send_checked(std::string_view content_type, std::string_view body) noexcept {
  if (!has_content()) content_type = body = {};
  close_head(content_type, body.size());
  body_bytes_ = body.size();
  append(body);
  return done();
}

inline reply response::send_static(std::string_view content_type, std::string_view body) noexcept {
  check_content_type(content_type);
  if (!has_content()) content_type = body = {};
  close_head(content_type, body.size());
  body_bytes_ = body.size();
  if (!framing_.without_body && !failed_) out_->attach(body);
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

inline reply response::switch_protocols(std::string_view lines) noexcept {
  constexpr std::string_view connection = "Connection: Upgrade\r\n";
  NEN_ASSERT(!head_closed_ && !framing_.http_1_0);
  set_status(nen::status::switching_protocols);
  char* cursor = open_head(connection.size() + lines.size() + 2);
  head_closed_ = true;
  if (cursor == nullptr) return done();
  cursor = detail::put(cursor, connection);
  cursor = detail::put(cursor, lines);
  out_->advance_to(detail::put(cursor, "\r\n"));
  upgraded_ = true;
  return done();
}

inline void response::start_over() noexcept {
  out_->restart_message();
  code_ = nen::status::ok;
  head_open_ = head_closed_ = failed_ = finished_ = deferred_ = streams_ = receives_ = upgraded_ =
      has_upgrade_ = false;
  framing_.streams = false;
  body_bytes_ = 0;
  length_gap_ = nullptr;
}

/// Writes the status line and the common lines if they are not there yet.
/// @returns  room for `more` bytes behind them, or nullptr when the head is too
/// long
inline char* response::open_head(std::size_t more) noexcept {
  if (failed_) return nullptr;
  const auto opening = head_open_ ? 0 : detail::status_line_bytes(code_) + defaults_->lines.size();
  char* cursor = out_->room(opening + more);
  if (cursor == nullptr) {
    failed_ = true;
    return nullptr;
  }
  if (!head_open_) {
    cursor = detail::put_status_line(cursor, code_);
    cursor = detail::put(cursor, defaults_->lines);
    out_->advance_to(cursor);
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
  decorate();
  constexpr std::string_view upgrade = ", Upgrade";
  const std::size_t more = content_type.size() + (has_upgrade_ ? upgrade.size() : 0);
  char* cursor = open_head(fixed + more + length_digits);
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
  if (!framing_.keep_alive || framing_.http_1_0 || has_upgrade_) {
    cursor = detail::put(cursor, "Connection: ");
    if (!framing_.keep_alive) {
      cursor = detail::put(cursor, "close");
    } else if (framing_.http_1_0) {
      cursor = detail::put(cursor, "keep-alive");
    }
    const bool is_alone = framing_.keep_alive && !framing_.http_1_0;
    if (has_upgrade_) cursor = detail::put(cursor, is_alone ? upgrade.substr(2) : upgrade);
    cursor = detail::put(cursor, "\r\n");
  }
  out_->advance_to(detail::put(cursor, "\r\n"));
}

/// Ends the head of an answer whose body is streamed.
/// @returns  false when there will be no body
inline bool response::open_stream(std::string_view content_type) noexcept {
  if (!has_content()) {
    (void)send_checked({}, {});
    return false;
  }
  check_content_type(content_type);
  framing_.streams = true;
  close_head(content_type, unknown_length);
  streams_ = !failed_ && !framing_.without_body;
  (void)done();
  return streams_;
}

/// Ends the answer; one that could not be written whole is replaced by a 500
/// and the connection closes.
inline reply response::done() noexcept {
  NEN_ASSERT(!finished_);
  if (failed_) {
    start_over();
    code_ = nen::status::internal_server_error;
    replaced_ = true;
    framing_.keep_alive = false;
    const auto phrase = reason_phrase(code_);
    close_head("text/plain; charset=utf-8", phrase.size());
    body_bytes_ = phrase.size();
    if (failed_ && decorate_ != nullptr) {  // what all answers get is itself too long
      start_over();
      code_ = nen::status::internal_server_error;
      decorate_ = nullptr;
      close_head("text/plain; charset=utf-8", phrase.size());
    }
    if (!framing_.without_body && !failed_) failed_ = !out_->append(phrase);
    NEN_ASSERT(!failed_);  // config asks for send slots that hold this
  }
  finished_ = true;
  deferred_ = false;  // who took a handle and answered all the same has answered
  return reply{};
}

namespace detail {

/// What kinds of routes that live above http/ reach of a response.
struct response_access {
  static output& out(response& res) noexcept { return *res.out_; }
  static const deferred& handle(const response& res) noexcept { return res.handle_; }

  /// Has `add` called with the request and the response before a head is completed.
  /// @param about  lives as long as the response, or until another takes its place
  static void decorate(response& res, void (*add)(const request&, response&),
                       const request& about) noexcept {
    res.decorate_ = add;
    res.request_ = &about;
  }
  /// The request has moved.
  static void answers(response& res, const request& about) noexcept { res.request_ = &about; }
  /// Appends whole field lines that are known to be right.
  static void add_lines(response& res, std::string_view lines) noexcept {
    if (char* const cursor = res.open_head(lines.size())) res.out_->advance_to(put(cursor, lines));
  }
  /// True when nothing but what all answers have is in the head.
  static bool is_untouched(const response& res) noexcept { return !res.head_open_; }

  /// Makes a response that goes on with this one's message; one of them is used at a time.
  /// @param where  room for a response
  static response* go_on(void* where, const response& from) noexcept {
    return new (where) response(from);
  }
  /// Until now the connection had to close behind the answer, because the request had not come
  /// whole. @param whole  a response to it that was made now
  static void request_came_whole(response& res, const response& whole) noexcept {
    if (!res.head_closed_) res.framing_.keep_alive = whole.framing_.keep_alive && !res.closes_;
  }
  static bool open_stream(response& res, std::string_view content_type) noexcept {
    return res.open_stream(content_type);
  }
  /// @pre  the response is finished (asserted)
  static reply reply_of(const response& res) noexcept {
    NEN_ASSERT(res.finished_);
    return res.made();
  }
  /// Goes on in other memory. @pre  the message was copied to `out`
  static void go_on_in(response& res, output& out) noexcept {
    if (res.length_gap_ != nullptr)
      res.length_gap_ = out.message() + (res.length_gap_ - res.out_->message());
    res.out_ = &out;
  }
  /// Ends `to` as the one that went on with its message has ended.
  static void end_as(response& to, const response& from) noexcept {
    NEN_ASSERT(to.out_ == from.out_);
    to = from;
  }
  /// Ends `to` as the one that went on in other memory has ended.
  /// @param copy  void(output&): writes that one's bytes
  template <class Copy>
  static void end_as(response& to, const response& from, Copy copy) noexcept {
    output* const out = to.out_;
    out->restart_message();
    copy(*out);
    to = from;
    to.out_ = out;
  }
};

}  // namespace detail

}  // namespace nen
