// How WebSockets end: the closing handshake from both sides (RFC 6455 §7), peers that vanish, and a
// server that stops.
#include <nen/testing/simulated_server.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <string>

#include "support/catch.hpp"
#include "websocket/ws_client.hpp"

namespace {

using namespace nen::test;
using namespace std::chrono_literals;

/// Closes as it is told: "4000 reason".
struct closer : noting_echo {
  void on_message(nen::ws::peer& me, nen::ws::message m, journal& notes) {
    unsigned code = 0;
    const auto end = std::from_chars(m.bytes.data(), m.bytes.data() + m.bytes.size(), code).ptr;
    auto reason = m.bytes.substr(static_cast<std::size_t>(end - m.bytes.data()));
    if (!reason.empty()) reason.remove_prefix(1);
    notes += "message";
    me.close(static_cast<nen::ws::close_code>(code), reason);
    if (me.is_open() || me.send("x") != nen::ws::send_result::closed ||
        me.ping() != nen::ws::send_result::closed || me.buffered() != 0)
      notes += "still-open";
    me.close(nen::ws::close_code::normal_closure, "again");
  }
};

/// Sends more than its peer reads.
struct flood : noting_echo {
  void on_open(nen::ws::peer& me, journal& notes) {
    notes += "open";
    while (me.send(std::string(1000, 'f')) == nen::ws::send_result::sent) {
    }
  }
};

using routes = nen::router<nen::websocket<"/", noting_echo>, nen::websocket<"/closer", closer>,
                           nen::websocket<"/flood", flood>>;

struct server : nen::testing::simulated_server<routes, small, journal> {
  explicit server(const nen::listen_options& options = {}) : simulated_server(1, {}, options) {}
  std::string notes() { return state<journal>().take(); }
  auto open_ones() { return inside().session().websockets().in_use(); }
};
using visitor = ws_visitor<server>;

}  // namespace

TEST_CASE("a close frame is answered with its code, and its session is told", "[websocket]") {
  struct {
    std::string frame, heard, told;
  } const closes[] = {
      {frame(close_frame), "close() end", "closed(1005) "},
      {closing(1000), "close(1000) end", "closed(1000) "},
      {closing(1001, "going"), "close(1001) end", "closed(1001 going) "},
      {closing(1003), "close(1003) end", "closed(1003) "},
      {closing(1007), "close(1007) end", "closed(1007) "},
      {closing(1014), "close(1014) end", "closed(1014) "},
      {closing(3000, "w\xc3\xb6rds"), "close(3000) end", "closed(3000 w\xc3\xb6rds) "},
      {closing(4999, std::string(123, 'r')), "close(4999) end",
       "closed(4999 " + std::string(123, 'r') + ") "},
  };
  for (const auto& c : closes) {
    for (const std::size_t cut : {c.frame.size(), std::size_t{3}}) {
      INFO(c.heard << " cut at " << cut);
      server s;
      visitor v(s, "/");
      v.send(c.frame.substr(0, cut));
      v.send(c.frame.substr(cut));
      CHECK(v.hears() == c.heard);
      CHECK(s.notes() == "open " + c.told);
      CHECK(s.open_ones() == 0);
      CHECK(v.client().server_is_gone());
    }
  }
}

TEST_CASE("nothing behind a peer's close frame is looked at", "[websocket]") {
  server s;
  visitor v(s, "/");
  v.send(closing(1000) + frame(text_frame, "late") + frame(ping_frame, "late") + "\xff\xff\xff");
  CHECK(v.hears() == "close(1000) end");
  CHECK(s.notes() == "open closed(1000) ");
}

TEST_CASE("a session closes, and hears what its peer says to that", "[websocket]") {
  struct {
    std::string text, heard, answer, told;
  } const closes[] = {
      {"1000", "close(1000) ", closing(1000), "closed(1000) "},
      {"1005", "close() ", frame(close_frame), "closed(1005) "},
      {"4000 for a reason", "close(4000 for a reason) ", closing(4000, "all right"),
       "closed(4000 all right) "},
      {"3333 " + std::string(300, 'x'), "close(3333 " + std::string(123, 'x') + ") ", closing(3333),
       "closed(3333) "},
  };
  for (const auto& c : closes) {
    INFO(c.text);
    server s;
    visitor v(s, "/closer");
    v.say(c.text);
    CHECK(v.hears() == c.heard);
    CHECK(s.notes() == "open message ");
    v.send(c.answer);
    CHECK(v.hears() == "end");
    CHECK(s.notes() == c.told);
    CHECK(s.open_ones() == 0);
  }
}

TEST_CASE("a reason is cut between its letters", "[websocket]") {
  server s;
  visitor v(s, "/closer");
  std::string reason;
  for (int i = 0; i < 41; ++i) reason += "\xe2\x82\xac";  // 123 bytes
  v.say("4000 x" + reason);
  CHECK(v.hears() == "close(4000 x" + reason.substr(3) + ") ");
}

TEST_CASE("behind our close frame messages go nowhere, and pings have no answer", "[websocket]") {
  server s;
  visitor v(s, "/closer");
  v.send(frame(text_frame, "1000") + frame(text_frame, "1001") + frame(ping_frame, "p") +
         frame(text_begins, "a"));
  v.send(frame(ping_frame) + frame(ends, "b") + frame(binary_frame, std::string(2000, 'x')));
  CHECK(v.hears() == "close(1000) ");
  CHECK(s.notes() == "open message ");
  v.send(closing(1000));
  CHECK(v.hears() == "end");
  CHECK(s.notes() == "closed(1000) ");
}

TEST_CASE("close frames that cross are each other's answers", "[websocket]") {
  server s;
  visitor v(s, "/closer");
  v.send(frame(text_frame, "4001") + closing(4002, "me too"));
  CHECK(v.hears() == "close(4001) end");
  CHECK(s.notes() == "open message closed(4002 me too) ");
}

TEST_CASE("a fault behind our close frame ends the connection without a second one",
          "[websocket]") {
  server s;
  visitor v(s, "/closer");
  v.say("4001");
  v.send(frame(0x83, "x"));
  CHECK(v.hears() == "close(4001) end");
  CHECK(s.notes() == "open message closed(1002) ");
}

TEST_CASE("who does not answer a close frame in time is cut off, whatever else he sends",
          "[websocket]") {
  server s;
  visitor v(s, "/closer");
  v.say("1000");
  CHECK(v.hears() == "close(1000) ");
  s.notes();
  for (int i = 0; i < 4; ++i) {
    s.pass(1000);
    v.say("still here");
  }
  s.pass(999);
  CHECK_FALSE(v.client().server_is_gone());
  s.pass(1);
  CHECK(v.hears() == "end");
  CHECK(v.client().server_is_gone());
  CHECK(s.notes() == "closed(1006) ");
  CHECK(s.counters().timeouts_websocket.value() == 1);
}

TEST_CASE("whose peer vanishes is told so, once", "[websocket]") {
  for (const auto target : {"/", "/closer"}) {
    for (const auto before : {"", "text", "part"}) {
      for (const int way : {0, 1, 2}) {
        INFO(target << " " << before << " " << way);
        server s;
        visitor v(s, target);
        if (*before == 't') v.say("1000");
        if (*before == 'p') v.send(frame(text_begins, "a") + frame(ping_frame, "xy").substr(0, 7));
        const auto heard = v.hears();
        s.notes();
        way == 0 ? v.client().finish() : way == 1 ? v.client().close() : v.client().reset();
        s.settle();
        CHECK(s.notes() == "closed(1006) ");
        CHECK(s.open_ones() == 0);
        CHECK(v.client().server_is_gone());
        if (way == 0) CHECK(v.hears() == "end");
        CHECK(s.counters().websockets_closed.value() == 1);
      }
    }
  }
}

TEST_CASE("who sends the last frames and his end together has said them all", "[websocket]") {
  server s;
  visitor v(s, "/");
  v.client().send(frame(text_frame, "last words"));
  v.client().finish();
  s.settle();
  CHECK(v.hears() == "text(last words) end");
  CHECK(s.notes() == "open closed(1006) ");
  visitor w(s, "/");
  w.client().send(frame(text_frame, "last words") + closing(1000));
  w.client().finish();
  s.settle();
  CHECK(w.hears() == "text(last words) close(1000) end");
  CHECK(s.notes() == "open closed(1000) ");
}

TEST_CASE("a server that stops says so, and waits for the answers", "[websocket]") {
  server s;
  visitor a(s, "/");
  visitor b(s, "/");
  b.send(frame(text_begins, "in the middle"));
  s.notes();
  s.stop();
  s.settle();
  CHECK(a.hears() == "close(1001) ");
  CHECK(b.hears() == "close(1001) ");
  CHECK(s.notes() == "");
  a.send(frame(text_frame, "too late") + closing(1001));
  CHECK(a.hears() == "end");
  CHECK(s.notes() == "closed(1001) ");
  CHECK_FALSE(s.is_over());
  b.send(frame(ends) + closing(1001));
  CHECK(b.hears() == "end");
  CHECK(s.is_over());
  CHECK(s.counters().drain_aborts.value() == 0);
}

TEST_CASE("a server that stops does not wait for ever", "[websocket]") {
  server s;
  visitor v(s, "/");
  s.stop();
  s.pass(4'999);
  CHECK_FALSE(s.is_over());
  s.pass(1);  // the close timeout
  CHECK(s.is_over());
  CHECK(s.notes() == "open closed(1006) ");
  CHECK(s.counters().drain_aborts.value() == 0);
}

TEST_CASE("the drain timeout cuts WebSockets off", "[websocket]") {
  server s({.drain_timeout = 1s});
  visitor v(s, "/");
  s.stop();
  s.pass(999);
  CHECK_FALSE(s.is_over());
  s.pass(1);
  CHECK(s.is_over());
  CHECK(s.notes() == "open closed(1006) ");
  CHECK(s.counters().drain_aborts.value() == 1);
}

TEST_CASE("a peer that is behind with reading is told that the server stops, too", "[websocket]") {
  server s;
  s.network().window = 500;
  visitor v(s, "/");
  v.client().stop_reading();
  for (int i = 0; i < 20; ++i) v.say(std::string(1000, 'x'));
  s.stop();
  s.pass(100);
  v.client().start_reading();
  s.pass(100);
  std::string heard = v.hears();
  CHECK(heard.ends_with(") close(1001) "));
  v.send(closing(1001));
  CHECK(v.hears() == "end");
  CHECK(s.is_over());
  CHECK(s.counters().drain_aborts.value() == 0);
}

TEST_CASE("a WebSocket that is opened while the server stops is closed at once", "[websocket]") {
  server s;
  visitor v(s);
  const auto request = upgrade_of("/");
  v.send(request.substr(0, 50));
  s.stop();
  s.settle();
  v.send(request.substr(50));
  CHECK(v.take_answer().status == 101);
  CHECK(v.hears() == "close(1001) ");
  v.send(closing(1001));
  CHECK(s.is_over());
  CHECK(s.notes() == "open closed(1001) ");
}

TEST_CASE("an abort ends everything at once, and every session is told", "[websocket]") {
  server s;
  visitor a(s, "/");
  visitor b(s, "/closer");
  b.say("1000");
  visitor c(s);
  c.client().stop_reading();
  c.send(upgrade_of("/flood"));
  s.notes();
  s.abort();
  s.settle();
  CHECK(s.is_over());
  CHECK(s.notes() == "closed(1006) closed(1006) closed(1006) ");
}

TEST_CASE("a close frame finds its way behind what a peer has not read yet", "[websocket]") {
  server s;
  s.network().window = 100;
  visitor v(s);
  v.client().stop_reading();
  v.send(upgrade_of("/flood"));
  v.send(closing(1000));
  s.pass(1);
  v.client().start_reading();
  s.pass(1);
  CHECK(v.take_answer().status == 101);
  const auto heard = v.hears();
  CHECK(heard.ends_with("close(1000) end"));
  CHECK(std::count(heard.begin(), heard.end(), '(') > 2);
}
