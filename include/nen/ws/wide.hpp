// The widest vectors that the compiler's target has, for work on many bytes at once without naming
// an instruction set. ws, L1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace nen::ws::detail {

#if defined(__AVX512F__)
inline constexpr std::size_t wide_bytes = 64;
#elif defined(__AVX2__)
inline constexpr std::size_t wide_bytes = 32;
#else
inline constexpr std::size_t wide_bytes = 16;
#endif

/// A vector of 64-bit lanes. It is never passed to or returned from a function that is not inlined:
/// how that is done depends on the instruction set.
typedef std::uint64_t wide __attribute__((vector_size(wide_bytes)));

/// Reads a T from any address.
template <class T>
[[gnu::always_inline]] inline void load(T& value, const char* from) noexcept {
  std::memcpy(&value, from, sizeof value);
}

/// Writes a T to any address.
template <class T>
[[gnu::always_inline]] inline void store(char* to, const T& value) noexcept {
  std::memcpy(to, &value, sizeof value);
}

}  // namespace nen::ws::detail
