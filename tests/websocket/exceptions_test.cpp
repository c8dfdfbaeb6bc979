// What becomes of WebSockets whose sessions throw: 500 before there is one,
// 1011 behind that.
#include <nen/testing/simulated_server.hpp>

#include <stdexcept>
#include <string_view>

#include "support/catch.hpp"
#include "websocket/ws_client.hpp"

namespace {

using namespace nen::test;

struct fails_to_decide : noting_echo {
  static nen::ws::decision on_upgrade(const nen::request&, nen::response& res) {
    res.field("Set-Cookie", "a=b");
    throw std::runtime_error("on purpose");
    return nen::ws::decision::accept();
  }
};
struct fails_to_open : noting_echo {
  void on_open(nen::ws::peer& me) {
    (void)me.send("before");
    throw std::runtime_error("on purpose");
  }
};
struct fails_to_listen : noting_echo {
  void on_message(nen::ws::peer& me, nen::ws::message m) {
    (void)me.send(m);
    throw 42;
  }
};
struct fails_to_close : noting_echo {
  void on_close(nen::ws::peer&, nen::ws::close_code, std::string_view, journal& notes) {
    notes += "closed";
    throw std::runtime_error("on purpose");
  }
};
struct fails_to_be_made : noting_echo {
  fails_to_be_made() {
    if (fails) throw std::runtime_error("on purpose");
  }
  void on_close(nen::ws::peer&, nen::ws::close_code, std::string_view, journal& notes) {
    notes += "closed";
  }
  static inline bool fails = true;
};
/// Fails when the WebSocket is open already.
nen::reply fails_behind(nen::next go) {
  (void)go();
  throw std::runtime_error("on purpose");
}

using routes = nen::router<
    nen::websocket<"/", noting_echo>, nen::websocket<"/fails/upgrade", fails_to_decide>,
    nen::websocket<"/fails/open", fails_to_open>, nen::websocket<"/fails/listen", fails_to_listen>,
    nen::websocket<"/fails/close", fails_to_close>, nen::websocket<"/fails/make", fails_to_be_made>,
    nen::group<"/behind", nen::use<fails_behind>, nen::websocket<"/", noting_echo>>>;

/// A server that expects its sessions to fail.
struct server : nen::testing::simulated_server<routes, small, journal> {
  server() : simulated_server(1, {}, {.on_exception = [](const nen::request&, const char*) {}}) {}

  std::string notes() { return state<journal>().take(); }
};
using visitor = ws_visitor<server>;

}  // namespace

TEST_CASE("a session that fails while it is opened is closed with 1011", "[websocket]") {
  server s;
  visitor v(s, "/fails/open");
  CHECK(v.hears() == "text(before) close(1011) ");
  v.send(closing(1011));
  CHECK(v.hears() == "end");
  CHECK(s.notes() == "closed(1011) ");
  CHECK(s.counters().handler_exceptions.value() == 1);
}

TEST_CASE("a session that fails while it listens is closed with 1011", "[websocket]") {
  server s;
  visitor v(s, "/fails/listen");
  v.send(frame(text_frame, "one") + frame(text_frame, "two"));
  CHECK(v.hears() == "text(one) close(1011) ");
  v.send(closing(1011));
  CHECK(v.hears() == "end");
  CHECK(s.counters().handler_exceptions.value() == 1);
}

TEST_CASE("a session that fails while it is closed is over all the same", "[websocket]") {
  server s;
  visitor v(s, "/fails/close");
  v.send(closing(1000));
  CHECK(v.hears() == "close(1000) end");
  CHECK(s.notes() == "open closed ");
  CHECK(s.counters().handler_exceptions.value() == 1);
  CHECK(s.inside().session().websockets().in_use() == 0);
}

TEST_CASE("a session that cannot be made is answered 500, and was never there", "[websocket]") {
  server s;
  fails_to_be_made::fails = true;
  visitor v(s);
  v.send(upgrade_of("/fails/make"));
  CHECK(v.take_answer().status == 500);
  CHECK(s.inside().session().websockets().in_use() == 0);
  fails_to_be_made::fails = false;
  v.send(upgrade_of("/fails/make"));
  CHECK(v.take_answer().status == 101);
  v.client().close();
  s.settle();
  CHECK(s.notes() == "open closed ");
  CHECK(s.counters().websockets_opened.value() == s.counters().websockets_closed.value());
}

TEST_CASE(
    "an upgrade whose decision fails is answered 500, and the connection "
    "goes on",
    "[websocket]") {
  server s;
  visitor v(s);
  v.send(upgrade_of("/fails/upgrade"));
  CHECK(v.take_answer().status == 500);
  v.send(upgrade_of("/"));
  CHECK(v.take_answer().status == 101);
}

TEST_CASE("middleware that fails behind a handshake does not concern the WebSocket",
          "[websocket]") {
  server s;
  visitor v(s, "/behind/");
  CHECK(v.hears() == "");
  CHECK(s.counters().handler_exceptions.value() == 1);
  v.say("x");
  CHECK(v.hears() == "text(x) ");
}
