// server, L3: the part of http_session that has requests answered, by their handlers or, where they
// are refused, by the error.
#pragma once

namespace nen {

/// Has a request answered.
/// @param is_whole  false when only its head has come
template <class Routes, config Config, class... State>
template <class Peer>
auto http_session<Routes, Config, State...>::respond(Peer& p, output& out, const request& message,
                                                     bool is_whole) -> answer_is {
  ++p.state().requests;
  if constexpr (Peer::gated) {
    const request_refusal refusal = p.judge(message.fields());
    if (refusal.code != 0)
      return respond_with(
          p, out, message, is_whole,
          [&](response& res) { return answer_refusal(p, message, res, refusal); }, refusal.closes);
  }
  p.counters().requests.add();
  return respond_with(p, out, message, is_whole,
                      [&](response& res) { return dispatch(p, message, res); });
}

/// The same with `make` instead of its handler.
/// @param closes  no other request is wanted behind it
template <class Routes, config Config, class... State>
template <class Peer>
auto http_session<Routes, Config, State...>::respond_with(Peer& p, output& out,
                                                          const request& message, bool is_whole,
                                                          function_ref<reply(response&)> make,
                                                          bool closes) -> answer_is {
  if constexpr (measures) p.state().began_ns = p.now_ns();
  stage(p);
  if constexpr (Routes::has_coroutine) {
    tasks_.answering = &p;
    tasks_.came_whole = is_whole;
  }
  const auto outcome = answer(p, out, message, make, is_whole && !closes);
  if constexpr (Routes::has_coroutine) tasks_.answering = nullptr;
  if (outcome != answer_is::deferred) staged_for_ = {};
  if (outcome != answer_is::receiving || !is_whole) return outcome;
  staged_for_ = name(p);
  return answer(p, out, message, [&](response& res) {  // all of the body is there
    return staged_consumer_({message, message.body(), true}, res);
  });
}

/// Says that the client may not ask, or not now.
template <class Routes, config Config, class... State>
template <class Peer>
reply http_session<Routes, Config, State...>::answer_refusal([[maybe_unused]] Peer& p,
                                                             const request& message, response& res,
                                                             const request_refusal& refusal) {
  if constexpr (measures) p.state().route = 0;
  const auto code = static_cast<status>(refusal.code);
  res.set_status(code);
  char digits[decimal_digits_max];
  const char* const end = write_decimal(digits, refusal.retry_seconds);
  if (code == status::too_many_requests)
    res.field("Retry-After", {digits, static_cast<std::size_t>(end - digits)});
  return Routes::answer_error(code, message, res, states_);
}

/// Calls the handler of the request's route.
template <class Routes, config Config, class... State>
template <class Peer>
reply http_session<Routes, Config, State...>::dispatch([[maybe_unused]] Peer& p,
                                                       const request& message, response& res) {
  if constexpr (measures) {
    path_segments segments;
    const route_match match = Routes::lookup(message.method(), message.path(), segments);
    const bool found = match.outcome == route_outcome::found;
    p.state().route = found ? match.route + 1U : 0;
    route_metrics& route = metrics_.routes[p.state().route];
    const detail::handler_stopwatch stopwatch(route, p);
    return Routes::dispatch(match, segments, message, res, states_, scratch_);
  } else {
    return Routes::dispatch(message, res, states_, scratch_);
  }
}

/// An answer's status is known, and that it will be this one.
template <class Routes, config Config, class... State>
template <class Peer>
void http_session<Routes, Config, State...>::count_answer([[maybe_unused]] Peer& p,
                                                          [[maybe_unused]] status code) noexcept {
  if constexpr (measures) metrics_.routes[p.state().route].count(code);
}

/// An answer's last byte is written.
template <class Routes, config Config, class... State>
template <class Peer>
void http_session<Routes, Config, State...>::mark_answer([[maybe_unused]] Peer& p,
                                                         [[maybe_unused]] output& out) noexcept {
  if constexpr (measures) {
    using writer = decltype(p.writer());
    auto& [began_ns, route] = static_cast<detail::request_timing<true>&>(p.state());
    if (!static_cast<writer&>(out).mark_answer(route, began_ns))
      answers_sent({began_ns, 1, 0, route}, p.clock_ns());
    route = 0;
  }
}

/// Forgets what the handler before has left for after its return.
template <class Routes, config Config, class... State>
template <class Peer>
void http_session<Routes, Config, State...>::stage(Peer& p) noexcept {
  staged_.callback.clear();
  staged_producer_.clear();
  staged_consumer_.clear();
  staged_for_ = name(p);
}

/// Has `make` write the answer to `message`, and closes behind it if it is the last.
/// @param is_whole  false when a part of the request is still to come: what an answer leaves
///                  unread can't be told from a next request, so that it is the last
template <class Routes, config Config, class... State>
template <class Peer>
auto http_session<Routes, Config, State...>::answer(Peer& p, output& out, const request& message,
                                                    function_ref<reply(response&)> make,
                                                    bool is_whole) -> answer_is {
  const typename decltype(journal_)::keeper keeper(journal_, defaults_);
  if constexpr (Config.request_ids)
    defaults_ = journal_.lines(p.state(), common_lines_.at(p.unix_seconds()), &message);
  const bool is_last = !is_whole || (requests_max_ != 0 && p.state().requests >= requests_max_);
  response res(out, defaults_,
               {.without_body = message.method() == method::head,
                .keep_alive = message.keep_alive() && !p.draining() && !is_last,
                .http_1_0 = message.version_minor() == 0},
               detail::deferred_access::make(*this, name(p)));
  if constexpr (Routes::decorates)
    detail::response_access::decorate(res, &Routes::decorate, message);
  guard(p, message, res, make);
  NEN_ASSERT(res.finished());
  if (res.is_deferred()) return answer_is::deferred;
  if (res.is_upgraded()) {
    count_answer(p, res.code());
    mark_answer(p, out);
    journal_.log(p, &message, res);
    return answer_is::complete;
  }
  if (res.is_receiving()) {
    more_after_ms_ = res.more_after_ms();
    return answer_is::receiving;
  }
  if (res.is_streaming()) {
    count_answer(p, res.code());
    if (start_stream(p, out, message, res)) return answer_is::streaming;
    (void)res.field("Retry-After", "1").status(status::service_unavailable);
  }
  if (res.was_replaced()) p.counters().responses_replaced.add();
  count_answer(p, res.code());
  mark_answer(p, out);
  journal_.log(p, &message, res);
  if (!res.keeps_alive()) {
    // Who asked for the close sends no more; anyone else may be sending his next request just
    // now.
    if (message.keep_alive() || !message.body().empty()) {
      p.close_lingering();
    } else {
      p.close();
    }
  }
  return answer_is::complete;
}

/// Runs a handler. An exception that leaves it is the handler's fault, not the shard's: it is
/// said, answered with 500, and life goes on.
template <class Routes, config Config, class... State>
template <class Peer>
void http_session<Routes, Config, State...>::guard(Peer& p, const request& message, response& res,
                                                   function_ref<reply(response&)> make) {
#if defined(__cpp_exceptions)
  try {
    (void)make(res);
    return;
  } catch (const std::exception& problem) {
    events_.exception(message, problem.what());
  } catch (...) {
    events_.exception(message, "not a std::exception");
  }
  p.counters().handler_exceptions.add();
  if (res.is_upgraded()) return;  // what failed stands around a handshake that is done
  res.start_over();
  try {
    (void)Routes::answer_error(status::internal_server_error, message, res, states_);
  } catch (...) {
    res.start_over();
    (void)res.status(status::internal_server_error);
  }
#else
  (void)p, (void)message, (void)res;
  (void)make(res);
#endif
}

/// Refuses what a parser rejects. When it had let the head through, the answer is one to that.
template <class Routes, config Config, class... State>
template <class Peer>
void http_session<Routes, Config, State...>::reject(Peer& p, output& out, status code,
                                                    const request_parser& from, bool knows_head) {
  p.counters().requests_rejected.add();
  if constexpr (Peer::gated) p.offend();
  const bool to_head = from.head().method == method::head;
  if (!knows_head) return refuse(p, out, code, nullptr, to_head);
  const request message = from.message();
  refuse(p, out, code, &message, to_head);
}

/// Answers with an error after which the connection can't go on. Where there is no request to
/// show to nen::on_error, because its head is incomplete or malformed, it sees one that has
/// nothing.
/// @param in_place  false: what is read in place just now is not this connection's
/// @pre  there is room
template <class Routes, config Config, class... State>
template <class Peer>
void http_session<Routes, Config, State...>::refuse(Peer& p, output& out, status code,
                                                    const request* refused, bool to_head,
                                                    bool in_place) {
  const typename decltype(journal_)::keeper keeper(journal_, defaults_);
  // What is logged: as far as its head has come. nen::on_error does not see one that was rejected
  // for its head.
  std::optional<request> known;
  if constexpr (decltype(journal_)::is_kept) {
    const request_parser* const its = has_request(p) ? &store_.head_of(p.state().kept).parser
                                      : in_place     ? &parser_
                                                     : nullptr;
    if (refused == nullptr && its != nullptr && its->head().head_bytes != 0)
      known.emplace(its->message());
  }
  const request* const logged = refused != nullptr ? refused : known ? &*known : nullptr;
  if constexpr (Config.request_ids)
    defaults_ = journal_.lines(p.state(), common_lines_.at(p.unix_seconds()), logged);
  const request& shown = refused != nullptr ? *refused : detail::no_request();
  response res(out, defaults_, {.without_body = to_head, .keep_alive = false});
  guard(p, shown, res, [&](response& r) {
    r.set_status(code);
    if (code == status::service_unavailable) r.field("Retry-After", "1");
    return Routes::answer_error(code, shown, r, states_);
  });
  if (res.is_deferred()) {
    res.start_over();
    (void)res.status(code);
  }
  count_answer(p, res.code());
  if constexpr (measures)  // what was refused before it was routed has no time that it began
    if (p.state().route != 0) mark_answer(p, out);
  journal_.log(p, logged, res);
  drop_request(p);
  p.close_lingering();
}

template <class Routes, config Config, class... State>
template <class Peer>
void http_session<Routes, Config, State...>::answer_and_close(Peer& p, status code) {
  // With ids, each answer has lines of its own, and puts those of the one around it back.
  if constexpr (!Config.request_ids) defaults_ = common_lines_.at(p.unix_seconds());
  auto out = p.writer();
  if (!has_request(p) || !store_.head_of(p.state().kept).parser.has_head())
    return refuse(p, out, code, nullptr, false, false);
  const request message = store_.head_of(p.state().kept).parser.message();
  refuse(p, out, code, &message, message.method() == method::head);
}

/// The connection goes, and the request that it keeps has had no answer.
template <class Routes, config Config, class... State>
template <class Peer>
void http_session<Routes, Config, State...>::log_unanswered(Peer& p) noexcept {
  if constexpr (Config.log_bytes != 0) {
    if (!p.state().deferred && !p.state().receiving) return;
    const request message = store_.head_of(p.state().kept).parser.message();
    journal_.log(p, &message, -1, 0);
  } else {
    (void)p;
  }
}

template <class Routes, config Config, class... State>
template <class Peer>
void http_session<Routes, Config, State...>::on_timeout(Peer& p, timeout_kind kind) {
  if (p.state().kept.stream != 0) return p.want_room();
  if constexpr (feeds_tasks)
    if (kind == timeout_kind::handler && task_is_busy(p)) return task_is_late(p);
  if (kind == timeout_kind::drain) return has_request(p) ? void() : p.close_lingering();
  if (kind == timeout_kind::handler) return p.state().receiving ? go_on(p) : deferral_due(p);
  if (kind == timeout_kind::idle || !p.has_room()) return p.close();
  answer_and_close(p, status::request_timeout);
}

template <class Routes, config Config, class... State>
template <class Peer>
void http_session<Routes, Config, State...>::on_drain(Peer& p) noexcept {
  if (p.state().kept.stream != 0) return drain_stream(p);
  if (!has_request(p)) rest_or_close(p);
}

/// The server stops, and the client was promised that he may ask again: his request may be on its
/// way. If it comes in time it is answered, as the last one (RFC 9112 §9.6). To whom nothing comes
/// from, the end is said; only a request that crosses that one on its way is lost, and its client
/// knows that nobody has seen it.
template <class Routes, config Config, class... State>
template <class Peer>
void http_session<Routes, Config, State...>::rest_or_close(Peer& p) noexcept {
  if (drain_idle_timeout_ == 0) return p.close();
  p.set_read_timeout(timeout_kind::drain, drain_idle_timeout_);
}

}  // namespace nen
