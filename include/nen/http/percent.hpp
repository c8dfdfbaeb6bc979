// Percent-decoding of path and query text, RFC 3986 §2.1.
// http, L1
#pragma once

#include <cstddef>
#include <cstdint>
#include <nen/core/ascii.hpp>
#include <span>
#include <string_view>

namespace nen {

/// What percent_decode found.
enum class percent_status : std::uint8_t {
  ok,
  bad_escape,  ///< a '%' without two hexadecimal digits, or "%00"
  no_room,     ///< the decoded text is longer than the room
};

struct percent_result {
  percent_status status;
  std::string_view text;  ///< the decoded text; empty unless the status is ok
};

/// Replaces each "%XX" by its byte. '+' stays '+': only forms read it as a space.
/// A decoded NUL is refused, because text that holds one means something else to C interfaces.
/// @param room  where decoded text goes; text.size() bytes are always enough. It may be the memory
///              of `text` itself.
/// @returns     a view of `text` when there is nothing to decode, else a view of `room`
[[nodiscard]] constexpr percent_result percent_decode(std::string_view text,
                                                      std::span<char> room) noexcept {
  const std::size_t first = text.find('%');
  if (first == std::string_view::npos) return {percent_status::ok, text};
  std::size_t written = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      if (text.size() - i < 3) return {percent_status::bad_escape, {}};
      const int high = hex_value(text[i + 1]);
      const int low = hex_value(text[i + 2]);
      if (high < 0 || low < 0 || (high == 0 && low == 0)) return {percent_status::bad_escape, {}};
      c = static_cast<char>(static_cast<unsigned char>(high * 16 + low));
      i += 2;
    }
    if (written == room.size()) return {percent_status::no_room, {}};
    room[written++] = c;
  }
  return {percent_status::ok, {room.data(), written}};
}

}  // namespace nen
