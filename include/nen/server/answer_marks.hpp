// server, L3: marks in what is to be sent, where answers end: they tell when an answer has been
// handed to the kernel.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace nen::detail {

/// One or more answers of a route to requests that were read at the same time, in a send slot.
struct answer_mark {
  std::uint64_t began_ns;
  std::uint32_t answers;
  std::uint32_t end;    // of the last one, in bytes of the slot
  std::uint32_t route;  // route + 1; 0: none
};

/// The marks of one send slot.
template <std::uint32_t Max>
struct answer_marks {
  std::uint32_t count;
  std::uint32_t first;  // those before it are through
  std::array<answer_mark, Max> each;

  void clear() noexcept { count = first = 0; }

  /// @returns  false when there is no place for another mark
  bool add(std::uint32_t route, std::uint64_t began_ns, std::uint32_t end) noexcept {
    if (count != first) {
      answer_mark& last = each[count - 1];
      if (last.route == route && last.began_ns == began_ns) {
        ++last.answers;
        last.end = end;
        return true;
      }
    }
    if (count == Max) return false;
    each[count++] = {began_ns, 1, end, route};
    return true;
  }

  /// Hands out those that end at `position` or before.
  template <class F>
  void take_until(std::size_t position, F f) noexcept {
    while (first != count && each[first].end <= position) f(each[first++]);
  }
};
template <>
struct answer_marks<0> {
  void clear() noexcept {}
};

}  // namespace nen::detail
