// The smallest and the largest of some numbers: all that is wanted of <algorithm>, which every user
// would wait for. core, L0
#pragma once

namespace nen::detail {

template <class T>
constexpr T smallest(T a, T b) noexcept {
  return b < a ? b : a;
}

template <class T, class... More>
constexpr T largest(T first, More... more) noexcept {
  ((first = first < more ? more : first), ...);
  return first;
}

}  // namespace nen::detail
