// server, L3: what a shard's session may do with one of its connections.
#pragma once

#include <nen/core/assert.hpp>
#include <nen/core/function_ref.hpp>
#include <nen/core/timer_wheel.hpp>
#include <nen/server/close_reason.hpp>
#include <nen/server/connection.hpp>
#include <nen/server/counters.hpp>

#include <cstddef>
#include <cstdint>

namespace nen {

/// A session's view of one connection, while one of its functions runs.
/// @tparam Shard  a tcp_shard
template <class Shard>
class shard_peer {
  using connection = typename Shard::connection;
  using send_queue = typename Shard::send_queue;
  using session_state = typename Shard::session_type::connection_state;

 public:
  shard_peer(Shard& shard, connection& c) noexcept : shard_(shard), connection_(c) {}

  session_state& state() noexcept { return connection_.session; }
  std::uint32_t index() const noexcept { return shard_.connections_.index_of(connection_); }

  /// True when a whole message can be written, whatever its length up to response_bytes_max.
  bool has_room() const noexcept { return shard_.queue_.has_room_for(connection_); }
  /// The same while others are in the middle of a message, each of which was promised its room.
  bool has_room_beside_others() const noexcept {
    return has_room() && shard_.queue_.has_room(shard_.running_);
  }

  /// Where the bytes to be sent are written; sent when the session's function returns.
  typename send_queue::writer writer() noexcept { return {shard_.queue_, connection_}; }

  /// Closes when everything written is sent. Nothing more is read.
  void close(tcp::close_reason why = tcp::close_reason::session) noexcept {
    connection_.close_when_sent = true;
    connection_.presume(why);
  }

  /// The same, but leaves the peer time to read the answer while it may still be sending: RFC
  /// 9112 §9.6. A plain close would reset the connection and could destroy the answer on its way.
  void close_lingering(tcp::close_reason why = tcp::close_reason::session) noexcept {
    close(why);
    connection_.linger_when_sent = true;
  }

  /// Closes at once and resets the peer: what is not sent yet, is lost.
  void abort() noexcept {
    close();
    connection_.resets = true;
  }

  /// Nothing more is written: tells the peer so when all is sent, and goes on receiving. Closes
  /// when the peer has finished as well.
  void finish() noexcept { connection_.shut_when_sent = true; }
  /// Why it closes. @pre  on_close
  tcp::close_reason reason() const noexcept { return connection_.reason; }

  /// True when a message of one slot can be written, a control frame for example. Others in the
  /// middle of a message were promised their room.
  bool has_room_for_control() const noexcept {
    return shard_.queue_.slots().available() >
           (shard_.running_ - 1) * send_queue::slots_per_message;
  }

  /// Slots and views that wait for the peer to read.
  std::uint32_t sends_held() const noexcept { return connection_.slots_held; }
  /// Somebody was refused what a send that is stuck holds: it is looked for at the turn's end.
  void miss_sends() noexcept { shard_.misses_sends_ = true; }

  /// Bytes that wait for the peer to read.
  std::size_t buffered() const noexcept { return shard_.queue_.buffered(connection_); }

  /// True once a close was asked for: what else arrives is not looked at.
  bool closing() const noexcept { return connection_.close_when_sent; }

  /// Gives the peer time for something; zero: for ever. Idle time begins when all is sent.
  void set_read_timeout(timeout_kind kind, std::uint32_t milliseconds) noexcept {
    connection_.read_timeout = milliseconds == 0 ? timeout_kind::none : kind;
    connection_.read_deadline = shard_.loop_.now() + milliseconds;
  }

  /// The same with a point in time.
  void set_read_deadline(timeout_kind kind, tick deadline) noexcept {
    connection_.read_timeout = kind;
    connection_.read_deadline = deadline;
  }

  /// While paused, no bytes are offered; that the peer left is still noticed.
  void pause() noexcept { connection_.paused = true; }
  void resume() noexcept {
    connection_.paused = false;
    shard_.stop_waiting(connection_);  // settling finds its new place
  }
  bool paused() const noexcept { return connection_.paused; }

  /// Has on_room(peer&) called once, as soon as there is room for a message.
  void want_room() noexcept {
    connection_.wants_room = true;
    shard_.stop_waiting(connection_);  // for its peer, if it is paused: settling finds its place
  }

  /// Whose connection it is; nobody's where addresses are not kept (config::client_addresses).
  static constexpr bool keeps_client = Shard::keeps_clients;
  const client_address& client() const noexcept {
    if constexpr (keeps_client) {
      return connection_.client;
    } else {
      return client_address::nobody();
    }
  }

  /// True where the shard decides about clients by their addresses.
  static constexpr bool gated = Shard::gated;
  /// Finds out whose request this is, and whether it may go to its handler. @pre  gated
  template <class Fields>
  auto judge(const Fields& all) noexcept {
    return shard_.gate_.judge(connection_, all, shard_.loop_.now());
  }
  /// The client has sent what is no request. @pre  gated
  void offend() noexcept { shard_.gate_.offend(connection_, shard_.loop_.now()); }

  bool draining() const noexcept { return shard_.draining_; }
  std::uint32_t now_ms() const noexcept { return shard_.loop_.now(); }
  /// As of the turn's begin, and just now.
  std::uint64_t now_ns() const noexcept { return shard_.loop_.ring().now_ns(); }
  std::uint64_t clock_ns() const noexcept { return shard_.loop_.ring().clock_ns(); }
  std::int64_t unix_seconds() const noexcept { return shard_.loop_.ring().unix_seconds(); }
  auto& log() noexcept { return shard_.log_; }
  shard_counters& counters() noexcept { return shard_.counters_; }

  std::uint32_t generation() const noexcept { return connection_.generation; }

  /// Acts on another connection of the same shard, named by its index.
  void with_other(std::uint32_t index, function_ref<void(shard_peer&)> act) {
    NEN_ASSERT(index != this->index());
    shard_.act_on(index, act);
  }

 private:
  Shard& shard_;
  connection& connection_;
};

}  // namespace nen
