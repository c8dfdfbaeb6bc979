// server, L3: how a shard stops: it serves on for a while if that was asked for, then nobody is
// accepted any more and what is in hand is finished.
#pragma once

namespace nen {

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
  if (drain_delay_ != 0 && listener_ >= 0) ring::refuse(listener_);  // nobody has done it yet
  if (drain_timeout_ != 0) loop_.timers().arm(drain_timer_, loop_.now() + drain_timeout_);
  for_each_connection([this](connection& c) {
    if (c.state == connection_state::accepting) cancel(c, operation::accept);
    if (c.state != connection_state::open) return;
    if (is_at_gate(c)) return close(c, tcp::close_reason::drained);
    if (!c.has_input() || c.paused)
      run_because(c, tcp::close_reason::drained, [&](peer& p) { session_.on_drain(p); });
    settle(c);
  });
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
