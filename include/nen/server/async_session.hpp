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
#include <nen/server/connection.hpp>

#include <cerrno>
#include <cstdint>
#include <span>
#include <string_view>

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
}

}  // namespace detail

/// @tparam Inner  the session of clients' connections
template <class Inner, config Config>
class async_session : detail::context_host {
  using stream_state = detail::stream_state;

 public:
  static constexpr std::uint32_t send_views = Inner::send_views;
  static constexpr std::uint32_t outgoing = Config.outgoing;
  static constexpr std::size_t websocket_bytes = Inner::websocket_bytes;
  static constexpr std::size_t message_bytes = Inner::message_bytes;
  static_assert(Config.outgoing >= 1 && Config.tasks >= 1,
                "config::outgoing and config::tasks must be at least 1 where handlers are "
                "coroutines");
  static_assert(Config.fetches >= 1, "config::fetches must be at least 1");
  static_assert(Config.fetch_head_bytes >= 64 && Config.fetch_head_bytes <= 65'535 &&
                    Config.fetch_body_bytes >= Config.fetch_head_bytes,
                "config::fetch_head_bytes is 64 to 65,535, and fetch_body_bytes not less");

  struct connection_state : Inner::connection_state {
    std::uint32_t stream;  ///< slot + 1 of a connection to somebody; 0: a client's
  };

  template <class Shard>
  void bind(Shard& shard) noexcept {
    shard_ = &shard;
    call = &stream_calls<Shard>::table;
    timers = &shard.timers();
    client = &client_;
    http_client = &http_;
    inner_.bind(shard);
    context_ = context(*this);
    http_.bind<Config>(context_, fetches_);
    inner_.set_context(&context_);
  }
  void start(const listen_options& options, typename Inner::state_references states) noexcept {
    inner_.start(options, states);
    client_.bind(*this, origins_, Config.endpoints, idle_, options.clients);
    hosts_.read("/etc/hosts");
    http_.set_names(hosts_, options.clients.resolver);
  }

  template <class Peer>
  void on_open(Peer& p) {
    if (!is_outgoing(p)) return inner_.on_open(p);
    if (stream_of(p).reader != nullptr) stream_of(p).reader->go_on(tcp::outcome::ok);
  }
  template <class Peer>
  void on_connect_failed(Peer& p, int errno_value) noexcept {
    stream_of(p).end = outcome_of(errno_value);
  }
  template <class Peer>
  std::size_t on_data(Peer& p, std::span<char> bytes) {
    return is_outgoing(p) ? offer(p, stream_of(p), bytes) : inner_.on_data(p, bytes);
  }
  template <class Peer>
  void on_end(Peer& p) {
    if (!is_outgoing(p)) return inner_.on_end(p);
    stream_state& s = stream_of(p);
    s.finished = true;
    if (s.reader != nullptr) s.reader->go_on(tcp::outcome::finished);
  }
  template <class Peer>
  void on_timeout(Peer& p, timeout_kind kind) {
    if (!is_outgoing(p)) inner_.on_timeout(p, kind);
  }
  template <class Peer>
  void on_shed(Peer& p) {
    inner_.on_shed(p);
  }
  template <class Peer>
  void on_room(Peer& p) {
    if (!is_outgoing(p)) return inner_.on_room(p);
    if (stream_of(p).writer != nullptr)
      static_cast<detail::stream_write*>(stream_of(p).writer)->room();
  }
  template <class Peer>
  void on_drain(Peer& p) {
    if (!is_outgoing(p)) return inner_.on_drain(p);
    client_.drain();
  }
  template <class Peer>
  void on_close(Peer& p) {
    if (!is_outgoing(p)) return inner_.on_close(p);
    stream_state& s = stream_of(p);
    s.connected = s.paused = false;
    if (s.end == tcp::outcome::ok)
      s.end = s.finished ? tcp::outcome::finished : tcp::outcome::reset;
    // Coroutines may be running just now: one of them may have closed it.
    if (s.reader != nullptr) s.reader->go_on_later(s.end);
    if (s.writer != nullptr) s.writer->go_on_later(s.end);
    if (!s.held) release(s);
  }
  void on_mail() requires requires(Inner& i) { i.on_mail(); }
  { inner_.on_mail(); }
  void on_timer(timer& due) {
    auto& alarm = static_cast<detail::alarm&>(due);
    alarm.fire(alarm);
  }

  /// Where the coroutines of this shard have their frames.
  auto& frames() noexcept { return frames_; }

  Inner& inner() noexcept { return inner_; }
  const Inner& inner() const noexcept { return inner_; }
  const auto& streams() const noexcept { return streams_; }
  const auto& fetches() const noexcept { return fetches_; }

 private:
  template <class Peer>
  static bool is_outgoing(Peer& p) noexcept {
    return p.state().stream != 0;
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

  /// What streams ask for.
  template <class Shard>
  struct stream_calls {
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

  Inner inner_;
  void* shard_;
  context context_;
  pool<stream_state, Config.outgoing> streams_;
  tcp::client client_;
  detail::origin origins_[Config.endpoints];
  detail::idle_memory idle_[Config.outgoing];
  http::client http_;
  detail::hosts_file hosts_;
  pool<detail::fetch_slot<Config>, Config.fetches> fetches_;
  frame_pool<Config.task_frames> frames_;
};

}  // namespace nen
