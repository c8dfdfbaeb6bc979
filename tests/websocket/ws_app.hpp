// What simulated WebSocket clients talk to: a session for every way to take messages, and what it
// counts.
#pragma once

#include <nen/nen.hpp>

#include <cstdint>
#include <string>
#include <string_view>

#include "websocket/ws_agent.hpp"

namespace nen::test::talk {

struct application {
  ws::group<24> room;
  std::uint64_t opened = 0;
  std::uint64_t closed = 0;
  std::uint64_t refused = 0;  // echoes that were not taken
};

struct counted {
  void on_open(ws::peer&, application& app) { ++app.opened; }
  void on_close(ws::peer&, ws::close_code, std::string_view, application& app) { ++app.closed; }
};
struct echo : counted {
  void on_message(ws::peer& me, ws::message m, application& app) {
    if (me.send(m) == ws::send_result::sent) return;
    ++app.refused;
    me.close(ws::close_code::try_again_later);
  }
};
struct quick : echo {
  static constexpr ws::options options = {.idle_ping_ms = 200,
                                          .pong_timeout_ms = 300,
                                          .close_timeout_ms = 200,
                                          .message_timeout_ms = 700,
                                          .buffered_bytes_max = 3000};
};
struct streamer : counted {
  void on_fragment(ws::peer& me, ws::fragment f, application& app) {
    so_far += f.bytes;
    if (!f.is_last) return;
    if (me.send(ws_summary(so_far)) != ws::send_result::sent) {
      ++app.refused;
      me.close(ws::close_code::try_again_later);
    }
    so_far.clear();
  }
  std::string so_far;
};
struct talker : counted {
  void on_open(ws::peer& me, application& app) {
    ++app.opened;
    app.room.join(me);
  }
  void on_message(ws::peer&, ws::message m, application& app) {
    (void)app.room.broadcast(m, ws::slow_peer::drop);
  }
};

}  // namespace nen::test::talk
