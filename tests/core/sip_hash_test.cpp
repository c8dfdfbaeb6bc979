// Tests of core/sip_hash.hpp.
#include <nen/core/sip_hash.hpp>

#include <cstdint>
#include <set>

#include "support/catch.hpp"

TEST_CASE("the hash is SipHash-1-3", "[sip_hash]") {
  // The bytes 00 to 0f as the key, and 00 to 07, 00 to 0f as the input; from another
  // implementation that gives the paper's own value with two and four rounds.
  constexpr nen::sip_key key = {0x0706050403020100, 0x0f0e0d0c0b0a0908};
  static_assert(nen::sip_hash(key, std::uint64_t{0x0706050403020100}) != 0);
  CHECK(nen::sip_hash(key) == 0xabac0158050fc4dcU);
  CHECK(nen::sip_hash(key, std::uint64_t{0x0706050403020100}) == 0x369095118d299a8eU);
  CHECK(nen::sip_hash(key, std::uint64_t{0x0706050403020100}, std::uint64_t{0x0f0e0d0c0b0a0908}) ==
        0xcc4fdd1a7d908b66U);
}

TEST_CASE("another key gives other hashes", "[sip_hash]") {
  std::set<std::uint64_t> seen;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    seen.insert(nen::sip_hash({i, 0}, std::uint64_t{1}));
    seen.insert(nen::sip_hash({0, i + 1}, std::uint64_t{1}));
    seen.insert(nen::sip_hash({0, 0}, i + 2));
  }
  CHECK(seen.size() == 3000);
}
