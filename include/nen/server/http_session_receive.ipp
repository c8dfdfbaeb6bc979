// server, L3: the part of http_session that has bodies taken part by part: the handler is called
// when the head is complete, and what is not taken stays in the lease, so that the client feels it.
#pragma once

namespace nen {

/// The head of a request for a nen::streamed route is complete and kept; its body begins at `at`.
/// @returns  the first byte that is not used
template <class Routes, config Config, class... State>
template <class Peer>
char* http_session<Routes, Config, State...>::begin_receiving(Peer& p, output& out, char* at,
                                                              char* end) {
  slot& kept = store_.head_of(p.state().kept);
  const request message = kept.parser.message();
  if constexpr (Routes::limits_bodies) {
    kept.parser.stream_body(Routes::body_bytes_max(message));
  } else {
    kept.parser.stream_body();
  }
  switch (respond(p, out, message, false)) {
    case answer_is::receiving:
      break;
    case answer_is::streaming:
      release_request(p);
      return at;
    case answer_is::deferred:  // an answer that waits is for when the body has been read
      refuse(p, out, status::internal_server_error);
      return end;
    case answer_is::complete:  // the body stays unread
      drop_request(p);
      p.close_lingering();
      return end;
  }
  p.state().receiving = true;
  kept.consumer = staged_consumer_;
  kept.bytes_this_time = 0;
  p.set_read_timeout(timeout_kind::body, body_timeout_);
  if (at == end && message.head().expects_continue) {
    out.begin_message();
    (void)out.append("HTTP/1.1 100 Continue\r\n\r\n");
  }
  return at;
}

template <class Routes, config Config, class... State>
template <class Peer>
char* http_session<Routes, Config, State...>::receive_part(Peer& p, output& out, char* at,
                                                           char* end) {
  if constexpr (feeds_tasks)
    if (task_is_busy(p)) return wait_for_task(p), at;
  slot& kept = store_.head_of(p.state().kept);
  const parse_result got = kept.parser.feed(at, end);
  if (got.status == parse_status::rejected) {
    reject(p, out, got.answer, kept.parser, true);
    return end;
  }
  // The timeout is for each so many bytes: a body may take long, but not drip.
  constexpr std::uint32_t bytes_per_timeout = 4 * KiB;
  kept.bytes_this_time += static_cast<std::uint32_t>(got.consumed);
  if (kept.bytes_this_time >= bytes_per_timeout) {
    kept.bytes_this_time = 0;
    p.set_read_timeout(timeout_kind::body, body_timeout_);
  }
  const bool is_last = got.status == parse_status::message_complete;
  if (is_last || !kept.parser.message().body().empty()) deliver(p, out, is_last);
  if (p.closing()) return end;
  if constexpr (feeds_tasks) {
    if (holds_part(p)) {
      p.state().held = static_cast<std::uint32_t>(got.consumed);
      if (!is_last) wait_for_task(p);
      return at;
    }
  }
  return at + got.consumed;
}

/// Hands on what has come of the body.
template <class Routes, config Config, class... State>
template <class Peer>
void http_session<Routes, Config, State...>::deliver(Peer& p, output& out, bool is_last) {
  slot& kept = store_.head_of(p.state().kept);
  const request message = kept.parser.message();
  stage(p);
  if constexpr (feeds_tasks) tasks_.answering = &p;
  const auto outcome = answer(
      p, out, message,
      [&](response& res) {
        return kept.consumer({message, message.body(), is_last}, res);
      },
      is_last);
  kept.parser.drop_body();
  if (outcome != answer_is::deferred) staged_for_ = {};
  switch (outcome) {
    case answer_is::receiving:
      if (is_last) {  // there is no more
        p.state().receiving = false;
        return refuse(p, out, status::internal_server_error);
      }
      if (more_after_ms_ == 0) return;
      p.pause();
      return p.set_read_timeout(timeout_kind::handler, more_after_ms_);
    case answer_is::deferred:
      if (is_last) {
        p.state().receiving = false;
        return defer_kept(p, out);
      }
      p.pause();  // until the handle wakes it
      return p.set_read_timeout(timeout_kind::none, 0);
    case answer_is::streaming:
      p.state().receiving = false;
      return release_request(p);
    case answer_is::complete:
      p.state().receiving = false;
      drop_request(p);
      if (!is_last) p.close_lingering();  // what is still to come is not the next request
      return;
  }
}

/// The consumer wanted to wait, and the wait is over.
template <class Routes, config Config, class... State>
template <class Peer>
void http_session<Routes, Config, State...>::go_on(Peer& p) noexcept {
  p.resume();
  p.set_read_timeout(timeout_kind::body, body_timeout_);
}

/// The rest of the body will not come: the consumer is called for the last time. What it answers
/// goes nowhere, and it can't make the request wait again.
template <class Routes, config Config, class... State>
template <class Peer>
void http_session<Routes, Config, State...>::tell_consumer_of_end(Peer& p) noexcept {
  p.state().receiving = false;
  slot& kept = store_.head_of(p.state().kept);
  kept.parser.drop_body();
  const request message = kept.parser.message();
  discarding_output nowhere;
  response res(nowhere, defaults_, {.without_body = true});
#if defined(__cpp_exceptions)
  try {
    (void)kept.consumer({message, {}, false, true}, res);
    return;
  } catch (const std::exception& problem) {
    events_.exception(message, problem.what());
  } catch (...) {
    events_.exception(message, "not a std::exception");
  }
  p.counters().handler_exceptions.add();
#else
  (void)kept.consumer({message, {}, false, true}, res);
#endif
}

}  // namespace nen
