// A compile-time array of slots with a free list beside it: O(1), no heap, all zero is "all free".
// core, L0
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include <nen/core/assert.hpp>

namespace nen {

/// Slots of T, handed out by index. The initial state is all zero, so a static pool lies in .bss
/// and a page is touched only when a slot on it is handed out. A freed slot is the next one to be
/// handed out (its memory is warm); a never-used one follows only when no freed one is left.
/// The pool never writes to a T: a slot is zero at its first use and keeps its bytes afterwards.
/// The default constructor does nothing, so a pool that is not static is written `pool<T, 8> p{};`.
/// @tparam Capacity  slots; 1 … 2^31
template <class T, std::uint32_t Capacity>
class pool {
  static_assert(Capacity > 0, "a nen::pool needs at least one slot");
  static_assert(Capacity <= 0x8000'0000U, "a nen::pool has at most 2^31 slots");
  static_assert(std::is_trivially_default_constructible_v<T> && std::is_trivially_destructible_v<T>,
                "a nen::pool<T> hands out zeroed memory: T needs a trivial default constructor and "
                "a trivial destructor");

 public:
  using index_type = std::uint32_t;

  /// What try_acquire returns when every slot is held.
  static constexpr index_type none = 0xFFFF'FFFFU;

  pool() = default;
  pool(const pool&) = delete;
  pool& operator=(const pool&) = delete;

  /// Takes a slot.
  /// @returns  its index, or none when every slot is held
  [[nodiscard]] index_type try_acquire() noexcept {
    index_type index = none;
    if (free_head_ != 0) {
      index = free_head_ - 1;
      free_head_ = links_[index];
    } else if (used_ < Capacity) {
      index = used_;
      __atomic_store_n(&used_, index + 1, __ATOMIC_RELAXED);
    } else {
      return none;
    }
    NEN_ASSERT(links_[index] != held_mark);
    links_[index] = held_mark;
    __atomic_store_n(&in_use_, in_use_ + 1, __ATOMIC_RELAXED);
    return index;
  }

  /// Gives a slot back.
  /// @pre  it is held (asserted: a slot cannot be released twice)
  void release(index_type index) noexcept {
    NEN_ASSERT(is_held(index));
    links_[index] = free_head_;
    free_head_ = index + 1;
    __atomic_store_n(&in_use_, in_use_ - 1, __ATOMIC_RELAXED);
  }

  /// @pre  index < capacity() (asserted); a slot that is not held may be looked at, for example to
  ///       compare its generation with a late completion's
  [[nodiscard]] T& operator[](index_type index) noexcept {
    NEN_ASSERT(index < Capacity);
    return slots_[index];
  }
  [[nodiscard]] const T& operator[](index_type index) const noexcept {
    NEN_ASSERT(index < Capacity);
    return slots_[index];
  }

  /// The index of a slot that is known by reference.
  /// @pre  it is one of this pool's (asserted)
  [[nodiscard]] index_type index_of(const T& slot) const noexcept {
    const auto offset =
        reinterpret_cast<std::uintptr_t>(&slot) - reinterpret_cast<std::uintptr_t>(slots_);
    NEN_ASSERT(offset < sizeof(slots_) && offset % sizeof(T) == 0);
    return static_cast<index_type>(offset / sizeof(T));
  }

  /// True when the address is that of a slot, or inside one.
  [[nodiscard]] bool contains(const void* address) const noexcept {
    return reinterpret_cast<std::uintptr_t>(address) - reinterpret_cast<std::uintptr_t>(slots_) <
           sizeof(slots_);
  }

  /// True exactly when the slot was acquired and not released since. False for any index that is
  /// not below capacity(), none included.
  [[nodiscard]] bool is_held(index_type index) const noexcept {
    return index < Capacity && links_[index] == held_mark;
  }

  [[nodiscard]] static constexpr std::uint32_t capacity() noexcept { return Capacity; }
  /// May be read by any thread, as high_water() may.
  [[nodiscard]] std::uint32_t in_use() const noexcept {
    return __atomic_load_n(&in_use_, __ATOMIC_RELAXED);
  }
  [[nodiscard]] std::uint32_t available() const noexcept { return Capacity - in_use_; }
  [[nodiscard]] bool full() const noexcept { return in_use_ == Capacity; }

  /// The most slots that were ever held at once. A never-used slot is only taken when no freed one
  /// is left, so this is also how many slots were ever touched.
  [[nodiscard]] std::uint32_t high_water() const noexcept {
    return __atomic_load_n(&used_, __ATOMIC_RELAXED);
  }

  /// Bytes that hold the slots.
  [[nodiscard]] static constexpr std::size_t slot_bytes() noexcept { return sizeof(T) * Capacity; }
  /// Bytes that hold everything else, alignment included.
  [[nodiscard]] static constexpr std::size_t bookkeeping_bytes() noexcept {
    return sizeof(pool) - slot_bytes();
  }

  /// Counts the free list, O(n), for tests and NEN_ASSERT_SLOW: freed + held + never used = all,
  /// and no freed slot is marked as held.
  [[nodiscard]] bool consistent() const noexcept {
    std::uint32_t freed = 0;
    for (std::uint32_t link = free_head_; link != 0; link = links_[link - 1]) {
      if (link > used_ || links_[link - 1] == held_mark || ++freed > used_) {
        return false;
      }
    }
    return freed + in_use_ == used_ && used_ <= Capacity;
  }

 private:
  static constexpr std::uint32_t held_mark = 0xFFFF'FFFFU;

  T slots_[Capacity];
  // Of a held slot: held_mark. Of a freed one: 1 + the index of the next freed one, 0 at the end.
  // Of a never-used one: 0.
  std::uint32_t links_[Capacity];
  std::uint32_t free_head_;  // 1 + the index of the slot freed last, 0 when there is none
  std::uint32_t used_;       // slots below this index were handed out at least once
  std::uint32_t in_use_;
};

}  // namespace nen
