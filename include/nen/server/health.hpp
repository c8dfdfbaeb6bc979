// server, L3: routes for who watches a server: whether it is alive, and whether it wants requests.
// Not part of nen.hpp.
#pragma once

#include <nen/http/router.hpp>
#include <nen/server/server_status.hpp>

namespace nen {

namespace detail {

inline reply say_alive(response& res) {
  return res.field("Cache-Control", "no-store").text("alive\n");
}

inline reply say_ready(const server_status& shard, response& res) {
  res.field("Cache-Control", "no-store");
  if (!shard.is_draining() && !shard.is_overloaded()) return res.text("ready\n");
  res.set_status(status::service_unavailable).field("Retry-After", "1");
  return res.text(shard.is_draining() ? "draining\n" : "overloaded\n");
}

}  // namespace detail

/// 200 as long as the loop of the shard that is asked turns: who gets no answer restarts the
/// server.
template <fixed_string Pattern>
using livez = get<Pattern, detail::say_alive>;

/// 200 when the server wants requests; 503 while it stops, so that load balancers send them
/// elsewhere before it refuses them (give them time: listen_options::drain_delay), and while the
/// shard that is asked is overloaded (server_status).
template <fixed_string Pattern>
using readyz = get<Pattern, detail::say_ready>;

}  // namespace nen
