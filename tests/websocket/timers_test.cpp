// What WebSockets do as time passes: pings for the silent, an end for the gone.
#include <nen/testing/simulated_server.hpp>

#include <chrono>
#include <string>

#include "support/catch.hpp"
#include "websocket/ws_client.hpp"

namespace {

using namespace nen::test;

struct quick : noting_echo {
  static constexpr nen::ws::options options = {.idle_ping_ms = 1000, .pong_timeout_ms = 300};
};
struct patient : noting_echo {
  static constexpr nen::ws::options options = {.idle_ping_ms = 0};
};
struct trusting : noting_echo {
  static constexpr nen::ws::options options = {.idle_ping_ms = 1000, .pong_timeout_ms = 0};
};
/// Sends what others say to the one that came last.
struct talker : noting_echo {
  static constexpr nen::ws::options options = {.idle_ping_ms = 1000, .pong_timeout_ms = 300};
  void on_open(nen::ws::peer& me, nen::ws::peer& last) { last = me; }
  void on_message(nen::ws::peer&, nen::ws::message m, nen::ws::peer& last) { (void)last.send(m); }
};

using routes =
    nen::router<nen::websocket<"/", noting_echo>, nen::websocket<"/quick", quick>,
                nen::websocket<"/patient", patient>, nen::websocket<"/trusting", trusting>,
                nen::websocket<"/talker", talker>>;

struct server : nen::testing::simulated_server<routes, small, journal, nen::ws::peer> {
  explicit server(const nen::listen_options& options = {}) : simulated_server(1, {}, options) {}
  std::string notes() { return state<journal>().take(); }
};
using visitor = ws_visitor<server>;

}  // namespace

TEST_CASE("who is silent is sent a ping, and stays when he answers", "[websocket]") {
  server s;
  visitor v(s, "/quick");
  for (int i = 0; i < 5; ++i) {
    s.pass(999);
    CHECK(v.hears() == "");
    s.pass(1);
    CHECK(v.hears() == "ping() ");
    s.pass(299);
    v.send(frame(pong_frame));
  }
  CHECK(s.counters().timeouts_websocket.value() == 0);
}

TEST_CASE("who does not answer a ping in time is gone", "[websocket]") {
  server s;
  visitor v(s, "/quick");
  s.pass(1299);
  CHECK(v.hears() == "ping() ");
  CHECK(s.notes() == "open ");
  s.pass(1);
  CHECK(v.hears() == "end");
  CHECK(v.client().server_is_gone());
  CHECK(s.notes() == "closed(1006) ");
  CHECK(s.counters().timeouts_websocket.value() == 1);
  CHECK(s.inside().session().websockets().in_use() == 0);
}

TEST_CASE("any byte tells that a peer is there", "[websocket]") {
  server s;
  visitor v(s, "/quick");
  const auto message = frame(text_frame, "0123456789");
  for (const char byte : message) {
    s.pass(900);
    v.send({&byte, 1});
  }
  CHECK(v.hears() == "text(0123456789) ");
  s.pass(1000);
  CHECK(v.hears() == "ping() ");
  s.pass(250);
  v.send(message.substr(0, 1));  // no pong, but a sign
  s.pass(999);
  CHECK(v.hears() == "");
  s.pass(1);
  CHECK(v.hears() == "ping() ");
}

TEST_CASE("what is sent to a peer does not tell that he is there", "[websocket]") {
  server s;
  visitor other(s, "/talker");
  visitor v(s, "/talker");
  for (int i = 0; i < 3; ++i) {
    s.pass(400);
    other.say("x");
  }
  CHECK(v.hears() == "text(x) text(x) ping() text(x) ");
  s.pass(100);
  CHECK(v.hears() == "end");
}

TEST_CASE("zero is never", "[websocket]") {
  server s;
  visitor v(s, "/patient");
  visitor w(s, "/trusting");
  s.pass(24 * 3600 * 1000);
  CHECK(v.hears() == "");
  CHECK(w.hears() == "ping() ");
  v.say("x");
  w.say("x");
  CHECK(v.hears() == "text(x) ");
  CHECK(w.hears() == "text(x) ");
  s.pass(1000);
  CHECK(w.hears() == "ping() ");
}

TEST_CASE("without options a ping is sent after half a minute", "[websocket]") {
  server s;
  visitor v(s, "/");
  s.pass(29'999);
  CHECK(v.hears() == "");
  s.pass(1);
  CHECK(v.hears() == "ping() ");
  s.pass(9'999);
  CHECK(v.hears() == "");
  s.pass(1);
  CHECK(v.hears() == "end");
}

TEST_CASE("no timeout of HTTP's concerns a WebSocket", "[websocket]") {
  using namespace std::chrono_literals;
  server s({.header_timeout = 10ms,
            .body_timeout = 10ms,
            .handler_timeout = 10ms,
            .idle_timeout = 10ms});
  visitor v(s, "/patient");
  s.pass(100'000);
  v.say("x");
  CHECK(v.hears() == "text(x) ");
}

TEST_CASE("a peer that is slow with reading is not asked for pongs meanwhile", "[websocket]") {
  server s;
  s.network().window = 1000;
  visitor other(s, "/talker");
  visitor v(s, "/talker");
  v.client().stop_reading();
  for (int i = 0; i < 2; ++i) other.say(std::string(1900, 'x'));
  for (int seconds = 0; seconds < 12; ++seconds) {  // within the write timeout
    v.client().read(200);
    s.pass(1000);
  }
  CHECK_FALSE(v.client().server_is_gone());
  v.client().start_reading();
  s.pass(10);
  const std::string text = "text(" + std::string(1900, 'x') + ") ";
  CHECK((v.hears() == text + text));
  s.pass(1000);
  CHECK(v.hears() == "ping() ");
  s.pass(300);
  CHECK(v.hears() == "end");
}
