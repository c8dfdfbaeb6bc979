// server, L3: the part of http_session that feeds handlers that are coroutines: with parts of their
// request's body, and with room for their streamed answers. The one is done as for any consumer of
// a body, the other as for any producer.
#pragma once

namespace nen {

/// Has a coroutine that waits for it begin its streamed answer. One whose client wants no body goes
/// on at once.
/// @returns  true when the answer's head is written
template <class Routes, config Config, class... State>
bool http_session<Routes, Config, State...>::begin_answer_stream(task& self) {
  while (!self.has_ended && self.answer == task::answer_is::whole && self.writing != nullptr &&
         self.writing->opens()) {
    if (detail::response_access::open_stream(*self.response, self.writing->content_type())) {
      self.answer = task::answer_is::open;
      return true;
    }
    self.answer = task::answer_is::unread;
    self.writing->go_on();
  }
  return false;
}

/// The head of an answer that a coroutine streams.
template <class Routes, config Config, class... State>
reply http_session<Routes, Config, State...>::head_of(task& self, response& res) {
  end_as(self, res);
  staged_producer_.set([task = &self](body_stream& body) { task->produce(*task, body); });
  return detail::response_access::reply_of(res);
}

/// There is room: writes what the coroutine wants to write, and lets it go on, as often as it can.
template <class Routes, config Config, class... State>
void http_session<Routes, Config, State...>::feed_stream(task& self, body_stream& body,
                                                         shard_counters& counters) {
  while (!self.has_ended) {
    if (self.writing == nullptr) return body.wait();
    const std::string_view left = self.writing->left();
    if (!left.empty()) {
      const std::string_view part = left.substr(0, body.room());
      if (!part.empty()) {
        const bool fits = body.write(part);
        NEN_ASSERT(fits);
        self.writing->written(part.size());
      }
      if (part.size() != left.size()) return body.more();
    }
    self.is_fed = true;
    self.writing->go_on();
    self.is_fed = false;
  }
  if (self.end == detail::task_end::out_of_frames) {
    counters.task_frames_empty.add();
    self.destroy_root();
    return body.cut();
  }
  if (self.has_root) {
    auto root = std::move(self.root.object());
    self.destroy_root();
    (void)root.take();  // throws what left the coroutine
  }
  if (!body.finish()) body.more();
}

/// Gives a part of the request's body to the coroutine, which waits for it.
template <class Routes, config Config, class... State>
template <class Peer>
reply http_session<Routes, Config, State...>::feed_part(Peer& p, task& self, const body_part& part,
                                                        response& res) {
  if (part.is_last) {
    request_parser& from = store_.head_of(p.state().kept).parser;
    from.drop_body();
    self.request_kept.make(from.message());  // the trailers have come
    detail::response_access::request_came_whole(*self.response, res);
  }
  self.is_fed = true;
  if (!part.bytes.empty()) {
    self.holds_part = true;
    self.reading->go_on(part.bytes);
  }
  if (part.is_last) {
    self.body_is_over = true;
    if (!self.has_ended && self.reading != nullptr) self.reading->go_on({});
  }
  const bool streams = part.is_last && begin_answer_stream(self);
  self.is_fed = false;
  if (streams) return head_of(self, res);
  if (self.has_ended) return take_answer(p, self, res);
  if (!part.is_last) return res.more();
  (void)res.defer();
  return res.later();
}

/// True while the coroutine that takes the body does something else.
template <class Routes, config Config, class... State>
template <class Peer>
bool http_session<Routes, Config, State...>::task_is_busy(Peer& p) noexcept {
  if (!has_request(p) || !p.state().receiving) return false;
  const std::uint32_t its = store_.head_of(p.state().kept).task;
  return its != 0 && tasks_.slots[its - 1].reading == nullptr;
}

/// True while it may look at a part of the body, which has to stay where it is.
template <class Routes, config Config, class... State>
template <class Peer>
bool http_session<Routes, Config, State...>::holds_part(Peer& p) noexcept {
  if (!has_request(p)) return false;
  const std::uint32_t its = store_.head_of(p.state().kept).task;
  return its != 0 && tasks_.slots[its - 1].holds_part;
}

/// Takes no more of the body until the coroutine asks for it.
template <class Routes, config Config, class... State>
template <class Peer>
void http_session<Routes, Config, State...>::wait_for_task(Peer& p) noexcept {
  p.pause();
  p.set_read_timeout(timeout_kind::handler, handler_timeout_);
}

/// The coroutine has not asked for more of the body in time; or it has ended, and now there may be
/// room for its answer.
template <class Routes, config Config, class... State>
template <class Peer>
void http_session<Routes, Config, State...>::task_is_late(Peer& p) {
  task& self = tasks_.slots[store_.head_of(p.state().kept).task - 1];
  if (self.has_ended) return answer_task(p, self);
  p.counters().timeouts_handler.add();
  p.resume();
  if (p.has_room()) return answer_and_close(p, status::service_unavailable);
  log_unanswered(p);
  drop_request(p);
  p.close();
}

}  // namespace nen
