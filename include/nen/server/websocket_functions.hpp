// server, L3: the functions of sessions' objects, without their types.
#pragma once

#include <nen/core/smallest.hpp>
#include <nen/core/type_list.hpp>
#include <nen/server/session_call.hpp>
#include <nen/server/websocket.hpp>
#include <nen/server/websocket_compression.hpp>
#include <nen/server/websocket_task.hpp>

#include <cstddef>
#include <string_view>
#include <type_traits>
#include <utility>

namespace nen::detail {

/// What a session's object can be asked for. States are a pointer to the server's state_refs.
struct websocket_functions {
  void (*on_message)(void* object, ws::peer&, const ws::message&, const void* states);
  void (*on_fragment)(void* object, ws::peer&, const ws::fragment&, const void* states);
  void (*on_drain)(void* object, ws::peer&, const void* states);
  void (*on_close)(void* object, ws::peer&, ws::close_code, std::string_view, const void* states);
  void (*destroy)(void* object);
  /// True while nobody waits for a message; null where the session is no coroutine.
  bool (*is_busy)(void* object) noexcept;
};

/// Calls a session's function with what it is given and the states that it takes behind that. Why
/// one cannot be called was said by check_session.
template <class Object, class Function, class States, class... Given>
void call_websocket(Object& object, Function function, const States& states, Given&&... given) {
  if constexpr (is_session_function<Function, Given&&...>) {
    call_with_states(object, function, states, std::forward<Given>(given)...);
  } else {
    (void)object, (void)function, (void)states, ((void)given, ...);
  }
}

template <class Session, class States>
struct websocket_code {
  static Session& object_of(void* memory) noexcept { return *static_cast<Session*>(memory); }
  static const States& states_of(const void* states) noexcept {
    return *static_cast<const States*>(states);
  }

  static constexpr bool gathers = !has_on_fragment<Session>;

  static void on_message(void* object, ws::peer& me, const ws::message& m, const void* states) {
    if constexpr (has_on_message<Session>) {
      call_websocket(object_of(object), &Session::on_message, states_of(states), me, m);
    } else {
      (void)object, (void)me, (void)m, (void)states;
    }
  }
  static void on_fragment(void* object, ws::peer& me, const ws::fragment& f, const void* states) {
    if constexpr (has_on_fragment<Session>) {
      call_websocket(object_of(object), &Session::on_fragment, states_of(states), me, f);
    } else {
      (void)object, (void)me, (void)f, (void)states;
    }
  }
  static void on_drain(void* object, ws::peer& me, const void* states) {
    if constexpr (has_on_drain<Session>) {
      call_websocket(object_of(object), &Session::on_drain, states_of(states), me);
    } else {
      (void)object, (void)me, (void)states;
    }
  }
  static void on_close(void* object, ws::peer& me, ws::close_code code, std::string_view reason,
                       const void* states) {
    if constexpr (has_on_close<Session>) {
      call_websocket(object_of(object), &Session::on_close, states_of(states), me, code, reason);
    } else {
      (void)object, (void)me, (void)code, (void)reason, (void)states;
    }
  }
  static void destroy(void* object) { object_of(object).~Session(); }

  static constexpr websocket_functions functions = {
      on_message, gathers ? nullptr : on_fragment, on_drain, on_close, destroy, nullptr};
};

/// The same for a session that is a coroutine.
template <class Session, class States>
requires has_on_run<Session>
struct websocket_code<Session, States> {
  static websocket_run<Session>& object_of(void* memory) noexcept {
    return *static_cast<websocket_run<Session>*>(memory);
  }
  static constexpr websocket_functions functions = {
      [](void* object, ws::peer&, const ws::message& m, const void*) {
        object_of(object).on_message(m);
      },
      nullptr,
      [](void* object, ws::peer&, const void*) { object_of(object).on_drain(); },
      [](void* object, ws::peer&, ws::close_code code, std::string_view, const void*) {
        object_of(object).on_close(code);
      },
      [](void* object) { object_of(object).~websocket_run<Session>(); },
      [](void* object) noexcept { return object_of(object).is_busy(); }};
};

/// The sessions of a router.
template <class Sessions, class States>
struct websocket_sessions;

template <class... Session, class States>
struct websocket_sessions<type_list<Session...>, States> {
  static_assert((std::is_default_constructible_v<Session> && ...),
                "a WebSocket session is made without arguments: give it a default constructor and "
                "take what it needs in on_open");
  static_assert(((alignof(websocket_object<Session>) <= alignof(std::max_align_t)) && ...),
                "a WebSocket session cannot ask for more alignment than std::max_align_t");

  using compression = typename common_compression<Session...>::type;
  static constexpr std::size_t object_bytes_max =
      largest(std::size_t{1}, sizeof(websocket_object<Session>)...);
  static constexpr bool has_coroutine = (has_on_run<Session> || ...);

  static const websocket_functions* functions_of(const websocket_type& type) noexcept {
    const websocket_functions* found = nullptr;
    (void)((&type == &websocket_type_of<Session>
                ? (found = &websocket_code<Session, States>::functions, true)
                : false) ||
           ...);
    return found;
  }
};

}  // namespace nen::detail
