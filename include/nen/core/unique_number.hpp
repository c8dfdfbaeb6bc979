// core, L0: numbers of 128 bits that nobody else has: for requests, traces and spans. They are to
// be unique, not secret.
#pragma once

#include <sys/random.h>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace nen {

/// Zero is none.
struct unique_number {
  std::uint64_t high;  ///< of the thread that made it, random
  std::uint64_t low;   ///< another one each time

  friend constexpr bool operator==(const unique_number&, const unique_number&) noexcept = default;
};

namespace detail {

/// Another number for each number, so that neighbours look like strangers (a bijection: the steps
/// are multiplications by odd numbers and shifted exclusive ors, which can be undone).
constexpr std::uint64_t mix(std::uint64_t x) noexcept {
  x = (x ^ x >> 32) * 0xd6e8'feb8'6659'fd93;
  x = (x ^ x >> 32) * 0xd6e8'feb8'6659'fd93;
  return x ^ x >> 32;
}

/// The digits of half a half, the first one in the byte that lies first: each answer has 32 digits.
constexpr std::uint64_t hex_digits_of(std::uint32_t value) noexcept {
  constexpr auto each = [](std::uint64_t byte) { return byte * 0x0101'0101'0101'0101; };
  std::uint64_t x = value;  // spread out, so that each digit has a byte
  x = (x | x << 16) & 0x0000'ffff'0000'ffff;
  x = (x | x << 8) & 0x00ff'00ff'00ff'00ff;
  x = (x | x << 4) & each(0x0f);
  const std::uint64_t is_letter = (x + each(6)) >> 4 & each(1);
  x += each('0') + is_letter * ('a' - '0' - 10);
  return std::endian::native == std::endian::little ? __builtin_bswap64(x) : x;
}

/// Sixteen digits of half a number.
constexpr char* write_hex_16(char* out, std::uint64_t value) noexcept {
  const std::array<std::uint64_t, 2> halves = {
      hex_digits_of(static_cast<std::uint32_t>(value >> 32)),
      hex_digits_of(static_cast<std::uint32_t>(value))};
  // A copy, for compilers that know how to do one in two instructions.
  const auto digits = std::bit_cast<std::array<char, 16>>(halves);
  if (std::is_constant_evaluated()) {
    for (std::size_t i = 0; i < digits.size(); ++i) out[i] = digits[i];
  } else {
    __builtin_memcpy(out, digits.data(), digits.size());
  }
  return out + digits.size();
}

/// Makes a thread's numbers: 2^64 of them, and no call to the kernel but for the first. Zero has
/// not begun.
class number_source {
 public:
  unique_number next() noexcept {
    if (high_ == 0) [[unlikely]]
      seed();
    // 0 has to be left out: half a number may stand for itself, as a span's does.
    std::uint64_t low = 0;
    while (low == 0) low = mix(++counter_);
    return {high_, low};
  }

  /// Makes the numbers that follow from this one, for runs that can be repeated.
  constexpr void seed(std::uint64_t from) noexcept {
    high_ = mix(from ^ 0x9e37'79b9'7f4a'7c15) | 1;
    counter_ = mix(high_);
  }

 private:
  /// Where the kernel has no random bytes to give, which is only at boot, an address has to do:
  /// its layout is random as well.
  [[gnu::cold, gnu::noinline]] void seed() noexcept {
    std::uint64_t bits[2] = {reinterpret_cast<std::uintptr_t>(this), 0};
    (void)!::getrandom(bits, sizeof bits, GRND_NONBLOCK);
    high_ = bits[0] | 1;
    counter_ = bits[1];
  }

  std::uint64_t high_;
  std::uint64_t counter_;
};

/// Zero-initialised, so that nothing has to run when a thread starts.
inline constinit thread_local number_source numbers_of_thread{};

}  // namespace detail

/// @returns  a number that this program has not used yet, and others most probably neither
inline unique_number make_unique_number() noexcept { return detail::numbers_of_thread.next(); }

}  // namespace nen
