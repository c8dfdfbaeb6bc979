// server, L3: the part of http_session that cuts requests out of bytes, and keeps those of which
// more is to come.
#pragma once

namespace nen {

template <class Routes, config Config, class... State>
template <class Peer>
std::size_t http_session<Routes, Config, State...>::on_data(Peer& p, std::span<char> bytes) {
  char* at = bytes.data();
  char* const end = at + bytes.size();
  defaults_ = common_lines_.at(p.unix_seconds());
  auto out = p.writer();
  if constexpr (feeds_tasks) {
    if (p.state().held != 0) {
      if (holds_part(p)) return p.pause(), 0;
      at += std::exchange(p.state().held, 0U);
    }
  }
  while (at != end && !p.closing() && !p.paused() && !is_upgraded(p) && p.has_room())
    at = !has_request(p) ? read_in_place(p, out, at, end) : read_on(p, out, at, end);
  if (p.closing()) return bytes.size();
  if (!has_request(p) && !p.paused() && !is_upgraded(p))
    p.set_read_timeout(timeout_kind::idle, idle_timeout_);
  return static_cast<std::size_t>(at - bytes.data());
}

/// Reads a request from its first byte, where it lies.
/// @returns  the first byte that is not used
template <class Routes, config Config, class... State>
template <class Peer>
char* http_session<Routes, Config, State...>::read_in_place(Peer& p, output& out, char* begin,
                                                            char* end) {
  parser_.start(begin, limits);
  journal_.begin(p, parser_);
  if constexpr (Peer::keeps_client) parser_.set_client(&p.client());
  char* at = begin;
  parse_result got = parser_.feed(at, end);
  const bool knows_head = got.status == parse_status::head_complete;
  if (knows_head) {
    at += got.consumed;
    if (!limit_body(parser_)) {
      reject(p, out, status::content_too_large, parser_, true);
      return end;
    }
    if constexpr (Routes::has_streamed) {
      if (Routes::takes_head(parser_.message())) {
        if (!keep(p, out, begin, parser_.head().head_bytes, false)) return end;
        return begin_receiving(p, out, at, end);
      }
    }
    got = parser_.feed(at, end);
  }
  at += got.consumed;
  switch (got.status) {
    case parse_status::message_complete:
      if constexpr (Routes::has_coroutine) read_from_ = begin;
      switch (respond(p, out, parser_.message())) {
        case answer_is::deferred:
          defer(p, out, begin);
          break;
        case answer_is::receiving:
          refuse(p, out, status::internal_server_error);
          break;
        case answer_is::streaming:
        case answer_is::complete:
          if constexpr (Routes::has_coroutine) release_request(p);
          break;
      }
      return at;
    case parse_status::need_more:
      keep_incomplete(p, out, begin, end);
      return end;
    case parse_status::rejected:
      reject(p, out, got.answer, parser_, knows_head);
      return end;
    case parse_status::head_complete:
      break;
  }
  NEN_ASSERT(false);
  return end;
}

/// Reads on a request of which a part came before.
template <class Routes, config Config, class... State>
template <class Peer>
char* http_session<Routes, Config, State...>::read_on(Peer& p, output& out, char* at, char* end) {
  if constexpr (Routes::has_streamed) {
    if (p.state().receiving) return receive_part(p, out, at, end);
  }
  slot& kept = store_.head_of(p.state().kept);
  parse_result got{};
  bool knows_head = kept.parser.in_body();
  if (knows_head) {
    got = kept.parser.feed(at, end);
    at += got.consumed;
  } else {
    const auto room = static_cast<std::size_t>(Config.head_bytes_max - kept.used);
    const auto size = detail::smallest(room, static_cast<std::size_t>(end - at));
    char* const to = kept.bytes + kept.used;
    std::memcpy(to, at, size);
    got = kept.parser.feed(to, to + size);
    at += got.consumed;
    kept.used += static_cast<std::uint32_t>(got.consumed);
    if (got.status == parse_status::message_complete) store_.set_complete(kept);
    if (got.status == parse_status::head_complete) {
      knows_head = true;
      store_.set_complete(kept);
      kept.parser.trailers_into(kept.bytes + kept.used);
      p.set_read_timeout(timeout_kind::body, body_timeout_);
      if (!limit_body(kept.parser)) {
        reject(p, out, status::content_too_large, kept.parser, true);
        return end;
      }
      if constexpr (Routes::has_streamed) {
        if (Routes::takes_head(kept.parser.message())) return begin_receiving(p, out, at, end);
      }
      got = kept.parser.feed(at, end);
      at += got.consumed;
    }
  }
  switch (got.status) {
    case parse_status::message_complete:
      switch (respond(p, out, kept.parser.message())) {
        case answer_is::deferred:
          defer_kept(p, out);
          break;
        case answer_is::receiving:
          refuse(p, out, status::internal_server_error);
          break;
        case answer_is::streaming:
        case answer_is::complete:
          release_request(p);
          break;
      }
      return at;
    case parse_status::need_more:
      if (kept.parser.in_body() && p.state().kept.body_slot == 0)
        (void)keep_body(p, out, kept.parser);
      return end;
    case parse_status::rejected:
      reject(p, out, got.answer, kept.parser, knows_head);
      return end;
    case parse_status::head_complete:
      break;
  }
  NEN_ASSERT(false);
  return end;
}

/// Holds the body that follows to what its route allows.
/// @returns  false when it is known to be longer: that is 413
template <class Routes, config Config, class... State>
bool http_session<Routes, Config, State...>::limit_body(
    [[maybe_unused]] request_parser& from) noexcept {
  if constexpr (Routes::limits_bodies) {
    const std::uint64_t bytes_max = Routes::body_bytes_max(from.message());
    if (from.head().content_length > bytes_max) return false;
    from.limit_body(bytes_max);
  }
  return true;
}

/// Keeps a request of which more is to come.
template <class Routes, config Config, class... State>
template <class Peer>
void http_session<Routes, Config, State...>::keep_incomplete(Peer& p, output& out, char* begin,
                                                             char* end) {
  const bool in_body = parser_.in_body();
  const auto head_bytes =
      in_body ? parser_.head().head_bytes : static_cast<std::uint32_t>(end - begin);
  if (!keep(p, out, begin, head_bytes, in_body)) return;
  if (!in_body) store_.set_incomplete(store_.head_of(p.state().kept));
  p.set_read_timeout(in_body ? timeout_kind::body : timeout_kind::head,
                     in_body ? body_timeout_ : header_timeout_);
}

/// Moves a request out of the lease, which goes back.
/// @returns  false when there is no room for it; then 503 was answered
template <class Routes, config Config, class... State>
template <class Peer>
bool http_session<Routes, Config, State...>::keep(Peer& p, output& out, const char* begin,
                                                  std::uint32_t head_bytes, bool with_body) {
  if (try_keep(p, out, begin, head_bytes, with_body)) return true;
  refuse(p, out, status::service_unavailable);
  return false;
}

/// The same without an answer.
template <class Routes, config Config, class... State>
template <class Peer>
bool http_session<Routes, Config, State...>::try_keep(Peer& p, output& out, const char* begin,
                                                      std::uint32_t head_bytes, bool with_body) {
  if (with_body && !try_keep_body(p, out, parser_)) return false;
  if (!store_.take_head(p.state().kept) && !evict_head(p)) {
    p.counters().head_slots_empty.add();
    return false;
  }
  slot& kept = store_.head_of(p.state().kept);
  kept.connection = p.index();
  kept.task = 0;
  kept.used = head_bytes;
  std::memcpy(kept.bytes, begin, head_bytes);
  if (parser_.has_head()) parser_.trailers_into(kept.bytes + head_bytes);
  parser_.move_to(kept.parser, kept.bytes);
  return true;
}

/// Finds a place for a body of which more is to come, and lets a client that asked send it.
template <class Routes, config Config, class... State>
template <class Peer>
bool http_session<Routes, Config, State...>::keep_body(Peer& p, output& out, parser& from) {
  if (try_keep_body(p, out, from)) return true;
  refuse(p, out, status::service_unavailable);
  return false;
}

/// The same without an answer.
template <class Routes, config Config, class... State>
template <class Peer>
bool http_session<Routes, Config, State...>::try_keep_body(Peer& p, output& out,
                                                           request_parser& from) {
  if (!store_.take_body(p.state().kept)) {
    p.counters().body_slots_empty.add();
    return false;
  }
  // RFC 9110 §10.1.1: a client that waits for leave to send is told; one that has begun is not.
  if (from.in_body() && from.head().expects_continue && from.message().body().empty()) {
    out.begin_message();
    (void)out.append("HTTP/1.1 100 Continue\r\n\r\n");
  }
  from.body_into(store_.body_of(p.state().kept), Config.body_bytes_max);
  return true;
}

/// No head slot is free: whoever has been sending his head for longest pays for it.
/// @returns  true when a slot was taken
template <class Routes, config Config, class... State>
template <class Peer>
bool http_session<Routes, Config, State...>::evict_head(Peer& p) {
  const slot* const oldest = store_.oldest_incomplete();
  if (oldest == nullptr) return false;
  p.counters().head_slots_evicted.add();
  p.with_other(oldest->connection, [&](Peer& other) {
    if (other.has_room_beside_others()) {
      answer_and_close(other, status::request_timeout);
    } else {
      drop_request(other);
      other.close();
    }
  });
  return store_.take_head(p.state().kept);
}

}  // namespace nen
