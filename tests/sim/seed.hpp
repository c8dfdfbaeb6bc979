// What every world that is made from a seed begins with: its faults, and how many worlds there are.
#pragma once

#include <nen/testing/faults.hpp>
#include <nen/testing/random.hpp>

#include <cstdint>
#include <cstdlib>

namespace nen::test::sim {

/// Each kind of fault in half of the worlds.
inline testing::faults make_faults(testing::random& chance) {
  testing::faults made;
  const auto often = [&] {
    return static_cast<std::uint16_t>(chance.chance(500) ? 0 : chance.below(400));
  };
  made.short_receive = often();
  made.short_send = often();
  made.no_buffer = often();
  made.multishot_stops = often();
  made.end_with_lease = often();
  made.unheard_reset = often();
  made.refused_accept = often();
  made.late = often();
  made.cancel_misses = often();
  made.reset = static_cast<std::uint16_t>(chance.chance(700) ? 0 : chance.below(20));
  made.reordered = chance.chance(500);
  made.small_submission_queue = chance.chance(500);
  made.late_ms_max = static_cast<std::uint32_t>(chance.between(1, 50));
  return made;
}

/// A number from the environment.
inline std::uint64_t setting(const char* name, std::uint64_t otherwise) {
  const char* const text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

}  // namespace nen::test::sim
