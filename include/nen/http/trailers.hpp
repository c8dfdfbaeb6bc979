// Which fields behind a chunked body an application is shown, and where they stand. http, L1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nen/core/ascii.hpp>
#include <nen/http/fields.hpp>
#include <string_view>

namespace nen::detail {

/// Fields that are evaluated before the content comes, or never (RFC 9110 §6.5.1). To have them in
/// a trailer section is an error of the sender's. They are left out, which RFC 9112 §7.1.2 allows,
/// and not refused: who looks for one must not find what nobody on the way has checked.
inline constexpr std::string_view never_trailers[] = {
    // What frames and routes the message.
    "connection", "content-length", "host", "keep-alive", "max-forwards", "proxy-connection", "te",
    "trailer", "transfer-encoding", "upgrade",
    // Who sent it, and how it is to be handled.
    "authorization", "cache-control", "cookie", "expect", "pragma", "proxy-authorization", "range",
    // How the content is to be read.
    "content-encoding", "content-range", "content-type"};

/// @param name  compared without case
constexpr bool may_be_trailer(std::string_view name) {
  for (const std::string_view never : never_trailers) {
    if (equals_ignoring_case(name, never)) return false;
  }
  return !equals_ignoring_case(name.substr(0, 3), "if-");  // all conditionals, RFC 9110 §13.1
}

/// Finds the fields of a trailer section.
/// @param lines  the field lines, back to back, each of the right grammar and with its CRLF
/// @param refs   filled in; offsets count from the first line
/// @param room   how many lines there may be, those that are left out too
/// @param count  how many fields are in `refs` then; 0 when there are too many lines
/// @returns      false when there are more lines than `room`
[[gnu::cold]] inline bool list_trailers(std::string_view lines, field_ref* refs, std::uint16_t room,
                                        std::uint16_t& count) {
  const char* const base = lines.data();
  const auto offset = [base](std::string_view of) {
    return static_cast<std::uint16_t>(of.data() - base);
  };
  const auto size = [](std::string_view of) { return static_cast<std::uint16_t>(of.size()); };
  std::uint16_t shown = 0;
  count = 0;
  while (!lines.empty()) {
    if (room-- == 0) return false;
    const std::size_t end = lines.find("\r\n");
    const std::size_t colon = lines.find(':');
    const std::string_view name = lines.substr(0, colon);
    const std::string_view value = trim_ows(lines.substr(colon + 1, end - colon - 1));
    if (may_be_trailer(name))
      refs[shown++] = {offset(name), size(name), offset(value), size(value)};
    lines.remove_prefix(end + 2);
  }
  count = shown;
  return true;
}

}  // namespace nen::detail
