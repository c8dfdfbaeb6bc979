// server, L3: how a shard begins, and how it stops: it serves on for a while if that was asked for,
// then nobody is accepted any more and what is in hand is finished.
#pragma once

namespace nen {

template <class S, config C, template <ring_sizes> class R>
result<void> tcp_shard<S, C, R>::open(int listener, int waker, const listen_options& options,
                                      bool is_local) noexcept {
  listener_ = listener;
  waker_ = waker;
  overload_ = options.overload;
  is_local_ = is_local;
  inherits_listener_ = detail::inherits_listeners(options);
  write_timeout_ = detail::to_milliseconds(options.write_timeout);
  idle_timeout_ = detail::to_milliseconds(options.idle_timeout);
  linger_timeout_ = detail::to_milliseconds(options.linger_timeout);
  drain_delay_ = detail::to_milliseconds(options.drain_delay);
  drain_timeout_ = detail::to_milliseconds(options.drain_timeout);
  stopping_ = draining_ = aborted_ = false;
  sweeps_left_ = 0;
  events_ = detail::event_log(options);
  log_.start(options.access_log);
  session_.bind(*this);
  if (auto opened = gate_.open(options, counters_); !opened) return opened;
  return loop_.open();
}

template <class S, config C, template <ring_sizes> class R>
void tcp_shard<S, C, R>::start() {
  watch_waker();
  top_up_accepts();
  if constexpr (gate::has_table) gate_.sweep(loop_.timers());
}

template <class S, config C, template <ring_sizes> class R>
void tcp_shard<S, C, R>::stop() noexcept {
  const bool is_first = !stopping_;
  stopping_ = true;
  if (drain_delay_ == 0 || aborted_) return drain();
  if (is_first) loop_.timers().arm(drain_timer_, loop_.now() + drain_delay_);
}

template <class S, config C, template <ring_sizes> class R>
void tcp_shard<S, C, R>::drain() noexcept {
  draining_ = true;
  if (inherits_listener_) {
    if (!aborted_) sweeps_left_ = accepts_max;
  } else if (drain_delay_ != 0 && listener_ >= 0) {
    ring::refuse(listener_);  // nobody has done it yet
  }
  if (drain_timeout_ != 0) loop_.timers().arm(drain_timer_, loop_.now() + drain_timeout_);
  for_each_connection([this](connection& c) {
    if (c.state == connection_state::accepting) cancel(c, operation::accept);
    if (c.state != connection_state::open) return;
    if (is_at_gate(c)) {
      // With an inherited listener who was accepted is served; his header has a time of its own.
      if (!inherits_listener_) close(c, tcp::close_reason::drained);
      return;
    }
    if (!c.has_input() || c.paused)
      run_because(c, tcp::close_reason::drained, [&](peer& p) { session_.on_drain(p); });
    settle(c);
  });
}

/// A connection that comes wakes one of those who accept from its listener. If that one was being
/// given up just then, it stays where it is, and others, of another process maybe, sleep on. So
/// whoever gives his accepts up looks once more, for as many as he might have kept from others.
/// Each is looked for by an accept that is given up at once: it has tried by then.
template <class S, config C, template <ring_sizes> class R>
void tcp_shard<S, C, R>::sweep_backlog() noexcept {
  if (sweeps_left_ == 0 || accepting_ != 0) return;
  if (aborted_ || incoming() >= C.connections || !ring::has_backlog(listener_)) {
    sweeps_left_ = 0;
    return;
  }
  --sweeps_left_;
  connection& c = connections_[connections_.try_acquire()];
  submit_accept(c);
  cancel(c, operation::accept);
}

template <class S, config C, template <ring_sizes> class R>
void tcp_shard<S, C, R>::finish() {
  NEN_ASSERT(queue_.in_use() == 0 && leases_.value() == 0);
  loop_.timers().cancel(drain_timer_);
  loop_.timers().cancel(accept_timer_);
  loop_.timers().cancel(relief_timer_);
  if constexpr (gate::has_table) loop_.timers().cancel(gate_.sweep_timer());
  log_.finish(loop_.timers());
  if constexpr (outgoing_max != 0) session_.on_finish();
  loop_.ring().shut();
}

}  // namespace nen
