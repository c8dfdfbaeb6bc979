// core, L0: an output that nobody reads, for what has to be given something to write with.
#pragma once

#include <nen/core/assert.hpp>
#include <nen/core/output.hpp>

#include <cstddef>
#include <string_view>

namespace nen {

/// Takes one head after the other in the same small place, and bodies without keeping them.
class discarding_output : public output {
 public:
  discarding_output() noexcept : output(table) { reset(*this); }

 private:
  static constexpr std::size_t head_bytes_max = 512;

  static discarding_output& self(output& out) noexcept {
    return static_cast<discarding_output&>(out);
  }
  static void reset(output& out) noexcept {
    discarding_output& o = self(out);
    o.cursor_ = o.bytes_;
    o.limit_ = o.bytes_ + head_bytes_max;
  }
  /// What is written behind a full block is written over it.
  static bool next_block(output& out) noexcept {
    reset(out);
    return true;
  }

  static constexpr block_owner table = {reset,          reset,
                                        next_block,     [](output&, std::string_view) noexcept {},
                                        head_bytes_max, ~std::size_t{0}};
  char bytes_[head_bytes_max];
};

}  // namespace nen
