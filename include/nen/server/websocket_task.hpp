// server, L3: WebSocket sessions that are coroutines: what they await of their peer, and the object
// that runs one.
#pragma once

#include <nen/core/assert.hpp>
#include <nen/io/context.hpp>
#include <nen/io/task.hpp>
#include <nen/server/websocket_peer.hpp>
#include <nen/ws/close_code.hpp>

#include <coroutine>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

namespace nen {

namespace ws {
class channel;
}  // namespace ws

namespace detail {

struct websocket_task;

/// Waits for a message.
class message_wait {
 public:
  explicit message_wait(ws::channel& of) noexcept : of_(of) {}
  message_wait(const message_wait&) = delete;
  message_wait& operator=(const message_wait&) = delete;
  inline ~message_wait();

  bool await_ready() const noexcept { return false; }
  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> awaiting);
  std::optional<ws::message> await_resume() const noexcept { return message_; }

  /// Called outside of every coroutine. This object may be gone afterwards.
  /// @param m  nothing: there will be none
  inline void go_on(const std::optional<ws::message>& m);

 private:
  ws::channel& of_;
  std::optional<ws::message> message_;
  waiter waiter_{};
};

/// Waits until a message can be sent.
class send_wait {
 public:
  send_wait(ws::channel& of, const ws::message& m) noexcept : of_(of), message_(m) {}
  send_wait(const send_wait&) = delete;
  send_wait& operator=(const send_wait&) = delete;
  inline ~send_wait();

  inline bool await_ready();
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> awaiting);
  ws::send_result await_resume() const noexcept { return result_; }

  /// Called outside of every coroutine, when it may be worth another try. This object may be gone
  /// afterwards.
  void try_again() {
    if (await_ready()) go_on(result_);
  }
  inline void go_on(ws::send_result result);

 private:
  ws::channel& of_;
  ws::message message_;
  ws::send_result result_ = ws::send_result::full;
  waiter waiter_{};
};

}  // namespace detail

namespace ws {

/// The peer of a session that is a coroutine. It lives as long as the WebSocket; copies of it as a
/// ws::peer may outlive it.
class channel : public peer {
 public:
  explicit channel(const peer& p) noexcept : peer(p) {}
  channel(const channel&) = delete;
  channel& operator=(const channel&) = delete;

  /// Awaited, gives the next message: a std::optional<ws::message>, nothing when the WebSocket has
  /// ended; what the coroutine does then it does without waiting, because it is destroyed where it
  /// waits. While nobody awaits a message, the peer is held back.
  /// @returns  bytes that are valid until the next call
  [[nodiscard]] nen::detail::message_wait receive() noexcept {
    return nen::detail::message_wait(*this);
  }

  /// Awaited, sends one message as soon as there is room: any send_result but full. Its bytes
  /// have to stay until then.
  [[nodiscard]] nen::detail::send_wait send(std::string_view text) noexcept {
    return {*this, {text, true, 0}};
  }
  [[nodiscard]] nen::detail::send_wait send_binary(std::string_view bytes) noexcept {
    return {*this, {bytes, false, 0}};
  }
  [[nodiscard]] nen::detail::send_wait send(const message& m) noexcept { return {*this, m}; }

  /// How the WebSocket has ended. @pre  receive gave nothing
  [[nodiscard]] close_code ended_with() const noexcept { return ended_with_; }

 private:
  friend class nen::detail::message_wait;
  friend class nen::detail::send_wait;
  friend struct nen::detail::websocket_task;

  nen::detail::message_wait* receiving_ = nullptr;
  nen::detail::send_wait* sending_ = nullptr;
  bool is_over_ = false;  // true once the session was told of the end
  close_code ended_with_{};
};

}  // namespace ws

namespace detail {

inline message_wait::~message_wait() {
  if (of_.receiving_ == this) of_.receiving_ = nullptr;
}
template <class Promise>
bool message_wait::await_suspend(std::coroutine_handle<Promise> awaiting) {
  NEN_ASSERT(of_.receiving_ == nullptr);  // one coroutine receives at a time
  websocket_host& host = *websocket_access::host(of_);
  if (of_.is_over_) return false;
  of_.receiving_ = this;
  waiter_.wait_as(awaiting);
  host.call->want_message(host, websocket_access::name(of_));
  return true;
}
inline void message_wait::go_on(const std::optional<ws::message>& m) {
  message_ = m;
  of_.receiving_ = nullptr;
  waiter_.resume();
}

inline send_wait::~send_wait() {
  if (of_.sending_ == this) of_.sending_ = nullptr;
}
inline bool send_wait::await_ready() {
  const ws::peer& to = of_;
  result_ =
      message_.is_text || message_.slot != 0 ? to.send(message_) : to.send_binary(message_.bytes);
  return result_ != ws::send_result::full;
}
template <class Promise>
void send_wait::await_suspend(std::coroutine_handle<Promise> awaiting) {
  NEN_ASSERT(of_.sending_ == nullptr);  // one coroutine sends at a time
  of_.sending_ = this;
  waiter_.wait_as(awaiting);
}
inline void send_wait::go_on(ws::send_result result) {
  result_ = result;
  of_.sending_ = nullptr;
  waiter_.resume();
}

/// A session's coroutine, without the session's type.
struct websocket_task : task_owner {
  ws::channel me;
  void* root = nullptr;  // its frame; null: there is none any more

  explicit websocket_task(const ws::peer& p) noexcept : task_owner(), me(p) {
    static constexpr functions calls = {
        [](task_owner& self, std::coroutine_handle<> where) { self.run(where); },
        [](task_owner& self, task_end how) noexcept {
          static_cast<websocket_task&>(self).has_ended(how);
        }};
    call = &calls;
  }
  ~websocket_task() { const auto its = nen::task<void>::adopt(std::exchange(root, nullptr)); }

  void start(nen::task<void>&& made) {
    if (!made.has_frame()) return has_ended(task_end::out_of_frames);
    root = made.release();
    auto its = nen::task<void>::adopt(root);
    its.promise().begin(*this, nullptr, nullptr);
    run(std::coroutine_handle<>::from_address(its.release()));
  }
  bool is_busy() const noexcept { return me.receiving_ == nullptr && root != nullptr; }

  void on_message(const ws::message& m) {
    if (me.receiving_ != nullptr) me.receiving_->go_on(m);
  }
  void on_drain() {
    if (me.sending_ != nullptr) me.sending_->try_again();
  }
  void on_close(ws::close_code code) {
    me.is_over_ = true;
    me.ended_with_ = code;
    if (me.sending_ != nullptr) me.sending_->go_on(ws::send_result::closed);
    if (me.receiving_ != nullptr) me.receiving_->go_on({});
  }

 private:
  void has_ended(task_end how) noexcept {
    auto its = nen::task<void>::adopt(std::exchange(root, nullptr));
    websocket_host& host = *websocket_access::host(me);
    host.call->task_ended(host, websocket_access::name(me), how, its);
  }
};

/// What a WebSocket's slot holds of a session that has on_run.
template <class Session>
struct websocket_run : websocket_task {
  Session session{};

  using websocket_task::websocket_task;
};

}  // namespace detail

}  // namespace nen
