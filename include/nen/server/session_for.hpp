// server, L3: which session a server with certain routes has: only what they need is in it.
#pragma once

#include <nen/config.hpp>
#include <nen/server/built_in_states.hpp>
#include <nen/server/http_session.hpp>

#include <type_traits>

namespace nen {

/// HTTP, and WebSockets behind it: server/web_session.hpp, which nen.hpp includes.
template <class Routes, config Config, class... State>
class web_session;

/// What coroutines need beside it: server/async_session.hpp, which nen.hpp includes.
template <class Inner, config Config>
class async_session;

namespace detail {

template <class Inner, config Config, bool HasCoroutine>
struct with_coroutines {
  using type = Inner;
};
template <class Inner, config Config>
struct with_coroutines<Inner, Config, true> {
  using type = async_session<Inner, Config>;
};

template <class Routes, config Config, class BuiltIn, class... State>
struct session_with;
template <class Routes, config Config, class... BuiltIn, class... State>
struct session_with<Routes, Config, type_list<BuiltIn...>, State...>
    : with_coroutines<std::conditional_t<Routes::has_websocket,
                                         web_session<Routes, Config, State..., BuiltIn...>,
                                         http_session<Routes, Config, State..., BuiltIn...>>,
                      Config, Routes::has_coroutine> {};

}  // namespace detail

/// The session of a server with these routes. Without nen::websocket among them there is no trace
/// of WebSockets, and without a coroutine none of what these need. What is built in and taken by a
/// handler is a state as the application's are.
template <class Routes, config Config, class... State>
using session_for =
    typename detail::session_with<Routes, Config, detail::built_in_states<Routes>, State...>::type;

}  // namespace nen
