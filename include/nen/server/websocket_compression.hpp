// server, L3: what a session's compression has to do, and the one that does nothing. The one that
// compresses, server/websocket_deflate.hpp, needs zlib and is included by who uses it.
#pragma once

#include <nen/http/handler.hpp>
#include <nen/ws/handshake.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>

namespace nen::detail {

/// What became of a compressed message.
enum class inflated : std::uint8_t { ok, too_big, invalid };
struct inflated_message {
  inflated is;
  std::size_t size;
};

struct no_contexts {};

/// For servers none of whose sessions names a `compression`.
struct no_compression {
  struct peer {};
  static constexpr bool exists = false;
  static constexpr std::size_t least_bytes = 0;
};

template <class Session>
struct compression_of {
  using type = no_compression;
};
template <class Session>
requires requires { typename Session::compression; }
struct compression_of<Session> {
  using type = typename Session::compression;
};

/// The compression of a server's sessions: those that have one have the same.
template <class... Session>
struct common_compression {
  using type = no_compression;
};
template <class First, class... Others>
struct common_compression<First, Others...> {
  using own = typename compression_of<First>::type;
  using rest = typename common_compression<Others...>::type;
  static_assert(!own::exists || !rest::exists || std::is_same_v<own, rest>,
                "the WebSocket sessions of one server have one compression: give them the same "
                "nen::ws::deflate<...>");
  using type = std::conditional_t<own::exists, own, rest>;
};

}  // namespace nen::detail
