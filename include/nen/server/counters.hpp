// server, L3: what a shard counts. Every pool that can run out, every timeout
// and every way a connection can end has its counter.
#pragma once

#include <nen/metrics/counter.hpp>

namespace nen {

struct shard_counters {
  counter connections_accepted;
  counter connections_closed;
  counter connections_shed;         ///< told 503 because every slot was taken
                                    ///< (overload::shed)
  counter accepts_failed;           ///< the kernel could not accept: descriptors or
                                    ///< memory ran out
  counter accept_pauses;            ///< times that the last free connection slot was taken
  counter receive_buffers_empty;    ///< receives that found no buffer and had to
                                    ///< wait for one
  counter receive_buffers_evicted;  ///< connections closed that held buffers
                                    ///< others were waiting for
  counter send_slots_evicted;       ///< stuck sends given up because others waited for send slots
  counter connections_evicted;      ///< closed unasked or lingering because every slot was taken
  counter send_slots_empty;         ///< times a connection had to wait for send slots
  counter head_slots_evicted;       ///< oldest incomplete heads that were answered
                                    ///< 408 for lack of slots
  counter head_slots_empty;         ///< requests refused with 503 for lack of a head slot
  counter streams_empty;            ///< streams refused with 503 for lack of a stream slot
  counter body_slots_empty;         ///< requests refused with 503 for lack of a body slot
  counter requests;                 ///< requests that were routed
  counter requests_rejected;        ///< messages refused before routing: malformed or
                                    ///< over a limit
  counter responses_replaced;       ///< answers replaced by a 500: too long, or a bad
                                    ///< field
  counter requests_deferred;        ///< requests whose handler put the answer off
  counter handler_exceptions;       ///< exceptions that left a handler, answered 500
  counter timeouts_head;
  counter timeouts_body;
  counter timeouts_handler;  ///< answers that were deferred and did not come
  counter timeouts_idle;
  counter timeouts_write;
  counter timeouts_linger;
  counter drain_aborts;       ///< connections cut off when the drain timeout passed
  counter stale_completions;  ///< completions whose slot had another owner by then
  counter send_errors;
  counter receive_errors;
};

}  // namespace nen
