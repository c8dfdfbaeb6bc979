// core, L0: a list of types that costs nothing to name, and the one at a place in it.
#pragma once

#include <cstddef>

namespace nen::detail {

template <class...>
struct type_list {};

template <std::size_t Index, class... T>
struct type_at;
template <std::size_t Index, class First, class... Others>
struct type_at<Index, First, Others...> : type_at<Index - 1, Others...> {};
template <class First, class... Others>
struct type_at<0, First, Others...> {
  using type = First;
};

}  // namespace nen::detail
