// A hundred routes with a parameter each, /api/resource_00/:id to /api/resource_99/:id, for loads
// that ask what finding one costs among many. Each answers with the parameter.
#pragma once

#include <cstddef>
#include <nen/nen.hpp>
#include <string_view>
#include <utility>

namespace target {

namespace detail {

inline nen::reply item(std::string_view id, nen::response& res) { return res.text(id); }

/// "/resource_42/:id", as a template argument.
template <std::size_t Number>
consteval auto numbered() {
  char text[] = "/resource_00/:id";
  constexpr std::size_t digits = sizeof "/resource_" - 1;
  text[digits] = static_cast<char>('0' + Number / 10);
  text[digits + 1] = static_cast<char>('0' + Number % 10);
  return nen::fixed_string(text);
}

template <class Indices>
struct routes_of;
template <std::size_t... I>
struct routes_of<std::index_sequence<I...>> {
  using type = nen::group<"/api", nen::get<numbered<I>(), item>...>;
};

}  // namespace detail

using hundred_routes = detail::routes_of<std::make_index_sequence<100>>::type;

}  // namespace target
