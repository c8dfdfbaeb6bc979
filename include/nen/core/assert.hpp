// Assertions that stay on in Release: a broken invariant must stop the process, not corrupt memory.
// core, L0
#pragma once

#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>

#define NEN_DETAIL_TEXT_OF(x) #x
#define NEN_DETAIL_TEXT(x) NEN_DETAIL_TEXT_OF(x)

/// Stops the process with "file:line: assertion failed: condition" on stderr when the condition is
/// false. It is on in every build. In a constant expression a false condition does not compile.
#define NEN_ASSERT(...)                                \
  (__builtin_expect(static_cast<bool>(__VA_ARGS__), 1) \
       ? static_cast<void>(0)                          \
       : ::nen::detail::assertion_failed(              \
             __FILE__ ":" NEN_DETAIL_TEXT(__LINE__) ": assertion failed: " #__VA_ARGS__ "\n"))

/// The same for checks that cost O(n): on without NDEBUG or with NEN_SLOW_ASSERTS, never
/// evaluated (but always compiled) otherwise.
#if !defined(NDEBUG) || defined(NEN_SLOW_ASSERTS)
#define NEN_ASSERT_SLOW(...) NEN_ASSERT(__VA_ARGS__)
#else
#define NEN_ASSERT_SLOW(...) static_cast<void>(sizeof(static_cast<bool>(__VA_ARGS__)))
#endif

namespace nen::detail {

/// Writes one whole line with write(2), which needs no heap and no locks, and aborts.
[[noreturn, gnu::cold, gnu::noinline]] inline void assertion_failed(const char* line) noexcept {
  std::size_t left = std::strlen(line);
  while (left > 0) {
    const ssize_t written = ::write(STDERR_FILENO, line, left);
    if (written <= 0) {
      break;  // There is nowhere left to report to; the abort itself still tells.
    }
    line += written;
    left -= static_cast<std::size_t>(written);
  }
  std::abort();
}

}  // namespace nen::detail
