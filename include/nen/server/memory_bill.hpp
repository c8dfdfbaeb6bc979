// server, L3: what a server's object consists of, line by line.
#pragma once

#include <nen/core/assert.hpp>

#include <array>
#include <cstddef>
#include <string_view>

namespace nen {

/// One line of a server's memory bill.
struct memory_item {
  std::string_view name;
  std::size_t count;  ///< slots in all shards
  std::size_t bytes;  ///< of all of them
};

/// The lines, as many as there are.
class memory_items {
 public:
  /// @param bytes_each  zero: there is no such thing in this server
  constexpr void add(std::string_view name, std::size_t count, std::size_t bytes_each) noexcept {
    NEN_ASSERT(size_ < all_.size());
    if (bytes_each != 0) all_[size_++] = {name, count, count * bytes_each};
  }
  constexpr void add(const memory_item& item) noexcept {
    NEN_ASSERT(size_ < all_.size());
    all_[size_++] = item;
  }

  constexpr std::size_t size() const noexcept { return size_; }
  constexpr const memory_item& operator[](std::size_t i) const noexcept { return all_[i]; }
  constexpr const memory_item& back() const noexcept { return all_[size_ - 1]; }
  constexpr const memory_item* begin() const noexcept { return all_.data(); }
  constexpr const memory_item* end() const noexcept { return all_.data() + size_; }

 private:
  std::array<memory_item, 24> all_{};
  std::size_t size_ = 0;
};

/// What a server's object consists of; the items add up to sizeof(server).
struct memory_bill {
  memory_items items;
  std::size_t total = 0;

  /// Bytes that hold neither a request, an answer, a connection nor the application's state.
  constexpr std::size_t bookkeeping() const noexcept { return items.back().bytes; }
};

}  // namespace nen
