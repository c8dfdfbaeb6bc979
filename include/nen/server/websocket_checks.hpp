// server, L3: what the compiler says about a WebSocket session's functions before it tries to call
// them: one plain sentence for each mistake.
#pragma once

#include <nen/http/handler.hpp>
#include <nen/server/session_call.hpp>
#include <nen/server/websocket_peer.hpp>

#include <cstddef>
#include <string_view>
#include <type_traits>

namespace nen::ws {
class channel;
class decision;
}  // namespace nen::ws

namespace nen::detail {

/// Whether a function takes Given... and, behind them, whatever else.
template <class List, class... Given>
struct begins_with;
template <class... P>
struct begins_with<type_list<P...>> : std::true_type {};
template <class Given, class... More>
struct begins_with<type_list<>, Given, More...> : std::false_type {};
template <class First, class... P, class Given, class... More>
struct begins_with<type_list<First, P...>, Given, More...>
    : std::bool_constant<std::is_convertible_v<Given, First> &&
                         begins_with<type_list<P...>, More...>::value> {};

/// Names that a session may have once. A class with them is a second base beside the session: what
/// both have, whatever it is there, has no address.
struct session_names {
  void on_open();
  void on_message();
  void on_fragment();
  void on_drain();
  void on_close();
  void on_upgrade();
  void on_run();
};
template <class Session>
struct with_session_names : Session, session_names {};

/// For each name: whether a session has something of it, and whether that can be called by it.
#define NEN_SESSION_NAME(name)          \
  template <class Session>              \
  concept names_##name = !requires {    \
    &with_session_names<Session>::name; \
  };                                    \
  template <class Session>              \
  concept has_##name = requires {       \
    &Session::name;                     \
  }
NEN_SESSION_NAME(on_open);
NEN_SESSION_NAME(on_message);
NEN_SESSION_NAME(on_fragment);
NEN_SESSION_NAME(on_drain);
NEN_SESSION_NAME(on_close);
NEN_SESSION_NAME(on_upgrade);
NEN_SESSION_NAME(on_run);
#undef NEN_SESSION_NAME

/// Whether it can be called on the object with Given... and the server's states.
template <class Function, class... Given>
inline constexpr bool is_session_function = false;
template <class Function, class... Given>
requires member_function<Function>::is_one inline constexpr bool
    is_session_function<Function, Given...> =
        begins_with<typename member_function<Function>::parameters, Given...>::value;

/// One function of a session's.
/// @tparam Function  a pointer to it
template <class Session, class Function, class... Given>
struct check_session_function {
  static_assert(member_function<Function>::is_one,
                "a WebSocket session's functions are called on the object that each WebSocket has: "
                "they are not static, and nothing but const and noexcept stands behind them");
};
template <class Session, class Function, class... Given>
requires member_function<Function>::is_one struct check_session_function<Session, Function,
                                                                         Given...> {
  static_assert(std::is_void_v<typename member_function<Function>::result>,
                "a WebSocket session's functions return nothing: make them void");
  static_assert(is_session_function<Function, Given...>,
                "a WebSocket session's functions take the peer and what comes: on_open(peer&), "
                "on_message(peer&, message), on_fragment(peer&, fragment), on_drain(peer&), "
                "on_close(peer&, close_code, std::string_view)");
};

/// The coroutine that a session is, if it is one.
template <class Function>
inline constexpr bool is_on_run = false;
template <class Session, class... State>
inline constexpr bool is_on_run<task<void> (Session::*)(ws::channel&, context&, State&...)> = true;

template <class Session>
consteval bool check_session_coroutine() {
  static_assert(!names_on_open<Session> && !names_on_message<Session> &&
                    !names_on_fragment<Session> && !names_on_drain<Session> &&
                    !names_on_close<Session>,
                "a WebSocket session with on_run hears everything there: remove its other "
                "functions, but for on_upgrade");
  constexpr bool is_right = [] {
    if constexpr (has_on_run<Session>) return is_on_run<decltype(&Session::on_run)>;
    return false;
  }();
  static_assert(is_right,
                "a WebSocket session's on_run is a coroutine: write nen::task<> "
                "on_run(nen::ws::channel& me, nen::context& ctx), behind that any State&");
  return is_right;
}

/// The one function that is asked before there is an object.
template <class Session, class Function>
struct check_on_upgrade {
  static_assert(std::is_invocable_r_v<ws::decision, Function, const request&, response&>,
                "on_upgrade is asked before there is a session's object: write static "
                "nen::ws::decision on_upgrade(const nen::request&, nen::response&)");
};

template <class Session>
consteval bool check_session_functions() {
  constexpr bool each_can_be_called = [] {
    if (names_on_open<Session> && !has_on_open<Session>) return false;
    if (names_on_message<Session> && !has_on_message<Session>) return false;
    if (names_on_fragment<Session> && !has_on_fragment<Session>) return false;
    if (names_on_drain<Session> && !has_on_drain<Session>) return false;
    if (names_on_close<Session> && !has_on_close<Session>) return false;
    return !names_on_upgrade<Session> || has_on_upgrade<Session>;
  }();
  static_assert(each_can_be_called,
                "each of a WebSocket session's functions (on_open, on_message, on_fragment, "
                "on_drain, on_close, on_upgrade) is public, there once and no template: nen knows "
                "it by its name alone");
  static_assert(!names_on_message<Session> || !names_on_fragment<Session>,
                "a WebSocket session takes whole messages (on_message) or their parts "
                "(on_fragment), not both: remove one of them");
  using session = Session;
  if constexpr (has_on_upgrade<session>)
    (void)sizeof(check_on_upgrade<session, decltype(&session::on_upgrade)>);
  if constexpr (names_on_run<session>) return check_session_coroutine<session>();
  static_assert(names_on_run<Session> || names_on_message<Session> || names_on_fragment<Session>,
                "a WebSocket session hears nothing: write void on_message(nen::ws::peer& me, "
                "nen::ws::message m), or on_fragment");
  if constexpr (has_on_open<session>)
    (void)sizeof(check_session_function<session, decltype(&session::on_open), ws::peer&>);
  if constexpr (has_on_message<session>)
    (void)sizeof(check_session_function<session, decltype(&session::on_message), ws::peer&,
                                        const ws::message&>);
  if constexpr (has_on_fragment<session>)
    (void)sizeof(check_session_function<session, decltype(&session::on_fragment), ws::peer&,
                                        const ws::fragment&>);
  if constexpr (has_on_drain<session>)
    (void)sizeof(check_session_function<session, decltype(&session::on_drain), ws::peer&>);
  if constexpr (has_on_close<session>)
    (void)sizeof(check_session_function<session, decltype(&session::on_close), ws::peer&,
                                        ws::close_code, std::string_view>);
  return true;
}

/// A session's class.
template <class Session>
struct check_session {
  using done = void;
  static_assert(std::is_class_v<Session> && !std::is_final_v<Session>,
                "a WebSocket session is a struct or a class, and not final");
};
template <class Session>
requires(std::is_class_v<Session> && !std::is_final_v<Session>) struct check_session<Session> {
  using done = void;
  static constexpr bool is_checked = check_session_functions<Session>();
  static_assert(is_checked);
};

}  // namespace nen::detail
