// testing, L3: a whole HTTP server in memory, for tests of handlers: no socket, no thread, no
// waiting. The same seed gives the same run.
#pragma once

#include <nen/config.hpp>
#include <nen/http/handler.hpp>
#include <nen/server/session_for.hpp>
#include <nen/testing/simulated_shard.hpp>

namespace nen::testing {

/// One shard of an HTTP server on a given ring that is, or wraps, the simulated one; applications
/// use simulated_server.
template <template <ring_sizes> class Ring, class Routes, config Config, class... State>
using basic_simulated_server =
    simulated_shard<Ring, session_for<Routes, Config, State...>, Config, State...>;

/// One shard of a server on a simulated ring.
/// @tparam Routes, Config, State  as of nen::server
template <class Routes, config Config = config{}, class... State>
class simulated_server : public basic_simulated_server<simulated_ring, Routes, Config, State...> {
  using basic = basic_simulated_server<simulated_ring, Routes, Config, State...>;

 public:
  using basic::basic;
};

}  // namespace nen::testing
