// server, L3: what a shard counts. Every pool that can run out, every timeout and every way a
// connection can end has its counter.
#pragma once

#include <nen/metrics/counter.hpp>
#include <nen/server/close_reason.hpp>

#include <array>
#include <cstddef>

namespace nen {

/// Ends of connections, by their reason: `counters.closes[tcp::close_reason::evicted].value()`.
class closes_by_reason {
 public:
  counter& operator[](tcp::close_reason why) noexcept { return each_[index(why)]; }
  const counter& operator[](tcp::close_reason why) const noexcept { return each_[index(why)]; }

 private:
  static constexpr std::size_t index(tcp::close_reason why) noexcept {
    return static_cast<std::size_t>(why) - 1;
  }

  std::array<counter, tcp::close_reasons> each_;
};

struct shard_counters {
  // Connections.
  counter connections_accepted;
  counter connections_closed;
  counter connections_shed;     ///< refused because every slot was taken (overload::shed)
  counter connections_evicted;  ///< closed, silent or lingering, because every slot was taken
  counter accept_pauses;        ///< times that the last free connection slot was taken
  counter accepts_failed;       ///< descriptors or memory of the kernel ran out
  counter drain_aborts;         ///< cut off when the drain timeout passed
  counter receive_errors;       ///< ended by an error, mostly a reset
  counter send_errors;
  counter stale_completions;  ///< completions whose slot had another owner by then; always 0
  closes_by_reason closes;    ///< connections_closed, one by one

  // Bytes that came and that the kernel has taken, of clients and of others.
  counter bytes_received;
  counter bytes_sent;

  // Clients, by their addresses.
  counter connections_limited;      ///< closed unread: too many of one client, or too fast
  counter connections_denied;       ///< closed unread: listen_options::access does not admit it
  counter connections_blacklisted;  ///< closed unread: its client is on the blacklist
  counter proxy_headers_rejected;   ///< closed: something else instead of a PROXY header
  counter requests_limited;         ///< 429: too fast, or its client is on the blacklist
  counter requests_denied;          ///< 403: access does not admit whom a proxy asks for
  counter clients_blacklisted;      ///< times that a client was put there
  counter client_slots_evicted;     ///< clients forgotten too early, for lack of slots

  // Requests.
  counter requests;            ///< routed
  counter requests_rejected;   ///< refused before that: malformed or over a limit
  counter requests_deferred;   ///< their handler put the answer off
  counter responses_replaced;  ///< answered 500 because the answer was too long or had a bad field
  counter handler_exceptions;  ///< left a handler, answered 500, or a session, which was closed

  // WebSockets.
  counter websockets_opened;
  counter websockets_closed;
  counter ws_messages;  ///< that came
  /// Sends that were refused because their peer was behind with reading.
  counter ws_sends_full;

  // Pools that ran out.
  counter receive_buffers_empty;    ///< receives that had to wait for a buffer
  counter receive_buffers_evicted;  ///< connections closed that held buffers others waited for
  counter send_slots_empty;         ///< times that a connection had to wait for send slots
  counter send_slots_evicted;       ///< connections closed that held send slots others waited for
  counter head_slots_empty;         ///< 503: no head slot, and no incomplete head to evict
  counter head_slots_evicted;       ///< 408: the oldest incomplete head, for lack of slots
  counter body_slots_empty;         ///< 503
  counter tasks_empty;              ///< 503: config::tasks coroutines ran
  counter task_frames_empty;        ///< 503: no frame was free that is large enough
  counter spawned_tasks_empty;      ///< context::spawn said no
  counter shard_calls_empty;        ///< shard_outcome::no_slot
  counter polls_empty;              ///< poll_outcome::no_slot
  counter streams_empty;            ///< 503
  counter websockets_full;          ///< 503
  counter ws_message_slots_empty;   ///< closed with 1013: and nobody was slow enough to evict
  counter ws_control_rooms_empty;   ///< closed with 1013: a ping or close came in pieces
  counter ws_views_empty;           ///< sends that were refused for lack of views
  /// Closed with 1013: the oldest unfinished message, for lack of slots.
  counter ws_message_slots_evicted;
  /// Broadcasts that were copied for each member.
  counter ws_broadcast_slots_empty;

  // The access log.
  counter log_lines;          ///< made
  counter log_lines_dropped;  ///< not made for lack of room, or made and given up at the end
  counter log_write_errors;   ///< writes that failed; they are tried again

  // Times that passed.
  counter timeouts_head;
  counter timeouts_body;
  counter timeouts_handler;
  counter timeouts_write;
  counter timeouts_idle;
  counter timeouts_linger;
  counter timeouts_websocket;  ///< no pong, or no close frame
  counter timeouts_message;    ///< closed with 1008: a WebSocket message took too long
};

}  // namespace nen
