// io, L2: what a ring is asked for and what it answers. Nothing above io/ sees a type of the
// kernel's.
#pragma once

#include <nen/core/assert.hpp>

#include <cstdint>

namespace nen {

/// What an outstanding operation is, kept in its token.
enum class operation : std::uint8_t {
  none,
  accept,
  receive,
  send,
  shutdown,
  end,
  cancel,
  close,
  wake,
  connect,
  poll,
  disconnect,
  write,
};

/// Names one operation of one owner: operation (8 bits), generation (24), slot (32). A slot's next
/// owner has another generation, so a late completion can't be taken for his.
struct token {
  static constexpr std::uint32_t generation_mask = 0xff'ffff;

  std::uint64_t value = 0;

  constexpr token() noexcept = default;
  constexpr explicit token(std::uint64_t raw) noexcept : value(raw) {}
  constexpr token(nen::operation what, std::uint32_t generation, std::uint32_t slot) noexcept
      : value(static_cast<std::uint64_t>(what) << 56 |
              static_cast<std::uint64_t>(generation & generation_mask) << 32 | slot) {}

  constexpr nen::operation operation() const noexcept {
    return static_cast<nen::operation>(value >> 56);
  }
  constexpr std::uint32_t generation() const noexcept {
    return static_cast<std::uint32_t>(value >> 32) & generation_mask;
  }
  constexpr std::uint32_t slot() const noexcept { return static_cast<std::uint32_t>(value); }

  friend constexpr bool operator==(token, token) noexcept = default;
};

/// One operation's end.
struct completion {
  static constexpr std::uint16_t no_lease = 0xffff;

  nen::token token;
  std::int32_t result = 0;         ///< bytes, or a negated errno
  std::uint16_t lease = no_lease;  ///< receive: the buffer that holds the bytes, to be given back
  bool more = false;               ///< receive: the operation goes on, another completion will come
};

}  // namespace nen
