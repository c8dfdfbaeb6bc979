// testing, L3: what is true of a shard between any two turns of its loop, whatever its clients, its
// network and its handlers do.
#pragma once

#include <nen/core/assert.hpp>
#include <nen/server/connection.hpp>

#include <cstddef>
#include <cstdint>

namespace nen::testing {

/// Asserts the invariants of CONTRIBUTING.md that can be seen from outside, O(slots).
/// @pre  the shard's ring is a simulated_ring, and no turn is under way
template <class Shard>
void check_invariants(Shard& shard) {
  std::size_t operations = 0;
  std::size_t leases = 0;
  std::size_t send_slots = 0;
  std::size_t head_slots = 0;
  std::size_t body_slots = 0;
  std::size_t streams = 0;
  std::size_t websockets = 0;
  std::size_t objects = 0;
  std::size_t clients = 0;
  const auto& connections = shard.connections();
  for (std::uint32_t i = 0; i < connections.high_water(); ++i) {
    const auto& c = connections[i];
    if (!connections.is_held(i)) {
      NEN_ASSERT(c.state == connection_state::free && c.operations == 0);
      NEN_ASSERT(!c.armed() && !c.waiting() && !c.has_input() && !c.has_output() && !c.connected);
      continue;
    }
    NEN_ASSERT(c.state != connection_state::free);
    NEN_ASSERT(!c.running);
    NEN_ASSERT(c.state != connection_state::closing || (!c.armed() && !c.waiting()));
    NEN_ASSERT(!c.sending || c.has_output());
    NEN_ASSERT(c.has_input() == (c.leases_held != 0) && c.has_output() == (c.slots_held != 0));
    NEN_ASSERT(!(c.has_input() && c.state == connection_state::open) || c.waiting());
    operations += c.operations;
    leases += c.leases_held;
    send_slots += c.slots_held;
    if constexpr (requires { c.session.kept; }) {
      head_slots += c.session.kept.head_slot != 0;
      body_slots += c.session.kept.body_slot != 0;
      streams += c.session.kept.stream != 0;
    }
    if constexpr (requires { c.client_slot; }) clients += c.client_slot != 0;
    if constexpr (requires { c.session.has_object; }) objects += c.session.has_object;
    if constexpr (requires { c.session.websocket; }) websockets += c.session.websocket != 0;
  }
  const auto agrees = [](const auto& pool, std::size_t held) {
    return pool.consistent() && pool.in_use() == held;
  };
  NEN_ASSERT(connections.consistent());
  NEN_ASSERT(shard.send_slots().consistent() && shard.sends_held() == send_slots);
  if constexpr (requires { shard.session().head_slots(); }) {
    NEN_ASSERT(agrees(shard.session().head_slots(), head_slots));
    NEN_ASSERT(agrees(shard.session().body_slots(), body_slots));
    NEN_ASSERT(agrees(shard.session().stream_slots(), streams));
  }
  if constexpr (requires { shard.session().websockets(); }) {
    NEN_ASSERT(agrees(shard.session().websockets(), websockets));
    NEN_ASSERT(shard.session().messages().consistent() &&
               shard.session().shared_frames().consistent());
  }
  if constexpr (requires { shard.session().objects_alive(); })
    NEN_ASSERT(shard.session().objects_alive() == objects);
  if constexpr (requires { shard.clients(); }) NEN_ASSERT(shard.clients().consistent(clients));
  if constexpr (requires { shard.session().operations(); }) {
    operations += shard.session().operations();
    NEN_ASSERT(shard.session().polls().consistent() && shard.session().spawned().consistent());
    NEN_ASSERT(shard.session().streams().consistent());
  }
  operations += shard.log().operations();
  NEN_ASSERT(shard.io().outstanding() == operations);
  NEN_ASSERT(shard.io().leases_out() == leases + shard.io().leases_undelivered());
  NEN_ASSERT(shard.counters().stale_completions.value() == 0);
}

/// Asserts that nothing is held any more: every pool is full again.
template <class Shard>
void check_nothing_held(Shard& shard) {
  check_invariants(shard);
  const auto& connections = shard.connections();
  for (std::uint32_t i = 0; i < connections.high_water(); ++i)
    NEN_ASSERT(!connections.is_held(i) || connections[i].state == connection_state::accepting);
  NEN_ASSERT(shard.sends_held() == 0 && shard.io().leases_out() == 0);
  if constexpr (requires { shard.session().head_slots(); })
    NEN_ASSERT(shard.session().head_slots().in_use() == 0 &&
               shard.session().body_slots().in_use() == 0 &&
               shard.session().stream_slots().in_use() == 0);
  if constexpr (requires { shard.session().objects_alive(); })
    NEN_ASSERT(shard.session().objects_alive() == 0);
  if constexpr (requires { shard.session().websockets(); })
    NEN_ASSERT(shard.session().websockets().in_use() == 0 &&
               shard.session().messages().in_use() == 0 &&
               shard.session().shared_frames().in_use() == 0 &&
               shard.session().control_rooms().in_use() == 0);
  if constexpr (requires { shard.session().operations(); })
    NEN_ASSERT(shard.session().operations() == 0 && shard.session().polls().in_use() == 0 &&
               shard.session().spawned().in_use() == 0 && shard.session().streams().in_use() == 0 &&
               shard.session().frames().in_use() == 0);
  NEN_ASSERT(shard.counters().connections_accepted.value() ==
             shard.counters().connections_closed.value());
}

}  // namespace nen::testing
