// testing, L3: numbers that a seed decides, the same on every machine and with every library.
#pragma once

#include <nen/core/assert.hpp>

#include <cstdint>

namespace nen::testing {

/// SplitMix64: every seed, zero included, gives a good sequence, and the state is one word.
class random {
 public:
  explicit random(std::uint64_t seed) noexcept : state_(seed) {}

  std::uint64_t next() noexcept {
    std::uint64_t mixed = state_ += 0x9e37'79b9'7f4a'7c15;
    mixed = (mixed ^ mixed >> 30) * 0xbf58'476d'1ce4'e5b9;
    mixed = (mixed ^ mixed >> 27) * 0x94d0'49bb'1331'11eb;
    return mixed ^ mixed >> 31;
  }

  /// 0 … bound − 1; the tiny bias of the remainder does not matter to a test.
  std::uint64_t below(std::uint64_t bound) noexcept {
    NEN_ASSERT(bound != 0);
    return next() % bound;
  }
  /// least … most
  std::uint64_t between(std::uint64_t least, std::uint64_t most) noexcept {
    return least + below(most - least + 1);
  }

  /// True this often out of a thousand times. Never and always cost no number.
  bool chance(std::uint32_t per_mille) noexcept {
    if (per_mille == 0 || per_mille >= 1000) return per_mille != 0;
    return below(1000) < per_mille;
  }

 private:
  std::uint64_t state_;
};

}  // namespace nen::testing
