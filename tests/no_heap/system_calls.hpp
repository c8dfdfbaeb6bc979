// Sees every system call that maps memory, wherever it is made: not only through libc's functions.
#pragma once

#include <string_view>

namespace nen::test {

/// Counts the calling thread's system calls that map memory, and those of all threads that it
/// starts from now on, in the ledger. The calls themselves go on unchanged.
/// A thread that is not counted does that, and answers commands meanwhile: "phase NAME" begins one
/// and is answered "ok"; any other line is given to `answer`.
/// @param answer  writes one line to a descriptor
/// @returns       0, or an errno value
int count_system_calls(void (*answer)(std::string_view command, int descriptor) noexcept) noexcept;

}  // namespace nen::test
