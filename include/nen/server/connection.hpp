// server, L3: one connection's slot: free → accepting or connecting → open (→ lingering) → closing
// → free. All of it is zero while it is free. What it must never break is in CONTRIBUTING.md, "The
// invariants of a connection".
#pragma once

#include <nen/core/client_address.hpp>
#include <nen/core/intrusive_list.hpp>
#include <nen/core/timer_wheel.hpp>
#include <nen/io/accepted_name.hpp>
#include <nen/io/completion.hpp>
#include <nen/server/close_reason.hpp>

#include <cstdint>

namespace nen {

enum class connection_state : std::uint8_t {
  free,        ///< owned by the pool
  accepting,   ///< an accept into its place is in flight
  connecting,  ///< a connect of its place is in flight
  open,        ///< bytes flow both ways
  lingering,   ///< all is sent and shut for sending; what still arrives is thrown
               ///< away
  closing,     ///< waits for its last operation to complete
};

/// What is given time; each has its option, or a session sets it. All but handler and session are
/// the peer's time.
enum class timeout_kind : std::uint8_t {
  none,
  head,
  body,
  handler,
  idle,
  linger,
  websocket,
  session,
  drain,  ///< for one more request, when the server stops
};

struct waiting_tag;

/// The part of a connection that does not depend on its session.
struct connection_base : timer, list_hook<waiting_tag> {
  std::uint32_t generation;  ///< bumped when freed; part of every token
  connection_state state;
  std::uint8_t operations;    ///< submitted and not completed; the slot is freed only at zero
  timeout_kind read_timeout;  ///< what read_deadline is for; none: no deadline

  // Each is true exactly when …
  bool connected : 1;        ///< … its place in the ring holds a socket
  bool outgoing : 1;         ///< … the session asked for it, and no client
  bool receiving : 1;        ///< … a receive is in flight
  bool is_local : 1;         ///< … its socket is a Unix socket
  bool stops_receiving : 1;  ///< … that receive was told to end
  bool has_spoken : 1;       ///< … a byte of the peer's was received
  bool peer_finished : 1;    ///< … the end of the peer's bytes was received
  bool running : 1;          ///< … a function of the session is running for it
  bool watches_end : 1;      ///< … it is watched for the end of the peer's bytes
  bool paused : 1;           ///< … the session takes no bytes until it resumes
  bool wants_room : 1;       ///< … the session has more to send and is to be called when it can
  bool sending : 1;          ///< … a send is in flight
  bool close_when_sent : 1;  ///< … it closes when its send queue is empty; no byte is read any more
  bool linger_when_sent : 1;  ///< … it does so by way of the lingering state
  bool shut_when_sent : 1;    ///< … no more will be sent than its send queue holds
  bool is_shut : 1;           ///< … its peer is being told so
  bool resets : 1;            ///< … it closes at once, by a reset
  bool end_announced : 1;     ///< … the end of the peer's bytes lies behind unread ones

  tcp::close_reason reason;  ///< why it closes, once it does; zero before

  // What was received and not used yet: a chain of leases.
  std::uint16_t first_lease;  ///< buffer + 1, 0: none
  std::uint16_t last_lease;
  std::uint16_t leases_held;
  std::uint16_t slots_held;  ///< send slots in the chain below
  std::uint32_t lease_used;  ///< bytes of the first lease that the session has used

  // What is to be sent: a chain of send slots.
  std::uint32_t first_slot;  ///< index + 1, 0: none
  std::uint32_t last_slot;
  std::uint32_t first_slot_sent;  ///< bytes of the first slot that the kernel has taken

  tick read_deadline;
  tick state_began;              ///< when it was accepted, or began to linger
  tick send_began;               ///< of the send in flight
  tick hold_began;               ///< since when it holds leases that it cannot use
  std::uint32_t lingered_bytes;  ///< thrown away since lingering began

  bool has_input() const noexcept { return first_lease != 0; }
  bool has_output() const noexcept { return first_slot != 0; }
  bool waiting() const noexcept { return list_hook<waiting_tag>::linked(); }

  /// Why it closes if its session asks for that now: because of what it is being told, or of its
  /// own wish. The first reason stays.
  void presume(tcp::close_reason why) noexcept {
    if (reason == tcp::close_reason{}) reason = why;
  }
  void forget_reason_if_open() noexcept {
    if (!close_when_sent) reason = {};
  }
};

namespace detail {

/// Slots beside the configured ones in which overload::shed turns connections away.
inline constexpr std::uint32_t shed_slots = 8;

}  // namespace detail

/// True for sessions that want every byte before they are told of the end, however long they pause.
template <class Session>
inline constexpr bool reads_to_the_end = [] {
  if constexpr (requires { Session::reads_to_the_end; }) return Session::reads_to_the_end;
  return false;
}();

/// Whose connection it is, where that is kept.
template <bool Keeps>
struct connection_client {
  union {
    accepted_name accepted;  ///< while it is being accepted
    client_address client;   ///< from then on; nobody's where the session asked for the connection
  };
};
template <>
struct connection_client<false> {};

struct no_gate_state {};

/// A connection with what its session keeps per connection.
/// @tparam GateState  what the shard's client_gate keeps
template <class SessionState, bool KeepsClient = false, class GateState = no_gate_state>
struct connection : connection_base, connection_client<KeepsClient>, GateState {
  SessionState session;
};

}  // namespace nen
