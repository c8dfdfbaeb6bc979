// server, L3: the part of http_session that runs handlers that are coroutines. One that ends
// without waiting has its answer taken at once; any other's answer is a deferred one.
#pragma once

namespace nen {

/// Keeps the request that is about to be handled, and finds room for its coroutine.
/// @returns  null when there is none
template <class Routes, config Config, class... State>
template <class Peer>
detail::task_ground* http_session<Routes, Config, State...>::begin_task(Peer& p, response& res) {
  const auto index = tasks_.slots.try_acquire();
  if (index == decltype(tasks_.slots)::none) {
    p.counters().tasks_empty.add();
    return nullptr;
  }
  if (!keep_for_task(p, detail::response_access::out(res))) {
    tasks_.slots.release(index);
    return nullptr;
  }
  slot& kept = store_.head_of(p.state().kept);
  kept.task = index + 1;
  task& made = tasks_.slots[index];
  made.session = this;
  made.connection = kept.connection;
  made.has_root = made.is_set_aside = made.has_ended = made.is_fed = false;
  made.producer.clear();
  made.its_request = made.request = &made.request_kept.make(kept.parser.message());
  made.its_response = made.response = detail::response_access::go_on(made.response_kept.bytes, res);
  detail::response_access::answers(*made.response, *made.request);
  made.writing = nullptr;
  made.reading = nullptr;
  made.answer = task::answer_is::whole;
  made.came_whole = tasks_.came_whole;
  made.body_is_over = made.holds_part = false;
  made.context = tasks_.context;
  made.scratch = made.path;
  made.scratch_bytes = sizeof made.path;
  return &made;
}

/// Moves the request out of the lease, if it is still in there.
template <class Routes, config Config, class... State>
template <class Peer>
bool http_session<Routes, Config, State...>::keep_for_task(Peer& p, output& out) {
  if (has_request(p)) {
    request_parser& from = store_.head_of(p.state().kept).parser;
    return from.message().body().empty() || p.state().kept.body_slot != 0 ||
           try_keep_body(p, out, from);
  }
  const bool with_body = !parser_.message().body().empty();
  if (try_keep(p, out, read_from_, parser_.head().head_bytes, with_body)) return true;
  store_.release_request(p.state().kept);
  return false;
}

/// Destroys the coroutine of the request that is kept, if it has one.
template <class Routes, config Config, class... State>
template <class Peer>
void http_session<Routes, Config, State...>::end_task(Peer& p) noexcept {
  if (!has_request(p)) return;
  slot& kept = store_.head_of(p.state().kept);
  if (kept.task == 0) return;
  tasks_.slots[kept.task - 1].destroy_root();
  tasks_.slots.release(kept.task - 1);
  kept.task = 0;
}

/// Runs the handler up to where it waits, or to its end.
template <class Routes, config Config, class... State>
template <class Peer>
reply http_session<Routes, Config, State...>::run_task(Peer& p, task& self, response& res,
                                                       nen::task<reply>&& made) {
  if (!made.has_frame()) {
    end_task(p);
    p.counters().task_frames_empty.add();
    return res.field("Retry-After", "1").status(status::service_unavailable);
  }
  made.start(self);
  if (self.has_ended) return answer_of(p, self, res, made);
  self.root.make(std::move(made));
  self.has_root = true;
  if (begin_answer_stream(self)) return head_of(self, res);
  if (self.has_ended) return take_answer(p, self, res);
  // It waits, and what it has written so far makes room for others.
  using writer = decltype(p.writer());
  auto& kept = self.its_output.make();
  kept.take_over(static_cast<writer&>(detail::response_access::out(res)));
  detail::response_access::go_on_in(*self.response, kept);
  self.is_set_aside = true;
  if (!self.came_whole) {
    staged_consumer_.set([task = &self](const body_part& part, response& to) {
      return task->consume(*task, part, to);
    });
    return res.more();
  }
  (void)res.defer();
  return res.later();
}

/// Takes the answer over from a coroutine that has ended, which is over with this.
template <class Routes, config Config, class... State>
template <class Peer>
reply http_session<Routes, Config, State...>::answer_of(Peer& p, task& self, response& res,
                                                        nen::task<reply>& root) {
  if (self.end == detail::task_end::out_of_frames) {
    end_task(p);
    p.counters().task_frames_empty.add();
    res.start_over();
    return res.field("Retry-After", "1").status(status::service_unavailable);
  }
  if (self.response->is_streaming()) staged_producer_ = self.producer;
  end_as(self, res);
  end_task(p);
  return root.take();  // throws what left the coroutine
}

/// Goes on with what a coroutine has written.
template <class Routes, config Config, class... State>
void http_session<Routes, Config, State...>::end_as(task& self, response& res) noexcept {
  if (!self.is_set_aside) return detail::response_access::end_as(res, *self.response);
  detail::response_access::end_as(res, *self.response,
                                  [&](output& out) { self.its_output.object().copy_to(out); });
}

/// The same for one that had to wait.
template <class Routes, config Config, class... State>
template <class Peer>
reply http_session<Routes, Config, State...>::take_answer(Peer& p, task& self, response& res) {
  auto root = std::move(self.root.object());
  self.destroy_root();
  return answer_of(p, self, res, root);
}

/// A coroutine that had to wait has ended, or begins to stream: it is answered now, or as soon as
/// there is room.
template <class Routes, config Config, class... State>
template <class Peer>
void http_session<Routes, Config, State...>::answer_task(Peer& p, task& self) {
  constexpr std::uint32_t again_ms = 10;
  auto answer = [&self](const request&, response& res) { return self.finish(self, res); };
  const bool was_receiving = std::exchange(p.state().receiving, false);
  if (complete(p, answer, !was_receiving) == completion_outcome::answered) return;
  p.state().receiving = was_receiving;
  if (was_receiving) return p.set_read_timeout(timeout_kind::handler, again_ms);
  detail::deferral& waits = store_.head_of(p.state().kept).waits;
  waits.callback.set(
      [task = &self](const request&, response& res) { return task->finish(*task, res); });
  waits.call_at = p.now_ms() + again_ms;
  set_deferral_timer(p);
}

/// What binding.hpp calls.
template <class Routes, config Config, class... State>
template <class Shard>
struct http_session<Routes, Config, State...>::task_calls {
  using peer = typename Shard::peer;

  static http_session& session(detail::deferred_host& h) noexcept {
    return static_cast<http_session&>(h);
  }
  static task& whole(detail::task_ground& ground) noexcept { return static_cast<task&>(ground); }

  /// Acts on the connection whose request is being answered.
  static void act_on(detail::deferred_host& h, std::uint32_t connection,
                     function_ref<void(peer&)> act) {
    static_cast<Shard*>(session(h).shard_)->act_on(connection, act);
  }

  /// The connection whose request is being answered: its handler is about to be called.
  static peer& answering(detail::deferred_host& h) noexcept {
    NEN_ASSERT(session(h).tasks_.answering != nullptr);
    return *static_cast<peer*>(session(h).tasks_.answering);
  }

  static detail::task_ground* begin(detail::deferred_host& h, response& res) noexcept {
    detail::task_ground* const ground = session(h).begin_task(answering(h), res);
    if (ground == nullptr) return nullptr;
    whole(*ground).call = &calls;
    whole(*ground).ask = &exchange_calls;
    whole(*ground).finish = finish;
    whole(*ground).produce = produce;
    whole(*ground).consume = consume;
    return ground;
  }
  static void abandon(detail::deferred_host& h, detail::task_ground&) noexcept {
    session(h).end_task(answering(h));
  }
  static reply run(detail::deferred_host& h, detail::task_ground& ground, response& res,
                   void* made) {
    return session(h).run_task(answering(h), whole(ground), res,
                               std::move(*static_cast<nen::task<reply>*>(made)));
  }
  static reply finish(task& self, response& res) {
    std::optional<reply> answer;
    act_on(*self.session, self.connection, [&](peer& p) {
      http_session& s = session(*self.session);
      answer = self.has_ended ? s.take_answer(p, self, res) : s.head_of(self, res);
    });
    return *answer;
  }
  static void produce(task& self, body_stream& body) {
    if (!body.ended())
      session(*self.session).feed_stream(self, body, shard(self).session_counters());
  }
  static reply consume(task& self, const body_part& part, response& res) {
    if (part.is_cancelled) return res.more();  // it is destroyed next
    return session(*self.session).feed_part(answering(*self.session), self, part, res);
  }

  static Shard& shard(const task& self) noexcept {
    return *static_cast<Shard*>(session(*self.session).shard_);
  }
  static void resume(detail::task_owner& owner, std::coroutine_handle<> where) {
    task& self = static_cast<task&>(owner);
    if (shard(self).draining()) self.response->close();
    // Its answer has its own id, and one that is being written just now keeps its own.
    http_session& s = session(*self.session);
    const typename decltype(s.journal_)::keeper keeper(s.journal_, s.defaults_);
    if constexpr (Config.request_ids)
      s.defaults_ =
          s.journal_.lines(shard(self).session_state(self.connection),
                           s.common_lines_.at(shard(self).io().unix_seconds()), self.request);
    owner.run(where);
    // A slot whose task has ended is not taken again before the session is called the next time.
    if (self.has_ended || !shard(self).session_state(self.connection).deferred) return;
    if (!session(*self.session).begin_answer_stream(self)) return;
    shard(self).act_on(self.connection,
                       [&](peer& p) { session(*self.session).answer_task(p, self); });
  }
  static void ended(detail::task_owner& owner, detail::task_end how) noexcept {
    task& self = static_cast<task&>(owner);
    self.has_ended = true;
    self.end = how;
    http_session& s = session(*self.session);
    if (self.response->is_streaming()) self.producer = s.staged_producer_;
    // One that has not waited yet, or is being fed, is taken over by who did that.
    connection_state& state = shard(self).session_state(self.connection);
    if (self.is_fed || (!state.deferred && !state.receiving && state.kept.stream == 0)) return;
    shard(self).act_on(self.connection, [&](peer& p) {
      if (p.state().kept.stream != 0) return p.want_room();
      s.answer_task(p, self);
    });
  }
  static constexpr detail::task_owner::functions calls = {resume, ended};

  // What its awaitables ask for.
  static void want_room(detail::http_exchange& exchange) {
    task& self = static_cast<task&>(exchange);
    if (!self.is_fed) shard(self).act_on(self.connection, [](peer& p) { p.want_room(); });
  }
  static void want_part(detail::http_exchange& exchange) {
    task& self = static_cast<task&>(exchange);
    if (self.is_fed || !shard(self).session_state(self.connection).receiving) return;
    shard(self).act_on(self.connection, [&](peer& p) { session(*self.session).go_on(p); });
  }
  static bool draining(const detail::http_exchange& exchange) noexcept {
    return shard(static_cast<const task&>(exchange)).draining();
  }
  static constexpr detail::http_exchange::functions exchange_calls = {want_room, want_part,
                                                                      draining};
};

template <class Routes, config Config, class... State>
struct http_session<Routes, Config, State...>::no_task_calls {
  static constexpr decltype(detail::deferred_host::functions::begin_task) begin = nullptr;
  static constexpr decltype(detail::deferred_host::functions::abandon_task) abandon = nullptr;
  static constexpr decltype(detail::deferred_host::functions::run_task) run = nullptr;
};

}  // namespace nen
