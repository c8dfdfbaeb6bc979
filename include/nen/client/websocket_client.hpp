// client, L3: one WebSocket to somebody, in the hands of a coroutine (RFC 6455 from the client's
// side). No extension is offered.
#pragma once

#include <nen/client/http_client.hpp>
#include <nen/core/assert.hpp>
#include <nen/core/digest.hpp>
#include <nen/http/request_writer.hpp>
#include <nen/http/response_parser.hpp>
#include <nen/http/url.hpp>
#include <nen/io/context.hpp>
#include <nen/io/stream.hpp>
#include <nen/io/task.hpp>
#include <nen/ws/close_code.hpp>
#include <nen/ws/frame.hpp>
#include <nen/ws/handshake.hpp>
#include <nen/ws/lists.hpp>
#include <nen/ws/message_reader.hpp>

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <utility>

namespace nen::ws {

/// Why there is no WebSocket.
enum class connect_fault : std::uint8_t {
  none,
  bad_url,        ///< not ws://address…, or a request that cannot be written
  not_connected,  ///< see `transport`
  timed_out,
  malformed,      ///< what came is not an HTTP response, or ended too early
  refused,        ///< a response other than 101: see `status`
  bad_handshake,  ///< a 101 that RFC 6455 §4.1 does not allow
};

/// What a client asks for.
struct client_options {
  std::string_view protocols = {};  ///< subprotocols, the best first: "chat.v2, chat"
  std::span<const std::pair<std::string_view, std::string_view>> fields = {};  ///< more of them
  std::uint32_t timeout_ms = 10'000;               ///< for the connection and the handshake
  std::uint64_t message_bytes_max = 16ULL << 20U;  ///< a longer one ends it with 1009
};

/// A piece of a message, or the end of everything.
struct received {
  std::string_view bytes = {};  ///< valid until the next receive
  bool is_text = false;
  bool is_first = false;  ///< a message begins with these bytes
  bool is_last = false;   ///< and ends with them
  /// None as long as there are pieces. Else how it ended: with the peer's close code, or with the
  /// one that it was sent for what it did, or abnormal_closure.
  close_code closed = close_code::none;

  explicit operator bool() const noexcept { return closed == close_code::none; }
};

namespace detail {

/// Keys that nobody can predict (RFC 6455 §5.3), from the kernel, many at a time.
class mask_keys {
 public:
  masking_key next() noexcept {
    if (left_ == 0) refill();
    return keys_[--left_];
  }
  static void fill(void* bytes, std::size_t size) noexcept {
    const auto got = ::getrandom(bytes, size, 0);  // up to 256 bytes always come at once
    NEN_ASSERT(got == static_cast<ssize_t>(size));
  }

 private:
  void refill() noexcept {
    fill(keys_.data(), sizeof keys_);
    left_ = keys_.size();
  }

  std::array<masking_key, 32> keys_{};
  std::size_t left_ = 0;
};

}  // namespace detail

struct connected;

/// A WebSocket as its client has it. One coroutine receives at a time, and one sends. Going out of
/// scope closes the connection without a word; close() says goodbye.
class client {
 public:
  client() noexcept = default;
  client(client&&) noexcept = default;
  client& operator=(client&&) noexcept = default;

  /// Opens a WebSocket.
  /// @param url  "ws://chat.example:8080/room"; it and the options have to outlive the call. Of a
  ///             name's addresses one after the other is tried
  static inline task<connected> connect(context& ctx, std::string_view url,
                                        client_options options = {});
  /// The same over a connection that is there already: a Unix socket's, or a proxy's.
  static inline task<connected> connect(context& ctx, tcp::stream over, url to,
                                        client_options options);

  [[nodiscard]] bool is_open() const noexcept { return stream_.is_open() && !is_over_; }
  /// The subprotocol that the server chose; empty: none.
  [[nodiscard]] std::string_view protocol() const noexcept {
    return {protocol_.data(), protocol_bytes_};
  }

  /// The next piece of a message. Pings are answered on the way, a close is answered too. What lies
  /// whole in what was received is one piece: is_first and is_last.
  /// @param timeout_ms  for each wait; 0: no limit. When it is over the connection is closed, and
  ///                    the end is abnormal_closure
  inline task<received> receive(std::uint32_t timeout_ms = 0);

  /// The next message, put together in `room` if it comes in pieces.
  /// @returns  its end is message_too_big when `room` is too small; it was closed with that
  inline task<received> receive_whole(std::span<char> room, std::uint32_t timeout_ms = 0);

  /// Sends one message, in one frame. Ends when all of it is on its way.
  /// @param text  true: UTF-8, which is up to the caller
  inline task<tcp::outcome> send(std::string_view bytes, bool text = true,
                                 std::uint32_t timeout_ms = 0);
  /// Sends a ping; its answer is dropped by receive.
  inline task<tcp::outcome> ping(std::string_view payload = {}, std::uint32_t timeout_ms = 0);

  /// Says goodbye, waits for the answer up to the timeout, and closes.
  inline task<void> close(close_code code = close_code::normal_closure,
                          std::string_view reason = {}, std::uint32_t timeout_ms = 2'000);

 private:
  static constexpr std::size_t protocol_bytes_max = 64;

  inline task<tcp::outcome> send_frame(frame_head head, std::string_view payload,
                                       std::uint32_t timeout_ms);
  inline task<received> end(close_code told, close_code answer, std::string_view reason);
  static bool keeps_handshake(const received_response& answer, std::string_view key,
                              std::string_view offered) noexcept;

  tcp::stream stream_;
  message_reader reader_{};
  frame_rules rules_{.side = side::client};
  detail::mask_keys keys_;
  char* at_ = nullptr;  // what was received and not read yet
  char* end_ = nullptr;
  bool close_sent_ = false;
  bool is_over_ = false;
  std::uint8_t protocol_bytes_ = 0;
  std::array<char, protocol_bytes_max> protocol_{};
  std::array<char, control_bytes_max> control_{};
};

/// What connect gives.
struct connected {
  ws::client client;
  connect_fault fault = connect_fault::none;
  tcp::outcome transport = tcp::outcome::ok;
  nen::status status{};  ///< of a response that refused

  explicit operator bool() const noexcept { return fault == connect_fault::none; }
};

inline task<connected> client::connect(context& ctx, std::string_view url, client_options options) {
  const url_result parsed = parse_url(url);
  if (parsed.fault != url_fault::none || parsed.value.scheme != url_scheme::ws)
    co_return connected{{}, connect_fault::bad_url};
  const tick until = ctx.now_ms() + options.timeout_ms;
  resolved where;
  const auto how =
      co_await ctx.http().find(parsed.value.host, parsed.value.port, options.timeout_ms, where);
  if (how == resolve_outcome::timed_out) co_return connected{{}, connect_fault::timed_out};
  tcp::outcome last = tcp::outcome::unreachable;
  for (std::size_t i = 0; i < where.size() && tick_before(ctx.now_ms(), until); ++i) {
    auto made = co_await ctx.connect(where[i], until - ctx.now_ms());
    last = made.status;
    if (!made) continue;
    connected opened = co_await connect(ctx, std::move(made.connection), parsed.value, options);
    co_return opened;
  }
  co_return connected{{}, connect_fault::not_connected, last};
}

inline task<connected> client::connect(context& ctx, tcp::stream over, nen::url to,
                                       client_options options) {
  std::array<char, 16> nonce{};
  detail::mask_keys::fill(nonce.data(), nonce.size());
  std::array<char, base64_size(16)> key{};
  write_base64(key.data(), {nonce.data(), nonce.size()});
  const std::string_view key_text{key.data(), key.size()};
  std::array<char, 4096> room{};  // the request's head, then the response's

  request_writer head(room);
  head.start(method::get, to, {.upgrade_to = "websocket"});
  head.field("Sec-WebSocket-Key", key_text).field("Sec-WebSocket-Version", version);
  if (!options.protocols.empty()) head.field("Sec-WebSocket-Protocol", options.protocols);
  for (const auto& [name, value] : options.fields) head.field(name, value);
  if (head.finish() != request_fault::none) co_return connected{{}, connect_fault::bad_url};
  const tick until = ctx.now_ms() + options.timeout_ms;
  const auto left = [&] {
    return tick_before(ctx.now_ms(), until) ? until - ctx.now_ms() : std::uint32_t{1};
  };
  auto written = co_await over.write(head.text(), left());

  response_parser_with<32> parser{};
  const response_limits limits{static_cast<std::uint32_t>(room.size()), 32, 0};
  parser.start(method::get, room.data(), limits);
  std::size_t used = 0;
  while (written == tcp::outcome::ok) {
    const auto got = co_await over.read(left());
    if (got.status == tcp::outcome::timed_out) co_return connected{{}, connect_fault::timed_out};
    if (!got) break;
    const std::size_t part = std::min(got.bytes.size(), room.size() - used);
    std::memcpy(room.data() + used, got.bytes.data(), part);
    const auto step = parser.feed(room.data() + used, room.data() + used + part);
    if (step.step == response_step::rejected) break;
    used += step.consumed;
    over.unread(got.bytes.size() - step.consumed);  // frames may follow at once
    if (step.step == response_step::need_more && used < room.size()) continue;
    if (step.step != response_step::head_complete) break;
    const received_response answer = parser.message();
    if (answer.status() != status::switching_protocols)
      co_return connected{{}, connect_fault::refused, {}, answer.status()};
    if (!keeps_handshake(answer, key_text, options.protocols))
      co_return connected{{}, connect_fault::bad_handshake};
    connected done;
    done.client.rules_.message_bytes_max = options.message_bytes_max;
    const auto protocol = answer.field("Sec-WebSocket-Protocol").value_or(std::string_view{});
    std::copy(protocol.begin(), protocol.end(), done.client.protocol_.begin());
    done.client.protocol_bytes_ = static_cast<std::uint8_t>(protocol.size());
    done.client.stream_ = std::move(over);
    co_return done;
  }
  co_return connected{
      {}, written == tcp::outcome::timed_out ? connect_fault::timed_out : connect_fault::malformed};
}

/// RFC 6455 §4.1, what has to be true of the answer.
inline bool client::keeps_handshake(const received_response& answer, std::string_view key,
                                    std::string_view offered) noexcept {
  const auto one = [&](std::string_view name) {
    return answer.fields().count(name) == 1 ? *answer.field(name) : std::string_view{};
  };
  if (!equals_ignoring_case(one("Upgrade"), "websocket")) return false;
  bool says_upgrade = false;
  answer.fields().for_each("Connection", [&](std::string_view value) {
    says_upgrade = says_upgrade || has_element(value, "upgrade");
  });
  if (!says_upgrade || !is_accept_of(one("Sec-WebSocket-Accept"), key)) return false;
  if (answer.field("Sec-WebSocket-Extensions")) return false;  // none was offered
  const auto protocol = answer.field("Sec-WebSocket-Protocol");
  if (!protocol) return true;
  if (protocol->size() > protocol_bytes_max || answer.fields().count("Sec-WebSocket-Protocol") != 1)
    return false;
  for (const auto one_offered : list_elements(offered))
    if (one_offered == *protocol) return true;
  return false;
}

inline task<received> client::receive(std::uint32_t timeout_ms) {
  while (!is_over_) {
    const message_event event = reader_.next(at_, end_, rules_, control_.data());
    switch (event.kind) {
      case message_event_kind::data:
        co_return received{event.bytes, event.is_text, event.is_first, event.is_last};
      case message_event_kind::ping:
        (void)co_await send_frame({.opcode = opcode::pong}, event.bytes, timeout_ms);
        break;
      case message_event_kind::pong:
        break;
      case message_event_kind::close:
        co_return co_await end(event.code, event.code, {});
      case message_event_kind::rejected:
        co_return co_await end(event.code, event.code, {});
      case message_event_kind::need_control_room:  // it is given in every call
      case message_event_kind::need_more: {
        const auto got = co_await stream_.read(timeout_ms);
        if (!got) co_return co_await end(close_code::abnormal_closure, close_code::none, {});
        // The bytes are the lease's; nobody else reads them.
        at_ = const_cast<char*>(got.bytes.data());
        end_ = at_ + got.bytes.size();
        break;
      }
    }
  }
  co_return received{.closed = close_code::abnormal_closure};
}

inline task<received> client::receive_whole(std::span<char> room, std::uint32_t timeout_ms) {
  std::size_t size = 0;
  while (true) {
    received piece = co_await receive(timeout_ms);
    if (!piece || (piece.is_first && piece.is_last)) co_return piece;
    if (piece.bytes.size() > room.size() - size)
      co_return co_await end(close_code::message_too_big, close_code::message_too_big, {});
    if (!piece.bytes.empty())
      std::memcpy(room.data() + size, piece.bytes.data(), piece.bytes.size());
    size += piece.bytes.size();
    if (!piece.is_last) continue;
    co_return received{{room.data(), size}, piece.is_text, true, true};
  }
}

/// Nothing more is received. @param answer  what the peer is told, unless it was told before
inline task<received> client::end(close_code told, close_code answer, std::string_view reason) {
  is_over_ = true;
  if (answer != close_code::none && !close_sent_ && stream_.is_open()) {
    close_sent_ = true;
    std::array<char, control_bytes_max> payload{};
    const auto size = write_close_payload(payload.data(), answer, reason);
    (void)co_await send_frame({.opcode = opcode::close}, {payload.data(), size}, 1'000);
  }
  at_ = end_ = nullptr;
  if (stream_.is_open()) stream_.close();
  co_return received{.closed = told};
}

inline task<tcp::outcome> client::send(std::string_view bytes, bool text,
                                       std::uint32_t timeout_ms) {
  if (is_over_ || close_sent_) co_return tcp::outcome::closed;
  co_return co_await send_frame({.opcode = text ? opcode::text : opcode::binary}, bytes,
                                timeout_ms);
}

inline task<tcp::outcome> client::ping(std::string_view payload, std::uint32_t timeout_ms) {
  NEN_ASSERT(payload.size() <= control_bytes_max);
  if (is_over_ || close_sent_) co_return tcp::outcome::closed;
  co_return co_await send_frame({.opcode = opcode::ping}, payload, timeout_ms);
}

inline task<tcp::outcome> client::send_frame(frame_head head, std::string_view payload,
                                             std::uint32_t timeout_ms) {
  const masking_key key = keys_.next();
  std::array<char, 1024> room;
  auto used = static_cast<std::size_t>(
      write_masked_frame_head(room.data(), head, payload.size(), key) - room.data());
  for (std::size_t done = 0;;) {
    const std::size_t part = std::min(payload.size() - done, room.size() - used);
    if (part != 0) mask(room.data() + used, payload.data() + done, part, key, done);
    done += part;
    const auto sent = co_await stream_.write({room.data(), used + part}, timeout_ms);
    // A frame that is cut leaves nothing that could follow it.
    if (sent != tcp::outcome::ok) {
      is_over_ = true;
      stream_.abort();
      co_return sent;
    }
    if (done == payload.size()) co_return tcp::outcome::ok;
    used = 0;
  }
}

inline task<void> client::close(close_code code, std::string_view reason,
                                std::uint32_t timeout_ms) {
  if (!is_open()) co_return;
  if (!close_sent_) {
    close_sent_ = true;
    std::array<char, control_bytes_max> payload{};
    const auto size = write_close_payload(payload.data(), code, reason);
    (void)co_await send_frame({.opcode = opcode::close}, {payload.data(), size}, timeout_ms);
  }
  while (co_await receive(timeout_ms)) continue;
}

}  // namespace nen::ws
