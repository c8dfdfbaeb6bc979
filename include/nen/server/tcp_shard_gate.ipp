// server, L3: a shard's connections before their session hears of them: whose they are, and whether
// they are let in.
#pragma once

namespace nen {

template <class S, config C, template <ring_sizes> class R>
bool tcp_shard<S, C, R>::is_at_gate([[maybe_unused]] const connection& c) noexcept {
  if constexpr (gated) return !c.is_inside && !c.outgoing;
  return false;
}

/// A connection has come.
/// @returns  false when its session does not hear of it, or not yet
template <class S, config C, template <ring_sizes> class R>
bool tcp_shard<S, C, R>::pass_gate(connection& c) noexcept {
  if constexpr (gate::reads_headers) {
    if (gate_.expects_header(gate_.trusts(c.client))) {
      wait_for_header(c);
      return false;
    }
  }
  return let_in(c);
}

/// Whose connection it is, is known.
template <class S, config C, template <ring_sizes> class R>
bool tcp_shard<S, C, R>::let_in(connection& c) noexcept {
  const tcp::close_reason why = gate_.admit(c, loop_.now());
  if (why != tcp::close_reason{}) {
    close(c, why);
    return false;
  }
  c.is_inside = true;
  return true;
}

/// It begins with a header that says whose it is.
template <class S, config C, template <ring_sizes> class R>
void tcp_shard<S, C, R>::wait_for_header(connection& c) noexcept {
  if (aborted_ || (draining_ && !inherits_listener_)) return close(c, tcp::close_reason::drained);
  if (incoming() - accepting_ > C.connections) {
    counters_.connections_shed.add();
    return close(c, tcp::close_reason::shed);  // nobody could be told in his own language yet
  }
  c.awaits_header = true;
  peer(*this, c).set_read_timeout(timeout_kind::idle, gate_.header_timeout());
  settle(c);
}

/// Takes the header off what came.
/// @returns  true when it is complete, and the rest is for the session, which knows of it now
template <class S, config C, template <ring_sizes> class R>
bool tcp_shard<S, C, R>::read_header(connection& c) {
  using header = typename gate::header_status;
  auto status = header::need_more;
  while (c.has_input() && status == header::need_more) {
    const auto buffer = static_cast<std::uint16_t>(c.first_lease - 1);
    const std::string_view bytes{loop_.ring().lease_bytes(buffer), lease_chains_[buffer].bytes};
    const auto got = c.header.feed(bytes.substr(c.lease_used));
    status = got.status;
    c.lease_used += static_cast<std::uint32_t>(got.consumed);
    if (c.lease_used == bytes.size()) drop_first_lease(c);
  }
  switch (status) {
    case header::need_more:
      if (c.peer_finished && !c.has_spoken) {  // a look whether somebody listens
        close(c, tcp::close_reason::peer_finished);
        return false;
      }
      if (!c.peer_finished) {
        settle(c);
        return false;
      }
      [[fallthrough]];
    case header::rejected:
      counters_.proxy_headers_rejected.add();
      close(c, tcp::close_reason::proxy_header);
      return false;
    case header::complete:
      break;
  }
  c.awaits_header = false;
  if (c.header.client().what != client_address::kind::none) c.client = c.header.client();
  if (!let_in(c)) return false;
  run(c, [&](peer& p) { session_.on_open(p); });
  if (draining_ && !c.close_when_sent)
    run_because(c, tcp::close_reason::drained, [&](peer& p) { session_.on_drain(p); });
  if (!c.close_when_sent) return true;
  settle(c);
  return false;
}

}  // namespace nen
