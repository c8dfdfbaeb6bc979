// Comparing secrets so that the time it takes does not tell how much of a guess was right.
// core, L0
#pragma once

#include <cstddef>
#include <string_view>

namespace nen {

/// Compares what somebody claims to know with what he has to know: passwords, tokens, signatures.
/// The time depends on how long the claim is, and on nothing else: not on its content, nor on the
/// secret's, nor on where they differ first.
[[nodiscard, gnu::noinline]] inline bool equal_in_constant_time(std::string_view claim,
                                                                std::string_view secret) noexcept {
  // A claim of another length is compared with itself, so that it takes as long as any other.
  std::size_t difference = claim.size() ^ secret.size();
  const auto use_claim = std::size_t{0} - static_cast<std::size_t>(difference != 0);
  const auto from = reinterpret_cast<std::size_t>(secret.data());
  const auto instead = reinterpret_cast<std::size_t>(claim.data());
  std::size_t address = (from & ~use_claim) | (instead & use_claim);
  // The compiler may not know what it reads from, or what came of it so far: so it can neither tell
  // the two cases apart nor leave the loop before its end.
  asm volatile("" : "+r"(address)::"memory");
  const auto* const other = reinterpret_cast<const char*>(address);
  for (std::size_t i = 0; i < claim.size(); ++i) {
    difference |= static_cast<std::size_t>(static_cast<unsigned char>(claim[i] ^ other[i]));
    asm volatile("" : "+r"(difference));
  }
  return difference == 0;
}

}  // namespace nen
