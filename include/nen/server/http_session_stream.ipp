// server, L3: the part of http_session that streams answers: the producer is called when there is
// room for a message, and the connection is paused until it is done.
#pragma once

namespace nen {

/// @returns  false, with the answer taken back, when all stream slots are taken
template <class Routes, config Config, class... State>
template <class Peer>
bool http_session<Routes, Config, State...>::start_stream(Peer& p, output& out,
                                                          const request& message, response& res) {
  if (!store_.take_stream(p.state().kept)) {
    p.counters().streams_empty.add();
    if constexpr (Routes::has_coroutine) end_task(p);
    res.start_over();
    return false;
  }
  detail::stream_slot& stream = store_.stream_of(p.state().kept);
  stream.producer = staged_producer_;
  stream.chunked = res.is_chunked();
  stream.keep_alive = res.keeps_alive();
  journal_.stream_begins(p, p.state().kept.stream - 1, message, res);
  staged_for_ = {};
  p.pause();
  call_producer(p, out);  // still in the message of the head, which has room for all of it
  return true;
}

template <class Routes, config Config, class... State>
template <class Peer>
void http_session<Routes, Config, State...>::call_producer(Peer& p, output& out) {
  detail::stream_slot& stream = store_.stream_of(p.state().kept);
  stream.rests = false;
  p.set_read_timeout(timeout_kind::none, 0);
  body_stream body(out, stream.chunked, p.draining());
  const bool has_returned = run_producer(p, body);
  journal_.stream_goes_on(p.state().kept.stream - 1, body.written());
  if (!has_returned) {
    // Half of a body is out. Without its end the client sees that it is not whole.
    stream.keep_alive = false;
    return end_stream(p, out);
  }
  switch (body.step()) {
    case body_stream::next_step::more:
      return p.want_room();
    case body_stream::next_step::finished:
      return end_stream(p, out);
    case body_stream::next_step::failed:
      p.counters().responses_replaced.add();
      stream.keep_alive = false;
      return end_stream(p, out);
    case body_stream::next_step::wait:
    case body_stream::next_step::sleep:
      break;
  }
  stream.rests = true;
  if (body.step() == body_stream::next_step::sleep)
    p.set_read_timeout(timeout_kind::handler, detail::largest(body.sleep_ms(), 1u));
}

/// @returns  false when an exception left the producer
template <class Routes, config Config, class... State>
template <class Peer>
bool http_session<Routes, Config, State...>::run_producer(Peer& p, body_stream& body) noexcept {
  detail::stream_slot& stream = store_.stream_of(p.state().kept);
#if defined(__cpp_exceptions)
  try {
    stream.producer(body);
    return true;
  } catch (const std::exception& problem) {
    events_.exception(detail::no_request(), problem.what());
  } catch (...) {
    events_.exception(detail::no_request(), "not a std::exception");
  }
  p.counters().handler_exceptions.add();
  return false;
#else
  stream.producer(body);
  return true;
#endif
}

template <class Routes, config Config, class... State>
template <class Peer>
void http_session<Routes, Config, State...>::end_stream(Peer& p, output& out) noexcept {
  mark_answer(p, out);
  const bool keep_alive = store_.stream_of(p.state().kept).keep_alive;
  journal_.stream_ends(p, p.state().kept.stream - 1);
  if constexpr (Routes::has_coroutine) end_task(p);
  store_.release(p.state().kept);
  p.resume();
  const bool is_last = p.draining() && drain_idle_timeout_ == 0;
  if (!keep_alive || is_last) return p.close_lingering();
  if (p.draining()) return rest_or_close(p);
  p.set_read_timeout(timeout_kind::idle, idle_timeout_);
}

template <class Routes, config Config, class... State>
template <class Peer>
void http_session<Routes, Config, State...>::tell_producer_of_end(Peer& p) noexcept {
  journal_.stream_ends(p, p.state().kept.stream - 1);
  body_stream body(body_stream::end{});
  (void)run_producer(p, body);
}

/// The server stops: a stream that rests is called, so that it can finish.
template <class Routes, config Config, class... State>
template <class Peer>
void http_session<Routes, Config, State...>::drain_stream(Peer& p) noexcept {
  if (store_.stream_of(p.state().kept).rests) p.want_room();
}

}  // namespace nen
