// server, L3: a shard's connections from accept to release. From top to bottom: the loop's calls,
// accepting, what a connection does next, its end, the shard's end.
#pragma once

namespace nen {

template <class S, config C, template <ring_sizes> class R>
void tcp_shard<S, C, R>::on_completion(const completion& done) {
  const operation what = done.token.operation();
  if constexpr (measures) ++completions_;
  if (what == operation::wake) return done.result < 0 ? watch_waker() : woken();
  if constexpr (has_log)
    if (log_.owns(done.token)) {
      const int problem = log_.completed(done, loop_.timers(), loop_.now(), counters_);
      if (problem != 0)
        events_.failed(log_code::access_log_failed, "the access log cannot be written", problem);
      return;
    }
  if constexpr (outgoing_max != 0)
    if (done.token.slot() >= places) return session_.on_completion(done, places);
  connection& c = connections_[done.token.slot()];
  if (c.generation != done.token.generation()) [[unlikely]] {
    // Can't happen while slots are freed only when their last operation completed.
    counters_.stale_completions.add();
    if (done.lease != completion::no_lease) loop_.ring().give_back(done.lease);
    return;
  }
  NEN_ASSERT(c.operations != 0);
  if (!done.more) --c.operations;
  switch (what) {
    case operation::receive:
      return received(c, done);
    case operation::send:
      return sent(c, done.result);
    case operation::accept:
      return accepted(c, done.result);
    case operation::connect:
      return connected(c, done.result);
    case operation::close:
      return release(c);
    case operation::cancel:
      return settle(c);
    case operation::shutdown:
      return settle(c);
    case operation::disconnect:
      return settle(c);
    case operation::end:
      return end_seen(c, done.result);
    case operation::wake:
    case operation::poll:
    case operation::write:
    case operation::none:
      break;
  }
  NEN_ASSERT(false);
}

template <class S, config C, template <ring_sizes> class R>
void tcp_shard<S, C, R>::on_timer(timer& due) {
  if (&due == &drain_timer_) return draining_ ? abort_all() : drain();
  if constexpr (gate::has_table)
    if (&due == &gate_.sweep_timer()) return gate_.sweep(loop_.timers());
  if (&due == &accept_timer_ || &due == &relief_timer_) return;  // the turn's end looks again
  if constexpr (has_log)
    if (&due == &log_.timer) return log_.on_timer(loop_.ring(), counters_);
  if constexpr (outgoing_max != 0)
    if (!connections_.contains(&due)) return session_.on_timer(due);
  auto& c = static_cast<connection&>(static_cast<connection_base&>(due));
  const auto has_come = [&](tick deadline) { return !tick_before(loop_.now(), deadline); };
  if (c.sending && write_timeout_ != 0 && has_come(c.send_began + write_timeout_)) {
    counters_.timeouts_write.add();
    return close(c, tcp::close_reason::write_timeout);
  }
  if (c.read_timeout != timeout_kind::none && read_time_runs(c) && has_come(c.read_deadline)) {
    const timeout_kind kind = c.read_timeout;
    c.read_timeout = timeout_kind::none;
    switch (kind) {
      case timeout_kind::head:
        counters_.timeouts_head.add();
        break;
      case timeout_kind::body:
        counters_.timeouts_body.add();
        break;
      case timeout_kind::idle:
        counters_.timeouts_idle.add();
        break;
      case timeout_kind::handler:
      case timeout_kind::websocket:
      case timeout_kind::session:
      case timeout_kind::drain:
        break;  // the session's own affair
      case timeout_kind::linger:
        counters_.timeouts_linger.add();
        return close(c, c.reason);
      case timeout_kind::none:
        break;
    }
    if (is_at_gate(c)) return close(c, tcp::close_reason::idle_timeout);
    const auto why =
        kind == timeout_kind::drain ? tcp::close_reason::drained : tcp::close_reason::idle_timeout;
    run_because(c, why, [&](peer& p) { session_.on_timeout(p, kind); });
  }
  settle(c);
}

template <class S, config C, template <ring_sizes> class R>
void tcp_shard<S, C, R>::on_turn_end() {
  resume_waiting();
  top_up_accepts();
  if constexpr (outgoing_max != 0)
    if (draining_ && incoming() == 0) session_.on_last_client_gone();
  if (is_short_of_memory() && !relief_timer_.armed()) [[unlikely]] {
    relieve();
    const bool somebody_waits = !waiting_for_buffer_.empty() || !waiting_for_slots_.empty();
    loop_.timers().arm(relief_timer_, loop_.now() + (somebody_waits ? relief_ms : survey_ms));
  }
  log_.settle(loop_.ring(), draining_ && connections_.in_use() == 0, loop_.timers(), counters_);
}

template <class S, config C, template <ring_sizes> class R>
void tcp_shard<S, C, R>::act_on(std::uint32_t index, function_ref<void(peer&)> act) {
  connection& c = connections_[index];
  if (c.running) {  // its own function called: what it does next is decided when that returns
    peer p(*this, c);
    return act(p);
  }
  run(c, act);
  if (c.state == connection_state::open && !c.close_when_sent &&
      ((c.has_input() && !c.paused) || c.wants_room)) {
    stop_waiting(c);
    waiting_for_slots_.push_back(c);
  }
  settle(c);
}

// ---- accepting ----

template <class S, config C, template <ring_sizes> class R>
void tcp_shard<S, C, R>::top_up_accepts() noexcept {
  if (draining_) [[unlikely]]
    return sweep_backlog();
  if (accept_timer_.armed() || listener_ < 0) return;
  const auto limit = C.connections + (overload_ == overload::shed ? shed_slots : 0);
  while (accepting_ < accepts_max && incoming() < limit) {
    submit_accept(connections_[connections_.try_acquire()]);
    if (incoming() == C.connections) counters_.accept_pauses.add();
  }
}

template <class S, config C, template <ring_sizes> class R>
void tcp_shard<S, C, R>::submit_accept(connection& c) noexcept {
  NEN_ASSERT(c.state == connection_state::free && c.operations == 0);
  c.state = connection_state::accepting;
  ++accepting_;
  accepted_name* who = nullptr;
  if constexpr (keeps_clients) {
    who = &c.accepted;
    who->expect();
  }
  loop_.ring().accept(begin(operation::accept, c), listener_, connections_.index_of(c), who);
}

template <class S, config C, template <ring_sizes> class R>
void tcp_shard<S, C, R>::accepted(connection& c, std::int32_t result) {
  --accepting_;
  if (result < 0) {
    constexpr std::uint32_t rest_ms =
        100;  // descriptors or memory ran out: trying at once would spin
    if (result != -ECANCELED && result != -ECONNABORTED && result != -EINTR && result != -EAGAIN) {
      if (result != -EINVAL) {  // EINVAL: the listener was shut
        counters_.accepts_failed.add();
        events_.failed(log_code::accept_failed, "a connection cannot be accepted", -result);
      }
      loop_.timers().arm(accept_timer_, loop_.now() + rest_ms);
    }
    c.state = connection_state::closing;
    return settle_closing(c);
  }
  counters_.connections_accepted.add();
  if constexpr (keeps_clients) c.client = client_address(c.accepted.address());
  c.connected = true;
  c.state = connection_state::open;
  c.is_local = is_local_;
  c.state_began = loop_.now();
  if constexpr (gated)
    if (!pass_gate(c)) return;
  run(c, [&](peer& p) { session_.on_open(p); });
  if (draining_) [[unlikely]] {
    // An accept that was in time although it was being given up.
    if (aborted_) return close(c, tcp::close_reason::aborted);
    if (!inherits_listener_) return close(c, tcp::close_reason::drained);
    run_because(c, tcp::close_reason::drained, [&](peer& p) { session_.on_drain(p); });
  }
  if (incoming() - accepting_ > C.connections) shed(c);
  settle(c);
}

template <class S, config C, template <ring_sizes> class R>
void tcp_shard<S, C, R>::shed(connection& c) noexcept {
  counters_.connections_shed.add();
  if (!queue_.has_room()) return close(c, tcp::close_reason::shed);
  run_because(c, tcp::close_reason::shed, [&](peer& p) { session_.on_shed(p); });
}

// ---- connecting ----

template <class S, config C, template <ring_sizes> class R>
std::uint32_t tcp_shard<S, C, R>::connect(const endpoint& to) noexcept requires(S::outgoing != 0) {
  if (outgoing_ == outgoing_max || aborted_) return none;
  const auto index = connections_.try_acquire();
  connection& c = connections_[index];
  NEN_ASSERT(c.state == connection_state::free && c.operations == 0);
  c.state = connection_state::connecting;
  c.outgoing = c.connected = true;
  c.is_local = to.is_unix();
  ++outgoing_;
  loop_.ring().connect(begin(operation::connect, c), index, to);
  return index;
}

template <class S, config C, template <ring_sizes> class R>
void tcp_shard<S, C, R>::connected(connection& c, std::int32_t result) {
  if constexpr (outgoing_max != 0) {
    if (result == -EBADF) c.connected = false;  // no socket could be made
    if (c.state == connection_state::closing) return settle_closing(c);
    if (result < 0) {
      run(c, [&](peer& p) { session_.on_connect_failed(p, -result); });
      return close(c, tcp::close_reason::peer_reset);
    }
    c.state = connection_state::open;
    c.state_began = loop_.now();
    run(c, [&](peer& p) { session_.on_open(p); });
    settle(c);
  }
}

// ---- what a connection does next ----

template <class S, config C, template <ring_sizes> class R>
void tcp_shard<S, C, R>::settle(connection& c) noexcept {
  if (c.state == connection_state::closing) return settle_closing(c);
  if (c.state == connection_state::accepting) return;  // the cancel of its accept came back first
  if (c.state == connection_state::connecting) return;
  if (c.resets) [[unlikely]]
    return close(c, c.reason);
  if (c.close_when_sent && c.has_input()) {
    drop_leases(c);
    stop_waiting(c);  // it waited because of them
  }
  if (c.has_output() && !c.sending) start_send(c);
  if (c.wants_room && !c.sending && !c.waiting() && !c.close_when_sent)
    waiting_for_slots_.push_back(c);
  if (c.close_when_sent && c.state == connection_state::open) {
    if (!c.has_output()) return all_sent(c);
  } else if (c.shut_when_sent && !c.is_shut && !c.has_output()) {
    return shut(c);
  } else if (c.has_input()) {
    wait_with_input(c);
  } else if (c.peer_finished) {
    if (c.state == connection_state::lingering) return close(c, c.reason);
    if (c.is_shut) return close(c, tcp::close_reason::peer_finished);
  } else if (!c.receiving && !c.waiting()) {
    start_receive(c);
  }
  settle_timer(c);
}

/// What came can't be answered now, so no more is read: TCP holds the peer back.
template <class S, config C, template <ring_sizes> class R>
void tcp_shard<S, C, R>::wait_with_input(connection& c) noexcept {
  stop_receiving(c);
  const bool knows_end = c.end_announced || (wants_every_byte(c) && c.peer_finished);
  if (c.paused && !c.watches_end && !knows_end) {  // no receive will tell that the peer left
    c.watches_end = true;
    loop_.ring().watch_end(begin(operation::end, c), connections_.index_of(c));
  }
  if (c.waiting()) return;
  c.hold_began = loop_.now();
  if (c.sending || c.paused)
    return waiting_for_peer_.push_back(c);  // its own send's end brings it on
  if (!queue_.has_room()) counters_.send_slots_empty.add();
  waiting_for_slots_.push_back(c);
}

/// True when the time of the read deadline runs: when it is the peer that everything waits for, not
/// the server's memory.
template <class S, config C, template <ring_sizes> class R>
bool tcp_shard<S, C, R>::read_time_runs(const connection& c) const noexcept {
  if (c.close_when_sent) return c.read_timeout == timeout_kind::linger;  // nothing is read any more
  if (c.read_timeout == timeout_kind::handler || c.read_timeout == timeout_kind::session)
    return true;
  return !c.has_input() && !(c.read_timeout == timeout_kind::idle && c.has_output());
}

template <class S, config C, template <ring_sizes> class R>
void tcp_shard<S, C, R>::settle_timer(connection& c) noexcept {
  const bool reads = c.read_timeout != timeout_kind::none && read_time_runs(c);
  const bool writes = c.sending && write_timeout_ != 0;
  const tick write_deadline = c.send_began + write_timeout_;
  if (!reads && !writes) return loop_.timers().cancel(c);
  const bool write_first = writes && (!reads || tick_before(write_deadline, c.read_deadline));
  loop_.timers().arm(c, write_first ? write_deadline : c.read_deadline);
}

// ---- the end of a connection ----

template <class S, config C, template <ring_sizes> class R>
void tcp_shard<S, C, R>::all_sent(connection& c) noexcept {
  if (!c.linger_when_sent || c.peer_finished) return close(c, c.reason);
  c.state = connection_state::lingering;
  c.state_began = loop_.now();
  if (!c.is_shut) loop_.ring().shutdown(begin(operation::shutdown, c), connections_.index_of(c));
  c.is_shut = true;
  peer(*this, c).set_read_timeout(timeout_kind::linger, linger_timeout_);
  settle(c);
}

/// No more will be sent, and the peer is told so.
template <class S, config C, template <ring_sizes> class R>
void tcp_shard<S, C, R>::shut(connection& c) noexcept {
  c.is_shut = true;
  loop_.ring().shutdown(begin(operation::shutdown, c), connections_.index_of(c));
  settle(c);
}

/// Ends a connection whatever is in flight; its slot is free when the last operation completed.
template <class S, config C, template <ring_sizes> class R>
void tcp_shard<S, C, R>::close(connection& c, tcp::close_reason why) noexcept {
  if (c.state == connection_state::closing) return settle_closing(c);
  NEN_ASSERT(c.state != connection_state::free && c.state != connection_state::accepting);
  NEN_ASSERT(why != tcp::close_reason{});
  c.reason = why;
  if (!is_at_gate(c)) run(c, [&](peer& p) { session_.on_close(p); });
  if constexpr (gated) gate_.leave(c, loop_.now());
  if (!c.outgoing) {
    counters_.connections_closed.add();
    counters_.closes[why].add();
  } else if (c.state == connection_state::connecting && c.operations != 0) {
    cancel(c, operation::connect);
  }
  c.state = connection_state::closing;
  stop_waiting(c);
  loop_.timers().cancel(c);
  stop_receiving(c);
  if (c.sending) cancel(c, operation::send);
  if (c.watches_end) cancel(c, operation::end);
  settle_closing(c);
}

template <class S, config C, template <ring_sizes> class R>
void tcp_shard<S, C, R>::settle_closing(connection& c) noexcept {
  drop_leases(c);
  if (c.operations != 0) return;
  queue_.drop_all(c);
  if (!c.connected) return release(c);
  if (c.resets) {
    c.resets = false;
    return loop_.ring().disconnect(begin(operation::disconnect, c), connections_.index_of(c));
  }
  c.connected = false;
  loop_.ring().close(begin(operation::close, c), connections_.index_of(c));
}

template <class S, config C, template <ring_sizes> class R>
void tcp_shard<S, C, R>::release(connection& c) noexcept {
  NEN_ASSERT(c.state == connection_state::closing && c.operations == 0 && !c.connected);
  NEN_ASSERT(!c.armed() && !c.waiting() && !c.has_input() && !c.has_output());
  const auto generation = c.generation;
  if (c.outgoing) --outgoing_;
  c = connection{};
  c.generation = (generation + 1) & token::generation_mask;
  connections_.release(connections_.index_of(c));
}

// ---- the end of the shard ----

template <class S, config C, template <ring_sizes> class R>
void tcp_shard<S, C, R>::woken() noexcept {
  wakes_.add();
  const std::uint64_t stops = loop_.ring().watched() % wake_for_mail;
  if constexpr (requires { session_.on_mail(); })
    if (loop_.ring().watched() >= wake_for_mail) session_.on_mail();
  if (stops >= wake_to_abort) abort_all();  // first: nobody has to be told to finish any more
  if (stops != 0 && !draining_) stop();
  watch_waker();
}

template <class S, config C, template <ring_sizes> class R>
void tcp_shard<S, C, R>::abort_all() noexcept {
  aborted_ = true;
  if constexpr (outgoing_max != 0) session_.on_last_client_gone();
  for_each_connection([this](connection& c) {
    if (c.state == connection_state::accepting || c.state == connection_state::closing) return;
    counters_.drain_aborts.add();
    close(c, tcp::close_reason::aborted);
  });
  log_.hurry(loop_.timers(), loop_.now());
}

}  // namespace nen
