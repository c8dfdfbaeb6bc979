// server, L3: the part of http_session that keeps requests whose answers come later. The connection
// is paused meanwhile; its one timer serves the callback and the handler timeout.
#pragma once

namespace nen {

/// The request that was read in place moves out of the lease.
template <class Routes, config Config, class... State>
template <class Peer>
void http_session<Routes, Config, State...>::defer(Peer& p, output& out, const char* begin) {
  const bool with_body = !parser_.message().body().empty();
  if (has_request(p)) return defer_kept(p, out);  // a coroutine's was kept before
  if (keep(p, out, begin, parser_.head().head_bytes, with_body)) return defer_kept(p, out);
  staged_for_ = {};
}

template <class Routes, config Config, class... State>
template <class Peer>
void http_session<Routes, Config, State...>::defer_kept(Peer& p, output& out) {
  slot& kept = store_.head_of(p.state().kept);
  if (!kept.parser.message().body().empty() && p.state().kept.body_slot == 0 &&
      !keep_body(p, out, kept.parser))
    return;
  p.counters().requests_deferred.add();
  p.state().deferred = true;
  kept.waits = staged_;
  kept.waits.give_up_at = p.now_ms() + handler_timeout_;
  staged_for_ = {};
  p.pause();
  set_deferral_timer(p);
}

template <class Routes, config Config, class... State>
template <class Peer>
void http_session<Routes, Config, State...>::set_deferral_timer(Peer& p) noexcept {
  const detail::deferral& waits = store_.head_of(p.state().kept).waits;
  const bool call_first =
      waits.callback && (handler_timeout_ == 0 || tick_before(waits.call_at, waits.give_up_at));
  if (!call_first && handler_timeout_ == 0) return p.set_read_timeout(timeout_kind::none, 0);
  p.set_read_deadline(timeout_kind::handler, call_first ? waits.call_at : waits.give_up_at);
}

template <class Routes, config Config, class... State>
template <class Peer>
void http_session<Routes, Config, State...>::deferral_due(Peer& p) {
  detail::deferral& waits = store_.head_of(p.state().kept).waits;
  const auto has_come = [&](tick when) { return !tick_before(p.now_ms(), when); };
  if (handler_timeout_ != 0 && has_come(waits.give_up_at)) {
    p.counters().timeouts_handler.add();
    p.resume();
    if (p.has_room()) return answer_and_close(p, status::service_unavailable);
    log_unanswered(p);
    drop_request(p);
    return p.close();
  }
  if (waits.callback && has_come(waits.call_at)) {
    constexpr std::uint32_t again_ms = 10;
    detail::deferred_callback callback = waits.callback;
    if (complete(p, callback) == completion_outcome::no_room) waits.call_at = p.now_ms() + again_ms;
  }
  if (p.state().deferred) set_deferral_timer(p);
}

/// Answers the request that this connection keeps.
template <class Routes, config Config, class... State>
template <class Peer>
completion_outcome http_session<Routes, Config, State...>::complete(
    Peer& p, function_ref<reply(const request&, response&)> make, bool is_whole) {
  if (!p.has_room_beside_others()) return completion_outcome::no_room;
  // With ids, each answer has lines of its own, and puts those of the one around it back.
  if constexpr (!Config.request_ids) defaults_ = common_lines_.at(p.unix_seconds());
  // Of the handler that completes this one, if any.
  const auto staged_for = staged_for_;
  const auto staged_producer = staged_producer_;
  const auto staged_consumer = staged_consumer_;
  slot& kept = store_.head_of(p.state().kept);
  const request message = kept.parser.message();
  kept.waits.callback.clear();
  auto out = p.writer();
  switch (answer(
      p, out, message, [&](response& res) { return make(message, res); }, is_whole)) {
    case answer_is::deferred:
      break;
    case answer_is::streaming:
      release_request(p);
      p.state().deferred = false;
      break;
    case answer_is::receiving:  // the body was taken long ago
      refuse(p, out, status::internal_server_error);
      p.resume();
      break;
    case answer_is::complete:
      drop_request(p);
      p.resume();
      p.set_read_timeout(timeout_kind::idle, idle_timeout_);
      break;
  }
  staged_for_ = staged_for;
  staged_producer_ = staged_producer;
  staged_consumer_ = staged_consumer;
  return completion_outcome::answered;
}

/// What handles call.
template <class Routes, config Config, class... State>
template <class Shard>
struct http_session<Routes, Config, State...>::handle_calls {
  using host = detail::deferred_host;
  using name = detail::request_name;

  static http_session& session(host& h) noexcept { return static_cast<http_session&>(h); }

  /// @returns  the shard, if the request that `n` names still waits there
  [[gnu::cold, gnu::noinline]] static Shard* shard_of(host& h, const name& n) noexcept {
    NEN_ASSERT(pthread_equal(session(h).thread_, pthread_self()) != 0);  // handles stay on a shard
    auto* const shard = static_cast<Shard*>(session(h).shard_);
    if (!shard->is_open(n.connection, n.generation)) return nullptr;
    const connection_state& state = shard->session_state(n.connection);
    const bool waits = state.deferred || state.receiving || state.kept.stream != 0;
    return waits && state.requests == n.request ? shard : nullptr;
  }
  static Shard* shard_deferring(host& h, const name& n) noexcept {
    Shard* const shard = shard_of(h, n);
    if (shard == nullptr || !shard->session_state(n.connection).deferred) return nullptr;
    return shard->is_running(n.connection) ? nullptr
                                           : shard;  // its own callback has to return first
  }

  static bool pending(host& h, const name& n) noexcept { return shard_of(h, n) != nullptr; }

  static completion_outcome complete(host& h, const name& n, host::answer_function f) {
    auto outcome = completion_outcome::gone;
    if (Shard* const shard = shard_deferring(h, n)) {
      shard->act_on(n.connection, [&](typename Shard::peer& p) {
        outcome = session(h).complete(p, f);
        if (p.state().deferred) session(h).set_deferral_timer(p);
      });
    }
    return outcome;
  }

  static bool after(host& h, const name& n, std::uint32_t milliseconds,
                    const detail::deferred_callback& callback) noexcept {
    http_session& self = session(h);
    const tick when = static_cast<Shard*>(self.shard_)->now() + milliseconds;
    if (self.staged_for_ == n) {  // its handler is still running
      self.staged_.callback = callback;
      self.staged_.call_at = when;
      return true;
    }
    Shard* const shard = shard_of(h, n);
    if (shard == nullptr || !shard->session_state(n.connection).deferred) return false;
    detail::deferral& waits = self.store_.head_of(shard->session_state(n.connection).kept).waits;
    waits.callback = callback;
    waits.call_at = when;
    shard->set_timer(n.connection, [&](typename Shard::peer& p) { self.set_deferral_timer(p); });
    return true;
  }

  static bool wake(host& h, const name& n) noexcept {
    Shard* const shard = shard_of(h, n);
    if (shard == nullptr || shard->session_state(n.connection).deferred) return false;
    shard->act_on(n.connection, [&](typename Shard::peer& p) {
      if (p.state().receiving) return session(h).go_on(p);
      p.want_room();
    });
    return true;
  }

  static detail::stream_callback& stream(host& h) noexcept { return session(h).staged_producer_; }

  static detail::body_callback& receive(host& h) noexcept { return session(h).staged_consumer_; }

  using tasks = std::conditional_t<Routes::has_coroutine, task_calls<Shard>, no_task_calls>;

  static constexpr host::functions table = {
      pending, complete, after, wake, stream, receive, tasks::begin, tasks::abandon, tasks::run};
};

}  // namespace nen
