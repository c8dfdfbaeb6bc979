// What a run found, as a table for people and as JSON for programs.
#pragma once

#include <cstdint>

#include "plan.hpp"
#include "process_cpu.hpp"
#include "worker.hpp"

namespace load {

/// What was read at one moment.
struct sample {
  std::uint64_t time = 0;
  std::uint64_t answers = 0;  ///< so far
  cpu_time server;
};

struct report {
  const load::plan& plan;
  const findings& found;
  sample before;  ///< just before it was measured
  sample after;   ///< just afterwards

  double seconds() const;  ///< in which found.answers came
  void print_table() const;
  void print_json() const;
};

}  // namespace load
