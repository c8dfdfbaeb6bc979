// What a WebSocket's messages may take: time, length, and slots that others want. Who begins
// messages and never ends them pays for it, and not the next one.
#include <nen/testing/simulated_server.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "support/catch.hpp"
#include "websocket/ws_client.hpp"

namespace {

using namespace nen::test;

struct quick : noting_echo {
  static constexpr nen::ws::options options = {.idle_ping_ms = 0, .message_timeout_ms = 500};
};
/// Is asked for signs more often than a message may take.
struct pinged : noting_echo {
  static constexpr nen::ws::options options = {
      .idle_ping_ms = 200, .pong_timeout_ms = 200, .message_timeout_ms = 1000};
};
struct patient : noting_echo {
  static constexpr nen::ws::options options = {.idle_ping_ms = 0, .message_timeout_ms = 0};
};
struct terse : noting_echo {
  static constexpr nen::ws::options options = {.message_bytes_max = 100};
};
/// Counts what it is handed.
struct counter : noting {
  static constexpr nen::ws::options options = {.idle_ping_ms = 0, .message_timeout_ms = 500};
  void on_fragment(nen::ws::peer& me, nen::ws::fragment f) {
    bytes += f.bytes.size();
    largest = std::max(largest, f.bytes.size());
    if (!f.is_last) return;
    (void)me.send(std::to_string(bytes) +
                  (largest <= small.receive_buffer_bytes ? "" : " at once"));
    bytes = 0;
  }
  std::uint64_t bytes = 0;
  std::size_t largest = 0;
};
struct terse_counter : counter {
  static constexpr nen::ws::options options = {.message_bytes_max = 10'000};
};

/// Closes another one when it is closed itself.
struct avenger : noting {
  static constexpr nen::ws::options options = {.message_timeout_ms = 0};
  void on_message(nen::ws::peer&, nen::ws::message) {}
  void on_close(nen::ws::peer&, nen::ws::close_code, std::string_view, nen::ws::peer& other) {
    other.close(static_cast<nen::ws::close_code>(4000));
  }
};
struct victim : noting_echo {
  void on_open(nen::ws::peer& me, nen::ws::peer& other) { other = me; }
};

using routes = nen::router<nen::websocket<"/avenger", avenger>, nen::websocket<"/victim", victim>,
                           nen::websocket<"/", noting_echo>, nen::websocket<"/quick", quick>,
                           nen::websocket<"/pinged", pinged>, nen::websocket<"/patient", patient>,
                           nen::websocket<"/terse", terse>, nen::websocket<"/count", counter>,
                           nen::websocket<"/terse-count", terse_counter>>;

struct server : nen::testing::simulated_server<routes, small, journal, nen::ws::peer> {
  using one = ws_visitor<server>;
  std::string notes() { return state<journal>().take(); }
  /// As many as there are message slots, each with half a message, `apart_ms` one behind the other.
  std::vector<std::unique_ptr<one>> holders(std::uint64_t apart_ms = 0,
                                            std::string_view target = "/patient") {
    std::vector<std::unique_ptr<one>> all;
    for (std::uint32_t i = 0; i < small.ws_message_slots; ++i) {
      all.push_back(std::make_unique<one>(*this, target));
      all.back()->send(frame(text_begins, "half of "));
      pass(apart_ms);
    }
    CHECK(inside().session().messages().in_use() == small.ws_message_slots);
    return all;
  }
};
using visitor = ws_visitor<server>;

const std::string two_parts = frame(text_begins, "all ") + frame(ends, "of it");

}  // namespace

TEST_CASE("a message that takes too long is closed with 1008, wherever it stopped", "[websocket]") {
  const std::string message = frame(text_begins, "ab") + frame(ends, "cd");
  for (std::size_t cut = 1; cut < message.size(); ++cut) {
    INFO("cut at " << cut);
    server s;
    visitor v(s, "/quick");
    s.pass(400);
    v.send(message.substr(0, cut));
    s.pass(499);
    CHECK(v.hears() == "");
    s.pass(1);
    CHECK(v.hears() == "close(1008 the message took too long) end");
    CHECK(s.notes() == "open closed(1008) ");
    CHECK(s.counters().timeouts_message.value() == 1);
    CHECK(s.inside().session().messages().in_use() == 0);
  }
}

TEST_CASE("bytes now and then do not give a message more time", "[websocket]") {
  server s;
  visitor v(s, "/quick");
  const std::string message = frame(text_frame, "0123456789");
  for (std::size_t i = 0; i < 5; ++i) {
    v.send(message.substr(i, 1));
    s.pass(100);
  }
  CHECK(v.hears() == "close(1008 the message took too long) end");
}

TEST_CASE("each message has its own time", "[websocket]") {
  server s;
  visitor v(s, "/quick");
  v.send(frame(text_begins, "a"));
  for (int i = 0; i < 10; ++i) {
    s.pass(499);
    v.send(frame(ends, "b") + frame(text_begins, "a"));  // the end of one, and the next one begins
    CHECK(v.hears() == "text(ab) ");
  }
  v.send(frame(ends, "b"));
  s.pass(100'000);  // between messages nothing runs
  v.say("still here");
  CHECK(v.hears() == "text(ab) text(still here) ");
}

TEST_CASE("control frames are no messages", "[websocket]") {
  server s;
  visitor v(s, "/quick");
  v.send(frame(ping_frame, "part of a ping").substr(0, 8));
  s.pass(10'000);
  v.send(frame(ping_frame, "part of a ping").substr(8));
  CHECK(v.hears() == "pong(part of a ping) ");
}

TEST_CASE("pings go on while a message comes, and its time runs", "[websocket]") {
  server s;
  visitor v(s, "/pinged");
  v.send(frame(text_begins, "a"));
  std::string heard;
  for (int i = 0; i < 99; ++i) {
    s.pass(10);
    const auto what = v.hears();
    if (what == "ping() ") v.send(frame(pong_frame));
    heard += what;
  }
  CHECK(heard == "ping() ping() ping() ping() ");
  s.pass(10);
  CHECK(v.hears() == "close(1008 the message took too long) end");
  visitor w(s, "/pinged");
  w.send(frame(text_begins, "a"));
  s.pass(400);
  CHECK(w.hears() == "ping() end");  // who does not answer has not so much time
}

TEST_CASE("zero is as long as a message likes, and half a minute is what it has without options",
          "[websocket]") {
  server s;
  visitor patient(s, "/patient");
  patient.send(frame(text_begins, "a"));
  s.pass(24 * 3600 * 1000);
  patient.send(frame(ends, "b"));
  CHECK(patient.hears() == "text(ab) ");
  visitor usual(s, "/");
  usual.send(frame(text_begins, "a"));
  s.pass(29'999);
  usual.send(frame(goes_on, "b"));
  CHECK(usual.hears() == "");
  s.pass(1);
  CHECK(usual.hears() == "close(1008 the message took too long) end");
}

TEST_CASE("behind our close frame no message is waited for", "[websocket]") {
  server s;
  visitor v(s, "/patient");
  v.send(frame(text_begins, "a"));
  CHECK(s.inside().session().messages().in_use() == 1);
  s.stop();
  s.settle();
  CHECK(v.hears() == "close(1001) ");
  CHECK(s.inside().session().messages().in_use() == 0);
}

TEST_CASE("who holds a slot for longest gives it up when another wants it", "[websocket]") {
  server s;
  auto all = s.holders(100);
  s.pass(200);  // the first has had a second
  s.notes();
  visitor v(s, "/");
  v.send(two_parts);
  CHECK(v.hears() == "text(all of it) ");
  CHECK(all[0]->hears() == "close(1013) end");
  CHECK(s.notes() == "open closed(1013) ");
  CHECK(s.counters().ws_message_slots_evicted.value() == 1);
  CHECK(s.counters().ws_message_slots_empty.value() == 0);
  for (std::size_t i = 1; i < all.size(); ++i) {
    all[i]->send(frame(ends, "it"));
    CHECK(all[i]->hears() == "text(half of it) ");
  }
  CHECK(s.inside().session().messages().in_use() == 0);
}

TEST_CASE("a message that comes quickly is not given up for another at once", "[websocket]") {
  server s;
  auto all = s.holders();
  s.pass(999);
  visitor v(s, "/");
  v.send(two_parts);
  CHECK(v.hears() == "close(1013) end");
  CHECK(s.counters().ws_message_slots_empty.value() == 1);
  CHECK(s.counters().ws_message_slots_evicted.value() == 0);
  for (auto& h : all) {
    h->send(frame(ends, "it"));
    CHECK(h->hears() == "text(half of it) ");
  }
}

TEST_CASE("the more are refused, the less time there is for who holds a slot", "[websocket]") {
  server s;
  auto all = s.holders();
  s.pass(260);
  int refused = 0;
  for (;; ++refused) {
    visitor v(s, "/");
    v.send(two_parts);
    if (v.hears() == "text(all of it) ") break;
    REQUIRE(refused < 10);
  }
  CHECK(refused == 3);  // 1000, 500, 333, 250 ms
  CHECK(s.counters().ws_message_slots_empty.value() == 3);
  CHECK(s.counters().ws_message_slots_evicted.value() == 1);
  auto more = std::make_unique<visitor>(s, "/patient");  // takes the slot that became free
  more->send(frame(text_begins, "half of "));
  visitor v(s, "/");
  v.send(two_parts);
  CHECK(v.hears() == "close(1013) end");  // and there is a second again
}

TEST_CASE("who is closed by the one that is given up for him takes no slot any more",
          "[websocket]") {
  server s;
  auto all = s.holders(0, "/avenger");
  s.pass(1000);
  visitor v(s, "/victim");
  v.send(frame(text_begins, "all ") + frame(ends, "of it"));
  CHECK(v.hears() == "close(4000) ");
  CHECK(all[0]->hears() == "close(1013) end");
  CHECK(s.inside().session().messages().in_use() == small.ws_message_slots - 1);
  CHECK(s.counters().ws_message_slots_empty.value() == 0);
}

TEST_CASE("whoever begins messages and never ends them keeps nobody from talking", "[websocket]") {
  server s;
  std::vector<std::unique_ptr<visitor>> slow;
  std::uint32_t answered = 0;
  for (int i = 0; i < 60; ++i) {
    while (slow.size() > 14) slow.erase(slow.begin());
    slow.push_back(std::make_unique<visitor>(s, "/patient"));
    slow.back()->send(frame(text_begins, "never"));
    s.pass(300);
    visitor v(s, "/");
    v.send(frame(text_begins, "all "));
    s.pass(1);
    v.send(frame(ends, "of it"));
    answered += v.hears() == "text(all of it) ";
  }
  CHECK(answered == 60);
  CHECK(s.counters().ws_message_slots_evicted.value() > 40);
}

TEST_CASE("long messages that wait for a peer who does not read cannot keep the slots",
          "[websocket]") {
  server s;
  s.network().window = 20;
  std::vector<std::unique_ptr<visitor>> slow;
  const std::string text(3000, 'm');
  for (std::uint32_t i = 0; i < small.ws_message_slots; ++i) {
    slow.push_back(std::make_unique<visitor>(s, "/patient"));
    slow.back()->client().stop_reading();
    slow.back()->send(frame(text_frame, text));
  }
  CHECK(s.inside().session().messages().in_use() == small.ws_message_slots);
  s.network().window = 64 * 1024;
  int refused = 0;
  for (;; ++refused) {
    visitor v(s, "/");
    v.send(two_parts);
    if (v.hears() == "text(all of it) ") break;
    REQUIRE(refused < 20);
    s.pass(100);
  }
  CHECK(refused >= 9);  // a second, then one of them after the other
  CHECK(refused <= 12);
  CHECK(s.counters().send_slots_evicted.value() >= 1);
  visitor v(s, "/");
  v.send(two_parts);
  CHECK(v.hears() == "text(all of it) ");
}

TEST_CASE("what is handed on as it comes has any length and takes any time", "[websocket]") {
  server s;
  visitor v(s, "/count");
  const std::string megabyte(1 << 20, 'x');
  v.send(frame(binary_frame, megabyte));  // one frame, far beyond ws_message_bytes_max
  CHECK(v.hears() == "text(" + std::to_string(megabyte.size()) + ") ");
  v.send(frame(text_begins, megabyte));
  for (int i = 0; i < 10; ++i) {
    s.pass(10'000);
    v.send(frame(goes_on, megabyte));
  }
  v.send(frame(ends));
  CHECK(v.hears() == "text(" + std::to_string(11 * megabyte.size()) + ") ");
  CHECK(s.inside().session().messages().high_water() == 0);
  CHECK(s.counters().timeouts_message.value() == 0);
}

TEST_CASE("a frame of 63 bits is taken, and one of 64 is none", "[websocket]") {
  server s;
  visitor v(s, "/count");
  const auto longest = bytes({0x82, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff});
  v.send(longest + "key!" + std::string(5000, 'x'));
  CHECK(v.hears() == "");
  visitor w(s, "/count");
  w.send(bytes({0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0}));
  CHECK(w.hears() == "close(1002) end");
  visitor both(s, "/count");  // together they would be longer than any message can be
  both.send(frame(binary_begins, "x") +
            bytes({0x00, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}));
  CHECK(both.hears() == "close(1009) end");
}

TEST_CASE("a session's own limit counts for whole messages and for fragments", "[websocket]") {
  server s;
  visitor v(s, "/terse");
  v.say(std::string(100, 'x'));
  CHECK(v.hears() == "text(" + std::string(100, 'x') + ") ");
  v.send(frame(text_begins, std::string(60, 'x')) + frame(goes_on, std::string(41, 'x')));
  CHECK(v.hears() == "close(1009) end");
  visitor w(s, "/terse-count");
  w.say(std::string(10'000, 'x'));
  CHECK(w.hears() == "text(10000) ");
  w.send(frame(text_frame, std::string(10'001, 'x')).substr(0, 4));
  CHECK(w.hears() == "close(1009) end");
}
