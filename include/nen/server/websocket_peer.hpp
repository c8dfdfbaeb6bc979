// server, L3: what a WebSocket session works with: its peer, and the messages that come.
#pragma once

#include <nen/core/function_ref.hpp>
#include <nen/core/intrusive_list.hpp>
#include <nen/core/output.hpp>
#include <nen/http/deferred.hpp>
#include <nen/ws/close_code.hpp>
#include <nen/ws/frame.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace nen {

template <class T>
class task;

namespace detail {
enum class task_end : std::uint8_t;
}  // namespace detail

namespace ws {

/// What is done about a peer who is behind with reading when there is more for him. Whichever it
/// is, on_drain tells his session when he is no longer behind.
enum class slow_peer : std::uint8_t {
  wait,   ///< nothing is taken, and the sender is told so: send_result::full
  drop,   ///< he misses this message
  close,  ///< he is closed with 1013
};

/// What shapes a WebSocket session: its `static constexpr nen::ws::options options`, if it has one.
struct options {
  /// Subprotocols that it speaks (RFC 6455 §1.9). The first one that the client offers and this
  /// names is chosen; none in common: none.
  std::span<const std::string_view> protocols = {};
  /// Pages of other origins are refused with 403 (RFC 6455 §10.2); clients without an Origin, which
  /// are no browsers, are not.
  bool same_origin = false;
  /// Who was silent for this long is sent a ping; 0: never.
  std::uint32_t idle_ping_ms = 30'000;
  /// How long for any byte behind a ping, before the connection is given up.
  std::uint32_t pong_timeout_ms = 10'000;
  /// How long for the peer's close frame, from when the kernel has taken ours. Until then it is
  /// listen_options::write_timeout that counts.
  std::uint32_t close_timeout_ms = 5'000;
  /// How long a message that is gathered may take from its first byte to its last; 0: as long as it
  /// likes. Who takes longer is closed with 1008, the code for what has none of its own (RFC 6455
  /// §7.4.1). What is handed on as it comes (on_fragment) has no such limit.
  std::uint32_t message_timeout_ms = 30'000;
  /// The longest message, in bytes; longer is 1009. What is gathered is bounded by
  /// config::ws_message_bytes_max besides. 0: nothing else bounds it.
  std::uint64_t message_bytes_max = 0;
  /// More than this is not put behind what the peer has not read yet.
  std::uint32_t buffered_bytes_max = 256 * 1024;
  /// What a send does then; a broadcast is told at its call.
  slow_peer when_full = slow_peer::wait;
};

/// What became of something that was to be sent.
enum class send_result : std::uint8_t {
  sent,      ///< it is on its way, whole
  full,      ///< nothing was taken: the peer is behind with reading, or memory is short. on_drain
             ///< is called when it is worth another try
  too_long,  ///< longer than config::response_bytes_max, and not a message that came
  closed,    ///< the peer has gone, or is about to; also by this call (slow_peer::close)
  dropped,   ///< the peer is behind with reading and misses it (slow_peer::drop)
};

}  // namespace ws

namespace detail {

struct websocket_type;
struct membership;
struct of_peer;
struct mailbox;

/// Which WebSocket of a shard, and no later owner of its slot.
struct websocket_name {
  std::uint32_t slot;
  std::uint32_t generation;

  friend constexpr bool operator==(const websocket_name&, const websocket_name&) noexcept = default;
};

/// What is sent: its payload, and where that lies if it outlives the call.
struct websocket_payload {
  ws::opcode opcode;
  std::string_view bytes;
  std::uint32_t message;  // message slot + 1; 0: the bytes have to be copied
};

/// The server's side of peers. All calls are made on the thread of the shard that they belong to.
struct websocket_host {
  struct functions {
    void* (*open)(websocket_host&, const request_name&, const websocket_type&, websocket_name&);
    /// @returns  the end of the extensions' answer that was written to `out`
    char* (*negotiate)(websocket_host&, const websocket_name&,
                       std::span<const std::string_view> offers, char* out);
    /// Takes back what open gave: it holds no session, and its connection goes on speaking HTTP.
    void (*abandon)(websocket_host&, const websocket_name&) noexcept;
    void (*run)(websocket_host&, const websocket_name&, output&, function_ref<void()>);
    bool (*is_open)(websocket_host&, const websocket_name&) noexcept;
    /// @param slow  what is done when the peer is behind; nothing: what his session's options say
    ws::send_result (*send)(websocket_host&, const websocket_name&, const websocket_payload&,
                            std::optional<ws::slow_peer> slow);
    void (*close)(websocket_host&, const websocket_name&, ws::close_code, std::string_view reason);
    std::size_t (*buffered)(websocket_host&, const websocket_name&) noexcept;
    intrusive_list<membership, of_peer>& (*memberships)(websocket_host&, const websocket_name&);
    /// Encodes a frame once. @returns  the slot + 1; 0: it is too long, or there is no slot
    std::uint32_t (*share)(websocket_host&, const websocket_payload&) noexcept;
    ws::send_result (*send_shared)(websocket_host&, const websocket_name&, std::uint32_t shared,
                                   ws::slow_peer);
    void (*unshare)(websocket_host&, std::uint32_t shared) noexcept;
    void (*add_mailbox)(websocket_host&, mailbox&);
    /// From any thread: has the shard open its mailboxes.
    void (*call_for_mail)(websocket_host&) noexcept;
    /// A session that is a coroutine waits for a message, and looks at none any more.
    void (*want_message)(websocket_host&, const websocket_name&);
    /// It has ended. @param its  not done where it got no frame
    void (*task_ended)(websocket_host&, const websocket_name&, task_end how, task<void>& its);
  };
  const functions* call;
  nen::context* context;  // for sessions that are coroutines
};

struct websocket_access;

}  // namespace detail

namespace ws {

/// A message that came. Its bytes are valid until on_message returns; text is UTF-8.
struct message {
  std::string_view bytes;
  bool is_text = true;
  std::uint32_t slot = 0;  ///< where it was gathered: message slot + 1; 0: it lies in the lease
};

/// A part of a message, for sessions that have on_fragment instead of on_message.
struct fragment {
  std::string_view bytes;  ///< valid until on_fragment returns; of text it may end within a letter
  bool is_text = true;
  bool is_first = false;
  bool is_last = false;
};

/// Names the other end of a WebSocket. A small value: copy it, keep it in the application's state,
/// use it on the shard that it belongs to. One whose WebSocket is over does nothing.
class peer {
 public:
  /// Names nobody.
  peer() = default;

  /// Sends one message in one frame: all of it, or nothing.
  send_result send(std::string_view text) const { return send_payload({opcode::text, text, 0}); }
  send_result send_binary(std::string_view bytes) const {
    return send_payload({opcode::binary, bytes, 0});
  }
  /// Sends a message on as it came, whatever its length: one that is too long to be copied goes
  /// from where it was gathered.
  send_result send(const message& m) const {
    return send_payload({m.is_text ? opcode::text : opcode::binary, m.bytes, m.slot});
  }
  /// @param payload  at most 125 bytes (asserted)
  send_result ping(std::string_view payload = {}) const {
    return send_payload({opcode::ping, payload, 0});
  }

  /// Sends a close frame; on_close is called when the peer has answered it, or did not in time.
  /// @param reason  UTF-8; cut to 123 bytes
  void close(close_code code = close_code::normal_closure, std::string_view reason = {}) const {
    if (host_ != nullptr) host_->call->close(*host_, name_, code, reason);
  }

  /// False once it is being closed, from either side.
  bool is_open() const noexcept { return host_ != nullptr && host_->call->is_open(*host_, name_); }

  /// Bytes that were accepted and that the kernel has not taken yet.
  std::size_t buffered() const noexcept {
    return host_ == nullptr ? 0 : host_->call->buffered(*host_, name_);
  }

  friend bool operator==(const peer&, const peer&) noexcept = default;

 private:
  friend struct nen::detail::websocket_access;

  send_result send_payload(const nen::detail::websocket_payload& what) const {
    return host_ == nullptr ? send_result::closed : host_->call->send(*host_, name_, what, {});
  }

  nen::detail::websocket_host* host_ = nullptr;
  nen::detail::websocket_name name_{};
};

}  // namespace ws

namespace detail {

/// Makes peers, and takes them apart, for sessions and groups.
struct websocket_access {
  static ws::peer make(websocket_host& host, const websocket_name& name) noexcept {
    ws::peer p{};
    p.host_ = &host;
    p.name_ = name;
    return p;
  }
  static websocket_host* host(const ws::peer& p) noexcept { return p.host_; }
  static const websocket_name& name(const ws::peer& p) noexcept { return p.name_; }
};

}  // namespace detail

}  // namespace nen
