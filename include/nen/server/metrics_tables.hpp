// server, L3: what each of a shard's counters is called where metrics are shown.
#pragma once

#include <nen/server/counters.hpp>

#include <string_view>

namespace nen::detail {

/// A counter of shards as a series. Rows of one name follow each other.
struct counter_row {
  std::string_view name;
  std::string_view help;
  counter shard_counters::*which;
  std::string_view pool = {};  ///< the value of its label `pool`
  std::string_view kind = {};  ///< the value of its label `outcome` or, without a pool, `kind`
};

namespace names {

inline constexpr std::string_view exhausted = "nen_pool_exhausted_total";
inline constexpr std::string_view exhausted_help =
    "Times that a pool had nothing left, by what became of who asked.";
inline constexpr std::string_view timeouts = "nen_timeouts_total";
inline constexpr std::string_view timeouts_help = "Times that passed, by what was waited for.";

}  // namespace names

using counters = shard_counters;

inline constexpr counter_row counter_rows[] = {
    {"nen_accepts_failed_total", "Accepts that failed for lack of descriptors or kernel memory.",
     &counters::accepts_failed},
    {"nen_drain_aborts_total", "Connections cut off when the drain timeout passed.",
     &counters::drain_aborts},
    {"nen_receive_errors_total", "Connections that ended by an error while receiving.",
     &counters::receive_errors},
    {"nen_send_errors_total", "Connections that ended by an error while sending.",
     &counters::send_errors},
    {"nen_stale_completions_total",
     "Completions whose connection was another one by then; always 0.",
     &counters::stale_completions},

    {"nen_received_bytes_total", "Bytes that came.", &counters::bytes_received},
    {"nen_sent_bytes_total", "Bytes that the kernel has taken.", &counters::bytes_sent},

    {"nen_connections_limited_total",
     "Connections closed unread because their client had too many or made them too fast.",
     &counters::connections_limited},
    {"nen_connections_denied_total", "Connections closed unread by the access rules.",
     &counters::connections_denied},
    {"nen_connections_blacklisted_total",
     "Connections closed unread because their client was on the blacklist.",
     &counters::connections_blacklisted},
    {"nen_clients_blacklisted_total", "Times that a client was put on the blacklist.",
     &counters::clients_blacklisted},
    {"nen_proxy_headers_rejected_total",
     "Connections closed because they did not begin with a PROXY header.",
     &counters::proxy_headers_rejected},
    {"nen_requests_limited_total", "Requests answered 429 by the limits of their client.",
     &counters::requests_limited},
    {"nen_requests_denied_total", "Requests answered 403 by the access rules.",
     &counters::requests_denied},

    {"nen_requests_total", "Requests that were read and routed.", &counters::requests},
    {"nen_requests_rejected_total", "Requests that were malformed or over a limit.",
     &counters::requests_rejected},
    {"nen_requests_deferred_total", "Requests whose handler put the answer off.",
     &counters::requests_deferred},
    {"nen_responses_replaced_total",
     "Answers that became a 500 because they were too long or had a bad field.",
     &counters::responses_replaced},
    {"nen_handler_exceptions_total", "Exceptions that left a handler or a session.",
     &counters::handler_exceptions},

    {"nen_websockets_opened_total", "WebSockets that were opened.", &counters::websockets_opened},
    {"nen_websockets_closed_total", "WebSockets that have ended.", &counters::websockets_closed},
    {"nen_websocket_messages_received_total", "Messages that came.", &counters::ws_messages},
    {"nen_websocket_sends_refused_total",
     "Sends that were refused because their peer was behind with reading.",
     &counters::ws_sends_full},

    {"nen_log_lines_total", "Lines that were made for the access log.", &counters::log_lines},
    {"nen_log_lines_dropped_total", "Lines of the access log that were lost for lack of room.",
     &counters::log_lines_dropped},
    {"nen_log_write_errors_total", "Writes of the access log that failed, and were tried again.",
     &counters::log_write_errors},

    {names::exhausted, names::exhausted_help, &counters::accept_pauses, "connections", "waited"},
    {names::exhausted, {}, &counters::connections_shed, "connections", "refused"},
    {names::exhausted, {}, &counters::connections_evicted, "connections", "evicted"},
    {names::exhausted, {}, &counters::client_slots_evicted, "clients", "evicted"},
    {names::exhausted, {}, &counters::receive_buffers_empty, "receive buffers", "waited"},
    {names::exhausted, {}, &counters::receive_buffers_evicted, "receive buffers", "evicted"},
    {names::exhausted, {}, &counters::send_slots_empty, "send slots", "waited"},
    {names::exhausted, {}, &counters::send_slots_evicted, "send slots", "evicted"},
    {names::exhausted, {}, &counters::head_slots_empty, "head slots", "refused"},
    {names::exhausted, {}, &counters::head_slots_evicted, "head slots", "evicted"},
    {names::exhausted, {}, &counters::body_slots_empty, "body slots", "refused"},
    {names::exhausted, {}, &counters::streams_empty, "streams", "refused"},
    {names::exhausted, {}, &counters::tasks_empty, "coroutine handlers", "refused"},
    {names::exhausted, {}, &counters::task_frames_empty, "coroutine frames", "refused"},
    {names::exhausted, {}, &counters::spawned_tasks_empty, "spawned coroutines", "refused"},
    {names::exhausted, {}, &counters::shard_calls_empty, "questions to shards", "refused"},
    {names::exhausted, {}, &counters::polls_empty, "descriptors of others", "refused"},
    {names::exhausted, {}, &counters::websockets_full, "WebSockets", "refused"},
    {names::exhausted, {}, &counters::ws_message_slots_empty, "WebSocket messages", "refused"},
    {names::exhausted, {}, &counters::ws_message_slots_evicted, "WebSocket messages", "evicted"},
    {names::exhausted,
     {},
     &counters::ws_control_rooms_empty,
     "WebSocket control frames",
     "refused"},
    {names::exhausted, {}, &counters::ws_views_empty, "send views", "refused"},
    {names::exhausted, {}, &counters::ws_broadcast_slots_empty, "broadcast frames", "copied"},

    {names::timeouts, names::timeouts_help, &counters::timeouts_head, {}, "head"},
    {names::timeouts, {}, &counters::timeouts_body, {}, "body"},
    {names::timeouts, {}, &counters::timeouts_handler, {}, "handler"},
    {names::timeouts, {}, &counters::timeouts_write, {}, "write"},
    {names::timeouts, {}, &counters::timeouts_idle, {}, "idle"},
    {names::timeouts, {}, &counters::timeouts_linger, {}, "linger"},
    {names::timeouts, {}, &counters::timeouts_websocket, {}, "websocket"},
    {names::timeouts, {}, &counters::timeouts_message, {}, "message"},
};

}  // namespace nen::detail
