// A WebSocket client for tests on the simulated ring: it shakes hands, sends frames right or wrong,
// and writes down what it hears as one text, read by rules of its own.
#pragma once

#include <nen/nen.hpp>
#include <nen/server/websocket_group.hpp>
#include <nen/testing/simulated_server.hpp>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/client.hpp"
#include "ws/frames.hpp"

namespace nen::test {

// First bytes of frames: FIN and an opcode, RFC 6455 §5.2.
inline constexpr int text_frame = 0x81;
inline constexpr int binary_frame = 0x82;
inline constexpr int close_frame = 0x88;
inline constexpr int ping_frame = 0x89;
inline constexpr int pong_frame = 0x8a;
inline constexpr int text_begins = 0x01;
inline constexpr int binary_begins = 0x02;
inline constexpr int goes_on = 0x00;
inline constexpr int ends = 0x80;

/// A request that asks for a WebSocket, as RFC 6455 §1.3 shows it.
inline std::string upgrade_of(std::string_view target, std::string_view more = "") {
  return "GET " + std::string(target) +
         " HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n" +
         std::string(more) + "\r\n";
}

/// What a close frame carries.
inline std::string close_of(int code, std::string_view reason = "") {
  return bytes({code >> 8, code & 0xff}) + std::string(reason);
}
inline std::string closing(int code, std::string_view reason = "") {
  return frame(close_frame, close_of(code, reason));
}

/// Takes one complete frame of a server's off the front.
/// @returns  false when there is none
inline bool take_frame(std::string_view& in, int& first, std::string_view& payload) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(in[i]); };
  if (in.size() < 2) return false;
  if ((byte(1) & 0x80) != 0) throw std::runtime_error("a server's frame is masked");
  const std::size_t more = byte(1) == 126 ? 2 : byte(1) == 127 ? 8 : 0;
  if (in.size() < 2 + more) return false;
  std::uint64_t size = more == 0 ? byte(1) : 0;
  for (std::size_t i = 0; i < more; ++i) size = size << 8 | byte(2 + i);
  if ((more == 2 && size < 126) || (more == 8 && size <= 0xffff))
    throw std::runtime_error("a length in more bytes than it needs");
  if (in.size() - 2 - more < size) return false;
  first = byte(0);
  payload = in.substr(2 + more, size);
  in.remove_prefix(2 + more + size);
  return true;
}

/// "text(…) binary(…) ping(…) close(1000 reason) ", and "+…" for bytes that are no whole frame.
inline std::string heard_in(std::string_view in) {
  std::string heard;
  int first = 0;
  std::string_view payload;
  while (take_frame(in, first, payload)) {
    switch (first) {
      case text_frame:
        heard += "text(";
        break;
      case binary_frame:
        heard += "binary(";
        break;
      case ping_frame:
        heard += "ping(";
        break;
      case pong_frame:
        heard += "pong(";
        break;
      case close_frame:
        heard += "close(";
        if (payload.size() >= 2) {
          const auto high = static_cast<unsigned char>(payload[0]);
          heard += std::to_string(high << 8 | static_cast<unsigned char>(payload[1]));
          if (payload.size() > 2) heard += ' ';
          payload.remove_prefix(2);
        }
        break;
      default:
        throw std::runtime_error("a server's frame begins with " + std::to_string(first));
    }
    heard += std::string(payload) + ") ";
  }
  return in.empty() ? heard : heard + "+" + std::to_string(in.size());
}

/// What the sessions of a test's server were told, for its state.
struct journal {
  std::string text;

  void operator+=(std::string_view what) { text += std::string(what) + " "; }
  std::string take() { return std::exchange(text, {}); }
};

/// "1000" or "1000 reason".
inline std::string told(ws::close_code code, std::string_view reason) {
  const auto number = std::to_string(static_cast<int>(code));
  return "closed(" + (reason.empty() ? number : number + " " + std::string(reason)) + ")";
}

/// Notes everything but messages.
struct noting {
  void on_open(ws::peer&, journal& notes) { notes += "open"; }
  void on_drain(ws::peer&, journal& notes) { notes += "drain"; }
  void on_close(ws::peer&, ws::close_code code, std::string_view reason, journal& notes) {
    notes += told(code, reason);
  }
};
/// Sends back what comes, besides.
struct noting_echo : noting {
  void on_message(ws::peer& me, ws::message m, journal& notes) {
    const auto result = me.send(m);
    if (result != ws::send_result::sent)
      notes += "send=" + std::to_string(static_cast<int>(result));
  }
};

/// The pools of a server that has little of everything but is not short of any.
inline constexpr config small = {.connections = 32,
                                 .receive_buffers = 32,
                                 .receive_buffer_bytes = 1024,
                                 .send_slots = 64,
                                 .send_slot_bytes = 1024,
                                 .response_bytes_max = 2048,
                                 .head_slots = 8,
                                 .head_bytes_max = 1024,
                                 .fields_max = 24,
                                 .target_bytes_max = 256,
                                 .streams = 2,
                                 .body_slots = 2,
                                 .body_bytes_max = 2048,
                                 .websockets = 24,
                                 .ws_message_slots = 8,
                                 .ws_message_bytes_max = 4096,
                                 .ws_broadcast_slots = 8,
                                 .ws_broadcast_bytes_max = 512,
                                 .ws_views = 64};

/// One client. Each of its acts is followed by all that comes of it without time passing.
template <class Server>
class ws_visitor {
 public:
  explicit ws_visitor(Server& server) : server_(server), client_(server.connect()) {}
  /// Opens a WebSocket. Throws when there is none to be had.
  ws_visitor(Server& server, std::string_view target, std::string_view more = "")
      : ws_visitor(server) {
    send(upgrade_of(target, more));
    const answer got = take_answer();
    if (got.status != 101) throw std::runtime_error("answered " + std::to_string(got.status));
  }

  /// Bytes as they are.
  void send(std::string_view bytes_as_they_are) {
    is_head_ = bytes_as_they_are.starts_with("HEAD ");
    client_.send(bytes_as_they_are);
    server_.settle();
  }
  void say(std::string_view text) { send(frame(text_frame, text)); }

  /// The answer that came first; what is behind it is left to hears().
  answer take_answer() {
    heard_ += client_.take();
    const auto end = heard_.find("\r\n\r\n");
    if (end == heard_.npos) throw std::runtime_error("no answer");
    answer got = parse_answer_head(std::string_view(heard_).substr(0, end + 2));
    heard_.erase(0, end + 4);
    if (got.count("Content-Length") == 0 || is_head_) return got;
    got.body = heard_.substr(0, std::stoul(got.field("Content-Length")));
    heard_.erase(0, got.body.size());
    return got;
  }

  /// What came since it was asked last, as heard_in writes it, and how the connection is.
  std::string hears() {
    heard_ += client_.take();
    std::string what = heard_in(heard_);
    heard_.clear();
    if (client_.was_reset()) return what + "reset";
    return client_.saw_end() ? what + "end" : what;
  }

  testing::simulated_client& client() { return client_; }

 private:
  Server& server_;
  testing::simulated_client client_;
  std::string heard_;
  bool is_head_ = false;
};

}  // namespace nen::test
