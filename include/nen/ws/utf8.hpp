// Checks that text is UTF-8 (RFC 3629) as it arrives, in pieces of any size. ws, L1.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <nen/ws/wide.hpp>
#include <string_view>

namespace nen::ws {

/// Holds what is known about the end of the text so far. Zero is the beginning of a text.
class utf8_validator {
 public:
  /// Takes the next piece of the text.
  /// @returns  false from the first byte on that no UTF-8 text could have there: overlong forms,
  ///           surrogates, and what lies above U+10FFFF are refused (RFC 3629 §3)
  inline bool feed(std::string_view piece) noexcept;

  /// @returns  true exactly when the text so far is UTF-8 and no character of it is incomplete
  bool finish() const noexcept { return state_ == 0; }

  /// Begins another text.
  void reset() noexcept { state_ = 0; }

 private:
  std::uint8_t state_;  // a detail::utf8_state: 0 between characters
};

/// @returns  true exactly when the whole text is UTF-8
[[nodiscard]] inline bool is_utf8(std::string_view text) noexcept {
  utf8_validator validator{};
  return validator.feed(text) && validator.finish();
}

namespace detail {

/// What the next byte has to be. Each value is also the place of its successor in the words of
/// utf8_table: a word holds, for one byte, the successor of every state, six bits each. So a step
/// is one table read (which does not depend on the step before) and one shift.
enum utf8_state : std::uint8_t {
  utf8_start = 0,        ///< the first byte of a character
  utf8_one_left = 6,     ///< 80..BF, which ends the character
  utf8_two_left = 12,    ///< 80..BF, then one more
  utf8_three_left = 18,  ///< 80..BF, then two more
  utf8_after_e0 = 24,    ///< A0..BF: less would be overlong
  utf8_after_ed = 30,    ///< 80..9F: more would be a surrogate
  utf8_after_f0 = 36,    ///< 90..BF: less would be overlong
  utf8_after_f4 = 42,    ///< 80..8F: more would be above U+10FFFF
  utf8_wrong = 48,       ///< nothing: this is no UTF-8, and stays so
};

/// The state after a byte, RFC 3629 §4.
consteval utf8_state utf8_successor(utf8_state state, unsigned byte) {
  const auto in = [byte](unsigned low, unsigned high) { return byte >= low && byte <= high; };
  switch (state) {
    case utf8_start:
      if (in(0x00, 0x7f)) return utf8_start;
      if (in(0xc2, 0xdf)) return utf8_one_left;
      if (byte == 0xe0) return utf8_after_e0;
      if (byte == 0xed) return utf8_after_ed;
      if (in(0xe1, 0xef)) return utf8_two_left;
      if (byte == 0xf0) return utf8_after_f0;
      if (in(0xf1, 0xf3)) return utf8_three_left;
      return byte == 0xf4 ? utf8_after_f4 : utf8_wrong;
    case utf8_one_left:
      return in(0x80, 0xbf) ? utf8_start : utf8_wrong;
    case utf8_two_left:
      return in(0x80, 0xbf) ? utf8_one_left : utf8_wrong;
    case utf8_three_left:
      return in(0x80, 0xbf) ? utf8_two_left : utf8_wrong;
    case utf8_after_e0:
      return in(0xa0, 0xbf) ? utf8_one_left : utf8_wrong;
    case utf8_after_ed:
      return in(0x80, 0x9f) ? utf8_one_left : utf8_wrong;
    case utf8_after_f0:
      return in(0x90, 0xbf) ? utf8_two_left : utf8_wrong;
    case utf8_after_f4:
      return in(0x80, 0x8f) ? utf8_two_left : utf8_wrong;
    case utf8_wrong:
      break;
  }
  return utf8_wrong;
}

consteval std::array<std::uint64_t, 256> make_utf8_table() {
  std::array<std::uint64_t, 256> table{};
  for (unsigned byte = 0; byte < 256; ++byte) {
    for (unsigned state = 0; state <= utf8_wrong; state += 6) {
      table[byte] |= std::uint64_t{utf8_successor(static_cast<utf8_state>(state), byte)} << state;
    }
  }
  return table;
}

inline constexpr std::array<std::uint64_t, 256> utf8_table = make_utf8_table();

/// The state after some more bytes; only its low six bits count.
[[gnu::always_inline]] inline std::uint64_t utf8_run(std::uint64_t state, const char* at,
                                                     std::size_t size) noexcept {
  for (std::size_t i = 0; i < size; ++i) {
    state = utf8_table[static_cast<unsigned char>(at[i])] >> (state & 63);
  }
  return state;
}

/// Of each byte of a word; ASCII has none of them.
inline constexpr std::uint64_t high_bits = 0x8080808080808080U;

inline constexpr std::size_t ascii_block = 4 * wide_bytes;

/// Whether none of the next ascii_block bytes has its high bit set.
[[gnu::always_inline]] inline bool is_ascii_block(const char* at) noexcept {
  wide a;
  wide b;
  wide c;
  wide d;
  load(a, at);
  load(b, at + wide_bytes);
  load(c, at + 2 * wide_bytes);
  load(d, at + 3 * wide_bytes);
  const wide all = (a | b) | (c | d);
  std::uint64_t lanes = 0;
  for (std::size_t i = 0; i < wide_bytes / 8; ++i) lanes |= all[i];
  return (lanes & high_bits) == 0;
}

}  // namespace detail

inline bool utf8_validator::feed(std::string_view piece) noexcept {
  const char* at = piece.data();
  std::size_t left = piece.size();
  std::uint64_t state = state_;
  while (left >= detail::ascii_block) {
    if ((state & 63) != detail::utf8_start || !detail::is_ascii_block(at)) {
      state = detail::utf8_run(state, at, detail::ascii_block);
      if ((state & 63) == detail::utf8_wrong) break;
    }
    at += detail::ascii_block;
    left -= detail::ascii_block;
  }
  if ((state & 63) == detail::utf8_start) {
    for (std::uint64_t word = 0; left >= sizeof word; left -= sizeof word, at += sizeof word) {
      detail::load(word, at);
      if ((word & detail::high_bits) != 0) break;
    }
  }
  if ((state & 63) != detail::utf8_wrong) state = detail::utf8_run(state, at, left);
  state_ = static_cast<std::uint8_t>(state & 63);
  return state_ != detail::utf8_wrong;
}

}  // namespace nen::ws
