// server, L3: the HTTP server that applications make out of routes, sizes and state.
#pragma once

#include <nen/config.hpp>
#include <nen/http/router.hpp>
#include <nen/io/uring.hpp>
#include <nen/server/async_session.hpp>
#include <nen/server/memory_bill.hpp>
#include <nen/server/session_for.hpp>
#include <nen/server/shard_server.hpp>

#include <cstddef>

namespace nen {

namespace detail {

/// What a server with routes speaks.
template <class Routes, config Config, class... State>
struct http_protocol {
  static_assert(Config.head_slots >= 1 && Config.body_slots >= 1 && Config.streams >= 1,
                "config::head_slots, config::body_slots and config::streams must be at least 1");

  using session = session_for<Routes, Config, State...>;

  /// What would make every answer malformed is refused at start-up.
  static result<void> check(const listen_options& options) noexcept {
    if (!is_field_value(options.server_name) ||
        options.server_name.size() > common_lines::server_name_bytes_max)
      return make_error(EINVAL,
                        "cannot use this server_name: it has to be at most %zu visible characters",
                        common_lines::server_name_bytes_max);
    return {};
  }

  static constexpr void list_memory(memory_items& items, std::size_t shards) noexcept {
    items.add("head slots", shards * Config.head_slots, Config.head_bytes_max);
    items.add("body slots", shards * Config.body_slots, Config.body_bytes_max);
    items.add("streams", shards * Config.streams, sizeof(stream_slot));
    if constexpr (session::measures)
      items.add("route figures", shards * (Routes::route_count + 1), sizeof(route_metrics));
    if constexpr (Routes::has_coroutine) {
      items.add("coroutine handlers", shards * Config.tasks, sizeof(http_task<Config>));
      list_coroutine_memory<Config>(items, shards);
    }
    if constexpr (session::websocket_bytes != 0) {
      items.add("WebSockets", shards * Config.websockets, session::websocket_bytes);
      items.add("WebSocket messages", shards * Config.ws_message_slots, session::message_bytes);
      items.add("broadcast frames", shards * Config.ws_broadcast_slots,
                Config.ws_broadcast_bytes_max);
      items.add("send views", shards * Config.ws_views, sizeof(send_view));
    }
  }
};

}  // namespace detail

/// An HTTP/1.1 server with a given ring; applications use nen::server.
template <template <ring_sizes> class Ring, class Routes, config Config, class... State>
using basic_server =
    shard_server<Ring, detail::http_protocol<Routes, Config, State...>, Config, State...>;

/// An HTTP/1.1 server on the kernel's io_uring.
/// @tparam Routes  a nen::router
/// @tparam Config  the sizes of everything
/// @tparam State   types of which the server has one object each, for handlers that ask for them
template <class Routes, config Config = config{}, class... State>
class server : public basic_server<uring, Routes, Config, State...> {};

}  // namespace nen
