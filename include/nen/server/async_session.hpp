// server, L3: the session of a server with coroutines: whatever it serves, and beside that what
// coroutines need: frames, timers, and connections to others.
#pragma once

#include <nen/client/connection_pool.hpp>
#include <nen/client/http_client.hpp>
#include <nen/config.hpp>
#include <nen/core/assert.hpp>
#include <nen/core/frame_pool.hpp>
#include <nen/core/pool.hpp>
#include <nen/io/context.hpp>
#include <nen/io/stream.hpp>
#include <nen/server/answer_marks.hpp>
#include <nen/server/connection.hpp>
#include <nen/server/counters.hpp>
#include <nen/server/detached_tasks.hpp>
#include <nen/server/http_slots.hpp>
#include <nen/server/poll_slots.hpp>
#include <nen/server/route_metrics.hpp>
#include <nen/server/server_metrics.hpp>
#include <nen/server/shard_calls.hpp>

#include <cerrno>
#include <cstdint>
#include <exception>
#include <span>
#include <string_view>
#include <utility>

namespace nen {

namespace detail {

/// What coroutines need beside their handlers or sessions, for the memory bill.
template <config Config, class Items>
constexpr void list_coroutine_memory(Items& items, std::size_t shards) noexcept {
  std::size_t frames = 0;
  std::size_t bytes = 0;
  for (const frame_class& c : Config.task_frames) {
    frames += c.count;
    bytes += std::size_t{c.count} * c.bytes;
  }
  items.add({"coroutine frames", shards * frames, shards * bytes});
  items.add("connections to others", shards * Config.outgoing,
            sizeof(stream_state) + sizeof(idle_memory));
  items.add("endpoints of others", shards * Config.endpoints, sizeof(origin));
  items.add("answers of others", shards * Config.fetches, sizeof(fetch_slot<Config>));
  items.add("spawned coroutines", shards * Config.tasks, sizeof(detached_task));
  items.add("questions to shards", shards * Config.shard_calls, sizeof(shard_call));
}

}  // namespace detail

/// @tparam Inner  the session of clients' connections
template <class Inner, config Config>
class async_session : detail::context_host, detail::detached_host {
  using stream_state = detail::stream_state;

 public:
  static constexpr std::uint32_t send_views = Inner::send_views;
  static constexpr std::uint32_t outgoing = Config.outgoing;
  static constexpr bool reads_to_the_end = nen::reads_to_the_end<Inner>;
  /// Clients' connections that are streams as well.
  static constexpr std::uint32_t incoming_streams = [] {
    if constexpr (requires { Inner::incoming_streams; }) return Inner::incoming_streams;
    return 0U;
  }();
  static constexpr std::size_t websocket_bytes = Inner::websocket_bytes;
  static constexpr std::size_t message_bytes = Inner::message_bytes;
  static_assert(Config.outgoing >= 1 && Config.tasks >= 1,
                "config::outgoing and config::tasks must be at least 1 where handlers are "
                "coroutines");
  static_assert(Config.fetches >= 1, "config::fetches must be at least 1");
  static_assert(Config.fetch_head_bytes >= 64 && Config.fetch_head_bytes <= 65'535 &&
                    Config.fetch_body_bytes >= Config.fetch_head_bytes,
                "config::fetch_head_bytes is 64 to 65,535, and fetch_body_bytes not less");
  static_assert(Config.polls >= 1 && Config.endpoints >= 1 && Config.shard_calls >= 1,
                "config::polls, config::endpoints and config::shard_calls must be at least 1 where "
                "handlers are coroutines");

  struct connection_state : Inner::connection_state {
    std::uint32_t stream;  ///< slot + 1 of one that is a stream; 0: a client's of the session's
  };

  template <class Shard>
  void bind(Shard& shard) noexcept {
    shard_ = &shard;
    call = &stream_calls<Shard>::table;
    polling = &poll_calls<Shard>::table;
    spawn = spawn_calls<Shard>::spawn;
    task_ended = spawn_calls<Shard>::ended;
    exchange_of = [](detail::context_host & h, detail::task_owner & owner) noexcept -> auto& {
      return static_cast<async_session&>(h).inner_.template exchange_of<Shard>(owner);
    };
    timers = &shard.timers();
    client = &client_;
    http_client = &http_;
    counters_ = &shard.session_counters();
    is_over_ = false;
    asking = &asking_calls<Shard>::table;
    look_at_mail_ = asking_calls<Shard>::look;
    calls_.open();
    inner_.bind(shard);
    context_ = context(*this);
    http_.bind<Config>(context_, fetches_);
    inner_.set_context(&context_);
  }
  void start(const listen_options& options, typename Inner::state_references states) noexcept {
    inner_.start(options, states);
    events_ = detail::event_log(options);
    client_.bind(*this, origins_, Config.endpoints, idle_, options.clients);
    hosts_.read("/etc/hosts");
    http_.set_names(hosts_, options.clients.resolver);
  }

  template <class Peer>
  void on_open(Peer& p) {
    if constexpr (incoming_streams != 0)
      if (!has_stream(p) && make_stream(p)) return;
    if (!has_stream(p)) return inner_.on_open(p);
    if (stream_of(p).reader != nullptr) stream_of(p).reader->go_on(tcp::outcome::ok);
  }
  template <class Peer>
  void on_connect_failed(Peer& p, int errno_value) noexcept {
    stream_of(p).end = outcome_of(errno_value);
  }
  template <class Peer>
  std::size_t on_data(Peer& p, std::span<char> bytes) {
    if (!has_stream(p)) return inner_.on_data(p, bytes);
    const std::size_t used = offer(p, stream_of(p), bytes);
    if constexpr (incoming_streams != 0)
      if (p.draining()) on_drain(p);
    return used;
  }
  template <class Peer>
  void on_end(Peer& p) {
    if (!has_stream(p)) return inner_.on_end(p);
    stream_state& s = stream_of(p);
    s.finished = true;
    if (s.reader != nullptr) s.reader->go_on(tcp::outcome::finished);
  }
  template <class Peer>
  void on_timeout(Peer& p, timeout_kind kind) {
    if (!has_stream(p)) inner_.on_timeout(p, kind);
  }
  template <class Peer>
  void on_shed(Peer& p) {
    if (!has_stream(p)) return inner_.on_shed(p);
    p.close();
  }
  template <class Peer>
  void on_room(Peer& p) {
    if (!has_stream(p)) return inner_.on_room(p);
    if (stream_of(p).writer != nullptr)
      static_cast<detail::stream_write*>(stream_of(p).writer)->room();
  }
  template <class Peer>
  void on_drain(Peer& p) {
    if (!has_stream(p)) return inner_.on_drain(p);
    stream_state& s = stream_of(p);
    if (!s.incoming) return client_.drain();
    s.stops = true;
    if (s.reader != nullptr) s.reader->go_on(tcp::outcome::closed);
  }
  template <class Peer>
  void on_close(Peer& p) {
    if (!has_stream(p)) return inner_.on_close(p);
    stream_state& s = stream_of(p);
    s.connected = s.paused = false;
    if (s.end == tcp::outcome::ok)
      s.end = s.finished ? tcp::outcome::finished : tcp::outcome::reset;
    // Coroutines may be running just now: one of them may have closed it.
    if (s.reader != nullptr) s.reader->go_on_later(s.end);
    if (s.writer != nullptr) s.writer->go_on_later(s.end);
    if (!s.held) release(s);
  }
  void on_mail() {
    look_at_mail_(*this);
    if constexpr (requires { inner_.on_mail(); }) inner_.on_mail();
  }
  void on_timer(timer& due) {
    auto& alarm = static_cast<detail::alarm&>(due);
    alarm.fire(alarm);
  }

  /// Something that was submitted for a slot behind those of the connections has completed.
  void on_completion(const completion& done, std::uint32_t first) {
    if (auto* const who = polls_.complete(first, done.token)) who->has_ended(done.result);
  }
  /// The last client is gone, or everything is about to be closed: what nobody awaits ends.
  void on_last_client_gone() noexcept {
    is_over_ = true;
    spawned_.destroy_all(*timers);
  }
  /// Its shard ends.
  void on_finish() noexcept { calls_.close(); }
  /// Makes it known among the server's shards. @param first  the first of them
  template <class Shard>
  void set_shards(Shard* first, std::uint32_t index) noexcept {
    shards_ = first;
    index_ = index;
  }
  /// Operations of the ring that belong to no connection.
  std::uint32_t operations() const noexcept { return polls_.operations(); }

  /// Where the coroutines of this shard have their frames.
  auto& frames() noexcept { return frames_; }

  Inner& inner() noexcept { return inner_; }
  const Inner& inner() const noexcept { return inner_; }
  const auto& streams() const noexcept { return streams_; }
  const auto& fetches() const noexcept { return fetches_; }
  const auto& calls() const noexcept { return calls_.slots(); }
  const auto& polls() const noexcept { return polls_.slots(); }
  const auto& spawned() const noexcept { return spawned_.slots(); }
  const auto& frames() const noexcept { return frames_; }

  // What the session of the clients measures.
  static constexpr bool measures = [] {
    if constexpr (requires { Inner::measures; }) return Inner::measures;
    return false;
  }();
  static constexpr std::span<const route_info> routes = [] {
    if constexpr (requires { Inner::routes; }) return Inner::routes;
    return std::span<const route_info>{};
  }();
  using state_references = typename Inner::state_references;
  void answers_sent(const detail::answer_mark& mark, std::uint64_t now_ns) noexcept
      requires(measures) {
    inner_.answers_sent(mark, now_ns);
  }
  const route_metrics& route_figures(std::uint32_t which) const noexcept requires(measures) {
    return inner_.route_figures(which);
  }
  const auto& states() const noexcept requires(measures) { return inner_.states(); }
  void show_pools(function_ref<void(const pool_figures&)> show) const {
    if constexpr (requires { inner_.show_pools(show); }) inner_.show_pools(show);
    detail::show_pool(show, "connections to others", streams_);
    detail::show_pool(show, "answers of others", fetches_);
    detail::show_pool(show, "spawned coroutines", spawned_.slots());
    detail::show_pool(show, "questions to shards", calls_.slots());
    detail::show_pool(show, "descriptors of others", polls_.slots());
  }

  // What the session of the clients has, for who looks inside.
  const auto& head_slots() const noexcept requires requires(const Inner& i) { i.head_slots(); }
  { return inner_.head_slots(); }
  const auto& body_slots() const noexcept requires requires(const Inner& i) { i.body_slots(); }
  { return inner_.body_slots(); }
  const auto& stream_slots() const noexcept requires requires(const Inner& i) { i.stream_slots(); }
  { return inner_.stream_slots(); }
  const auto& websockets() const noexcept requires requires(const Inner& i) { i.websockets(); }
  { return inner_.websockets(); }
  const auto& messages() const noexcept requires requires(const Inner& i) { i.websockets(); }
  { return inner_.messages(); }
  const auto& shared_frames() const noexcept requires requires(const Inner& i) { i.websockets(); }
  { return inner_.shared_frames(); }
  const auto& control_rooms() const noexcept requires requires(const Inner& i) { i.websockets(); }
  { return inner_.control_rooms(); }

 private:
  template <class Peer>
  static bool has_stream(Peer& p) noexcept {
    return p.state().stream != 0;
  }
  /// A client's connection becomes a stream, in the hands of a coroutine of its own.
  /// @returns  false when there is none left: coroutines may keep them longer than the connections
  template <class Peer>
  bool make_stream(Peer& p) {
    const auto slot = streams_.try_acquire();
    if (slot == decltype(streams_)::none) {
      counters_->spawned_tasks_empty.add();
      return false;
    }
    stream_state& s = streams_[slot];
    s = {};
    s.host = this;
    s.connection = p.index();
    s.slot = slot;
    s.connected = s.incoming = true;
    s.stops = p.draining();
    p.state().stream = slot + 1;
    static_cast<void>(spawn(*this, inner_.serve(tcp::stream(s))));
    return true;
  }

  template <class Peer>
  stream_state& stream_of(Peer& p) noexcept {
    return streams_[p.state().stream - 1];
  }
  void release(stream_state& s) noexcept { streams_.release(streams_.index_of(s)); }

  /// Offers what came to who reads, as often as he reads on.
  /// @returns  how much is used
  template <class Peer>
  std::size_t offer(Peer& p, stream_state& s, std::span<char> bytes) {
    NEN_ASSERT(!s.offering && s.taken <= bytes.size());
    s.offering = true;
    std::size_t used = std::exchange(s.taken, 0U);
    while (used != bytes.size() && s.reader != nullptr) {
      NEN_ASSERT(s.given == 0);
      s.given_at = bytes.data() + used;
      s.given = static_cast<std::uint32_t>(bytes.size() - used);
      s.reader->go_on(tcp::outcome::ok);
      used += std::exchange(s.taken, 0U);
    }
    s.offering = false;
    if (used != bytes.size() && !p.closing()) {
      s.paused = true;
      p.pause();
    }
    return used;
  }

  static tcp::outcome outcome_of(int errno_value) noexcept {
    switch (errno_value) {
      case ECONNREFUSED:
      case ENOENT:  // Unix sockets: no such file; a full backlog
      case EAGAIN:
        return tcp::outcome::refused;
      case EBADF:
        return tcp::outcome::no_socket;
      case ECANCELED:
        return tcp::outcome::closed;
      case ECONNRESET:
        return tcp::outcome::reset;
      default:
        return tcp::outcome::unreachable;
    }
  }

  // What coroutines ask for: async_session_calls.ipp.
  template <class Shard>
  struct stream_calls;
  template <class Shard>
  struct poll_calls;
  template <class Shard>
  struct spawn_calls;
  template <class Shard>
  struct asking_calls;

  /// Nobody else will be told what left it.
  void look_at_end(task<void>& root) noexcept {
#if defined(__cpp_exceptions)
    try {
      return root.take();
    } catch (const std::exception& problem) {
      events_.exception(detail::no_request(), problem.what());
    } catch (...) {
      events_.exception(detail::no_request(), "not a std::exception");
    }
    counters_->handler_exceptions.add();
#else
    root.take();
#endif
  }

  Inner inner_;
  void* shard_;
  shard_counters* counters_;
  detail::event_log events_;
  bool is_over_;         // true exactly when nothing new is spawned
  void* shards_;         // the server's first one; null: there is no other one
  std::uint32_t index_;  // among them
  void (*look_at_mail_)(async_session&);
  detail::shard_calls<Config.shard_calls, Config.shards> calls_;
  detail::poll_slots<Config.polls> polls_;
  detail::detached_tasks<Config.tasks + incoming_streams> spawned_;
  context context_;
  pool<stream_state, Config.outgoing + incoming_streams> streams_;
  tcp::client client_;
  detail::origin origins_[Config.endpoints];
  detail::idle_memory idle_[Config.outgoing];
  http::client http_;
  detail::hosts_file hosts_;
  pool<detail::fetch_slot<Config>, Config.fetches> fetches_;
  frame_pool<Config.task_frames> frames_;
};

}  // namespace nen

#include <nen/server/async_session_calls.ipp>
