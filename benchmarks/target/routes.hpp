// What the target serves, and its sizes: routes for loads and for client tests. Bodies up to 1 MiB
// both ways, WebSocket messages up to 16 MiB, 4,096 connections a shard.
#pragma once

#include <nen/nen.hpp>
#if NEN_WITH_ZLIB
#include <nen/server/websocket_deflate.hpp>
#endif

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "hundred_routes.hpp"

namespace target {

inline constexpr std::size_t body_bytes_max = nen::MiB;

/// What /bytes/:n sends: the alphabet, again and again, so that a client can check every byte.
inline std::array<char, body_bytes_max> alphabet;

inline void fill_alphabet() {
  for (std::size_t i = 0; i < alphabet.size(); ++i) alphabet[i] = static_cast<char>('a' + i % 26);
}

inline nen::reply plaintext(nen::response& res) { return res.text("Hello, World!"); }

inline nen::reply json(nen::response& res) { return res.json({{"message", "Hello, World!"}}); }

inline nen::reply user(std::uint32_t id, nen::response& res) { return res.json({{"id", id}}); }

inline nen::reply echo(const nen::request& req, nen::response& res) {
  return res.bytes(req.body());
}

/// How many bytes the body has, however many; they are counted as they come.
inline nen::reply discard(nen::response& res) {
  return res.receive(
      [bytes = std::uint64_t{0}](const nen::body_part& part, nen::response& r) mutable {
        bytes += part.bytes.size();
        if (!part.is_last) return r.more();
        char digits[20];
        const auto end = std::to_chars(digits, digits + sizeof digits, bytes).ptr;
        return r.text({digits, static_cast<std::size_t>(end - digits)});
      });
}

inline nen::reply bytes(std::uint32_t count, nen::response& res) {
  if (count > alphabet.size()) return res.status(404);
  return res.send_static("application/octet-stream", {alphabet.data(), count});
}

/// Answers `ms` milliseconds later; the connection waits, the server does not.
inline nen::reply slow(std::uint32_t ms, nen::response& res) {
  res.defer().after(ms, [ms](const nen::request&, nen::response& later) {
    return later.json({{"slept_ms", ms}});
  });
  return res.later();
}

/// `count` bytes of the alphabet, in chunks that are made as the client takes them.
inline nen::reply stream(std::uint64_t count, nen::response& res) {
  return res.stream("application/octet-stream", [left = count](nen::body_stream& out) mutable {
    constexpr std::uint64_t chunk =
        26 * 300;  // whole alphabets, so that the next one begins at 'a'
    while (left != 0) {
      const auto part = std::min(left, chunk);
      if (!out.write({alphabet.data(), static_cast<std::size_t>(part)})) return;
      left -= part;
    }
    out.finish();
  });
}

/// An event a second, numbered on from the last one that a reconnecting client has seen.
inline nen::reply events(const nen::request& req, nen::response& res) {
  const auto seen = nen::parse_decimal<std::uint32_t>(nen::last_event_id(req)).value_or(0);
  return nen::event_stream(res, [number = seen](nen::body_stream& out) mutable {
    if (out.ended()) return;
    char digits[20];
    const auto end = std::to_chars(digits, digits + sizeof digits, number + 1).ptr;
    const std::string_view id{digits, static_cast<std::size_t>(end - digits)};
    if (nen::event_writer(out).write({.data = "tick", .id = id})) ++number;
    out.sleep(1000);
  });
}

inline constexpr std::uint32_t shards_max = 4;
inline constexpr std::uint32_t message_bytes_max = 16 * nen::MiB;

#if NEN_WITH_ZLIB
/// Some peers have contexts of their own, and some share one: clients meet both.
struct compressed {
  using compression = nen::ws::deflate<nen::ws::deflate_config{.contexts = 16}>;
};
#else
struct compressed {};
#endif
struct plain {};

/// Sends back what comes. A client that does not read is not read from, whatever waits for it.
template <class Compression>
struct echo_session : Compression {
  static constexpr nen::ws::options options = {.buffered_bytes_max = 4 * message_bytes_max};

  void on_message(nen::ws::peer& me, const nen::ws::message& m) {
    // An answer that is missing would be worse than none to come.
    if (me.send(m) != nen::ws::send_result::sent) me.close(nen::ws::close_code::try_again_later);
  }
};

using room = nen::ws::group<4096, nen::ws::group_config{.shards = shards_max, .letters = 256}>;

/// Everybody hears what anybody says; who is behind with reading misses some of it.
struct room_member : compressed {
  void on_open(nen::ws::peer& me, room& all) {
    if (!all.join(me)) me.close(nen::ws::close_code::try_again_later);
  }
  void on_message(nen::ws::peer&, const nen::ws::message& m, room& all) {
    all.broadcast(m, nen::ws::slow_peer::drop);
  }
};

/// Closes at once, with the code that the path names.
struct closing_session {
  void on_open(nen::ws::peer& me, std::uint16_t code) {
    const auto asked = static_cast<nen::ws::close_code>(code);
    me.close(nen::ws::may_be_sent(asked) ? asked : nen::ws::close_code::policy_violation,
             "as you asked");
  }
  void on_message(nen::ws::peer&, nen::ws::message) {}
};

// clang-format off
using items = nen::group<"",
    nen::get<"/", plaintext>,
    nen::post<"/", echo>,
    nen::get<"/plaintext", plaintext>,
    nen::get<"/json", json>,
    nen::get<"/users/:id", user>,
    nen::any<"/echo", echo>,
    nen::streamed<nen::post<"/discard", discard>>,
    nen::get<"/bytes/:count", bytes>,
    nen::get<"/slow/:ms", slow>,
    nen::get<"/stream/:count", stream>,
    nen::get<"/events", events>,
    hundred_routes,
    nen::websocket<"/ws", echo_session<compressed>>,
    nen::websocket<"/ws/plain", echo_session<plain>>,
    nen::websocket<"/ws/room", room_member>,
    nen::websocket<"/ws/close/:code", closing_session>>;
// clang-format on
using routes = nen::router<items>;

constexpr nen::config with_shards(std::uint32_t shards) {
  return {
      .shards = shards,
      .connections = 4096,
      .receive_buffers = 1024,
      .receive_buffer_bytes = 16 * nen::KiB,
      // Two for each connection: one on its way to the peer, and one that is being filled.
      .send_slots = 8192,
      .send_slot_bytes = 4 * nen::KiB,
      .response_bytes_max = body_bytes_max,
      .head_slots = 256,
      .streams = 1024,
      .body_slots = 32,
      .body_bytes_max = body_bytes_max,
      .websockets = 4096,
      // Four that come and four that clients are still reading back, at least on one shard, where
      // there are also four for what is inflated.
      .ws_message_slots = 4 + 8 / shards,
      .ws_message_bytes_max = message_bytes_max,
      .ws_broadcast_slots = 256,
      // A short message that waits for all members of a full room, sixteen times.
      .ws_views = 65'536,
  };
}

/// Shorter bodies and messages, and many of them at once: for loads where every connection sends
/// one. The buffers are fewer and larger, so that a body of 64 KiB comes in few completions, and
/// its echo is one send of few parts: that takes 33.5 us of CPU time, where those of with_shards
/// take 43.
constexpr nen::config many_at_once() {
  nen::config sizes = with_shards(1);
  sizes.receive_buffers = 256;
  sizes.receive_buffer_bytes = 64 * nen::KiB;
  sizes.send_slots = 4096;
  sizes.send_slot_bytes = 16 * nen::KiB;
  sizes.body_slots = sizes.ws_message_slots = 256;
  sizes.body_bytes_max = sizes.ws_message_bytes_max = 128 * nen::KiB;
  return sizes;
}

}  // namespace target
