// core, L0: the objects that a server shares with handlers and sessions, found by their type.
#pragma once

#include <type_traits>

namespace nen {

namespace detail {

template <class T>
struct state_ref {
  T* object;
};

}  // namespace detail

/// The objects that a server shares with its handlers, found by their type.
template <class... State>
class state_refs : detail::state_ref<State>... {
 public:
  /// Refers to nothing yet, so that it can be a part of what lies in .bss.
  state_refs() = default;
  constexpr state_refs(State&... objects) noexcept requires(sizeof...(State) > 0)
      : detail::state_ref<State>{&objects}... {}

  template <class T>
  static constexpr bool has = (std::is_same_v<T, State> || ...);

  /// @pre has<T>
  template <class T>
  [[nodiscard]] constexpr T& get() const noexcept {
    return *static_cast<const detail::state_ref<T>&>(*this).object;
  }
};

}  // namespace nen
