// server, L3: the session of connections that have become WebSockets (RFC 6455): frames in, calls
// of the application's sessions, frames out. One object per shard.
#pragma once

#include <nen/config.hpp>
#include <nen/core/function_ref.hpp>
#include <nen/core/smallest.hpp>
#include <nen/server/connection.hpp>
#include <nen/server/counters.hpp>
#include <nen/server/http_slots.hpp>
#include <nen/server/websocket.hpp>
#include <nen/server/websocket_functions.hpp>
#include <nen/server/websocket_mail.hpp>
#include <nen/server/websocket_slots.hpp>

#include <cstdint>
#include <exception>
#include <span>
#include <string_view>
#include <utility>

namespace nen {

/// @tparam Routes  a nen::router
template <class Routes, config Config, class... State>
class ws_session : detail::websocket_host {
  static_assert(Config.websockets >= 1 && Config.ws_message_slots >= 1 &&
                    Config.ws_broadcast_slots >= 1 && Config.ws_views >= 1,
                "config::websockets, ws_message_slots, ws_broadcast_slots and ws_views must be at "
                "least 1");
  static_assert(Config.ws_message_bytes_max >= 125,
                "config::ws_message_bytes_max must be at least 125");

  using sessions = detail::websocket_sessions<typename Routes::sessions, state_refs<State...>>;
  using compression = typename sessions::compression;
  using store = detail::websocket_store<Config, sessions::object_bytes_max, compression>;
  using slot = typename store::slot;

 public:
  /// Of one WebSocket, session's object included; its connection comes on top.
  static constexpr std::size_t websocket_bytes = sizeof(slot);
  static constexpr std::size_t message_bytes = store::message_slot_bytes;

  template <class Shard>
  void bind(Shard& shard) noexcept {
    shard_ = &shard;
    call = &host_calls<Shard>::table;
    detail::websockets_here = this;
    if constexpr (compression::exists) (void)store_.compression().open();  // else it is not offered
    shard.set_view_owner({this, [](void* self, std::uint32_t owner) noexcept {
                            --static_cast<ws_session*>(self)->views_;
                            static_cast<ws_session*>(self)->store_.release(owner);
                          }});
  }
  void start(const listen_options& options, state_refs<State...> states) noexcept {
    states_ = states;
    events_ = detail::event_log(options);
  }
  detail::websocket_host& host() noexcept { return *this; }
  void set_context(nen::context* ctx) noexcept { context = ctx; }
  /// The handler that opened a WebSocket, and what is around it, has returned.
  void end_handshake() noexcept { handshake_out_ = nullptr; }

  template <class Peer>
  std::size_t on_data(Peer& p, std::span<char> bytes) {
    if constexpr (sessions::has_coroutine)
      if (is_busy(p) || state_of(p).holds_lease()) return p.pause(), 0;
    auto out = p.writer();
    const active here(*this, p.index(), out);
    char* at = bytes.data();
    char* const end = at + bytes.size();
    if constexpr (sessions::has_coroutine) at += std::exchange(p.state().held, 0U);
    const char* read_from = at;  // the last event
    detail::websocket_state& w = state_of(p);
    w.awaits_pong = false;
    // A server that stops could not tell who was opened, or who held bytes, just then.
    if (p.draining()) close_from_here(p, out, ws::close_code::going_away, {});
    const ws::frame_rules rules = rules_of(slot_of(p));
    while (at != end && !p.closing() && p.has_room() && !is_busy(p) && !w.holds_lease()) {
      read_from = at;
      read_event(p, at, end, rules);
    }
    if (p.closing()) return bytes.size();
    if (w.is_open) {
      time_message(p);
      mind_silence(p, w.options->idle_ping_ms);
    }
    if constexpr (sessions::has_coroutine) {
      if (is_busy(p) || w.holds_lease()) p.pause();
      if (w.holds_lease()) {
        p.state().held = static_cast<std::uint32_t>(at - read_from);
        at -= p.state().held;
      }
    }
    return static_cast<std::size_t>(at - bytes.data());
  }

  template <class Peer>
  void on_end(Peer& p) {
    end(p, ws::close_code::abnormal_closure, {});
    p.close();
  }

  template <class Peer>
  void on_timeout(Peer& p, timeout_kind) {
    detail::websocket_state& w = state_of(p);
    if (w.times_message && !tick_before(p.now_ms(), w.message_deadline)) return message_due(p);
    if (!w.minds_silence || tick_before(p.now_ms(), w.silence_deadline)) return set_timer(p);
    // Who has not read yet what was sent to him is the write timeout's affair. Without room for a
    // ping nothing is his fault, either.
    if (w.is_open && (p.buffered() != 0 || (!w.awaits_pong && !p.has_room_for_control())))
      return mind_silence(p, w.awaits_pong ? w.options->pong_timeout_ms : w.options->idle_ping_ms);
    if (!w.is_open || w.awaits_pong) {
      p.counters().timeouts_websocket.add();
      end(p, ws::close_code::abnormal_closure, {});
      return p.close();
    }
    auto out = p.writer();
    write_control(out, ws::opcode::ping, {});
    w.awaits_pong = true;
    mind_silence(p, w.options->pong_timeout_ms);
  }

  template <class Peer>
  void on_room(Peer& p) {
    detail::websocket_state& w = state_of(p);
    if (!w.is_open && !w.is_ended) return await_close(p);
    if (!w.wants_drain || !w.is_open) return;
    // With most of it still waiting, the next send would be refused again.
    if (p.buffered() > w.options->buffered_bytes_max / 2) return p.want_room();
    if (w.wants_view && views_ == Config.ws_views) return p.want_room();
    w.wants_drain = w.wants_view = false;
    auto out = p.writer();
    const active here(*this, p.index(), out);
    call_session(p, [&](void* object, ws::peer& me) { w.session->on_drain(object, me, &states_); });
  }

  template <class Peer>
  void on_drain(Peer& p) {
    auto out = p.writer();
    close_from_here(p, out, ws::close_code::going_away, {});
  }

  /// Another shard has something for this one.
  void on_mail() {
    for (auto* box = mailboxes_.front(); box != nullptr; box = mailboxes_.next(*box))
      if (box->has_mail.load()) box->open(*box);
  }

  /// The connection is over.
  template <class Peer>
  void on_close(Peer& p) {
    end(p, ws::close_code::abnormal_closure, {});
    if constexpr (compression::exists) store_.compression().close(slot_of(p).compression);
    store_.close(slot_of(p));
    p.state().websocket = 0;
    p.counters().websockets_closed.add();
  }

  const auto& websockets() const noexcept { return store_.slots(); }
  const auto& messages() const noexcept { return store_.messages(); }
  const auto& shared_frames() const noexcept { return store_.shared_frames(); }
  const auto& control_rooms() const noexcept { return store_.control_rooms(); }

 private:
  template <class Shard>
  struct host_calls;

  /// While others want what he holds, nobody may take longer than this for a message (after
  /// refusals, a share of it).
  static constexpr std::uint32_t hold_ms_max = 1000;
  /// Views that each WebSocket can have, whatever the others hold.
  static constexpr std::uint32_t views_each =
      detail::largest(1U, Config.ws_views / Config.websockets);
  /// Messages that may wait for one peer, so that looking at them all takes no time.
  static constexpr std::uint32_t sends_held_max = 4096;

  /// The longest message of which the session hears at once.
  static std::uint32_t gathered_bytes_max(const detail::websocket_state& w) noexcept {
    const std::uint64_t most = w.options->message_bytes_max;
    return most == 0 || most > Config.ws_message_bytes_max ? Config.ws_message_bytes_max
                                                           : static_cast<std::uint32_t>(most);
  }
  /// What the peer's frames are held against. What is not gathered is bounded by its session alone.
  static ws::frame_rules rules_of(const slot& s) noexcept {
    constexpr std::uint64_t longest = ~std::uint64_t{0} >> 1;  // of a frame, RFC 6455 §5.2
    const detail::websocket_state& w = s.state;
    ws::frame_rules rules = {.message_bytes_max = gathered_bytes_max(w)};
    if (w.session->on_fragment != nullptr)
      rules.message_bytes_max =
          w.options->message_bytes_max != 0 ? w.options->message_bytes_max : longest;
    if constexpr (compression::exists) {
      rules.compression = s.compression.agreed;
      rules.compressed_bytes_max = store::message_slot_bytes;
    }
    return rules;
  }

  /// A connection whose writer is at work; functions that send to it write there.
  struct active {
    active(ws_session& s, std::uint32_t c, output& o) noexcept
        : session(s), connection(c), out(o), outer(s.active_) {
      s.active_ = this;
    }
    ~active() { session.active_ = outer; }
    active(const active&) = delete;
    active& operator=(const active&) = delete;

    ws_session& session;
    std::uint32_t connection;
    output& out;
    active* outer;
  };
  output* active_output(std::uint32_t connection) const noexcept {
    for (active* a = active_; a != nullptr; a = a->outer)
      if (a->connection == connection) return &a->out;
    return handshake_connection_ == connection ? handshake_out_ : nullptr;
  }

  template <class Peer>
  slot& slot_of(Peer& p) noexcept {
    return store_[p.state().websocket - 1];
  }
  template <class Peer>
  detail::websocket_state& state_of(Peer& p) noexcept {
    return slot_of(p).state;
  }
  /// True while the session is a coroutine that does not wait for a message.
  template <class Peer>
  bool is_busy(Peer& p) noexcept {
    return state_of(p).is_open && works(p);
  }
  template <class Peer>
  bool works(Peer& p) noexcept {
    if constexpr (!sessions::has_coroutine) return false;
    slot& s = slot_of(p);
    return s.state.session->is_busy != nullptr && s.state.session->is_busy(s.object);
  }
  void let_message_go(detail::websocket_state& w) noexcept {
    const auto held = std::exchange(w.holds, detail::held_message_is::none);
    if (held == detail::held_message_is::in_slot) store_.release(w.held_message);
  }
  /// A view of what this owner has was put into a send queue.
  void use_view(std::uint32_t owner) noexcept {
    ++views_;
    store_.use(owner);
  }
  ws::peer peer_of(slot& s) noexcept {
    return detail::websocket_access::make(*this, {store_.index_of(s), s.generation});
  }

  // What comes in: ws_session.ipp.
  template <class Peer>
  void read_event(Peer& p, char*& at, char* end, const ws::frame_rules& rules);
  template <class Peer>
  void take_data(Peer& p, const ws::message_event& event);
  /// @returns  false when there is no room for a message; then the peer was told
  template <class Peer>
  bool take_message(Peer& p);
  /// The same for one that is there already, and is to be inflated. @returns  0: there is no room
  template <class Peer>
  std::uint32_t take_room(Peer& p);
  template <class Peer>
  [[gnu::cold]] bool evict_message(Peer& p);
  template <class Peer>
  void deliver(Peer& p, const ws::message& m);
  template <class Peer>
  void deliver_whole(Peer& p, const ws::message& m, bool is_compressed);
  template <class Peer>
  void deliver_inflated(Peer& p, const ws::message& m);
  template <class Peer>
  [[gnu::cold]] void peer_closes(Peer& p, const ws::message_event& event);
  template <class Peer>
  [[gnu::cold]] void fail(Peer& p, ws::close_code code, std::string_view reason = {});
  template <class Peer>
  [[gnu::cold]] void end(Peer& p, ws::close_code code, std::string_view reason);

  /// Calls a function of the session's object. An exception that leaves it is its fault: it is
  /// said, and the WebSocket is closed with 1011.
  template <class Peer, class F>
  void call_session(Peer& p, F f);

  // Its time.
  template <class Peer>
  void time_message(Peer& p) noexcept;
  template <class Peer>
  void mind_silence(Peer& p, std::uint32_t milliseconds) noexcept;
  template <class Peer>
  void set_timer(Peer& p) noexcept;
  template <class Peer>
  [[gnu::cold]] void message_due(Peer& p);
  template <class Peer>
  [[gnu::cold]] void await_close(Peer& p) noexcept;

  // What goes out: ws_session_send.ipp.
  static void write_control(output& out, ws::opcode opcode, std::string_view payload) noexcept;
  template <class Peer>
  [[gnu::cold]] void close_from_here(Peer& p, output& out, ws::close_code code,
                                     std::string_view reason);
  template <class Peer, class Writer>
  ws::send_result send_now(Peer& p, Writer& out, const detail::websocket_payload& what,
                           bool beside_others);
  /// Sends what became shorter by compressing it, if it did.
  template <class Peer, class Writer>
  bool send_compressed(Peer& p, Writer& out, const detail::websocket_payload& what);
  /// The same frame, compressed, if that is shorter and the peer understands it.
  std::uint32_t shorter_of(slot& s, std::uint32_t shared);
  template <class Peer, class Writer>
  ws::send_result send_shared_now(Peer& p, Writer& out, std::uint32_t shared);
  template <class Peer>
  bool has_room(Peer& p, std::size_t bytes, bool beside_others);
  template <class Peer>
  bool may_wait(Peer& p) const noexcept;
  template <class Peer>
  void miss_view(Peer& p) noexcept;
  template <class Peer>
  ws::send_result refuse(Peer& p, output& out, ws::slow_peer slow);

  void* shard_;
  active* active_;         // innermost
  output* handshake_out_;  // where a 101 was written; null but while its handler runs
  std::uint32_t handshake_connection_;
  intrusive_list<detail::mailbox, detail::of_shard> mailboxes_;
  state_refs<State...> states_;
  detail::event_log events_;
  std::uint32_t views_;    // in all send queues
  std::uint32_t refused_;  // messages in succession for which there was no slot
  store store_;
};

}  // namespace nen

#include <nen/server/ws_session.ipp>
#include <nen/server/ws_session_compression.ipp>
#include <nen/server/ws_session_send.ipp>
