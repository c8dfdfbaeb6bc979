// Bytes that end where readable memory ends: one read or written behind them is a fault.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>
#include <nen/core/assert.hpp>
#include <string_view>

namespace nen::test {

/// Room in front of a page that may not be touched.
class guarded {
 public:
  explicit guarded(std::size_t bytes_max) {
    const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    size_ = (bytes_max + page - 1) / page * page + page;
    void* const memory =
        ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    NEN_ASSERT(memory != MAP_FAILED);
    memory_ = static_cast<char*>(memory);
    end_ = memory_ + size_ - page;
    NEN_ASSERT(::mprotect(end_, page, PROT_NONE) == 0);
  }
  guarded(const guarded&) = delete;
  guarded& operator=(const guarded&) = delete;
  ~guarded() { ::munmap(memory_, size_); }

  /// The last so many bytes in front of the page.
  char* last(std::size_t bytes) const {
    NEN_ASSERT(bytes <= static_cast<std::size_t>(end_ - memory_));
    return end_ - bytes;
  }

  /// A copy that ends in front of the page.
  char* place(std::string_view bytes) const {
    char* const begin = last(bytes.size());
    if (!bytes.empty()) std::memcpy(begin, bytes.data(), bytes.size());
    return begin;
  }

 private:
  char* memory_;
  char* end_;
  std::size_t size_;
};

}  // namespace nen::test
