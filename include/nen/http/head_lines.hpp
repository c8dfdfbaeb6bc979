// http, L1: the lines of a response's head: how they are written, and what an application may not
// put into them.
#pragma once

#include <nen/core/ascii.hpp>
#include <nen/core/assert.hpp>
#include <nen/http/status.hpp>

#include <cstddef>
#include <cstring>
#include <string_view>

namespace nen {

/// What every response of a server has in common.
struct response_defaults {
  std::string_view lines;  ///< whole field lines for every head: Server (if any) and Date
};

/// How the answer to one request is to be framed.
struct response_framing {
  bool without_body = false;  ///< HEAD: the head is as for GET, RFC 9110 §9.3.2
  bool keep_alive = true;     ///< false: the response says "Connection: close"
  bool http_1_0 = false;      ///< a kept 1.0 connection must be said, RFC 9112 §9.3
  bool streams = false;       ///< the body's length is not known when its head is sent
};

namespace detail {

inline char* put(char* to, std::string_view bytes) noexcept {
  if (!bytes.empty()) std::memcpy(to, bytes.data(), bytes.size());
  return to + bytes.size();
}

inline constexpr std::size_t status_line_fixed = std::string_view("HTTP/1.1 200 \r\n").size();

inline std::size_t status_line_bytes(status code) noexcept {
  if (code == status::ok) [[likely]]
    return status_line_fixed + std::string_view("OK").size();
  return status_line_fixed + reason_phrase(code).size();
}

/// The status-line of any code, RFC 9112 §4.
[[gnu::noinline]] inline char* put_any_status_line(char* to, status code) noexcept {
  const auto value = static_cast<unsigned>(code);
  NEN_ASSERT(value >= 100 && value <= 999);
  to = put(to, "HTTP/1.1 ");
  *to++ = static_cast<char>('0' + value / 100);
  *to++ = static_cast<char>('0' + value / 10 % 10);
  *to++ = static_cast<char>('0' + value % 10);
  *to++ = ' ';
  to = put(to, reason_phrase(code));
  return put(to, "\r\n");
}

/// The same, as fast as can be for the most frequent one.
inline char* put_status_line(char* to, status code) noexcept {
  if (code == status::ok) [[likely]]
    return put(to, "HTTP/1.1 200 OK\r\n");
  return put_any_status_line(to, code);
}

/// Field lines that the response writes itself.
inline bool is_own_field(std::string_view name) noexcept {
  return equals_ignoring_case(name, "content-length") ||
         equals_ignoring_case(name, "content-type") ||
         equals_ignoring_case(name, "transfer-encoding") ||
         equals_ignoring_case(name, "connection");
}

/// token, RFC 9110 §5.6.2.
inline bool is_field_name(std::string_view name) noexcept {
  for (const char c : name)
    if (!is_token_char(c)) return false;
  return !name.empty();
}

/// field-value, RFC 9110 §5.5: no byte that could end the line, and so the field.
inline bool is_field_value(std::string_view value) noexcept {
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x20 && byte != '\t') || byte == 0x7f) return false;
  }
  return true;
}

}  // namespace detail

}  // namespace nen
