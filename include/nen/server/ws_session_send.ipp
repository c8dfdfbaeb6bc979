// server, L3: how a WebSocket's frames are written, and what peers call.
#pragma once

namespace nen {

// ---- what goes out ----

template <class Routes, config Config, class... State>
void ws_session<Routes, Config, State...>::write_control(output& out, ws::opcode opcode,
                                                         std::string_view payload) noexcept {
  out.begin_message();
  char frame[ws::control_frame_bytes_max];
  const char* const last = ws::write_control_frame(frame, opcode, payload);
  (void)out.append({frame, static_cast<std::size_t>(last - frame)});
}

template <class Routes, config Config, class... State>
template <class Peer>
void ws_session<Routes, Config, State...>::close_from_here(Peer& p, output& out,
                                                           ws::close_code code,
                                                           std::string_view reason) {
  detail::websocket_state& w = state_of(p);
  if (!w.is_open) return;
  w.is_open = w.times_message = false;
  if constexpr (sessions::has_coroutine) {
    if (p.paused()) p.resume();  // for the peer's close frame
  }
  store_.give_up_message(w);
  if (!p.has_room_for_control()) return p.close();  // nothing can be said any more
  char payload[ws::control_bytes_max];
  write_control(out, ws::opcode::close, {payload, ws::write_close_payload(payload, code, reason)});
  mind_silence(p, 0);
  p.want_room();  // await_close
}

template <class Routes, config Config, class... State>
template <class Peer>
bool ws_session<Routes, Config, State...>::has_room(Peer& p, std::size_t bytes,
                                                    bool beside_others) {
  detail::websocket_state& w = state_of(p);
  const std::size_t waiting = p.buffered();
  const bool fits = waiting == 0 || waiting + bytes <= w.options->buffered_bytes_max;
  if (fits && (beside_others ? p.has_room_beside_others() : p.has_room())) return true;
  if (!fits) p.counters().ws_sends_full.add();
  w.wants_drain = true;
  p.want_room();
  return false;
}

template <class Routes, config Config, class... State>
template <class Peer, class Writer>
ws::send_result ws_session<Routes, Config, State...>::send_now(
    Peer& p, Writer& out, const detail::websocket_payload& what, bool beside_others) {
  char head[ws::frame_head_bytes_max];
  const char* const head_end =
      ws::write_frame_head(head, {.opcode = what.opcode}, what.bytes.size());
  const std::string_view head_bytes(head, static_cast<std::size_t>(head_end - head));
  const bool copied = head_bytes.size() + what.bytes.size() <= out.body_bytes_max();
  if (!copied && what.message == 0) return ws::send_result::too_long;
  out.flush();
  if (!has_room(p, head_bytes.size() + what.bytes.size(), beside_others))
    return ws::send_result::full;
  if constexpr (compression::exists)
    if (send_compressed(p, out, what)) return ws::send_result::sent;
  out.begin_message();
  (void)out.append(head_bytes);
  if (copied) {
    (void)out.append(what.bytes);
    return ws::send_result::sent;
  }
  if (!out.append_view(what.bytes, what.message)) {
    out.restart_message();
    miss_view(p);
    return ws::send_result::full;
  }
  use_view(what.message);
  return ws::send_result::sent;
}

template <class Routes, config Config, class... State>
template <class Peer, class Writer>
ws::send_result ws_session<Routes, Config, State...>::send_shared_now(Peer& p, Writer& out,
                                                                      std::uint32_t shared) {
  if constexpr (compression::exists) shared = shorter_of(slot_of(p), shared);
  const std::string_view frame = store_.shared(shared).whole();
  detail::websocket_state& w = state_of(p);
  out.flush();
  const std::size_t waiting = p.buffered();
  if (waiting != 0 && (waiting + frame.size() > w.options->buffered_bytes_max || !may_wait(p))) {
    p.counters().ws_sends_full.add();
    w.wants_drain = true;
    p.want_room();
    return ws::send_result::full;
  }
  if (!out.append_view(frame, shared)) {
    miss_view(p);
    return ws::send_result::full;
  }
  use_view(shared);
  return ws::send_result::sent;
}

/// Whether a frame of many may wait behind others of the same peer. Each may have some whatever
/// happens; more only of what nobody else is promised, so that those who do not read take neither
/// the views nor the frames from those who do.
template <class Routes, config Config, class... State>
template <class Peer>
bool ws_session<Routes, Config, State...>::may_wait(Peer& p) const noexcept {
  const std::uint32_t held = p.sends_held();
  if (held < views_each) return true;
  return held < sends_held_max && Config.ws_views - views_ > store_.slots().in_use() * views_each &&
         store_.shared_frames().available() > Config.ws_broadcast_slots / 2;
}

/// Every view is taken.
template <class Routes, config Config, class... State>
template <class Peer>
void ws_session<Routes, Config, State...>::miss_view(Peer& p) noexcept {
  p.counters().ws_views_empty.add();
  p.miss_sends();
  state_of(p).wants_drain = state_of(p).wants_view = true;
  p.want_room();
}

/// What becomes of a send that was refused. Who has nothing before him was refused for want of the
/// server's memory, not by his fault.
template <class Routes, config Config, class... State>
template <class Peer>
ws::send_result ws_session<Routes, Config, State...>::refuse(Peer& p, output& out,
                                                             ws::slow_peer slow) {
  switch (slow) {
    case ws::slow_peer::wait:
      break;
    case ws::slow_peer::drop:
      return ws::send_result::dropped;
    case ws::slow_peer::close:
      if (p.buffered() == 0) break;
      close_from_here(p, out, ws::close_code::try_again_later, {});
      return ws::send_result::closed;
  }
  return ws::send_result::full;
}

// ---- what peers call ----

template <class Routes, config Config, class... State>
template <class Shard>
struct ws_session<Routes, Config, State...>::host_calls {
  using host = detail::websocket_host;
  using name = detail::websocket_name;
  using shard_peer = typename Shard::peer;
  using writer = typename Shard::send_queue::writer;

  static ws_session& session(host& h) noexcept { return static_cast<ws_session&>(h); }
  static Shard& shard(host& h) noexcept { return *static_cast<Shard*>(session(h).shard_); }
  static detail::websocket_state* open_state(host& h, const name& n) noexcept {
    ws_session& self = session(h);
    if (!self.store_.is_current(n) || !self.store_[n.slot].state.is_open) return nullptr;
    return &self.store_[n.slot].state;
  }

  /// act(shard_peer&, writer&, beside_others) with the writer of that connection that is at work,
  /// or a new one.
  template <class F>
  static void with(host& h, std::uint32_t connection, F act) {
    ws_session& self = session(h);
    shard(h).act_on(connection, [&](shard_peer& p) {
      if (output* const out = self.active_output(connection))
        return act(p, static_cast<writer&>(*out), false);
      writer out = p.writer();
      const active here(self, connection, out);
      act(p, out, true);
    });
  }

  static void* open(host& h, const detail::request_name& which, const detail::websocket_type& type,
                    name& made) {
    ws_session& self = session(h);
    auto& counters = shard(h).session_counters();
    std::uint32_t index = 0;
    slot* const s = self.store_.open(index);
    if (s == nullptr) {
      counters.websockets_full.add();
      return nullptr;
    }
    counters.websockets_opened.add();
    detail::websocket_state& w = s->state;
    w.session = sessions::functions_of(type);
    NEN_ASSERT(w.session != nullptr);
    w.options = type.options;
    w.connection = which.connection;
    w.is_open = true;
    shard(h).session_state(which.connection).websocket = index + 1;
    shard(h).act_on(which.connection,
                    [&](shard_peer& p) { self.mind_silence(p, w.options->idle_ping_ms); });
    made = {index, s->generation};
    return s->object;
  }

  static char* negotiate(host& h, const name& n, std::span<const std::string_view> offers,
                         char* out) {
    ws_session& self = session(h);
    if constexpr (compression::exists)
      return self.store_.compression().negotiate(offers, self.store_[n.slot].compression, out);
    (void)self, (void)n, (void)offers;
    return out;
  }

  static void abandon(host& h, const name& n) noexcept {
    ws_session& self = session(h);
    slot& s = self.store_[n.slot];
    shard(h).session_state(s.state.connection).websocket = 0;
    shard(h).session_counters().websockets_closed.add();
    s.state.is_open = false;
    s.state.is_ended = true;
    if constexpr (compression::exists) self.store_.compression().close(s.compression);
    self.store_.close(s);
  }

  static void run(host& h, const name& n, output& out, function_ref<void()> f) {
    ws_session& self = session(h);
    const std::uint32_t connection = self.store_[n.slot].state.connection;
    self.handshake_out_ = &out;
    self.handshake_connection_ = connection;
    const active here(self, connection, out);
    shard(h).act_on(connection,
                    [&](shard_peer& p) { self.call_session(p, [&](void*, ws::peer&) { f(); }); });
  }

  static bool is_open(host& h, const name& n) noexcept { return open_state(h, n) != nullptr; }

  static ws::send_result send(host& h, const name& n, const detail::websocket_payload& what,
                              std::optional<ws::slow_peer> slow) {
    const auto* const w = open_state(h, n);
    if (w == nullptr) return ws::send_result::closed;
    auto result = ws::send_result::closed;
    with(h, w->connection, [&](shard_peer& p, writer& out, bool beside_others) {
      result = session(h).send_now(p, out, what, beside_others);
      if (result == ws::send_result::full)
        result = session(h).refuse(p, out, slow.value_or(w->options->when_full));
    });
    return result;
  }

  static void close(host& h, const name& n, ws::close_code code, std::string_view reason) {
    const auto* const w = open_state(h, n);
    if (w == nullptr) return;
    with(h, w->connection, [&](shard_peer& p, writer& out, bool) {
      session(h).close_from_here(p, out, code, reason);
    });
  }

  static std::size_t buffered(host& h, const name& n) noexcept {
    const auto* const w = open_state(h, n);
    if (w == nullptr) return 0;
    if (output* const out = session(h).active_output(w->connection))
      static_cast<writer&>(*out).flush();
    return shard(h).buffered(w->connection);
  }

  static intrusive_list<detail::membership, detail::of_peer>& memberships(host& h, const name& n) {
    return session(h).store_[n.slot].state.memberships;
  }

  static std::uint32_t share(host& h, const detail::websocket_payload& what) noexcept {
    const std::uint32_t shared = session(h).store_.share(what.opcode, what.bytes);
    if (shared == 0 && what.bytes.size() <= Config.ws_broadcast_bytes_max) {
      shard(h).session_counters().ws_broadcast_slots_empty.add();
      shard(h).miss_sends();
    }
    return shared;
  }
  static ws::send_result send_shared(host& h, const name& n, std::uint32_t shared,
                                     ws::slow_peer slow) {
    const auto* const w = open_state(h, n);
    if (w == nullptr) return ws::send_result::closed;
    auto result = ws::send_result::closed;
    with(h, w->connection, [&](shard_peer& p, writer& out, bool) {
      result = session(h).send_shared_now(p, out, shared);
      if (result == ws::send_result::full) result = session(h).refuse(p, out, slow);
    });
    return result;
  }
  static void unshare(host& h, std::uint32_t shared) noexcept { session(h).store_.release(shared); }

  static void want_message(host& h, const name& n) {
    ws_session& self = session(h);
    if (!self.store_.is_current(n)) return;
    detail::websocket_state& w = self.store_[n.slot].state;
    self.let_message_go(w);
    if (!w.is_ended)
      shard(h).act_on(w.connection, [](shard_peer& p) {
        if (p.paused()) p.resume();
      });
  }
  static void task_ended(host& h, const name& n, detail::task_end how, nen::task<void>& its) {
    ws_session& self = session(h);
    NEN_ASSERT(self.store_.is_current(n));
    detail::websocket_state& w = self.store_[n.slot].state;
    self.let_message_go(w);
    shard(h).act_on(w.connection, [&](shard_peer& p) {
      if (p.paused()) p.resume();
      self.call_session(p, [&](void*, ws::peer& me) {
        if (how == detail::task_end::out_of_frames) {
          p.counters().task_frames_empty.add();
          return me.close(ws::close_code::try_again_later);
        }
        its.take();  // throws what left it
        me.close();
      });
    });
  }

  static void add_mailbox(host& h, detail::mailbox& box) { session(h).mailboxes_.push_back(box); }
  static void call_for_mail(host& h) noexcept { shard(h).call_for_mail(); }

  static constexpr host::functions table = {open,        negotiate,     abandon,      run,
                                            is_open,     send,          close,        buffered,
                                            memberships, share,         send_shared,  unshare,
                                            add_mailbox, call_for_mail, want_message, task_ended};
};

}  // namespace nen
