// SHA-1 and base64: what a WebSocket handshake is made of, all of it constexpr.
// core, L0
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace nen {

/// The 20 bytes of a SHA-1 digest in the order in which they are written.
using sha1_digest = std::array<char, 20>;

/// SHA-1, RFC 3174. It no longer protects against forgers; protocols that name it still need it.
[[nodiscard]] constexpr sha1_digest sha1(std::string_view bytes) noexcept;

/// How many characters base64 needs for so many bytes, padding included.
[[nodiscard]] constexpr std::size_t base64_size(std::size_t bytes) noexcept {
  return (bytes + 2) / 3 * 4;
}

/// Writes base64 with padding (RFC 4648 §4), without a closing NUL.
/// @param out  room for base64_size(bytes.size()) characters
/// @returns    the end of what was written
constexpr char* write_base64(char* out, std::string_view bytes) noexcept;

/// Reads base64 as strictly as RFC 4648 §3 and §4 allow: padded to a multiple of four, no character
/// outside the alphabet (so no white space), and the unused bits of the last character are zero. So
/// no two texts mean the same bytes.
/// @param out  where the bytes go; three for each four characters are always enough
/// @returns    how many bytes there were, or nothing when the text is something else or they do not
///             fit; `out` may then have been written to
[[nodiscard]] constexpr std::optional<std::size_t> read_base64(std::string_view text,
                                                               std::span<char> out) noexcept;

namespace detail {

struct sha1_state {
  std::array<std::uint32_t, 5> h = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
};

/// Takes one block of 64 bytes into the state, RFC 3174 §6.1.
constexpr void sha1_block(sha1_state& state, const char* block) noexcept {
  std::array<std::uint32_t, 80> w{};
  for (std::size_t t = 0; t < 16; ++t) {
    for (std::size_t i = 0; i < 4; ++i) {
      w[t] = w[t] << 8 | static_cast<unsigned char>(block[t * 4 + i]);
    }
  }
  for (std::size_t t = 16; t < 80; ++t) {
    w[t] = std::rotl(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 1);
  }
  auto [a, b, c, d, e] = state.h;
  for (std::size_t t = 0; t < 80; ++t) {
    std::uint32_t f = 0;
    if (t < 20) {
      f = ((b & c) | (~b & d)) + 0x5a827999;
    } else if (t < 40) {
      f = (b ^ c ^ d) + 0x6ed9eba1;
    } else if (t < 60) {
      f = ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
    } else {
      f = (b ^ c ^ d) + 0xca62c1d6;
    }
    const std::uint32_t next = std::rotl(a, 5) + f + e + w[t];
    e = d;
    d = c;
    c = std::rotl(b, 30);
    b = a;
    a = next;
  }
  const std::array<std::uint32_t, 5> sum = {a, b, c, d, e};
  for (std::size_t i = 0; i < 5; ++i) state.h[i] += sum[i];
}

inline constexpr std::string_view base64_alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The value of each character of the alphabet, and -1 for every other.
consteval std::array<std::int8_t, 256> make_base64_table() {
  std::array<std::int8_t, 256> table{};
  for (auto& value : table) value = -1;
  for (std::size_t i = 0; i < 64; ++i) {
    table[static_cast<unsigned char>(base64_alphabet[i])] = static_cast<std::int8_t>(i);
  }
  return table;
}

inline constexpr std::array<std::int8_t, 256> base64_table = make_base64_table();

}  // namespace detail

constexpr sha1_digest sha1(std::string_view bytes) noexcept {
  detail::sha1_state state;
  const std::uint64_t bits = std::uint64_t{bytes.size()} * 8;
  while (bytes.size() >= 64) {
    detail::sha1_block(state, bytes.data());
    bytes.remove_prefix(64);
  }
  // What is left, a one bit, zeros, and the length in the last eight bytes (RFC 3174 §4): that is
  // one block, or two when the length has no room behind what is left.
  std::array<char, 128> last{};
  for (std::size_t i = 0; i < bytes.size(); ++i) last[i] = bytes[i];
  last[bytes.size()] = static_cast<char>(0x80);
  const std::size_t size = bytes.size() < 56 ? 64 : 128;
  for (std::size_t i = 0; i < 8; ++i) {
    last[size - 1 - i] = static_cast<char>(static_cast<unsigned char>(bits >> (8 * i)));
  }
  detail::sha1_block(state, last.data());
  if (size == 128) detail::sha1_block(state, last.data() + 64);

  sha1_digest digest{};
  for (std::size_t i = 0; i < digest.size(); ++i) {
    digest[i] = static_cast<char>(static_cast<unsigned char>(state.h[i / 4] >> (24 - 8 * (i % 4))));
  }
  return digest;
}

constexpr char* write_base64(char* out, std::string_view bytes) noexcept {
  while (!bytes.empty()) {
    const std::size_t taken = bytes.size() < 3 ? bytes.size() : 3;
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      group = group << 8 | (i < taken ? static_cast<unsigned char>(bytes[i]) : 0U);
    }
    for (std::size_t i = 0; i < 4; ++i) {
      *out++ = i <= taken ? detail::base64_alphabet[group >> (18 - 6 * i) & 63] : '=';
    }
    bytes.remove_prefix(taken);
  }
  return out;
}

constexpr std::optional<std::size_t> read_base64(std::string_view text,
                                                 std::span<char> out) noexcept {
  if (text.size() % 4 != 0) return std::nullopt;
  std::size_t written = 0;
  for (; !text.empty(); text.remove_prefix(4)) {
    std::size_t size = 3;
    if (text.size() == 4 && text[3] == '=') size = text[2] == '=' ? 1 : 2;
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      const int value = i <= size ? detail::base64_table[static_cast<unsigned char>(text[i])] : 0;
      if (value < 0) return std::nullopt;
      group = group << 6 | static_cast<std::uint32_t>(value);
    }
    if ((group & ((1U << (8 * (3 - size))) - 1)) != 0) return std::nullopt;
    if (size > out.size() - written) return std::nullopt;
    for (std::size_t i = 0; i < size; ++i) {
      out[written++] = static_cast<char>(static_cast<unsigned char>(group >> (16 - 8 * i)));
    }
  }
  return written;
}

}  // namespace nen
