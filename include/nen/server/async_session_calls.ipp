// server, L3: what coroutines ask the shard for, as async_session does it.
#pragma once

namespace nen {

/// What streams ask for.
template <class Inner, config Config>
template <class Shard>
struct async_session<Inner, Config>::stream_calls {
  using peer = typename Shard::peer;
  using host = detail::stream_host;

  static async_session& session(host& h) noexcept { return static_cast<async_session&>(h); }
  static Shard& shard(host& h) noexcept { return *static_cast<Shard*>(session(h).shard_); }

  static stream_state* connect(host& h, const endpoint& to) {
    async_session& self = session(h);
    const auto slot = self.streams_.try_acquire();
    if (slot == decltype(self.streams_)::none) return nullptr;
    const auto index = shard(h).connect(to);
    if (index == Shard::none) {
      self.streams_.release(slot);
      return nullptr;
    }
    stream_state& s = self.streams_[slot];
    s = {};
    s.host = &h;
    s.connection = index;
    s.slot = slot;
    s.connected = s.held = true;
    shard(h).session_state(index).stream = slot + 1;
    return &s;
  }
  static void resume(host& h, stream_state& s) {
    s.paused = false;
    shard(h).act_on(s.connection, [](peer& p) { p.resume(); });
  }
  static std::size_t write(host& h, stream_state& s, std::string_view bytes) {
    std::size_t taken = 0;
    shard(h).act_on(s.connection, [&](peer& p) {
      while (taken != bytes.size() && !p.closing() && p.has_room_beside_others()) {
        auto out = p.writer();
        out.begin_message();
        const auto part = bytes.substr(taken, out.body_left());
        const bool fits = out.append(part);
        NEN_ASSERT(fits);
        taken += part.size();
      }
    });
    return taken;
  }
  static void want_room(host& h, stream_state& s) {
    shard(h).act_on(s.connection, [](peer& p) { p.want_room(); });
  }
  static void finish(host& h, stream_state& s) {
    shard(h).act_on(s.connection, [](peer& p) { p.finish(); });
  }
  static void close(host& h, stream_state& s, bool at_once) {
    if (s.end == tcp::outcome::ok) s.end = tcp::outcome::closed;
    if (shard(h).give_up(s.connection)) return;
    shard(h).act_on(s.connection, [&](peer& p) { at_once ? p.abort() : p.close(); });
  }
  static void forget(host& h, stream_state& s) {
    s.held = false;
    if (!s.connected) return session(h).release(s);
    close(h, s, false);
  }
  static tick now(const host& h) noexcept {
    return static_cast<Shard*>(static_cast<const async_session&>(h).shard_)->now();
  }
  static constexpr host::functions table = {resume, write,  want_room, finish,
                                            close,  forget, connect,   now};
};

template <class Inner, config Config>
template <class Shard>
struct async_session<Inner, Config>::poll_calls {
  using host = detail::poll_host;

  static async_session& session(host& h) noexcept { return static_cast<async_session&>(h); }
  static Shard& shard(host& h) noexcept { return *static_cast<Shard*>(session(h).shard_); }

  static std::uint32_t begin(host& h, detail::poll_wait& who, int descriptor,
                             readiness what) noexcept {
    const auto number =
        session(h).polls_.begin(shard(h).io(), Shard::places, who, descriptor, what);
    if (number == 0) session(h).counters_->polls_empty.add();
    return number;
  }
  static void end(host& h, std::uint32_t number) noexcept {
    session(h).polls_.end(shard(h).io(), Shard::places, number);
  }
  static constexpr host::poll_functions table = {begin, end};
};

template <class Inner, config Config>
template <class Shard>
struct async_session<Inner, Config>::spawn_calls {
  static bool spawn(detail::context_host& h, task<void>&& made) noexcept {
    auto& self = static_cast<async_session&>(h);
    if (!made.has_frame()) self.counters_->task_frames_empty.add();
    if (!made.has_frame() || self.is_over_) return false;
    detail::detached_task* const slot = self.spawned_.acquire();
    if (slot == nullptr) {
      self.counters_->spawned_tasks_empty.add();
      return false;
    }
    slot->start(self, std::move(made), *self.timers, self.call->now(self));
    return true;
  }
  static void ended(detail::detached_host& h, detail::task_owner& owner,
                    detail::task_end how) noexcept {
    auto& self = static_cast<async_session&>(h);
    auto& slot = static_cast<detail::detached_task&>(owner);
    auto root = task<void>::adopt(slot.frame);
    self.spawned_.release(slot);
    if (how == detail::task_end::out_of_frames) return self.counters_->task_frames_empty.add();
    self.look_at_end(root);
  }
};

/// What questions to other shards need.
template <class Inner, config Config>
template <class Shard>
struct async_session<Inner, Config>::asking_calls {
  using host = detail::context_host;
  using call = detail::shard_call;

  static async_session& session(host& h) noexcept { return static_cast<async_session&>(h); }
  static Shard& shard(const async_session& self, std::uint32_t index) noexcept {
    return static_cast<Shard*>(self.shards_)[index];
  }

  static call* begin(host& h, std::uint32_t to, call& here, shard_outcome& problem) noexcept {
    async_session& self = session(h);
    if (to == self.index_) return &here;
    problem = shard_outcome::no_shard;
    if (self.shards_ == nullptr || to >= Config.shards ||
        !shard(self, to).session().calls_.is_open())
      return nullptr;
    call* const got = self.calls_.acquire();
    if (got == nullptr) {
      problem = shard_outcome::no_slot;
      self.counters_->shard_calls_empty.add();
    }
    return got;
  }
  static void send(host& h, std::uint32_t to, call& what) noexcept {
    async_session& self = session(h);
    Shard& there = shard(self, to);
    if (there.session().calls_.ask(self.index_, what)) there.call_for_mail();
  }
  static void run(host& h, call& what) {
    async_session& self = session(h);
    what.status = shard_outcome::ok;
#if defined(__cpp_exceptions)
    try {
      return what.run(what, self.context_);
    } catch (const std::exception& problem) {
      self.events_.exception(detail::no_request(), problem.what());
    } catch (...) {
      self.events_.exception(detail::no_request(), "not a std::exception");
    }
    self.counters_->handler_exceptions.add();
    what.status = shard_outcome::failed;
#else
    what.run(what, self.context_);
#endif
  }
  static constexpr detail::shard_asking table = {begin, run, send};

  /// Something has come from another shard.
  static void look(async_session& self) {
    self.calls_.look([&](std::uint32_t from, call& what) {
      run(self, what);
      Shard& there = shard(self, from);
      if (there.session().calls_.answer(self.index_, what)) there.call_for_mail();
    });
  }
};

}  // namespace nen
