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
  made.connection = p.index();
  made.has_root = made.has_ended = false;
  made.producer.clear();
  made.request = &made.its_request.make(kept.parser.message());
  made.response =
      detail::response_access::go_on(made.its_response.bytes, res, made.its_output.make());
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
  self.root.make(std::move(made));
  self.has_root = true;
  self.root.object().start(self);
  if (self.has_ended) return answer_of(p, self, res);
  (void)res.defer();
  return res.later();
}

/// Takes the answer over from a coroutine that has ended, which is over with this.
template <class Routes, config Config, class... State>
template <class Peer>
reply http_session<Routes, Config, State...>::answer_of(Peer& p, task& self, response& res) {
  if (self.end == detail::task_end::out_of_frames) {
    end_task(p);
    p.counters().task_frames_empty.add();
    res.start_over();
    return res.field("Retry-After", "1").status(status::service_unavailable);
  }
  auto root = std::move(self.root.object());
  self.destroy_root();
  staged_producer_ = self.producer;
  detail::response_access::end_as(res, *self.response,
                                  [&](output& out) { self.its_output.object().copy_to(out); });
  end_task(p);
  return root.take();  // throws what left the coroutine
}

/// A coroutine that had to wait has ended: it is answered now, or as soon as there is room.
template <class Routes, config Config, class... State>
template <class Peer>
void http_session<Routes, Config, State...>::task_has_ended(Peer& p, task& self) {
  auto answer = [this, &p, &self](const request&, response& res) {
    return answer_of(p, self, res);
  };
  if (complete(p, answer) == completion_outcome::answered) return;
  constexpr std::uint32_t again_ms = 10;
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

  static detail::task_ground* begin(detail::deferred_host& h, response& res) noexcept {
    detail::task_ground* ground = nullptr;
    act_on(h, detail::deferred_access::name(detail::response_access::handle(res)).connection,
           [&](peer& p) {
             ground = session(h).begin_task(p, res);
             if (ground == nullptr) return;
             whole(*ground).call = &calls;
             whole(*ground).finish = finish;
           });
    return ground;
  }
  static void abandon(detail::deferred_host& h, detail::task_ground& ground) noexcept {
    act_on(h, whole(ground).connection, [&](peer& p) { session(h).end_task(p); });
  }
  static reply run(detail::deferred_host& h, detail::task_ground& ground, response& res,
                   void* made) {
    std::optional<reply> answer;
    act_on(h, whole(ground).connection, [&](peer& p) {
      answer = session(h).run_task(p, whole(ground), res,
                                   std::move(*static_cast<nen::task<reply>*>(made)));
    });
    return *answer;
  }
  static reply finish(task& self, response& res) {
    std::optional<reply> answer;
    act_on(*self.session, self.connection,
           [&](peer& p) { answer = session(*self.session).answer_of(p, self, res); });
    return *answer;
  }

  static void resume(detail::task_owner& owner, std::coroutine_handle<> where) { owner.run(where); }
  static void ended(detail::task_owner& owner, detail::task_end how) noexcept {
    task& self = static_cast<task&>(owner);
    self.has_ended = true;
    self.end = how;
    http_session& s = session(*self.session);
    if (self.response->is_streaming()) self.producer = s.staged_producer_;
    Shard& shard = *static_cast<Shard*>(s.shard_);
    // The one that has not waited yet is taken over by who started it.
    if (!shard.session_state(self.connection).deferred) return;
    shard.act_on(self.connection, [&](peer& p) { s.task_has_ended(p, self); });
  }
  static constexpr detail::task_owner::functions calls = {resume, ended};
};

template <class Routes, config Config, class... State>
struct http_session<Routes, Config, State...>::no_task_calls {
  static constexpr decltype(detail::deferred_host::functions::begin_task) begin = nullptr;
  static constexpr decltype(detail::deferred_host::functions::abandon_task) abandon = nullptr;
  static constexpr decltype(detail::deferred_host::functions::run_task) run = nullptr;
};

}  // namespace nen
