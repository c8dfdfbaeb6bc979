// server, L3: a shard's bytes, in and out, and the connections that wait for memory to hold them.
#pragma once

namespace nen {

// ---- bytes in ----

template <class S, config C, template <ring_sizes> class R>
void tcp_shard<S, C, R>::start_receive(connection& c) noexcept {
  NEN_ASSERT(!c.receiving && !c.has_input() && !c.waiting());
  c.receiving = true;
  const token t = begin(operation::receive, c);
  // Who is behind with reading our answers is read from a buffer at a time. So are Unix sockets: a
  // receive that goes on may never see an end that came along with bytes (Linux 6.18).
  if (c.slots_held > 1 || c.is_local) return loop_.ring().receive_once(t, connections_.index_of(c));
  loop_.ring().receive(t, connections_.index_of(c));
}

template <class S, config C, template <ring_sizes> class R>
void tcp_shard<S, C, R>::stop_receiving(connection& c) noexcept {
  if (!c.receiving || c.stops_receiving) return;
  c.stops_receiving = true;
  cancel(c, operation::receive);
}

template <class S, config C, template <ring_sizes> class R>
void tcp_shard<S, C, R>::received(connection& c, const completion& done) {
  c.receiving = done.more;
  if (!done.more) c.stops_receiving = false;
  const bool wanted = c.state == connection_state::open && !c.close_when_sent;
  if (done.result > 0) c.has_spoken = true;
  if (done.lease != completion::no_lease) append_lease(c, done.lease, done.result);
  if (done.result > 0) {
    counters_.bytes_received.add(static_cast<std::uint32_t>(done.result));
    NEN_ASSERT(done.lease != completion::no_lease);
    if (wanted) return c.waiting() || c.paused ? settle(c) : run_session(c);
    c.lingered_bytes += static_cast<std::uint32_t>(done.result);
    if (c.lingered_bytes > linger_bytes_max) return close(c, c.reason);
    return settle(c);
  }
  if (done.result == 0) {
    c.peer_finished = true;
    if (wanted && !c.waiting()) return run_session(c);
  } else if (done.result == -ENOBUFS) {
    counters_.receive_buffers_empty.add();
    // Who holds unused bytes, being paused, wants no more of them now anyway.
    if (c.state != connection_state::closing && !c.waiting() && !c.has_input())
      waiting_for_buffer_.push_back(c);
  } else if (done.result != -ECANCELED && done.result != -EINTR && done.result != -EAGAIN) {
    counters_.receive_errors.add();
    return close(c, tcp::close_reason::peer_reset);
  }
  settle(c);
}

/// The peer of a paused connection will send no more.
template <class S, config C, template <ring_sizes> class R>
void tcp_shard<S, C, R>::end_seen(connection& c, std::int32_t result) {
  c.watches_end = false;
  if (c.state == connection_state::open && c.paused && result > 0 && !c.close_when_sent) {
    if (wants_every_byte(c)) {
      if ((result & end_by_reset) != 0) return close(c, tcp::close_reason::peer_reset);
      c.end_announced = true;  // it is received in its turn, when the session resumes
    } else {
      c.peer_finished = true;
      run_because(c, tcp::close_reason::peer_finished, [&](peer& p) { session_.on_end(p); });
    }
  }
  settle(c);
}

/// Offers the session what came, until it uses no more.
template <class S, config C, template <ring_sizes> class R>
void tcp_shard<S, C, R>::run_session(connection& c) {
  if constexpr (gate::reads_headers)
    if (c.awaits_header && !read_header(c)) return;
  run(c, [&](peer& p) {
    while (c.has_input() && !c.paused) {
      const auto buffer = static_cast<std::uint16_t>(c.first_lease - 1);
      const std::span<char> bytes{loop_.ring().lease_bytes(buffer), lease_chains_[buffer].bytes};
      const std::size_t used = session_.on_data(p, bytes.subspan(c.lease_used));
      NEN_ASSERT(used <= bytes.size() - c.lease_used);
      c.lease_used += static_cast<std::uint32_t>(used);
      if (c.lease_used != bytes.size()) break;
      drop_first_lease(c);
    }
    if (c.peer_finished && !c.has_input() && !c.close_when_sent) {
      c.presume(tcp::close_reason::peer_finished);
      session_.on_end(p);
      c.forget_reason_if_open();
    }
    if (c.wants_room && !c.close_when_sent && queue_.has_room_for(c)) {
      c.wants_room = false;
      session_.on_room(p);
    }
  });
  settle(c);
}

template <class S, config C, template <ring_sizes> class R>
void tcp_shard<S, C, R>::append_lease(connection& c, std::uint16_t buffer,
                                      std::int32_t bytes) noexcept {
  leases_.rise();
  NEN_ASSERT(leases_.value() <= C.receive_buffers);
  lease_chains_[buffer] = {0, bytes > 0 ? static_cast<std::uint32_t>(bytes) : 0};
  const auto link = static_cast<std::uint16_t>(buffer + 1);
  ++c.leases_held;
  (c.has_input() ? lease_chains_[c.last_lease - 1].next : c.first_lease) = link;
  c.last_lease = link;
}

template <class S, config C, template <ring_sizes> class R>
void tcp_shard<S, C, R>::drop_first_lease(connection& c) noexcept {
  NEN_ASSERT(c.has_input() && leases_.value() != 0);
  const auto buffer = static_cast<std::uint16_t>(c.first_lease - 1);
  c.first_lease = lease_chains_[buffer].next;
  c.lease_used = 0;
  --c.leases_held;
  leases_.fall();
  loop_.ring().give_back(buffer);
}

/// Connections that waited for memory go on, first come first served, as far as there is some now.
template <class S, config C, template <ring_sizes> class R>
void tcp_shard<S, C, R>::resume_waiting() {
  // About once round: who still wants something then has to wait for the next turn.
  for (auto left = connections_.in_use(); left != 0 && queue_.has_room(); --left) {
    connection_base* const c = waiting_for_slots_.pop_front();
    if (c == nullptr) break;
    run_session(static_cast<connection&>(*c));
  }
  for (auto free = C.receive_buffers - leases_.value(); free != 0; --free) {
    connection_base* const c = waiting_for_buffer_.pop_front();
    if (c == nullptr) break;
    start_receive(static_cast<connection&>(*c));
  }
}

// ---- bytes out ----

template <class S, config C, template <ring_sizes> class R>
void tcp_shard<S, C, R>::start_send(connection& c) noexcept {
  NEN_ASSERT(!c.sending && c.has_output());
  c.sending = true;
  c.send_began = loop_.now();
  const token t = begin(operation::send, c);
  const std::string_view only = queue_.only_part(c).substr(0, send_bytes_max);
  if (only.empty()) return send_parts(c, t);
  loop_.ring().send(t, connections_.index_of(c), only);
}

template <class S, config C, template <ring_sizes> class R>
void tcp_shard<S, C, R>::send_parts(connection& c, token t) noexcept {
  std::array<std::string_view, ring::vector_parts_max> parts;
  const auto count = queue_.gather(c, parts, send_bytes_max);
  NEN_ASSERT(count != 0);
  if (count == 1) {
    loop_.ring().send(t, connections_.index_of(c), parts[0]);
  } else {
    loop_.ring().send_vector(t, connections_.index_of(c), {parts.data(), count});
  }
}

template <class S, config C, template <ring_sizes> class R>
void tcp_shard<S, C, R>::sent(connection& c, std::int32_t result) {
  c.sending = false;
  if (c.state == connection_state::closing) return settle(c);
  if (result <= 0) {
    counters_.send_errors.add();
    return close(c, tcp::close_reason::peer_reset);
  }
  const auto bytes = static_cast<std::size_t>(result);
  counters_.bytes_sent.add(bytes);
  if constexpr (measures) {
    const std::uint64_t now = loop_.ring().now_ns();
    queue_.sent(c, bytes,
                [&](const detail::answer_mark& mark) { session_.answers_sent(mark, now); });
  } else {
    queue_.sent(c, bytes);
  }
  if (!c.has_output() && c.read_timeout == timeout_kind::idle)
    c.read_deadline = loop_.now() + idle_timeout_;
  stop_waiting(c);
  if ((c.has_input() || c.wants_room) && !c.close_when_sent) return run_session(c);
  settle(c);
}

}  // namespace nen
