// core, L0: SipHash-1-3: a hash that nobody can choose collisions of who does not know its key.
#pragma once

#include <bit>
#include <cstdint>

namespace nen {

struct sip_key {
  std::uint64_t first;
  std::uint64_t second;
};

/// SipHash with one round for each word and three at the end (Aumasson and Bernstein, "SipHash: a
/// fast short-input PRF", 2012), of exactly `words` 64-bit words in little-endian order.
template <class... Words>
[[nodiscard]] constexpr std::uint64_t sip_hash(const sip_key& key, Words... words) noexcept {
  std::uint64_t a = key.first ^ 0x736f6d6570736575U;
  std::uint64_t b = key.second ^ 0x646f72616e646f6dU;
  std::uint64_t c = key.first ^ 0x6c7967656e657261U;
  std::uint64_t d = key.second ^ 0x7465646279746573U;
  const auto round = [&] {
    a += b;
    c += d;
    b = std::rotl(b, 13) ^ a;
    d = std::rotl(d, 16) ^ c;
    a = std::rotl(a, 32) + d;
    c += b;
    d = std::rotl(d, 21) ^ a;
    b = std::rotl(b, 17) ^ c;
    c = std::rotl(c, 32);
  };
  const auto take = [&](std::uint64_t word) {
    d ^= word;
    round();
    a ^= word;
  };
  (take(words), ...);
  take(std::uint64_t{sizeof...(Words) * 8} << 56);  // the last word has the length
  c ^= 0xff;
  round();
  round();
  round();
  return a ^ b ^ c ^ d;
}

}  // namespace nen
