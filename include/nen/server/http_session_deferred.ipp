// server, L3: the part of http_session that keeps requests whose answers come later. The connection
// is paused meanwhile; its one timer serves the callback and the handler timeout.
#pragma once

namespace nen {

/// The request that was read in place moves out of the lease.
template <class Routes, config Config, class... State>
template <class Peer>
void http_session<Routes, Config, State...>::defer(Peer& p, output& out, const char* begin) {
  const bool with_body = !parser_.message().body().empty();
  if (keep(p, out, begin, parser_.head().head_bytes, with_body)) defer_kept(p, out);
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
template <class Peer, class Make>
completion_outcome http_session<Routes, Config, State...>::complete(Peer& p, Make make) {
  if (!p.has_room_beside_another()) return completion_outcome::no_room;
  defaults_ = common_lines_.at(p.unix_seconds());
  slot& kept = store_.head_of(p.state().kept);
  const request message = kept.parser.message();
  kept.waits.callback.clear();
  auto out = p.writer();
  if (answer(p, out, message, [&](response& res) { return make(message, res); })) {
    drop_request(p);
    p.resume();
    p.set_read_timeout(timeout_kind::idle, idle_timeout_);
  }
  return completion_outcome::answered;
}

/// @returns  the shard, if the request that `n` names still waits there
template <class Routes, config Config, class... State>
template <class Shard>
Shard* http_session<Routes, Config, State...>::shard_waiting_for(
    deferred_host& host, const detail::request_name& n) noexcept {
  auto& self = static_cast<http_session&>(host);
  NEN_ASSERT(pthread_equal(self.thread_, pthread_self()) != 0);  // handles stay on their shard
  auto* const shard = static_cast<Shard*>(self.shard_);
  if (!shard->is_open(n.connection, n.generation)) return nullptr;
  const connection_state& state = shard->session_state(n.connection);
  return state.deferred && state.requests == n.request ? shard : nullptr;
}

template <class Routes, config Config, class... State>
template <class Shard>
inline const detail::deferred_host::functions http_session<Routes, Config,
                                                           State...>::handle_functions = {
    [](deferred_host& host, const detail::request_name& n) noexcept {
      return shard_waiting_for<Shard>(host, n) != nullptr;
    },
    [](deferred_host& host, const detail::request_name& n, answer_function f, void* callable) {
      auto outcome = completion_outcome::gone;
      if (Shard* const shard = shard_waiting_for<Shard>(host, n)) {
        shard->act_on(n.connection, [&](typename Shard::peer& p) {
          outcome = shard->session().complete(
              p, [&](const request& req, response& res) { return f(callable, req, res); });
          if (p.state().deferred) shard->session().set_deferral_timer(p);
        });
      }
      return outcome;
    },
    [](deferred_host& host, const detail::request_name& n,
       std::uint32_t milliseconds) noexcept -> detail::deferred_callback* {
      auto& self = static_cast<http_session&>(host);
      auto* const shard = static_cast<Shard*>(self.shard_);
      const tick when = shard->now() + milliseconds;
      if (self.staged_for_ == n) {  // its handler is still running
        self.staged_.call_at = when;
        return &self.staged_.callback;
      }
      if (shard_waiting_for<Shard>(host, n) == nullptr) return nullptr;
      detail::deferral& waits = self.store_.head_of(shard->session_state(n.connection).kept).waits;
      waits.call_at = when;
      shard->set_timer(n.connection, [&](typename Shard::peer& p) { self.set_deferral_timer(p); });
      return &waits.callback;
    }};

}  // namespace nen
