// server, L3: the session of a server with WebSockets: HTTP until a connection is upgraded.
#pragma once

#include <nen/server/http_session.hpp>
#include <nen/server/ws_session.hpp>

#include <cstdint>
#include <span>

namespace nen {

template <class Routes, config Config, class... State>
class web_session {
  using http_session = nen::http_session<Routes, Config, State...>;
  using ws_session = nen::ws_session<Routes, Config, State...>;

 public:
  using state_references = state_refs<State...>;
  static constexpr std::uint32_t send_views = Config.ws_views;
  static constexpr std::uint32_t outgoing = 0;
  static constexpr std::size_t websocket_bytes = ws_session::websocket_bytes;
  static constexpr std::size_t message_bytes = ws_session::message_bytes;

  struct connection_state : http_session::connection_state {
    std::uint32_t websocket;  ///< slot + 1; 0 exactly as long as it speaks HTTP
  };

  template <class Shard>
  void bind(Shard& shard) noexcept {
    http_.bind(shard);
    ws_.bind(shard);
    http_.set_websockets(&ws_.host());
  }
  void start(const listen_options& options, state_refs<State...> states) noexcept {
    http_.start(options, states);
    ws_.start(options, states);
  }

  template <class Peer>
  void on_open(Peer& p) noexcept {
    http_.on_open(p);
  }
  template <class Peer>
  std::size_t on_data(Peer& p, std::span<char> bytes) {
    std::size_t used = 0;
    if (!is_upgraded(p)) {
      used = http_.on_data(p, bytes);
      ws_.end_handshake();
    }
    if (is_upgraded(p) && !p.closing()) used += ws_.on_data(p, bytes.subspan(used));
    return used;
  }
  template <class Peer>
  void on_end(Peer& p) {
    is_upgraded(p) ? ws_.on_end(p) : http_.on_end(p);
  }
  template <class Peer>
  void on_timeout(Peer& p, timeout_kind kind) {
    is_upgraded(p) ? ws_.on_timeout(p, kind) : http_.on_timeout(p, kind);
  }
  template <class Peer>
  void on_shed(Peer& p) noexcept {
    http_.on_shed(p);
  }
  template <class Peer>
  void on_close(Peer& p) {
    if (is_upgraded(p)) ws_.on_close(p);
    http_.on_close(p);
  }
  template <class Peer>
  void on_room(Peer& p) {
    is_upgraded(p) ? ws_.on_room(p) : http_.on_room(p);
  }
  template <class Peer>
  void on_drain(Peer& p) {
    is_upgraded(p) ? ws_.on_drain(p) : http_.on_drain(p);
  }

  void on_mail() { ws_.on_mail(); }

  void set_context(nen::context* context) noexcept requires(Routes::has_coroutine) {
    http_.set_context(context);
    ws_.set_context(context);
  }
  template <class Shard>
  static detail::http_exchange& exchange_of(detail::task_owner& owner) noexcept {
    return http_session::template exchange_of<Shard>(owner);
  }
  const auto& tasks() const noexcept requires(Routes::has_coroutine) { return http_.tasks(); }

  static constexpr bool measures = http_session::measures;
  static constexpr std::span<const route_info> routes = http_session::routes;
  void answers_sent(const detail::answer_mark& mark, std::uint64_t now_ns) noexcept
      requires(measures) {
    http_.answers_sent(mark, now_ns);
  }
  const route_metrics& route_figures(std::uint32_t which) const noexcept requires(measures) {
    return http_.route_figures(which);
  }
  const auto& states() const noexcept requires(measures) { return http_.states(); }
  void show_pools(function_ref<void(const pool_figures&)> show) const {
    http_.show_pools(show);
    detail::show_pool(show, "WebSockets", ws_.websockets());
    detail::show_pool(show, "WebSocket messages", ws_.messages());
    detail::show_pool(show, "broadcast frames", ws_.shared_frames());
  }

  const auto& head_slots() const noexcept { return http_.head_slots(); }
  const auto& body_slots() const noexcept { return http_.body_slots(); }
  const auto& stream_slots() const noexcept { return http_.stream_slots(); }
  const auto& websockets() const noexcept { return ws_.websockets(); }
  const auto& messages() const noexcept { return ws_.messages(); }
  const auto& shared_frames() const noexcept { return ws_.shared_frames(); }
  const auto& control_rooms() const noexcept { return ws_.control_rooms(); }

 private:
  template <class Peer>
  static bool is_upgraded(Peer& p) noexcept {
    return p.state().websocket != 0;
  }

  http_session http_;
  ws_session ws_;
};

}  // namespace nen
