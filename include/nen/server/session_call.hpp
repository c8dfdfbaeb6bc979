// server, L3: calls functions of the application's sessions with what happened, and with the states
// that they take behind that.
#pragma once

#include <nen/core/type_list.hpp>

#include <cstddef>
#include <type_traits>
#include <utility>

namespace nen::detail {

/// What a session's function takes and returns.
template <class Function>
struct member_function {
  static constexpr bool is_one = false;
  static constexpr std::size_t count = 0;
  using result = void;
  using parameters = type_list<>;
};
template <class R, class... P>
struct member_function_of {
  static constexpr bool is_one = true;
  static constexpr std::size_t count = sizeof...(P);
  using result = R;
  using parameters = type_list<P...>;
};
template <class R, class S, class... P>
struct member_function<R (S::*)(P...)> : member_function_of<R, P...> {};
template <class R, class S, class... P>
struct member_function<R (S::*)(P...) noexcept> : member_function_of<R, P...> {};
template <class R, class S, class... P>
struct member_function<R (S::*)(P...) const> : member_function_of<R, P...> {};
template <class R, class S, class... P>
struct member_function<R (S::*)(P...) const noexcept> : member_function_of<R, P...> {};

template <class T, class States>
T& state_for_session(const States& states) noexcept {
  static_assert(States::template has<T>,
                "a session's function takes a state that the server does not have: add its type to "
                "nen::server<routes, config, State...> or nen::tcp::server<session, config, "
                "State...>");
  return states.template get<T>();
}

template <class Object, class Function, class... P, class States, class... Given>
decltype(auto) call_with_states(type_list<P...>, Object& object, Function function,
                                [[maybe_unused]] const States& states, Given&&... given) {
  constexpr std::size_t taken = sizeof...(Given);
  // One that takes less was refused with a sentence of its own, and compilers look at it further:
  // a sequence of less than no numbers would cost Clang 14 all memory that there is.
  constexpr std::size_t states_taken = sizeof...(P) < taken ? 0 : sizeof...(P) - taken;
  return [&]<std::size_t... I>(std::index_sequence<I...>)->decltype(auto) {
    return (object.*function)(
        std::forward<Given>(given)...,
        state_for_session<std::remove_cvref_t<typename type_at<taken + I, P...>::type>>(states)...);
  }
  (std::make_index_sequence<states_taken>{});
}

/// @pre  the function takes at least as much as is given
template <class Object, class Function, class States, class... Given>
decltype(auto) call_with_states(Object& object, Function function, const States& states,
                                Given&&... given) {
  return call_with_states(typename member_function<Function>::parameters{}, object, function,
                          states, std::forward<Given>(given)...);
}

}  // namespace nen::detail
