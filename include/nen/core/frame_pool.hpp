// core, L0: memory for coroutine frames: slots of a few sizes, all of them fixed at compile time.
// A frame's size is known only to the compiler that makes the coroutine, so a frame asks for bytes
// and gets a slot of the smallest class that has one.
#pragma once

#include <nen/core/assert.hpp>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

// Slots of a pool are no allocations that the address sanitizer knows of, so it is told which of
// them nobody may touch: a frame that is used after its end is then found like any other memory.
#if defined(__SANITIZE_ADDRESS__)
#define NEN_DETAIL_ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define NEN_DETAIL_ADDRESS_SANITIZER 1
#endif
#endif
#if defined(NEN_DETAIL_ADDRESS_SANITIZER)
#include <sanitizer/asan_interface.h>
#endif

namespace nen {

/// One size of slots in a frame_pool.
struct frame_class {
  std::uint32_t bytes;  ///< of one slot; a multiple of 16
  std::uint32_t count;  ///< slots
};

/// How often a frame_pool had to say no.
struct refused_frames {
  std::uint64_t too_large;  ///< no class is wide enough: config is too small for this program
  std::uint64_t none_free;  ///< every slot that is wide enough was held: overload
};

namespace detail {

/// What the code shared by all frame pools has to know of one class.
struct frame_class_layout {
  std::uint32_t bytes;
  std::uint32_t count;
  std::uint32_t first_slot;  ///< the number of its first slot among those of all classes
  std::uint32_t first_unit;  ///< where its first slot begins, in units of 16 bytes
  std::uint32_t multiplier;  ///< with shift: divides units by those of a slot, without a division
  std::uint32_t shift;
};

/// One class's part of a pool that changes. All zero: every slot is free.
struct frame_class_state {
  std::uint32_t free_head;  ///< 1 + the slot freed last, counted in its class; 0: none
  std::uint32_t used;       ///< slots below this one were handed out at least once
  std::uint32_t in_use;
};

/// A frame_pool without its sizes: coroutines of every type use this one piece of code.
class frame_source {
 public:
  static constexpr std::size_t alignment = 16;

  frame_source() = default;
  frame_source(const frame_source&) = delete;
  frame_source& operator=(const frame_source&) = delete;

  /// Takes a slot of the smallest class that is wide enough and has one free.
  /// @returns  its first byte, aligned to 16; nullptr when there is none, which refused() counts
  /// @pre      a frames_in_use named this pool, or acquire was called on the frame_pool itself
  [[nodiscard]] void* acquire(std::size_t bytes) noexcept {
    std::uint32_t at = 0;
    while (at < classes_ && bytes > layout_[at].bytes) ++at;
    if (at == classes_) {
      ++refused_.too_large;
      return nullptr;
    }
    for (; at < classes_; ++at) {
      const std::uint32_t slot = take(layout_[at], states_[at]);
      if (slot != none) {
        std::byte* const frame = bytes_ + alignment * std::size_t{layout_[at].first_unit} +
                                 std::size_t{slot} * layout_[at].bytes;
        open(frame, layout_[at].bytes);
        return frame;
      }
    }
    ++refused_.none_free;
    return nullptr;
  }

  /// Gives a slot back.
  /// @param frame  what acquire returned, and not since given back (asserted, as is that it is
  ///               this pool's)
  void release(void* frame) noexcept {
    const std::uintptr_t offset =
        reinterpret_cast<std::uintptr_t>(frame) - reinterpret_cast<std::uintptr_t>(bytes_);
    NEN_ASSERT(classes_ > 0 && offset < bytes_size() && offset % alignment == 0);
    const auto unit = static_cast<std::uint32_t>(offset / alignment);
    std::uint32_t at = 0;  // most frames are narrow
    while (at + 1 < classes_ && unit >= layout_[at + 1].first_unit) ++at;
    const frame_class_layout& layout = layout_[at];
    const auto slot = static_cast<std::uint32_t>(
        (std::uint64_t{unit - layout.first_unit} * layout.multiplier) >> layout.shift);
    NEN_ASSERT(offset - alignment * std::uintptr_t{layout.first_unit} ==
               std::uintptr_t{slot} * layout.bytes);
    std::uint32_t& link = links_[layout.first_slot + slot];
    NEN_ASSERT(link == held_mark);
    frame_class_state& state = states_[at];
    link = state.free_head;
    state.free_head = slot + 1;
    --state.in_use;
    close(frame, layout.bytes);
  }

  /// Ends what the address sanitizer was told about the slots: their memory may serve something
  /// else now. Nothing happens in other builds.
  void open_everything() noexcept {
    if (classes_ > 0) open(bytes_, bytes_size());
  }

  /// How often acquire returned nullptr.
  [[nodiscard]] const refused_frames& refused() const noexcept { return refused_; }

  /// Slots of all classes that are held now.
  [[nodiscard]] std::uint32_t in_use() const noexcept {
    std::uint32_t sum = 0;
    for (std::uint32_t at = 0; at < classes_; ++at) sum += states_[at].in_use;
    return sum;
  }

 protected:
  void bind(const frame_class_layout* layout, frame_class_state* states, std::uint32_t classes,
            std::uint32_t* links, std::byte* bytes) noexcept {
    layout_ = layout;
    states_ = states;
    links_ = links;
    bytes_ = bytes;
    classes_ = classes;
  }

 private:
  static constexpr std::uint32_t none = 0xFFFF'FFFFU;
  static constexpr std::uint32_t held_mark = 0xFFFF'FFFFU;

  [[nodiscard]] std::size_t bytes_size() const noexcept {
    const frame_class_layout& last = layout_[classes_ - 1];
    return alignment * std::size_t{last.first_unit} + std::size_t{last.bytes} * last.count;
  }

  // The order is that of nen::pool: freed slots first, because they are warm, and never-used ones
  // by a counter, so that a page is touched only when it is needed.
  std::uint32_t take(const frame_class_layout& layout, frame_class_state& state) noexcept {
    std::uint32_t slot = none;
    if (state.free_head != 0) {
      slot = state.free_head - 1;
      state.free_head = links_[layout.first_slot + slot];
    } else if (state.used < layout.count) {
      slot = state.used++;
    } else {
      return none;
    }
    std::uint32_t& link = links_[layout.first_slot + slot];
    NEN_ASSERT(link != held_mark);
    link = held_mark;
    ++state.in_use;
    return slot;
  }

#if defined(NEN_DETAIL_ADDRESS_SANITIZER)
  static void open(void* from, std::size_t size) noexcept {
    __asan_unpoison_memory_region(from, size);
  }
  static void close(void* from, std::size_t size) noexcept {
    __asan_poison_memory_region(from, size);
  }
#else
  static void open(void*, std::size_t) noexcept {}
  static void close(void*, std::size_t) noexcept {}
#endif

  const frame_class_layout* layout_;
  frame_class_state* states_;
  // Of a held slot: held_mark. Of a freed one: 1 + the next freed one of its class, 0 at the end.
  // Of a never-used one: 0.
  std::uint32_t* links_;
  std::byte* bytes_;
  std::uint32_t classes_;
  refused_frames refused_;
};

/// Units are below 2^28. A slot of u units, with s = ceil(log2 u), is counted exactly by
/// (units * m) >> (28 + s), m = floor(2^(28 + s) / u) + 1 (Granlund and Montgomery, 1994, §4);
/// m is below 2^30, so the product fits 64 bits.
constexpr void divide_by(frame_class_layout& layout, std::uint32_t units) noexcept {
  layout.shift = 28 + static_cast<std::uint32_t>(std::bit_width(units - 1));
  layout.multiplier = static_cast<std::uint32_t>((std::uint64_t{1} << layout.shift) / units + 1);
}

template <auto Classes>
constexpr auto make_frame_layout() noexcept {
  std::array<frame_class_layout, Classes.size()> layout{};
  std::uint32_t slot = 0;
  std::uint32_t unit = 0;
  for (std::size_t at = 0; at < Classes.size(); ++at) {
    const auto units = static_cast<std::uint32_t>(Classes[at].bytes / frame_source::alignment);
    layout[at] = {Classes[at].bytes, Classes[at].count, slot, unit, 0, 0};
    divide_by(layout[at], units);
    slot += Classes[at].count;
    unit += Classes[at].count * units;
  }
  return layout;
}

template <auto Classes>
inline constexpr auto frame_layout = make_frame_layout<Classes>();

/// Where the coroutines that are made on this thread get their frames; nullptr: nobody runs any.
inline frame_source*& current_frames() noexcept {
  static constinit thread_local frame_source* current = nullptr;
  return current;
}

}  // namespace detail

/// Slots for coroutine frames. All zero is "all free", so a static pool lies in .bss and start-up
/// does not touch it.
/// @tparam Classes  std::array<frame_class, N>, the narrowest first
template <auto Classes>
class frame_pool : public detail::frame_source {
  static_assert(Classes.size() > 0, "a nen::frame_pool needs at least one nen::frame_class");
  static_assert(
      [] {
        for (const frame_class& c : Classes) {
          if (c.bytes == 0 || c.bytes % alignment != 0) return false;
        }
        return true;
      }(),
      "the bytes of a nen::frame_class are a multiple of 16 that is not zero");
  static_assert(
      [] {
        for (const frame_class& c : Classes) {
          if (c.count == 0) return false;
        }
        return true;
      }(),
      "the count of a nen::frame_class is not zero: leave the class out instead");
  static_assert(
      [] {
        for (std::size_t at = 1; at < Classes.size(); ++at) {
          if (Classes[at - 1].bytes >= Classes[at].bytes) return false;
        }
        return true;
      }(),
      "the classes of a nen::frame_pool are written with the narrowest first, each width once");

  static constexpr std::uint64_t sum_of_bytes() noexcept {
    std::uint64_t sum = 0;
    for (const frame_class& c : Classes) sum += std::uint64_t{c.bytes} * c.count;
    return sum;
  }
  static_assert(sum_of_bytes() <= std::uint64_t{1} << 32,
                "the slots of a nen::frame_pool fit into 4 GiB");

  static constexpr std::uint32_t sum_of_slots() noexcept {
    std::uint32_t sum = 0;
    for (const frame_class& c : Classes) sum += c.count;
    return sum;
  }

 public:
  frame_pool() = default;

  /// As frame_source::acquire, without any preparation.
  [[nodiscard]] void* acquire(std::size_t bytes) noexcept { return source().acquire(bytes); }

  /// The pool as coroutines use it.
  [[nodiscard]] detail::frame_source& source() noexcept {
    bind(detail::frame_layout<Classes>.data(), states_, size(), links_, bytes_);
    return *this;
  }

  /// How many classes there are.
  [[nodiscard]] static constexpr std::uint32_t size() noexcept {
    return static_cast<std::uint32_t>(Classes.size());
  }

  using frame_source::in_use;
  /// Slots of one class that are held now, those serving narrower frames included.
  /// @pre  which < size() (asserted)
  [[nodiscard]] std::uint32_t in_use(std::uint32_t which) const noexcept {
    NEN_ASSERT(which < size());
    return states_[which].in_use;
  }
  /// The most slots of one class that were ever held at once.
  /// @pre  which < size() (asserted)
  [[nodiscard]] std::uint32_t high_water(std::uint32_t which) const noexcept {
    NEN_ASSERT(which < size());
    return states_[which].used;
  }

  /// Bytes that hold the slots.
  [[nodiscard]] static constexpr std::size_t slot_bytes() noexcept { return sum_of_bytes(); }
  /// Bytes that hold everything else, alignment included.
  [[nodiscard]] static constexpr std::size_t bookkeeping_bytes() noexcept {
    return sizeof(frame_pool) - slot_bytes();
  }

 private:
  detail::frame_class_state states_[Classes.size()];
  std::uint32_t links_[sum_of_slots()];
  alignas(alignment) std::byte bytes_[sum_of_bytes()];
};

namespace detail {

/// Coroutines that are made on this thread get their frames from a pool while this object lives.
class frames_in_use {
 public:
  template <auto Classes>
  explicit frames_in_use(frame_pool<Classes>& pool) noexcept : outer_(current_frames()) {
    current_frames() = &pool.source();
  }
  frames_in_use(const frames_in_use&) = delete;
  frames_in_use& operator=(const frames_in_use&) = delete;
  ~frames_in_use() {
    current_frames()->open_everything();
    current_frames() = outer_;
  }

 private:
  frame_source* outer_;
};

}  // namespace detail

}  // namespace nen
