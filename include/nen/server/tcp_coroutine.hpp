// server, L3: raw TCP served by one coroutine for each connection: nen::tcp::coroutine<serve>.
#pragma once

#include <nen/config.hpp>
#include <nen/core/assert.hpp>
#include <nen/core/state_refs.hpp>
#include <nen/core/type_list.hpp>
#include <nen/http/handler.hpp>
#include <nen/io/context.hpp>
#include <nen/io/stream.hpp>
#include <nen/io/task.hpp>
#include <nen/server/async_session.hpp>
#include <nen/server/close_reason.hpp>
#include <nen/server/connection.hpp>
#include <nen/server/session_call.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <utility>

namespace nen {

namespace tcp {

/// The session of a server whose connections are a coroutine each:
/// nen::tcp::server<nen::tcp::coroutine<serve>>.
///
///   nen::task<> serve(nen::context& ctx, nen::tcp::stream peer, State&...)
///
/// When it lets go of the stream, at its end at the latest, the connection is closed once all is
/// sent. A peer that leaves is told by the outcome of reads and writes. When the server stops,
/// reads that would wait end with outcome::closed; coroutines that outlive the last connection are
/// destroyed where they wait. An exception that leaves one is said (listen_options::on_exception).
/// Times are the coroutine's: read(timeout_ms). Where memory for one more is missing, the
/// connection is closed and counted (spawned_tasks_empty, task_frames_empty).
template <auto Serve>
struct coroutine {};

}  // namespace tcp

namespace detail {

template <class Parameters>
inline constexpr bool is_served_by = false;
template <class... State>
inline constexpr bool is_served_by<type_list<context&, tcp::stream, State&...>> = true;

template <auto Serve>
consteval bool check_coroutine() {
  constexpr bool is_right = [] {
    using function = std::remove_const_t<decltype(Serve)>;
    if constexpr (has_signature<function>)
      return std::is_same_v<typename signature<function>::result, task<void>> &&
             is_served_by<typename signature<function>::parameters>;
    return false;
  }();
  static_assert(is_right,
                "nen::tcp::coroutine is made of nen::task<> serve(nen::context& ctx, "
                "nen::tcp::stream peer), behind that any State&");
  return is_right;
}

/// The clients' side of it; their streams are async_session's affair.
template <auto Serve, config Config, std::uint32_t Places, class... State>
class tcp_coroutine_session {
  static_assert(check_coroutine<Serve>());

 public:
  using state_references = state_refs<State...>;
  static constexpr std::uint32_t send_views = 0;
  static constexpr bool reads_to_the_end = true;
  static constexpr std::uint32_t incoming_streams = Places;
  static constexpr std::size_t websocket_bytes = 0;
  static constexpr std::size_t message_bytes = 0;

  struct connection_state {};

  template <class Shard>
  void bind(Shard&) noexcept {}
  void start(const listen_options&, state_refs<State...> states) noexcept { states_ = states; }
  void set_context(context* ctx) noexcept { context_ = ctx; }

  /// A connection has come.
  task<void> serve(tcp::stream&& peer) {
    using function = std::remove_const_t<decltype(Serve)>;
    return call(typename signature<function>::parameters{}, std::move(peer));
  }

  // A connection that no stream was left for.
  template <class Peer>
  void on_open(Peer& p) noexcept {
    p.close(tcp::close_reason::shed);
  }
  template <class Peer>
  std::size_t on_data(Peer&, std::span<char> bytes) noexcept {
    return bytes.size();
  }
  template <class Peer>
  void on_end(Peer& p) noexcept {
    p.close();
  }
  template <class Peer>
  void on_timeout(Peer&, timeout_kind) noexcept {}
  template <class Peer>
  void on_shed(Peer& p) noexcept {
    p.close();
  }
  template <class Peer>
  void on_room(Peer&) noexcept {}
  template <class Peer>
  void on_drain(Peer& p) noexcept {
    p.close();
  }
  template <class Peer>
  void on_close(Peer&) noexcept {}

  template <class Shard>
  static http_exchange& exchange_of(task_owner& owner) noexcept {
    NEN_ASSERT(false);  // there is no request and no answer
    return reinterpret_cast<http_exchange&>(owner);
  }

 private:
  template <class... S>
  task<void> call(type_list<context&, tcp::stream, S&...>, tcp::stream&& peer) {
    return Serve(*context_, std::move(peer), state_for_session<S>(states_)...);
  }

  context* context_;
  state_refs<State...> states_;
};

}  // namespace detail

}  // namespace nen
