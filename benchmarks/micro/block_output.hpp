// An output for benchmarks: one block of memory that is written from the front again and again.
#pragma once

#include <nen/core/output.hpp>
#include <string_view>

namespace nen::bench {

class block_output final : public output {
 public:
  block_output() : output(functions) { rewind(*this); }

  std::size_t size() const { return static_cast<std::size_t>(cursor_ - bytes_); }

 private:
  static constexpr std::size_t block_bytes = 16 * 1024;

  static void mark(output&) noexcept {}
  static void rewind(output& o) noexcept {
    auto& self = static_cast<block_output&>(o);
    self.cursor_ = self.bytes_;
    self.limit_ = self.bytes_ + block_bytes;
  }
  static bool next_block(output&) noexcept { return false; }
  static void attach_view(output&, std::string_view) noexcept {}

  static constexpr block_owner functions = {mark,        rewind,      next_block,
                                            attach_view, block_bytes, block_bytes};

  char bytes_[block_bytes];
};

}  // namespace nen::bench
