// metrics, L1: a number that one thread counts up and any thread may read.
#pragma once

#include <cstdint>

namespace nen {

/// Single writer: adding is a load, an add and a store, without a locked instruction. Zero at
/// first, so that it can be a part of what lies in .bss.
class counter {
 public:
  void add(std::uint64_t amount = 1) noexcept {
    __atomic_store_n(&value_, value() + amount, __ATOMIC_RELAXED);
  }
  std::uint64_t value() const noexcept { return __atomic_load_n(&value_, __ATOMIC_RELAXED); }

 private:
  std::uint64_t value_;
};

}  // namespace nen
