// testing, L3: a whole server of raw TCP in memory, for tests of sessions: no socket, no thread, no
// waiting. The same seed gives the same run.
#pragma once

#include <nen/config.hpp>
#include <nen/server/tcp_server.hpp>
#include <nen/testing/simulated_shard.hpp>

namespace nen::testing {

/// One shard of a server of raw TCP on a given ring that is, or wraps, the simulated one;
/// applications use simulated_tcp_server.
template <template <ring_sizes> class Ring, class Session, config Config, class... State>
using basic_simulated_tcp_server =
    simulated_shard<Ring, typename nen::detail::tcp_protocol<Session, Config, State...>::session,
                    Config, State...>;

/// One shard of a server of raw TCP on a simulated ring.
/// @tparam Session, Config, State  as of nen::tcp::server
template <class Session, config Config = config{}, class... State>
class simulated_tcp_server
    : public basic_simulated_tcp_server<simulated_ring, Session, Config, State...> {
  using basic = basic_simulated_tcp_server<simulated_ring, Session, Config, State...>;

 public:
  using basic::basic;
};

}  // namespace nen::testing
