// server, L3: the functions of raw TCP sessions: which there are, and what is wrong with them.
#pragma once

#include <nen/core/type_list.hpp>
#include <nen/server/close_reason.hpp>
#include <nen/server/session_call.hpp>
#include <nen/server/tcp_peer.hpp>

#include <cstddef>
#include <span>
#include <string_view>
#include <type_traits>

namespace nen {

namespace detail {

/// A class that can be looked into for a name beside another class's.
struct no_session {};
template <class Session>
using session_to_search = std::conditional_t<std::is_final_v<Session>, no_session, Session>;

// For a function's name: NAME_in<Session>::is_there, if the class has anything of that name, be it
// private or overloaded; ::is_usable, if its address can be taken; ::get(), that address.
#define NEN_TCP_FUNCTION(name)                                           \
  template <class Session>                                               \
  struct name##_in {                                                     \
    struct other {                                                       \
      int name;                                                          \
    };                                                                   \
    struct both : session_to_search<Session>, other {};                  \
    static constexpr bool is_usable = requires { &Session::name; };      \
    static constexpr bool is_unique = requires { &both::name; };         \
    static constexpr bool is_there = is_usable || !is_unique;            \
    static constexpr auto get() noexcept {                               \
      if constexpr (is_usable) return &Session::name;                    \
    }                                                                    \
    using function = member_function<decltype(get())>;                   \
    static constexpr bool is_right_kind = !is_there || function::is_one; \
  };
NEN_TCP_FUNCTION(on_open)
NEN_TCP_FUNCTION(on_data)
NEN_TCP_FUNCTION(on_writable)
NEN_TCP_FUNCTION(on_end)
NEN_TCP_FUNCTION(on_timeout)
NEN_TCP_FUNCTION(on_drain)
NEN_TCP_FUNCTION(on_close)
#undef NEN_TCP_FUNCTION

template <class Parameters>
inline constexpr bool is_peer_first = false;
template <class... States>
inline constexpr bool is_peer_first<type_list<tcp::peer&, States...>> =
    (std::is_lvalue_reference_v<States> && ...);

template <class T>
inline constexpr bool is_received =
    std::is_same_v<T, std::span<const std::byte>> || std::is_same_v<T, std::string_view>;
template <class Parameters>
inline constexpr bool is_peer_and_bytes = false;
template <class Bytes, class... States>
inline constexpr bool is_peer_and_bytes<type_list<tcp::peer&, Bytes, States...>> =
    is_received<Bytes> && (std::is_lvalue_reference_v<States> && ...);

template <class Parameters>
inline constexpr bool is_peer_and_reason = false;
template <class... States>
inline constexpr bool is_peer_and_reason<type_list<tcp::peer&, tcp::close_reason, States...>> =
    (std::is_lvalue_reference_v<States> && ...);

/// A function that is not there, or takes the peer and nothing that happened.
template <class Name>
inline constexpr bool is_plain =
    !Name::is_there || (std::is_void_v<typename Name::function::result> &&
                        is_peer_first<typename Name::function::parameters>);

/// What tcp::server wants of a session.
template <class Session>
struct tcp_session_rules {
  using data = on_data_in<Session>;
  using end = on_close_in<Session>;

  static constexpr bool can_be_made = std::is_default_constructible_v<Session>;
  static constexpr bool has_common_alignment = alignof(Session) <= alignof(std::max_align_t);
  static constexpr bool has_data = data::is_there;
  static constexpr bool has_right_kinds =
      data::is_right_kind && on_open_in<Session>::is_right_kind &&
      on_writable_in<Session>::is_right_kind && on_end_in<Session>::is_right_kind &&
      on_timeout_in<Session>::is_right_kind && on_drain_in<Session>::is_right_kind &&
      end::is_right_kind;
  static constexpr bool takes_bytes =
      !has_right_kinds || !has_data ||
      (is_peer_and_bytes<typename data::function::parameters> &&
       (std::is_void_v<typename data::function::result> ||
        std::is_same_v<typename data::function::result, std::size_t>));
  static constexpr bool takes_reason = !has_right_kinds || !end::is_there ||
                                       (is_peer_and_reason<typename end::function::parameters> &&
                                        std::is_void_v<typename end::function::result>);
  static constexpr bool takes_peer =
      !has_right_kinds || (is_plain<on_open_in<Session>> && is_plain<on_writable_in<Session>> &&
                           is_plain<on_end_in<Session>> && is_plain<on_timeout_in<Session>> &&
                           is_plain<on_drain_in<Session>>);
  static constexpr bool all = can_be_made && has_common_alignment && has_data && has_right_kinds &&
                              takes_bytes && takes_reason && takes_peer;
};

/// The same with a sentence for each.
template <class Session>
struct check_tcp_session {
  using rules = tcp_session_rules<Session>;
  static_assert(rules::can_be_made,
                "a TCP session is made without arguments: give it a default constructor and take "
                "what it needs in on_open");
  static_assert(rules::has_common_alignment,
                "a TCP session cannot ask for more alignment than std::max_align_t");
  static_assert(rules::has_data,
                "a TCP session needs on_data: write std::size_t on_data(nen::tcp::peer&, "
                "std::span<const std::byte>), which returns how many bytes it used, or let it "
                "return nothing if it always uses all");
  static_assert(rules::has_right_kinds,
                "a TCP session's functions have to be public, and must not be static, overloaded "
                "or templates");
  static_assert(rules::takes_bytes,
                "a TCP session's on_data takes nen::tcp::peer& and std::span<const std::byte> or "
                "std::string_view, behind them any State&, and returns std::size_t or nothing");
  static_assert(rules::takes_peer,
                "a TCP session's on_open, on_writable, on_end, on_timeout and on_drain take "
                "nen::tcp::peer&, behind it any State&, and return nothing");
  static_assert(rules::takes_reason,
                "a TCP session's on_close takes nen::tcp::peer& and nen::tcp::close_reason, behind "
                "them any State&, and returns nothing");
  static constexpr bool done = rules::all;
};

}  // namespace detail

namespace tcp {

/// What tcp::server can run. That a function's name is misspelt can't be told: such a function is
/// never called.
template <class T>
concept session = std::is_class_v<T> && nen::detail::tcp_session_rules<T>::all;

}  // namespace tcp

}  // namespace nen
