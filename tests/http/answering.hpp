// For tests of what a response writes: runs a handler's body on an output over small blocks and
// hands back the bytes, and reads them as a client would.
#pragma once

#include "support/memory_output.hpp"

#include <algorithm>
#include <cstdint>
#include <nen/core/ascii.hpp>
#include <nen/http/response.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nen::test {

inline constexpr std::string_view common_lines = "Server: test\r\nDate: now\r\n";

/// Where and how an answer is written.
struct circumstances {
  response_framing framing = {};
  std::size_t block_bytes = 4096;
  std::size_t body_bytes_max = 16384;
  std::string_view before = {};  ///< bytes of an earlier answer in the same block
};

struct answered {
  std::string bytes;  ///< of this answer alone
  nen::status code;
  bool keeps_alive;
  bool was_replaced;
};

/// Has `handler(response&)` answer.
template <class Handler>
answered answer(const circumstances& how, Handler&& handler) {
  memory_output out(how.block_bytes, how.body_bytes_max);
  if (!how.before.empty()) {
    out.begin_message();
    out.advance_to(out.room(how.before.size()) + how.before.copy(out.cursor(), how.before.size()));
  }
  const response_defaults defaults{common_lines};
  response res(out, defaults, how.framing);
  NEN_ASSERT(!res.finished());
  static_cast<void>(std::forward<Handler>(handler)(res));
  NEN_ASSERT(res.finished());
  const std::string all = out.text();
  NEN_ASSERT(all.compare(0, how.before.size(), how.before) == 0);
  return {all.substr(how.before.size()), res.code(), res.keeps_alive(), res.was_replaced()};
}

template <class Handler>
answered answer(Handler&& handler) {
  return answer(circumstances{}, std::forward<Handler>(handler));
}

/// A whole answer from its parts: status line without version, further field lines, body.
inline std::string message(std::string_view status_line, std::string_view lines,
                           std::string_view body = {}) {
  std::string text = "HTTP/1.1 ";
  text.append(status_line).append("\r\n").append(common_lines).append(lines);
  return text.append("\r\n").append(body);
}

/// What stands in the place of an answer that could not be written.
inline std::string replacement(bool with_body = true) {
  return message("500 Internal Server Error",
                 "Content-Type: text/plain; charset=utf-8\r\nContent-Length: 21\r\n"
                 "Connection: close\r\n",
                 with_body ? "Internal Server Error" : "");
}

/// An answer as a client reads it.
struct received {
  int code = 0;
  std::string phrase;
  std::vector<std::pair<std::string, std::string>> fields;
  std::string body;

  std::size_t count(std::string_view name) const {
    return static_cast<std::size_t>(std::count_if(fields.begin(), fields.end(), [&](const auto& f) {
      return equals_ignoring_case(f.first, name);
    }));
  }
  std::string value(std::string_view name) const {
    for (const auto& f : fields)
      if (equals_ignoring_case(f.first, name)) return f.second;
    return {};
  }
};

/// Reads exactly one answer, RFC 9112: nothing when it is malformed, cut short, or something
/// follows.
/// @param to_head  the request was HEAD
inline std::optional<received> receive(std::string_view bytes, bool to_head = false) {
  const auto line = [&]() -> std::optional<std::string_view> {
    const auto end = bytes.find("\r\n");
    if (end == std::string_view::npos) return std::nullopt;
    const auto text = bytes.substr(0, end);
    bytes.remove_prefix(end + 2);
    if (text.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos)
      return std::nullopt;
    return text;
  };
  received r;
  const auto first = line();
  if (!first || first->size() < 13 || first->substr(0, 9) != "HTTP/1.1 " || (*first)[12] != ' ')
    return std::nullopt;
  const auto code = parse_decimal<int>(first->substr(9, 3));
  if (!code) return std::nullopt;
  r.code = *code;
  r.phrase = first->substr(13);
  while (true) {
    const auto text = line();
    if (!text) return std::nullopt;
    if (text->empty()) break;
    const auto colon = text->find(':');
    if (colon == std::string_view::npos || !is_token(text->substr(0, colon))) return std::nullopt;
    r.fields.emplace_back(text->substr(0, colon), trim_ows(text->substr(colon + 1)));
  }
  const bool bodiless = to_head || r.code < 200 || r.code == 204 || r.code == 304;
  std::size_t length = 0;
  if (!bodiless) {
    const auto announced = parse_decimal<std::size_t>(r.value("Content-Length"));
    if (!announced || r.count("Content-Length") != 1) return std::nullopt;
    length = *announced;
  }
  if (bytes.size() != length) return std::nullopt;
  r.body = bytes;
  return r;
}

}  // namespace nen::test
