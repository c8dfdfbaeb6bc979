// http, L1: text of strangers as a log may hold it: on one line, in quotes, of bounded length,
// without a byte that a terminal or a reader of logs could take for something else.
#pragma once

#include <nen/core/smallest.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace nen::detail {

/// Stands behind what was cut.
inline constexpr std::string_view log_cut = "...";

inline char* put_log_bytes(char* out, std::string_view text) noexcept {
  if (!text.empty()) std::memcpy(out, text.data(), text.size());
  return out + text.size();
}

/// How many bytes at the front of `text` are one character of UTF-8 (RFC 3629 §4) that is no
/// control character; 0: what stands there is none.
[[nodiscard]] inline std::size_t utf8_character(std::string_view text) noexcept {
  const auto byte = [text](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u;
  };
  const auto follows = [&](std::size_t i) { return (byte(i) & 0xc0) == 0x80; };
  const unsigned first = byte(0);
  const unsigned second = byte(1);
  if (first >= 0xc2 && first <= 0xdf)  // C2 80 to C2 9F are control characters
    return follows(1) && (first != 0xc2 || second >= 0xa0) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    const bool is_bad = (first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f);
    return !is_bad && follows(1) && follows(2) ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    const bool is_bad = (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f);
    return !is_bad && follows(1) && follows(2) && follows(3) ? 4 : 0;
  }
  return 0;
}

/// How a byte or a character is written, and how many of the text it stands for.
struct log_piece {
  char bytes[8];
  std::uint8_t size;
  std::uint8_t of;
};

/// For quoted text of the combined format: all but visible ASCII becomes \xHH, and so do quotes and
/// backslashes, so that nothing but \xHH ever begins with a backslash.
[[nodiscard]] inline log_piece combined_piece(std::string_view text) noexcept {
  constexpr char hex[] = "0123456789ABCDEF";
  const auto byte = static_cast<unsigned char>(text.front());
  if (byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\') return {{text.front()}, 1, 1};
  return {{'\\', 'x', hex[byte >> 4], hex[byte & 15]}, 4, 1};
}

/// For a string of JSON (RFC 8259 §7): what is no UTF-8 becomes U+FFFD byte by byte, control
/// characters are escaped, those of C1 as well.
[[nodiscard]] inline log_piece json_piece(std::string_view text) noexcept {
  constexpr char hex[] = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(text.front());
  if (byte == '"' || byte == '\\') return {{'\\', text.front()}, 2, 1};
  if (byte >= 0x20 && byte < 0x7f) return {{text.front()}, 1, 1};
  if (byte < 0x80) return {{'\\', 'u', '0', '0', hex[byte >> 4], hex[byte & 15]}, 6, 1};
  if (const auto size = static_cast<std::uint8_t>(utf8_character(text)); size != 0) {
    log_piece piece{{}, size, size};
    std::memcpy(piece.bytes, text.data(), size);
    return piece;
  }
  const unsigned second = text.size() > 1 ? static_cast<unsigned char>(text[1]) : 0u;
  if (byte == 0xc2 && second >= 0x80 && second < 0xa0)
    return {{'\\', 'u', '0', '0', hex[second >> 4], hex[second & 15]}, 6, 2};
  return {{'\\', 'u', 'f', 'f', 'f', 'd'}, 6, 1};
}

/// Bytes that stand for themselves in both formats.
consteval std::array<bool, 256> make_log_plain() {
  std::array<bool, 256> plain{};
  for (std::size_t c = 0x20; c < 0x7f; ++c) plain[c] = c != '"' && c != '\\';
  return plain;
}
inline constexpr std::array<bool, 256> log_plain = make_log_plain();

/// Writes text escaped.
/// @param out        room for bytes_max bytes
/// @param bytes_max  of what is written, 3 at least; what does not fit is cut, between pieces, and
///                   "..." says so
template <log_piece (*PieceOf)(std::string_view)>
inline char* put_log_text(char* out, std::string_view text, std::size_t bytes_max) noexcept {
  char* const end = out + bytes_max;
  char* const dots_at_most = end - log_cut.size();
  char* cut_at = out;  // the last place between pieces that leaves room for the dots
  for (std::size_t plain = 0; !text.empty(); plain = 0) {
    const bool leaves_room = out <= dots_at_most;
    if (leaves_room) cut_at = out;
    // Most text is plain, and copied.
    const std::size_t room = smallest(text.size(), static_cast<std::size_t>(end - out));
    while (plain != room && log_plain[static_cast<unsigned char>(text[plain])]) ++plain;
    if (plain != 0) {
      out = put_log_bytes(out, text.substr(0, plain));
      text.remove_prefix(plain);
      if (leaves_room) cut_at = smallest(out, dots_at_most);
      continue;
    }
    const log_piece piece = PieceOf(text);
    if (out + piece.size > end) return put_log_bytes(cut_at, log_cut);
    out = put_log_bytes(out, {piece.bytes, piece.size});
    text.remove_prefix(piece.of);
  }
  return out;
}

}  // namespace nen::detail
