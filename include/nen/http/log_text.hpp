// http, L1: text of strangers as a log may hold it: on one line, in quotes, of bounded length,
// without a byte that a terminal or a reader of logs could take for something else.
#pragma once

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

/// Writes text escaped.
/// @param out        room for bytes_max bytes
/// @param bytes_max  of what is written; what does not fit is cut, between pieces, and "..." says
///                   so
template <log_piece (*PieceOf)(std::string_view)>
inline char* put_log_text(char* out, std::string_view text, std::size_t bytes_max) noexcept {
  char* const begin = out;
  char* cut_at = out;  // the last place that leaves room for the dots
  while (!text.empty()) {
    const log_piece piece = PieceOf(text);
    const auto used = static_cast<std::size_t>(out - begin);
    if (used + log_cut.size() <= bytes_max) cut_at = out;
    if (used + piece.size > bytes_max) return put_log_bytes(cut_at, log_cut);
    out = put_log_bytes(out, {piece.bytes, piece.size});
    text.remove_prefix(piece.of);
  }
  return out;
}

}  // namespace nen::detail
