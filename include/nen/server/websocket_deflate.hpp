// server, L3: permessage-deflate (RFC 7692) for a server's WebSockets: in the session, write
// `using compression = nen::ws::deflate<>;`. It needs zlib (link nen::deflate), whose memory lies
// in the server like everything else.
#pragma once

#include <nen/core/pool.hpp>
#include <nen/server/websocket_compression.hpp>
#include <nen/ws/deflate.hpp>
#include <nen/ws/deflate_offer.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace nen::ws {

/// What shapes the memory and the work of compression.
struct deflate_config {
  int level = 4;         ///< 1 (fast) to 9 (small)
  int window_bits = 15;  ///< 9 to 15: how far messages refer back, as a power of two
  int mem_level = 8;     ///< 1 to 9, of zlib
  /// Shorter messages are sent as they are: compressing them costs more than it saves.
  std::uint32_t least_bytes = 64;
  /// Peers for whom messages refer to those before (context takeover). Each takes the memory of a
  /// compressor and of an inflater; the others share one of each.
  std::uint32_t contexts = 0;
};

/// One of a shard. Zero is the closed state.
template <deflate_config Config = deflate_config{}>
class deflate {
  using compressor = deflater<Config.window_bits, Config.mem_level>;
  struct context {
    compressor out;
    inflater<15> in;
  };

 public:
  static constexpr bool exists = true;
  static constexpr std::size_t least_bytes = Config.least_bytes;
  /// Of messages that are compressed once for many; peers with less hear them as they are.
  static constexpr int window_bits = Config.window_bits;

  /// What a WebSocket keeps; zero: nothing was agreed on.
  struct peer {
    bool agreed;
    bool server_stands_alone;  // each of our messages
    bool client_stands_alone;
    std::uint8_t window_bits;  // of ours
    std::uint32_t context;     // + 1; 0: the shared ones
  };

  /// @returns  false when the linked zlib needs more memory than there is: nothing is offered then
  bool open() noexcept {
    is_open_ = shared_out_.open(Config.window_bits, Config.level) && shared_in_.open();
    return is_open_;
  }

  /// Judges what the client offers.
  /// @param out  room for deflate_text_bytes_max characters
  /// @returns    the end of the answer: the value of Sec-WebSocket-Extensions; `out`: none
  char* negotiate(std::span<const std::string_view> lines, peer& p, char* out) noexcept {
    if (!is_open_) return out;
    const bool with_context = take_context(p);
    const auto agreed = accept_deflate(
        lines, {.server_no_context_takeover = !with_context,
                .client_no_context_takeover = !with_context,
                .server_max_window_bits = static_cast<std::uint8_t>(Config.window_bits)});
    if (!agreed || (with_context && !open_context(p, agreed->server_max_window_bits))) {
      close(p);
      return out;
    }
    if (agreed->server_no_context_takeover && agreed->client_no_context_takeover) close(p);
    p.agreed = true;
    p.server_stands_alone = agreed->server_no_context_takeover;
    p.client_stands_alone = agreed->client_no_context_takeover;
    p.window_bits = agreed->server_max_window_bits;
    return write_deflate(out, *agreed);
  }
  void close(peer& p) noexcept {
    if constexpr (Config.contexts != 0)
      if (p.context != 0) contexts_.release(p.context - 1);
    p = {};
  }

  /// Inflates a whole message, RFC 7692 §7.2.2; no more comes out than there is room for.
  nen::detail::inflated_message inflate(peer& p, std::string_view message,
                                        std::span<char> out) noexcept;

  /// Compresses a whole message, RFC 7692 §7.2.1.
  /// @returns  nothing when it would not become shorter than the room
  std::optional<std::size_t> compress(peer& p, std::string_view message,
                                      std::span<char> out) noexcept {
    compressor& c = compressor_of(p);
    if (p.context == 0 || p.server_stands_alone) c.reset();
    return c.compress(message, out);
  }
  /// The same for many peers: it refers to no message before, and none behind it refers to it.
  std::optional<std::size_t> compress_alone(std::string_view message,
                                            std::span<char> out) noexcept {
    if (!use_window(window_bits)) return std::nullopt;
    shared_out_.reset();
    return shared_out_.compress(message, out);
  }
  /// Such a message was sent to this peer.
  void heard_alone(peer& p) noexcept {
    if constexpr (Config.contexts != 0)
      if (p.context != 0) contexts_[p.context - 1].out.reset();
  }

 private:
  bool take_context(peer& p) noexcept {
    if constexpr (Config.contexts != 0) {
      const auto index = contexts_.try_acquire();
      if (index != contexts_.none) p.context = index + 1;
    }
    return p.context != 0;
  }
  bool open_context(peer& p, int bits) noexcept {
    if constexpr (Config.contexts != 0) {
      context& c = contexts_[p.context - 1];
      return c.out.open(bits, Config.level) && c.in.open();
    }
    return false;
  }
  bool use_window(int bits) noexcept {
    return shared_out_.window_bits() == bits || shared_out_.open(bits, Config.level);
  }
  compressor& compressor_of(peer& p) noexcept {
    if constexpr (Config.contexts != 0)
      if (p.context != 0) return contexts_[p.context - 1].out;
    (void)use_window(p.window_bits);
    return shared_out_;
  }
  inflater<15>& inflater_of(peer& p) noexcept {
    if constexpr (Config.contexts != 0)
      if (p.context != 0) return contexts_[p.context - 1].in;
    return shared_in_;
  }

  compressor shared_out_;
  inflater<15> shared_in_;
  [[no_unique_address]] std::conditional_t<
      Config.contexts != 0, pool<context, std::max(Config.contexts, 1u)>, nen::detail::no_contexts>
      contexts_;
  bool is_open_;
};

template <deflate_config Config>
nen::detail::inflated_message deflate<Config>::inflate(peer& p, std::string_view message,
                                                       std::span<char> out) noexcept {
  auto& in = inflater_of(p);
  in.start_message(out.size(), p.context == 0 || p.client_stands_alone);
  std::size_t made = 0;
  while (true) {
    const inflate_progress step = in.read(message, true, out.subspan(made));
    made += step.produced;
    message.remove_prefix(step.consumed);
    switch (step.status) {
      case inflate_status::complete:
        return {nen::detail::inflated::ok, made};
      case inflate_status::need_more:
      case inflate_status::output_full:
        if (made == out.size()) return {nen::detail::inflated::too_big, 0};
        continue;
      case inflate_status::too_big:
        return {nen::detail::inflated::too_big, 0};
      case inflate_status::invalid:
        return {nen::detail::inflated::invalid, 0};
    }
  }
}

}  // namespace nen::ws
