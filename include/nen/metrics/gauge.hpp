// metrics, L1: how many of something there are, which one thread changes and any thread may read.
#pragma once

#include <cstdint>

namespace nen {

/// Zero at first, so that it can be a part of what lies in .bss.
class gauge {
 public:
  void rise() noexcept {
    const std::uint32_t risen = value() + 1;
    __atomic_store_n(&value_, risen, __ATOMIC_RELAXED);
    if (risen > high_water()) __atomic_store_n(&high_water_, risen, __ATOMIC_RELAXED);
  }
  void fall() noexcept { __atomic_store_n(&value_, value() - 1, __ATOMIC_RELAXED); }

  std::uint32_t value() const noexcept { return __atomic_load_n(&value_, __ATOMIC_RELAXED); }
  /// The most that there ever were.
  std::uint32_t high_water() const noexcept {
    return __atomic_load_n(&high_water_, __ATOMIC_RELAXED);
  }

 private:
  std::uint32_t value_;
  std::uint32_t high_water_;
};

}  // namespace nen
