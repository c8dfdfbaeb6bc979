// Masking of WebSocket payloads (RFC 6455 §5.3): the same operation puts the mask on and takes it
// off. ws, L1.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <nen/ws/wide.hpp>

namespace nen::ws {

/// The four bytes of a masking key in the order in which they are sent.
using masking_key = std::array<unsigned char, 4>;

/// Writes `size` bytes from `from`, masked, to `to`.
/// @param to, from  at any alignment; the same address, or memory that does not overlap
/// @param phase     how many bytes of the payload came before these; only its value mod 4 matters
inline void mask(char* to, const char* from, std::size_t size, masking_key key,
                 std::size_t phase = 0) noexcept;

/// Masks, or unmasks, bytes where they lie.
inline void mask(char* bytes, std::size_t size, masking_key key, std::size_t phase = 0) noexcept {
  mask(bytes, bytes, size, key, phase);
}

namespace detail {

/// The key as it lies in memory, beginning with the byte that `phase` calls for.
inline std::uint32_t rotated(std::uint32_t key, std::size_t phase) noexcept {
  const int bits = static_cast<int>(8 * (phase % 4));
  return std::endian::native == std::endian::little ? std::rotr(key, bits) : std::rotl(key, bits);
}

/// One word at the beginning and one at the end, which overlap unless there are two words. Both are
/// read before one is written, so nothing is masked twice.
template <class Word>
[[gnu::always_inline]] inline void mask_two(char* to, const char* from, std::size_t size,
                                            const Word& key, const Word& last_key) noexcept {
  const std::size_t last_at = size - sizeof(Word);
  Word first;
  Word last;
  load(first, from);
  load(last, from + last_at);
  first ^= key;
  last ^= last_key;
  store(to, first);
  store(to + last_at, last);
}

inline std::uint64_t doubled(std::uint32_t key) noexcept { return std::uint64_t{key} << 32 | key; }

/// At least one vector's worth of bytes.
inline void mask_wide(char* to, const char* from, std::size_t size, std::uint32_t key) noexcept {
  const wide keys = wide{} + doubled(key);
  const std::size_t last_at = size - sizeof(wide);
  wide last;  // what is at the end is read first, because the loop below may write a part of it
  load(last, from + last_at);
  last ^= wide{} + doubled(rotated(key, last_at));
  std::size_t at = 0;
  for (; at + 4 * sizeof(wide) <= size; at += 4 * sizeof(wide)) {
    // Named one by one, because GCC keeps an array of vectors on the stack.
    wide a;
    wide b;
    wide c;
    wide d;
    load(a, from + at);
    load(b, from + at + sizeof(wide));
    load(c, from + at + 2 * sizeof(wide));
    load(d, from + at + 3 * sizeof(wide));
    store(to + at, a ^ keys);
    store(to + at + sizeof(wide), b ^ keys);
    store(to + at + 2 * sizeof(wide), c ^ keys);
    store(to + at + 3 * sizeof(wide), d ^ keys);
  }
  for (; at < last_at; at += sizeof(wide)) {
    wide part;
    load(part, from + at);
    part ^= keys;
    store(to + at, part);
  }
  store(to + last_at, last);
}

}  // namespace detail

inline void mask(char* to, const char* from, std::size_t size, masking_key key,
                 std::size_t phase) noexcept {
  const std::uint32_t word = detail::rotated(std::bit_cast<std::uint32_t>(key), phase);
  if (size >= sizeof(detail::wide)) {
    detail::mask_wide(to, from, size, word);
  } else if (size >= 8) {
    std::size_t at = 0;
    // Only where vectors are wider than 16 bytes are there more than two words here.
    for (; size - at > 16; at += 8) {
      std::uint64_t part;
      detail::load(part, from + at);
      part ^= detail::doubled(word);
      detail::store(to + at, part);
    }
    detail::mask_two(to + at, from + at, size - at, detail::doubled(word),
                     detail::doubled(detail::rotated(word, size - at)));
  } else if (size >= 4) {
    detail::mask_two(to, from, size, word, detail::rotated(word, size));
  } else {
    const auto bytes = std::bit_cast<masking_key>(word);
    for (std::size_t i = 0; i < size; ++i) {
      to[i] = static_cast<char>(static_cast<unsigned char>(from[i]) ^ bytes[i]);
    }
  }
}

}  // namespace nen::ws
