// CPU time of other processes, of all their threads. The load reads it itself, at the very moments
// between which it counts answers, so that neither connecting nor warming up is in it.
#pragma once

#include <cstdint>
#include <vector>

namespace load {

struct cpu_time {
  double seconds = 0;         ///< by the scheduler's own account, to the nanosecond
  double user_seconds = 0;    ///< in the kernel's ticks of usually 10 ms
  double system_seconds = 0;  ///< likewise

  friend cpu_time operator-(cpu_time a, cpu_time b) {
    return {a.seconds - b.seconds, a.user_seconds - b.user_seconds,
            a.system_seconds - b.system_seconds};
  }
};

/// The sum over the processes; what is gone counts as nothing.
cpu_time cpu_time_of(const std::vector<int>& pids);

}  // namespace load
