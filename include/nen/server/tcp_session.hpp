// server, L3: runs an application's session of raw TCP: one object for each connection, whose
// functions are called with what happens to it.
#pragma once

#include <nen/config.hpp>
#include <nen/core/assert.hpp>
#include <nen/core/state_refs.hpp>
#include <nen/server/connection.hpp>
#include <nen/server/counters.hpp>
#include <nen/server/event_log.hpp>
#include <nen/server/tcp_functions.hpp>
#include <nen/server/tcp_peer.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <new>
#include <span>
#include <string_view>
#include <type_traits>

namespace nen::detail {

/// The session of a shard, for the application's.
/// @tparam Places  how many connections there can be at once
template <class Session, config Config, std::uint32_t Places, class... State>
class tcp_session : tcp_host {
  static_assert(check_tcp_session<Session>::done);

 public:
  using state_references = state_refs<State...>;
  static constexpr std::uint32_t send_views = 0;
  static constexpr bool reads_to_the_end = true;
  static constexpr std::uint32_t outgoing = 0;

  struct connection_state {
    // Each is true exactly when …
    bool has_object : 1;    // … the session's object lives
    bool is_ended : 1;      // … on_close is called, or was
    bool is_finished : 1;   // … the session will send no more
    bool knows_end : 1;     // … on_end was called
    bool knows_drain : 1;   // … on_drain was called
    bool has_own_time : 1;  // … the session has set a timeout
  };

  template <class Shard>
  void bind(Shard& shard) noexcept {
    shard_ = &shard;
    call = &host_calls<Shard>::table;
  }
  /// Takes over what concerns it of the options. @pre  no connection is open
  void start(const listen_options& options, state_refs<State...> states) noexcept {
    states_ = states;
    idle_timeout_ = to_milliseconds(options.idle_timeout);
    events_ = event_log(options);
  }

  template <class Peer>
  void on_open(Peer& p) {
    p.set_read_timeout(timeout_kind::idle, idle_timeout_);
    guard(p, [&] {
      ::new (static_cast<void*>(objects_[p.index()].bytes)) Session{};
      p.state().has_object = true;
      ++objects_alive_;
      if constexpr (on_open_in<Session>::is_usable) tell(p, &Session::on_open);
    });
  }

  template <class Peer>
  std::size_t on_data(Peer& p, std::span<char> bytes) {
    if (!p.state().has_own_time) p.set_read_timeout(timeout_kind::idle, idle_timeout_);
    std::size_t used = 0;
    guard(p, [&] {
      while (used != bytes.size() && !p.closing() && !p.paused()) {
        const std::size_t more = offer(p, bytes.subspan(used));
        NEN_ASSERT(more <= bytes.size() - used);  // on_data says that it used more than there was
        if (more == 0) break;
        used += more;
      }
    });
    if (used == bytes.size() && p.draining()) on_drain(p);
    if (!p.closing() && used != bytes.size() && nothing_brings_it_on(p))
      p.close(tcp::close_reason::stalled);
    return p.closing() ? bytes.size() : used;
  }

  template <class Peer>
  void on_room(Peer& p) {
    if constexpr (on_writable_in<Session>::is_usable)
      guard(p, [&] { tell(p, &Session::on_writable); });
  }

  template <class Peer>
  void on_end(Peer& p) {
    if (p.state().knows_end) return;
    p.state().knows_end = true;
    if constexpr (on_end_in<Session>::is_usable) {
      guard(p, [&] { tell(p, &Session::on_end); });
    } else {
      p.close();
    }
  }

  template <class Peer>
  void on_timeout(Peer& p, timeout_kind kind) {
    if constexpr (on_timeout_in<Session>::is_usable) {
      guard(p, [&] { tell(p, &Session::on_timeout); });
      if (kind == timeout_kind::idle && !p.state().has_own_time)
        p.set_read_timeout(timeout_kind::idle, idle_timeout_);
    } else {
      (void)kind;
      p.close();
    }
  }

  template <class Peer>
  void on_shed(Peer& p) noexcept {
    p.close();
  }

  template <class Peer>
  void on_drain(Peer& p) {
    if (p.closing() || p.state().knows_drain) return;
    p.state().knows_drain = true;
    if constexpr (on_drain_in<Session>::is_usable) {
      guard(p, [&] { tell(p, &Session::on_drain); });
    } else {
      // Who is still to be sent something may be sending as well, which a plain close would answer
      // by a reset.
      p.buffered() != 0 ? p.close_lingering(tcp::close_reason::drained)
                        : p.close(tcp::close_reason::drained);
    }
  }

  template <class Peer>
  void on_close(Peer& p) {
    if (!p.state().has_object) return;  // its constructor threw
    p.state().is_ended = true;
    if constexpr (on_close_in<Session>::is_usable)
      guard(p, [&] { tell(p, &Session::on_close, p.reason()); });
    object_of(p).~Session();
    p.state().has_object = false;
    --objects_alive_;
  }

  /// Sessions' objects that live.
  std::uint32_t objects_alive() const noexcept { return objects_alive_; }

 private:
  template <class Shard>
  struct host_calls;

  /// Not a part of the connection's slot, which is all zero again when it is freed: what a session
  /// keeps may be large.
  struct object_slot {
    alignas(Session) std::byte bytes[sizeof(Session)];
  };

  template <class Peer>
  Session& object_of(Peer& p) noexcept {
    return *std::launder(reinterpret_cast<Session*>(objects_[p.index()].bytes));
  }

  template <class Peer, class Function, class... Given>
  decltype(auto) tell(Peer& p, Function function, Given... given) {
    tcp::peer me = tcp_access::make(*this, {p.index(), p.generation()});
    return call_with_states(object_of(p), function, states_, me, given...);
  }

  template <class Peer>
  std::size_t offer(Peer& p, std::span<char> bytes) {
    using parameters = typename on_data_in<Session>::function::parameters;
    const auto given = [&] {
      if constexpr (std::is_same_v<typename second_of<parameters>::type, std::string_view>) {
        return std::string_view(bytes.data(), bytes.size());
      } else {
        return std::span<const std::byte>(std::as_bytes(bytes));
      }
    }();
    if constexpr (std::is_void_v<typename on_data_in<Session>::function::result>) {
      tell(p, &Session::on_data, given);
      return bytes.size();
    } else {
      return tell(p, &Session::on_data, given);
    }
  }
  template <class Parameters>
  struct second_of;
  template <class... P>
  struct second_of<type_list<P...>> : type_at<1, P...> {};

  /// True when bytes that the session left would never be offered again: they are when something of
  /// its own was sent, when there is memory to send, and when it resumes.
  template <class Peer>
  static bool nothing_brings_it_on(Peer& p) noexcept {
    return !p.paused() && p.buffered() == 0 && p.has_room();
  }

  /// An exception that leaves a session is its fault, not the shard's: it is said, and the
  /// connection is cut off, because nobody knows what its peer would make of a half answer.
  template <class Peer, class F>
  void guard(Peer& p, F f) {
#if defined(__cpp_exceptions)
    try {
      return f();
    } catch (const std::exception& problem) {
      events_.exception(no_request(), problem.what());
    } catch (...) {
      events_.exception(no_request(), "not a std::exception");
    }
    p.counters().handler_exceptions.add();
    p.abort();
#else
    (void)p;
    f();
#endif
  }

  template <class Peer>
  std::size_t send_now(Peer& p, std::string_view bytes) {
    std::size_t accepted = 0;
    {
      auto out = p.writer();
      while (accepted != bytes.size() && p.has_room()) {
        out.begin_message();
        const auto part = bytes.substr(accepted, out.body_bytes_max());
        (void)out.append(part);
        accepted += part.size();
      }
    }
    if constexpr (on_writable_in<Session>::is_usable)
      if (accepted != bytes.size()) p.want_room();
    return accepted;
  }

  void* shard_;
  state_refs<State...> states_;
  event_log events_;
  std::uint32_t idle_timeout_;
  std::uint32_t objects_alive_;
  std::array<object_slot, Places> objects_;
};

/// What peers call.
template <class Session, config Config, std::uint32_t Places, class... State>
template <class Shard>
struct tcp_session<Session, Config, Places, State...>::host_calls {
  using host = tcp_host;
  using name = tcp_name;
  using shard_peer = typename Shard::peer;

  static tcp_session& session(host& h) noexcept { return static_cast<tcp_session&>(h); }
  static Shard& shard(host& h) noexcept { return *static_cast<Shard*>(session(h).shard_); }
  static connection_state& state(host& h, const name& n) noexcept {
    return shard(h).session_state(n.connection);
  }

  static bool is_open(host& h, const name& n) noexcept {
    return shard(h).is_open(n.connection, n.generation) && !state(h, n).is_ended;
  }
  static bool can_send(host& h, const name& n) noexcept {
    return is_open(h, n) && !state(h, n).is_finished;
  }
  /// Also when it is closing in good order.
  static bool can_be_aborted(host& h, const name& n) noexcept {
    const auto& c = shard(h).connections()[n.connection];
    return c.generation == n.generation && !c.session.is_ended &&
           (c.state == nen::connection_state::open || c.state == nen::connection_state::lingering);
  }

  static std::size_t send(host& h, const name& n, std::string_view bytes) {
    std::size_t accepted = 0;
    if (can_send(h, n))
      shard(h).act_on(n.connection,
                      [&](shard_peer& p) { accepted = session(h).send_now(p, bytes); });
    return accepted;
  }
  static std::size_t room(host& h, const name& n) noexcept {
    return can_send(h, n) && shard(h).has_room(n.connection) ? Config.response_bytes_max : 0;
  }
  static std::size_t buffered(host& h, const name& n) noexcept {
    return is_open(h, n) ? shard(h).buffered(n.connection) : 0;
  }

  static void act(host& h, const name& n, tcp_act what, std::uint32_t value) {
    if (!(what == tcp_act::abort ? can_be_aborted(h, n) : is_open(h, n))) return;
    switch (what) {
      case tcp_act::close:
        return shard(h).act_on(n.connection, [](shard_peer& p) {
          p.close_lingering(p.state().knows_drain ? tcp::close_reason::drained
                                                  : tcp::close_reason::session);
        });
      case tcp_act::abort:
        return shard(h).act_on(n.connection, [](shard_peer& p) { p.abort(); });
      case tcp_act::finish:
        return shard(h).act_on(n.connection, [](shard_peer& p) {
          p.state().is_finished = true;
          p.finish();
        });
      case tcp_act::pause:
        return shard(h).act_on(n.connection, [](shard_peer& p) { p.pause(); });
      case tcp_act::resume:
        return shard(h).act_on(n.connection, [](shard_peer& p) { p.resume(); });
      case tcp_act::set_timeout:
        return shard(h).set_timer(n.connection, [value](shard_peer& p) {
          p.state().has_own_time = true;
          p.set_read_timeout(timeout_kind::session, value);
        });
    }
  }

  static client_address client(host& h, const name& n) noexcept {
    return is_open(h, n) ? shard(h).client(n.connection) : client_address{};
  }

  static constexpr host::functions table = {is_open, send, room, buffered, act, client};
};

}  // namespace nen::detail
