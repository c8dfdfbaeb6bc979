// Counts the calls that ask for memory or give it back, by phase of a run and by who made them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace nen::test::ledger {

/// What is counted. The first ones are functions, the last ones system calls.
enum class call : std::uint8_t {
  malloc_,
  calloc_,
  realloc_,
  aligned_alloc_,  ///< and posix_memalign, memalign, valloc, pvalloc
  free_,
  free_nothing,  ///< free(nullptr), which no allocator is asked for
  operator_new,
  operator_delete,
  mmap_,
  mremap_,
  munmap_,
  mprotect_,  ///< how glibc's heaps of other threads grow
  brk_,
};
inline constexpr std::size_t call_kinds = 13;

/// Who asked: the language's `throw`, which is the application's, or anybody else.
enum class side : std::uint8_t { all_others, exceptions };
inline constexpr std::size_t sides = 2;

/// What is counted from now on belongs to this phase. Phase 0 begins with the program.
void begin_phase(std::string_view name) noexcept;

/// Counts a call of this thread. Remembers from where the first ones came.
void count(call what) noexcept;
/// Counts a system call of any thread, of which it is not known from where it came.
void count_system_call(call what) noexcept;

/// As long as this lives, what this thread calls is counted for throwing.
class throwing {
 public:
  throwing() noexcept;
  ~throwing();
  throwing(const throwing&) = delete;
  throwing& operator=(const throwing&) = delete;
};

/// Prepares what remembers callers, so that it asks for no memory later.
void warm_up() noexcept;

/// Writes lines to standard output, with tabs between the words: "phase NAME" for each phase,
/// "count PHASE SIDE CALL NUMBER" where the number is not 0, and for each caller that was
/// remembered "caller PHASE CALL", then "frame FILE OFFSET" from the inmost on.
void print() noexcept;

}  // namespace nen::test::ledger
