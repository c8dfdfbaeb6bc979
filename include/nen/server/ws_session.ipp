// server, L3: how a WebSocket's frames are read and written. From top to bottom: what comes in, the
// end, what goes out, what peers call.
#pragma once

namespace nen {

// ---- what comes in ----

template <class Routes, config Config, class... State>
template <class Peer>
void ws_session<Routes, Config, State...>::read_event(Peer& p, char*& at, char* end_of_bytes) {
  detail::websocket_state& w = state_of(p);
  const ws::message_event event =
      w.reader.next(at, end_of_bytes, rules_of(slot_of(p)), store_.control_room(w));
  switch (event.kind) {
    case ws::message_event_kind::need_more:
      return;
    case ws::message_event_kind::need_control_room:
      if (store_.take_control_room(w)) return;
      p.counters().ws_control_rooms_empty.add();
      return fail(p, ws::close_code::try_again_later);
    case ws::message_event_kind::data:
      if (w.is_open) take_data(p, event);  // behind our close nobody listens
      return;
    case ws::message_event_kind::ping:
      // RFC 6455 §5.5.2: not behind a close.
      if (w.is_open) write_control(*active_output(w.connection), ws::opcode::pong, event.bytes);
      return store_.drop_control_room(w);
    case ws::message_event_kind::pong:
      return store_.drop_control_room(w);
    case ws::message_event_kind::close:
      return peer_closes(p, event);
    case ws::message_event_kind::rejected:
      return fail(p, event.code);
  }
}

template <class Routes, config Config, class... State>
template <class Peer>
void ws_session<Routes, Config, State...>::take_data(Peer& p, const ws::message_event& event) {
  detail::websocket_state& w = state_of(p);
  const bool streams = w.session->on_fragment != nullptr;
  if (streams && !event.is_compressed) {
    if (event.is_last) p.counters().ws_messages.add();
    const ws::fragment part = {event.bytes, event.is_text, event.is_first, event.is_last};
    return call_session(
        p, [&](void* object, ws::peer& me) { w.session->on_fragment(object, me, part, &states_); });
  }
  // Longer than what is copied, it is gathered, so that it can be sent on from where it is.
  const bool is_short = event.bytes.size() + ws::frame_head_bytes_max <= Config.response_bytes_max;
  if (event.is_first && event.is_last && (is_short || event.is_compressed))
    return deliver_whole(p, {event.bytes, event.is_text, 0}, event.is_compressed);
  if (event.is_first && !store_.take_message(w)) {
    p.counters().ws_message_slots_empty.add();
    return fail(p, ws::close_code::try_again_later);
  }
  store_.gather(w, event.bytes);
  if (!event.is_last) return;
  deliver_whole(p, {store_.gathered(w), event.is_text, w.message}, event.is_compressed);
  store_.drop_message(w);
}

template <class Routes, config Config, class... State>
template <class Peer>
void ws_session<Routes, Config, State...>::deliver_whole(Peer& p, const ws::message& m,
                                                         bool is_compressed) {
  if constexpr (compression::exists)
    if (is_compressed) return deliver_inflated(p, m);
  NEN_ASSERT(!is_compressed);
  deliver(p, m);
}

template <class Routes, config Config, class... State>
template <class Peer>
void ws_session<Routes, Config, State...>::deliver(Peer& p, const ws::message& m) {
  detail::websocket_state& w = state_of(p);
  p.counters().ws_messages.add();
  call_session(p, [&](void* object, ws::peer& me) {
    if (w.session->on_fragment == nullptr) return w.session->on_message(object, me, m, &states_);
    w.session->on_fragment(object, me, {m.bytes, m.is_text, true, true}, &states_);
  });
}

template <class Routes, config Config, class... State>
template <class Peer, class F>
void ws_session<Routes, Config, State...>::call_session(Peer& p, F f) {
  slot& s = slot_of(p);
  ws::peer me = peer_of(s);
#if defined(__cpp_exceptions)
  try {
    return f(s.object, me);
  } catch (const std::exception& problem) {
    on_exception_(detail::no_request(), problem.what());
  } catch (...) {
    on_exception_(detail::no_request(), "not a std::exception");
  }
  p.counters().handler_exceptions.add();
  me.close(ws::close_code::internal_server_error);
#else
  f(s.object, me);
#endif
}

// ---- the end ----

/// RFC 6455 §5.5.1: a close frame is answered with one, unless it is the answer to ours. The server
/// closes first, §7.1.1.
template <class Routes, config Config, class... State>
template <class Peer>
void ws_session<Routes, Config, State...>::peer_closes(Peer& p, const ws::message_event& event) {
  detail::websocket_state& w = state_of(p);
  if (w.is_open) {
    char payload[2];
    const bool has_code = event.code != ws::close_code::no_status_received;
    const auto size = has_code ? ws::write_close_payload(payload, event.code, {}) : 0;
    write_control(*active_output(w.connection), ws::opcode::close, {payload, size});
  }
  end(p, event.code, event.bytes);
  p.close();
}

/// The peer broke a rule, or there is no room for what it sends: RFC 6455 §7.1.7.
template <class Routes, config Config, class... State>
template <class Peer>
void ws_session<Routes, Config, State...>::fail(Peer& p, ws::close_code code) {
  detail::websocket_state& w = state_of(p);
  if (w.is_open) {
    char payload[2];
    write_control(*active_output(w.connection), ws::opcode::close,
                  {payload, ws::write_close_payload(payload, code, {})});
  }
  end(p, code, {});
  p.close_lingering();
}

/// Tells the session, once, and lets go of its object.
template <class Routes, config Config, class... State>
template <class Peer>
void ws_session<Routes, Config, State...>::end(Peer& p, ws::close_code code,
                                               std::string_view reason) {
  detail::websocket_state& w = state_of(p);
  w.is_open = false;
  if (w.is_ended) return;
  w.is_ended = true;
  while (auto* const m = w.memberships.front()) m->group->end(*m);
  call_session(p, [&](void* object, ws::peer& me) {
    w.session->on_close(object, me, code, reason, &states_);
  });
  w.session->destroy(slot_of(p).object);
  store_.drop_message(w);
}

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
  w.is_open = false;
  if (!p.has_room_for_control()) return p.close();  // nothing can be said any more
  char payload[ws::control_bytes_max];
  write_control(out, ws::opcode::close, {payload, ws::write_close_payload(payload, code, reason)});
  p.set_read_timeout(timeout_kind::websocket, w.options->close_timeout_ms);
}

template <class Routes, config Config, class... State>
template <class Peer>
bool ws_session<Routes, Config, State...>::has_room(Peer& p, std::size_t bytes,
                                                    bool beside_others) {
  detail::websocket_state& w = state_of(p);
  const std::size_t waiting = p.buffered();
  const bool fits = waiting == 0 || waiting + bytes <= w.options->buffered_bytes_max;
  if (fits && (beside_others ? p.has_room_beside_others() : p.has_room())) return true;
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
    p.counters().ws_views_empty.add();
    state_of(p).wants_drain = state_of(p).wants_view = true;
    p.want_room();
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
  const bool fits = waiting == 0 || waiting + frame.size() <= w.options->buffered_bytes_max;
  if (!fits || !out.append_view(frame, shared)) {
    if (fits) {
      p.counters().ws_views_empty.add();
      w.wants_view = true;
    }
    w.wants_drain = true;
    p.want_room();
    return ws::send_result::full;
  }
  use_view(shared);
  return ws::send_result::sent;
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
    shard(h).act_on(which.connection, [&](shard_peer& p) {
      p.set_read_timeout(timeout_kind::websocket, w.options->idle_ping_ms);
    });
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

  static ws::send_result send(host& h, const name& n, const detail::websocket_payload& what) {
    const auto* const w = open_state(h, n);
    if (w == nullptr) return ws::send_result::closed;
    auto result = ws::send_result::closed;
    with(h, w->connection, [&](shard_peer& p, writer& out, bool beside_others) {
      result = session(h).send_now(p, out, what, beside_others);
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
    return session(h).store_.share(what.opcode, what.bytes);
  }
  static ws::send_result send_shared(host& h, const name& n, std::uint32_t shared) {
    const auto* const w = open_state(h, n);
    if (w == nullptr) return ws::send_result::closed;
    auto result = ws::send_result::closed;
    with(h, w->connection, [&](shard_peer& p, writer& out, bool) {
      result = session(h).send_shared_now(p, out, shared);
    });
    return result;
  }
  static void unshare(host& h, std::uint32_t shared) noexcept { session(h).store_.release(shared); }

  static void add_mailbox(host& h, detail::mailbox& box) { session(h).mailboxes_.push_back(box); }
  static void call_for_mail(host& h) noexcept { shard(h).call_for_mail(); }

  static constexpr host::functions table = {
      open,     negotiate,   abandon, run,         is_open, send,        close,
      buffered, memberships, share,   send_shared, unshare, add_mailbox, call_for_mail};
};

}  // namespace nen
