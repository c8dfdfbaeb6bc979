// server, L3: the part of http_session that streams answers: the producer is called when there is
// room for a message, and the connection is paused until it is done.
#pragma once

namespace nen {

/// @returns  false, with the answer taken back, when all stream slots are taken
template <class Routes, config Config, class... State>
template <class Peer>
bool http_session<Routes, Config, State...>::start_stream(Peer& p, output& out, response& res) {
  if (!store_.take_stream(p.state().kept)) {
    p.counters().streams_empty.add();
    res.start_over();
    return false;
  }
  detail::stream_slot& stream = store_.stream_of(p.state().kept);
  stream.producer = staged_producer_;
  stream.chunked = res.is_chunked();
  stream.keep_alive = res.keeps_alive();
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
  body_stream body(out, stream.chunked, false);
#if defined(__cpp_exceptions)
  try {
    stream.producer(body);
  } catch (...) {
    // Half of a body is out. Without its end the client sees that it is not whole.
    p.counters().handler_exceptions.add();
    stream.keep_alive = false;
    return end_stream(p);
  }
#else
  stream.producer(body);
#endif
  switch (body.step()) {
    case body_stream::next_step::more:
      return p.want_room();
    case body_stream::next_step::finished:
      return end_stream(p);
    case body_stream::next_step::wait:
      stream.rests = true;
      return;
    case body_stream::next_step::sleep:
      stream.rests = true;
      return p.set_read_timeout(timeout_kind::handler, std::max(body.sleep_ms(), 1u));
  }
}

template <class Routes, config Config, class... State>
template <class Peer>
void http_session<Routes, Config, State...>::end_stream(Peer& p) noexcept {
  const bool keep_alive = store_.stream_of(p.state().kept).keep_alive && !p.draining();
  store_.release(p.state().kept);
  p.resume();
  if (!keep_alive) return p.close_lingering();
  p.set_read_timeout(timeout_kind::idle, idle_timeout_);
}

template <class Routes, config Config, class... State>
template <class Peer>
void http_session<Routes, Config, State...>::tell_producer_of_end(Peer& p) noexcept {
  auto out = p.writer();
  body_stream body(out, false, true);
  store_.stream_of(p.state().kept).producer(body);
}

/// A stream that waits for something to happen is ended; one that is under way may go on for a
/// while.
template <class Routes, config Config, class... State>
template <class Peer>
void http_session<Routes, Config, State...>::drain_stream(Peer& p) noexcept {
  detail::stream_slot& stream = store_.stream_of(p.state().kept);
  if (!stream.rests) return;
  tell_producer_of_end(p);
  if (stream.chunked && p.has_room()) {
    auto out = p.writer();
    out.begin_message();
    body_stream body(out, true, false);
    (void)body.finish();
  }
  stream.keep_alive = false;
  end_stream(p);
}

}  // namespace nen
