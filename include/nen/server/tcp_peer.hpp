// server, L3: what a session of raw TCP works with: its peer.
#pragma once

#include <nen/core/client_address.hpp>
#include <nen/server/close_reason.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace nen {

namespace detail {

/// Which connection of a shard, and no later owner of its slot.
struct tcp_name {
  std::uint32_t connection;
  std::uint32_t generation;

  friend constexpr bool operator==(const tcp_name&, const tcp_name&) noexcept = default;
};

/// What a peer is asked for besides to send.
enum class tcp_act : std::uint8_t { close, abort, finish, pause, resume, set_timeout };

/// The server's side of peers. All calls are made on the thread of the shard that they belong to.
struct tcp_host {
  struct functions {
    bool (*is_open)(tcp_host&, const tcp_name&) noexcept;
    std::size_t (*send)(tcp_host&, const tcp_name&, std::string_view);
    std::size_t (*room)(tcp_host&, const tcp_name&) noexcept;
    std::size_t (*buffered)(tcp_host&, const tcp_name&) noexcept;
    void (*act)(tcp_host&, const tcp_name&, tcp_act, std::uint32_t value);
    client_address (*client)(tcp_host&, const tcp_name&) noexcept;
  };
  const functions* call;
};

struct tcp_access;

}  // namespace detail

namespace tcp {

/// Names the other end of a connection. A small value: copy it, keep it in the application's state,
/// use it on the shard that it belongs to. One whose connection is over does nothing.
class peer {
 public:
  /// Names nobody.
  peer() = default;

  /// Copies bytes to be sent; what is sent in one turn of the loop goes out together.
  /// @returns  how many were accepted: fewer than asked for when memory for more is not free or the
  ///           peer is behind with reading; 0 once it is closed or finished. After fewer,
  ///           on_writable is called when it is worth another try
  std::size_t send(std::span<const std::byte> bytes) const {
    return send({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  }
  std::size_t send(std::string_view bytes) const {
    return host_ == nullptr ? 0 : host_->call->send(*host_, name_, bytes);
  }

  /// Bytes that send accepts whole now: config::response_bytes_max, or none.
  std::size_t room() const noexcept {
    return host_ == nullptr ? 0 : host_->call->room(*host_, name_);
  }
  /// Bytes that were accepted and that the kernel has not taken yet.
  std::size_t buffered() const noexcept {
    return host_ == nullptr ? 0 : host_->call->buffered(*host_, name_);
  }
  /// False once it is being closed, from either side.
  bool is_open() const noexcept { return host_ != nullptr && host_->call->is_open(*host_, name_); }

  /// Whose end it is; nobody's, of kind none, once it is closed and where addresses are not kept
  /// (config::client_addresses).
  client_address client() const noexcept {
    return host_ == nullptr ? client_address{} : host_->call->client(*host_, name_);
  }

  /// Closes when all that was accepted is sent. No more bytes are offered. The peer is left time to
  /// read it (listen_options::linger_timeout), because the kernel resets a connection that is
  /// closed while bytes come, and takes what was sent away with it.
  void close() const { act(detail::tcp_act::close); }
  /// Closes at once. The peer is reset (over a Unix socket: sees the end); what the kernel has not
  /// sent is lost.
  void abort() const { act(detail::tcp_act::abort); }
  /// Sends what was accepted and then the end of our bytes; receiving goes on. When the peer has
  /// finished as well, the connection closes.
  void finish() const { act(detail::tcp_act::finish); }

  /// No more bytes are offered until resume(), so that TCP holds the peer back. A reset is still
  /// noticed; the end of the peer's bytes is told when they are used.
  void pause() const { act(detail::tcp_act::pause); }
  void resume() const { act(detail::tcp_act::resume); }

  /// Has on_timeout called once, when this time has passed, whatever happens until then; zero:
  /// never. A session that sets it looks after idle connections itself:
  /// listen_options::idle_timeout is no more for this one.
  void set_timeout(std::uint32_t milliseconds) const {
    act(detail::tcp_act::set_timeout, milliseconds);
  }

  friend bool operator==(const peer&, const peer&) noexcept = default;

 private:
  friend struct nen::detail::tcp_access;

  void act(detail::tcp_act what, std::uint32_t value = 0) const {
    if (host_ != nullptr) host_->call->act(*host_, name_, what, value);
  }

  detail::tcp_host* host_ = nullptr;
  detail::tcp_name name_{};
};

}  // namespace tcp

namespace detail {

/// Makes peers, for sessions.
struct tcp_access {
  static tcp::peer make(tcp_host& host, const tcp_name& name) noexcept {
    tcp::peer p{};
    p.host_ = &host;
    p.name_ = name;
    return p;
  }
};

}  // namespace detail

}  // namespace nen
