// client, L3: from a name to the addresses that it stands for. What can be told without asking
// anybody is told here; who asks a server is a function table of somebody else.
#pragma once

#include <nen/core/assert.hpp>
#include <nen/io/context.hpp>
#include <nen/io/task.hpp>
#include <nen/net/address.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace nen {

/// What a name stands for: the address to be tried first comes first.
class resolved {
 public:
  static constexpr std::size_t count_max = 8;

  /// @returns  false when it is full: what would come later is not needed
  bool add(const endpoint& address) noexcept {
    if (count_ == count_max) return false;
    addresses_[count_++] = address;
    return true;
  }
  void clear() noexcept { count_ = 0; }
  [[nodiscard]] std::size_t size() const noexcept { return count_; }
  [[nodiscard]] bool empty() const noexcept { return count_ == 0; }
  /// @pre  at < size() (asserted)
  [[nodiscard]] const endpoint& operator[](std::size_t at) const noexcept {
    NEN_ASSERT(at < count_);
    return addresses_[at];
  }

 private:
  std::array<endpoint, count_max> addresses_;
  std::size_t count_ = 0;
};

/// How asking for a name ended.
enum class resolve_outcome : std::uint8_t {
  ok,          ///< there is at least one address
  unknown,     ///< the name has none
  timed_out,   ///< nobody answered in time
  overloaded,  ///< it could not be asked just now
};

/// Who knows addresses. It outlives every shard that asks it.
struct resolver {
  /// Awaited, it finds a name's addresses. It may be destroyed where it waits: when the time is
  /// over, and when nobody needs them any more.
  /// @param name        without a port; valid until it has ended
  /// @param port        is put into each endpoint
  /// @param timeout_ms  0: no limit
  /// @param into        empty at first
  using function = task<resolve_outcome> (*)(void* state, context&, std::string_view name,
                                             std::uint16_t port, std::uint32_t timeout_ms,
                                             resolved& into);
  function resolve = nullptr;
  void* state = nullptr;
};

namespace detail {

/// An address as a URL has it, and "localhost", need nobody who knows more.
/// @param host  an IPv6 address may have brackets
inline bool resolve_numeric(std::string_view host, std::uint16_t port, resolved& into) noexcept {
  const auto address = endpoint::parse(host, port);
  return address.has_value() && into.add(*address);
}

}  // namespace detail

}  // namespace nen
