// Which status answers a request line that the parser stumbled over. http, L1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nen/core/ascii.hpp>
#include <nen/http/method.hpp>
#include <nen/http/status.hpp>
#include <string_view>

namespace nen::detail {

/// What can be said of a request line whose end may not have come yet.
struct line_verdict {
  enum class kind : std::uint8_t { fine, need_more, rejected };
  kind is;
  status answer;  ///< valid when rejected
};

constexpr line_verdict reject_line(status answer) { return {line_verdict::kind::rejected, answer}; }

/// The methods that Nen Net serves. CONNECT is for proxies (RFC 9110 §9.3.6).
constexpr bool is_served_method(std::string_view token) {
  for (std::uint8_t i = 0; i < method_count; ++i) {
    const auto m = static_cast<method>(i);
    if (m != method::connect && token == to_string(m)) return true;
  }
  return false;
}

/// Judges what follows the target: SP HTTP-version CRLF (RFC 9112 §2.3, §3).
constexpr line_verdict judge_version(const char* at, const char* end) {
  constexpr std::string_view pattern = "HTTP/#.#\r";  // '#' stands for a digit
  for (const char expected : pattern) {
    if (at == end) return {line_verdict::kind::need_more, {}};
    if (expected == '#' ? !is_digit(*at) : *at != expected) return reject_line(status::bad_request);
    ++at;
  }
  // RFC 9110 §15.6.6: the major version is what a server may not support.
  const bool is_served = at[-4] == '1' && (at[-2] == '0' || at[-2] == '1');
  if (!is_served) return reject_line(status::http_version_not_supported);
  return {line_verdict::kind::fine, {}};
}

/// Finds the first thing wrong with a request line, and the status for it: 501 for a well-formed
/// method that is not served, 414 for a target that is too long, 505 for a version that is not 1.0
/// or 1.1, 400 for the rest. The parser asks only when something is wrong, so this may take its
/// time. The answer depends on the line's bytes alone, and once it is given, more bytes do not
/// change it.
/// @param base        the message's first byte
/// @param end         the end of what has come
/// @param stop        the byte of the target that the parser refused; at or after `end` for none
/// @param target_max  target_bytes_max
[[gnu::cold]] constexpr line_verdict judge_request_line(const char* base, const char* end,
                                                        const char* stop, std::size_t target_max) {
  constexpr std::ptrdiff_t method_bytes_max = 32;
  constexpr line_verdict need_more{line_verdict::kind::need_more, {}};

  const char* at = base;
  while (at != end && *at == '\r') {  // Empty lines before the message, RFC 9112 §2.2.
    if (at + 1 == end) return need_more;
    if (at[1] != '\n') return reject_line(status::bad_request);
    at += 2;
  }

  const char* const method_begin = at;
  while (at != end && is_token_char(*at)) {
    // RFC 9112 §3: a method longer than any known one is answered with 501.
    if (at - method_begin == method_bytes_max) return reject_line(status::not_implemented);
    ++at;
  }
  if (at == end) return need_more;
  if (*at != ' ' || at == method_begin) return reject_line(status::bad_request);
  const std::string_view token(method_begin, static_cast<std::size_t>(at - method_begin));
  // "PRI * HTTP/2.0" opens an HTTP/2 connection (RFC 9113 §3.4): the version is what is not served.
  if (token == "PRI") return reject_line(status::http_version_not_supported);
  if (!is_served_method(token)) return reject_line(status::not_implemented);

  const char* const target_begin = ++at;
  while (at != end && *at != ' ') {
    if (static_cast<std::size_t>(at - target_begin) == target_max) {
      return reject_line(status::uri_too_long);
    }
    const auto byte = static_cast<unsigned char>(*at);
    if (at == stop || byte <= 0x20 || byte >= 0x7f) return reject_line(status::bad_request);
    ++at;
  }
  if (at == end) return need_more;
  if (at == target_begin) return reject_line(status::bad_request);
  return judge_version(at + 1, end);
}

}  // namespace nen::detail
