// io, L2: a connection as a coroutine uses it: it reads, writes and waits, and whoever runs the
// connection (a shard) does the rest. Nothing is copied on the way in.
#pragma once

#include <nen/core/assert.hpp>
#include <nen/core/timer_wheel.hpp>
#include <nen/io/sleep.hpp>
#include <nen/io/task.hpp>
#include <nen/net/address.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

namespace nen {
namespace tcp {

/// What became of something that was asked of a connection.
enum class outcome : std::uint8_t {
  ok,
  finished,     ///< the peer has sent all that it will send
  timed_out,    ///< the time that was given is over; the connection is as it was
  refused,      ///< nobody listens there
  unreachable,  ///< the network does not lead there, or nobody answered its question
  reset,        ///< the connection broke, or was closed for not being read
  no_slot,      ///< config::outgoing connections are there already
  no_socket,    ///< the process or the system has no descriptor left
  closed,       ///< this side closed it, or everything stops
};

/// What read() gives.
struct read_result {
  std::string_view bytes;  ///< valid until the next read; empty exactly when status is not ok
  outcome status = outcome::ok;

  explicit operator bool() const noexcept { return status == outcome::ok; }
};

class stream;

}  // namespace tcp

namespace detail {

class stream_wait;
struct stream_host;

/// What a connection and the coroutine that uses it know of each other. Zero: nobody does.
struct stream_state {
  stream_host* host;
  stream_wait* reader;  ///< waits for bytes, or for the connection itself
  stream_wait* writer;  ///< waits for room
  const char* given_at;
  std::uint32_t given;       ///< bytes that the last read gave; used when the next one begins
  std::uint32_t taken;       ///< bytes that are used, of which the shard was not told yet
  std::uint32_t connection;  ///< its index in the shard; valid while it is connected
  std::uint32_t slot;        ///< its own index
  tcp::outcome end;          ///< ok while it lives

  // Each is true exactly when …
  bool held : 1;       ///< … a tcp::stream names it
  bool connected : 1;  ///< … it has a connection, or is getting one
  bool paused : 1;     ///< … its connection offers no bytes, because nobody reads
  bool offering : 1;   ///< … its connection is offering bytes just now
  bool finished : 1;   ///< … the peer's last byte has come
  bool incoming : 1;   ///< … it is a client's
  bool stops : 1;      ///< … the server stops, so that no read of it waits
};

/// The shard's side of streams.
struct stream_host {
  struct functions {
    void (*resume)(stream_host&, stream_state&);
    /// @returns  how many bytes were taken; fewer when there is no more room
    std::size_t (*write)(stream_host&, stream_state&, std::string_view);
    void (*want_room)(stream_host&, stream_state&);
    void (*finish)(stream_host&, stream_state&);
    void (*close)(stream_host&, stream_state&, bool at_once);
    /// Nobody names it any more.
    void (*forget)(stream_host&, stream_state&);
    /// @returns  null when every slot is taken
    stream_state* (*connect)(stream_host&, const endpoint&);
    tick (*now)(const stream_host&) noexcept;
  };
  const functions* call;
  timer_wheel* timers;
};

/// What waits for something of a stream, for a limited time. A coroutine's lies in its frame.
class stream_wait : public alarm {
 public:
  using wake_function = void (*)(stream_wait&);

  explicit stream_wait(
      stream_state* of, std::uint32_t timeout_ms,
      wake_function wake = [](stream_wait& self) { self.resume(); }) noexcept
      : alarm{{}, [](alarm& self) { static_cast<stream_wait&>(self).is_due(); }},
        state_(of),
        timeout_ms_(timeout_ms),
        wake_(wake) {}
  stream_wait(const stream_wait&) = delete;
  stream_wait& operator=(const stream_wait&) = delete;
  ~stream_wait() { leave(); }

  [[nodiscard]] tcp::outcome status() const noexcept { return status_; }
  void resume() { waiter_.resume(); }

  /// Goes on at once. This object may be gone afterwards.
  void go_on(tcp::outcome how) {
    leave();
    status_ = how;
    wake_(*this);
  }
  /// The same in a later turn: for what is found out while coroutines run.
  void go_on_later(tcp::outcome how) noexcept {
    unlink();
    status_ = how;
    state_->host->timers->arm(*this, state_->host->call->now(*state_->host));
  }

 protected:
  template <class Promise>
  void wait(std::coroutine_handle<Promise> awaiting, stream_wait*& place) noexcept {
    waiter_.wait_as(awaiting);
    wait_in(place);
  }
  void wait_in(stream_wait*& place) noexcept {
    NEN_ASSERT(place == nullptr);  // one coroutine reads a stream at a time, and one writes
    status_ = tcp::outcome::timed_out;
    place_ = &place;
    place = this;
    if (timeout_ms_ == 0) return;
    stream_host& host = *state_->host;
    host.timers->arm(*this, host.call->now(host) + timeout_ms_);
  }

  stream_state* state_;
  tcp::outcome status_ = tcp::outcome::ok;

 private:
  void is_due() {
    unlink();
    wake_(*this);
  }
  void unlink() noexcept {
    if (place_ != nullptr) *place_ = nullptr;
    place_ = nullptr;
  }
  void leave() noexcept {
    unlink();
    if (armed()) state_->host->timers->cancel(*this);
  }

  std::uint32_t timeout_ms_;
  wake_function wake_;
  stream_wait** place_ = nullptr;
  waiter waiter_{};
};

class stream_read : public stream_wait {
 public:
  stream_read(stream_state* of, std::uint32_t timeout_ms) noexcept
      : stream_wait(of, timeout_ms, [](stream_wait& self) {
          auto& read = static_cast<stream_read&>(self);
          // Now and not in await_resume, which GCC 12 calls only when everything else in the
          // awaiting expression has been awaited as well.
          if (self.status() == tcp::outcome::ok)
            read.bytes_ = {read.state_->given_at, read.state_->given};
          read.resume();
        }) {}

  bool await_ready() noexcept {
    stream_state& s = *state_;
    s.taken += std::exchange(s.given, 0U);
    if (s.connected && (s.paused || s.offering)) return false;
    if (s.connected && !s.finished && !s.stops) return false;
    status_ = !s.connected ? s.end : s.finished ? tcp::outcome::finished : tcp::outcome::closed;
    return true;
  }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> awaiting) {
    stream_state& s = *state_;
    wait(awaiting, s.reader);
    if (s.paused) s.host->call->resume(*s.host, s);
  }
  tcp::read_result await_resume() const noexcept { return {bytes_, status_}; }

 private:
  std::string_view bytes_;
};

class stream_write : public stream_wait {
 public:
  stream_write(stream_state* of, std::string_view bytes, std::uint32_t timeout_ms) noexcept
      : stream_wait(of, timeout_ms), left_(bytes) {}

  bool await_ready() {
    if (!state_->connected) status_ = state_->end;
    return !state_->connected || write();
  }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> awaiting) {
    wait(awaiting, state_->writer);
    state_->host->call->want_room(*state_->host, *state_);
  }
  tcp::outcome await_resume() const noexcept { return status_; }

  /// There is room again.
  void room() {
    if (write()) return go_on(tcp::outcome::ok);
    state_->host->call->want_room(*state_->host, *state_);
  }

 private:
  bool write() {
    left_.remove_prefix(state_->host->call->write(*state_->host, *state_, left_));
    return left_.empty();
  }

  std::string_view left_;
};

}  // namespace detail

namespace tcp {

/// A connection in the hands of a coroutine; closed when it goes out of scope. One coroutine reads
/// it at a time, and one writes it. It is used on the shard's thread alone.
class stream {
 public:
  /// None.
  stream() noexcept = default;
  stream(stream&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
  stream& operator=(stream&& other) noexcept {
    if (this != &other) {
      let_go();
      state_ = std::exchange(other.state_, nullptr);
    }
    return *this;
  }
  ~stream() { let_go(); }

  /// True while there is a connection, which the peer may have finished or broken meanwhile.
  [[nodiscard]] bool is_open() const noexcept { return state_ != nullptr && state_->connected; }
  /// True when it is open, and nothing came that nobody has read: it can be used for something new.
  [[nodiscard]] bool is_quiet() const noexcept {
    return is_open() && !state_->finished && !state_->paused && state_->given == 0;
  }

  /// Awaited, gives the next bytes where they lie. They count as used when the next read begins.
  /// @param timeout_ms  0: no limit
  [[nodiscard]] detail::stream_read read(std::uint32_t timeout_ms = 0) noexcept {
    return detail::stream_read(state_, timeout_ms);
  }
  /// Leaves the last `bytes` of what the last read gave for the next one.
  void unread(std::size_t bytes) noexcept {
    NEN_ASSERT(bytes <= state_->given);
    const auto left = static_cast<std::uint32_t>(bytes);
    state_->taken += state_->given - left;
    state_->given = 0;
  }

  /// Counts all that the last read gave as used, without reading on.
  void use_all() noexcept {
    if (!is_open()) return;
    unread(0);
    if (state_->paused) state_->host->call->resume(*state_->host, *state_);
  }

  /// Awaited, ends when all bytes are on their way; they are copied, as far as there is room, and
  /// have to stay only until then.
  [[nodiscard]] detail::stream_write write(std::string_view bytes,
                                           std::uint32_t timeout_ms = 0) noexcept {
    return detail::stream_write(state_, bytes, timeout_ms);
  }

  /// Nothing more will be sent behind what was written; reading goes on.
  void finish() noexcept {
    if (is_open()) state_->host->call->finish(*state_->host, *state_);
  }
  /// Closes when all is sent; or at once.
  void close() noexcept {
    if (is_open()) state_->host->call->close(*state_->host, *state_, false);
  }
  void abort() noexcept {
    if (is_open()) state_->host->call->close(*state_->host, *state_, true);
  }

  /// For those who make streams. @pre  the state is held by nobody else
  explicit stream(detail::stream_state& state) noexcept : state_(&state) { state.held = true; }
  [[nodiscard]] detail::stream_state* state() const noexcept { return state_; }

 private:
  void let_go() noexcept {
    if (state_ != nullptr) state_->host->call->forget(*state_->host, *state_);
    state_ = nullptr;
  }

  detail::stream_state* state_ = nullptr;
};

/// What connect gives.
struct connect_result {
  stream connection;
  outcome status = outcome::ok;

  explicit operator bool() const noexcept { return status == outcome::ok; }
};

}  // namespace tcp

namespace detail {

class stream_connect : public stream_wait {
 public:
  stream_connect(stream_host& host, const endpoint& to, std::uint32_t timeout_ms) noexcept
      : stream_wait(nullptr, timeout_ms), host_(host), to_(to) {}
  ~stream_connect() {
    if (state_ != nullptr) host_.call->forget(host_, *state_);
  }

  bool await_ready() const noexcept { return false; }
  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> awaiting) {
    state_ = host_.call->connect(host_, to_);
    if (state_ == nullptr) {
      status_ = tcp::outcome::no_slot;
      return false;
    }
    wait(awaiting, state_->reader);
    return true;
  }
  tcp::connect_result await_resume() {
    if (status_ != tcp::outcome::ok) return {{}, status_};
    return {tcp::stream(*std::exchange(state_, nullptr)), status_};
  }

 private:
  stream_host& host_;
  const endpoint& to_;  // lives as long as the expression that awaits
};

}  // namespace detail
}  // namespace nen
