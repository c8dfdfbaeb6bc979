// server, L3: how a WebSocket's frames are read. From top to bottom: what comes in, its time, the
// end.
#pragma once

namespace nen {

// ---- what comes in ----

template <class Routes, config Config, class... State>
template <class Peer>
void ws_session<Routes, Config, State...>::read_event(Peer& p, char*& at, char* end_of_bytes,
                                                      const ws::frame_rules& rules) {
  detail::websocket_state& w = state_of(p);
  const ws::message_event event = w.reader.next(at, end_of_bytes, rules, store_.control_room(w));
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
  if (event.is_last) w.times_message = false;
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
  if (event.is_first && !take_message(p)) return;
  store_.gather(w, event.bytes);
  if (!event.is_last) return;
  store_.finish_message(w);
  deliver_whole(p, {store_.gathered(w), event.is_text, w.message}, event.is_compressed);
  store_.drop_message(w);
}

template <class Routes, config Config, class... State>
template <class Peer>
bool ws_session<Routes, Config, State...>::take_message(Peer& p) {
  const auto take = [&] { return store_.take_message(slot_of(p), p.now_ms()); };
  bool is_taken = take();
  if (!is_taken && evict_message(p)) {
    if (!state_of(p).is_open) return false;  // who was evicted has closed this one
    is_taken = take();
  }
  if (is_taken) {
    refused_ = 0;
    return true;
  }
  p.counters().ws_message_slots_empty.add();
  fail(p, ws::close_code::try_again_later);
  return false;
}

template <class Routes, config Config, class... State>
template <class Peer>
std::uint32_t ws_session<Routes, Config, State...>::take_room(Peer& p) {
  std::uint32_t room = store_.take_message();
  if (room == 0 && evict_message(p)) {
    if (!state_of(p).is_open) return 0;
    room = store_.take_message();
  }
  if (room != 0) {
    refused_ = 0;
    return room;
  }
  p.counters().ws_message_slots_empty.add();
  fail(p, ws::close_code::try_again_later);
  return 0;
}

/// No message slot is free: who has been sending his message for longest pays for it, if he has
/// had some time; the more messages were refused meanwhile, the less. What lies in sends that are
/// stuck is the shard's affair.
/// @returns  true when a slot became free
template <class Routes, config Config, class... State>
template <class Peer>
bool ws_session<Routes, Config, State...>::evict_message(Peer& p) {
  tick began = 0;
  const slot* const oldest = store_.longest_unfinished(began);
  const tick patience = hold_ms_max / (refused_ + 1);
  if (oldest == nullptr || tick_before(p.now_ms(), began + patience)) {
    if (views_ != 0) p.miss_sends();
    ++refused_;
    return false;
  }
  p.counters().ws_message_slots_evicted.add();
  p.with_other(oldest->state.connection, [&](Peer& other) {
    auto out = other.writer();
    const active here(*this, other.index(), out);
    fail(other, ws::close_code::try_again_later);
  });
  return true;
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
  if (!works(p)) return;
  // The coroutine has it until it wants the next one.
  w.holds = m.slot == 0 ? detail::held_message_is::in_lease : detail::held_message_is::in_slot;
  if (m.slot == 0) return;
  w.held_message = m.slot;
  store_.use(m.slot);
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
    events_.exception(detail::no_request(), problem.what());
  } catch (...) {
    events_.exception(detail::no_request(), "not a std::exception");
  }
  p.counters().handler_exceptions.add();
  me.close(ws::close_code::internal_server_error);
#else
  f(s.object, me);
#endif
}

// ---- its time ----

/// A message's time begins with its first byte. One that is handed on as it comes takes its own.
template <class Routes, config Config, class... State>
template <class Peer>
void ws_session<Routes, Config, State...>::time_message(Peer& p) noexcept {
  detail::websocket_state& w = state_of(p);
  const bool is_gathered = w.session->on_fragment == nullptr || w.message != 0;
  if (w.times_message || w.options->message_timeout_ms == 0 || !is_gathered ||
      !w.reader.frames().in_message())
    return;
  // Behind our own close nothing is gathered, and a coroutine may still look at a message.
  if (w.holds == detail::held_message_is::in_slot) return;
  w.times_message = true;
  w.message_deadline = p.now_ms() + w.options->message_timeout_ms;
}

/// Gives the peer so long for a sign; 0: for ever.
template <class Routes, config Config, class... State>
template <class Peer>
void ws_session<Routes, Config, State...>::mind_silence(Peer& p,
                                                        std::uint32_t milliseconds) noexcept {
  detail::websocket_state& w = state_of(p);
  w.minds_silence = milliseconds != 0;
  w.silence_deadline = p.now_ms() + milliseconds;
  set_timer(p);
}

/// The connection has one read timeout: what comes first of the two.
template <class Routes, config Config, class... State>
template <class Peer>
void ws_session<Routes, Config, State...>::set_timer(Peer& p) noexcept {
  const detail::websocket_state& w = state_of(p);
  if (w.times_message && (!w.minds_silence || tick_before(w.message_deadline, w.silence_deadline)))
    return p.set_read_deadline(timeout_kind::websocket, w.message_deadline);
  if (w.minds_silence) return p.set_read_deadline(timeout_kind::websocket, w.silence_deadline);
  p.set_read_timeout(timeout_kind::websocket, 0);
}

template <class Routes, config Config, class... State>
template <class Peer>
void ws_session<Routes, Config, State...>::message_due(Peer& p) {
  p.counters().timeouts_message.add();
  auto out = p.writer();
  const active here(*this, p.index(), out);
  fail(p, ws::close_code::policy_violation, "the message took too long");
}

/// The time for the peer's close frame begins when the kernel has taken ours: on_room comes again
/// until then.
template <class Routes, config Config, class... State>
template <class Peer>
void ws_session<Routes, Config, State...>::await_close(Peer& p) noexcept {
  if (p.buffered() != 0) return p.want_room();
  mind_silence(p, state_of(p).options->close_timeout_ms);
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
void ws_session<Routes, Config, State...>::fail(Peer& p, ws::close_code code,
                                                std::string_view reason) {
  detail::websocket_state& w = state_of(p);
  if (w.is_open && p.has_room_for_control()) {  // else nothing can be said any more
    char payload[ws::control_bytes_max];
    write_control(*active_output(w.connection), ws::opcode::close,
                  {payload, ws::write_close_payload(payload, code, reason)});
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
  w.is_open = w.times_message = w.minds_silence = false;
  if (w.is_ended) return;
  w.is_ended = true;
  while (auto* const m = w.memberships.front()) m->group->end(*m);
  call_session(p, [&](void* object, ws::peer& me) {
    w.session->on_close(object, me, code, reason, &states_);
  });
  w.session->destroy(slot_of(p).object);
  let_message_go(w);
  store_.drop_message(w);
}

}  // namespace nen
