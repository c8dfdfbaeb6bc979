// server, L3: what a shard does when memory stays short: it closes the connections that hold it
// without using it, so that a client who neither reads nor asks does not take the server from the
// others.
#pragma once

namespace nen {

/// True while somebody waits for what others hold.
template <class S, config C, template <ring_sizes> class R>
bool tcp_shard<S, C, R>::is_short_of_memory() const noexcept {
  return !waiting_for_buffer_.empty() || !waiting_for_slots_.empty() || misses_sends_ ||
         is_out_of_connections();
}

template <class S, config C, template <ring_sizes> class R>
bool tcp_shard<S, C, R>::is_out_of_connections() const noexcept {
  return accepting_ == 0 && !draining_ && !accept_timer_.armed();
}

template <class S, config C, template <ring_sizes> class R>
void tcp_shard<S, C, R>::relieve() noexcept {
  if (!waiting_for_buffer_.empty()) evict_holder();
  if (waiting_for_slots_.empty() && !misses_sends_ && !is_out_of_connections()) return;
  if (loop_.now() - last_survey_ < survey_ms) return;
  last_survey_ = loop_.now();
  if (!waiting_for_slots_.empty() || misses_sends_) evict_stalled();
  misses_sends_ = false;
  if (is_out_of_connections()) evict_silent();
}

/// Somebody waits for a receive buffer: who holds the most, because he sends without reading our
/// answers, is cut off; the more he holds, the sooner.
template <class S, config C, template <ring_sizes> class R>
void tcp_shard<S, C, R>::evict_holder() noexcept {
  connection* worst = nullptr;
  for (auto* c = waiting_for_peer_.front(); c != nullptr; c = waiting_for_peer_.next(*c))
    if (worst == nullptr || c->leases_held > worst->leases_held)
      worst = static_cast<connection*>(c);
  if (worst == nullptr) return;
  const tick patience = hold_ms_max / worst->leases_held;
  if (tick_before(loop_.now(), worst->hold_began + patience)) return;
  counters_.receive_buffers_evicted.add();
  close(*worst, tcp::close_reason::evicted);
}

/// Somebody waits for send slots: the send that has been stuck for longest is given up.
template <class S, config C, template <ring_sizes> class R>
void tcp_shard<S, C, R>::evict_stalled() noexcept {
  connection* worst = nullptr;
  for_each_connection([&](connection& c) {
    if (c.state != connection_state::open || !c.sending) return;
    if (worst == nullptr || tick_before(c.send_began, worst->send_began)) worst = &c;
  });
  if (worst == nullptr || tick_before(loop_.now(), worst->send_began + hold_ms_max)) return;
  counters_.send_slots_evicted.add();
  close(*worst, tcp::close_reason::evicted);
}

/// Every connection slot is taken: those that never said a word, and those whose answer was sent
/// and who only linger, make room for the ones in the backlog.
template <class S, config C, template <ring_sizes> class R>
void tcp_shard<S, C, R>::evict_silent() noexcept {
  for_each_connection([&](connection& c) {
    // Who waits for a receive buffer may have spoken: nobody could listen.
    const bool is_silent =
        c.state == connection_state::open && !c.has_spoken && !c.waiting() && !c.outgoing;
    if (!is_silent && c.state != connection_state::lingering) return;
    if (tick_before(loop_.now(), c.state_began + silent_ms_max)) return;
    counters_.connections_evicted.add();
    close(c, tcp::close_reason::evicted);
  });
}

}  // namespace nen
