// What a WebSocket server makes of frames: messages of every size, in any pieces, and every fault
// with its close code (RFC 6455 §5, §7.4, §8.1).
#include <nen/testing/simulated_server.hpp>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "websocket/ws_client.hpp"

namespace {

using namespace nen::test;

/// Takes messages as they come, and notes each when it is whole.
struct streamer : noting {
  void on_fragment(nen::ws::peer& me, nen::ws::fragment f, journal& notes) {
    if (f.is_first != is_between) notes += "wrong-first";
    is_between = f.is_last;
    so_far += f.bytes;
    if (!f.is_last) return;
    notes += (f.is_text ? "text(" : "binary(") + so_far + ")";
    (void)me.send(std::to_string(so_far.size()));
    so_far.clear();
  }
  bool is_between = true;
  std::string so_far;
};

using routes = nen::router<nen::websocket<"/", noting_echo>, nen::websocket<"/stream", streamer>>;

struct server : nen::testing::simulated_server<routes, small, journal> {
  std::string notes() { return state<journal>().take(); }
};
using visitor = ws_visitor<server>;

/// Room for messages of more than 64 KiB.
constexpr nen::config large = [] {
  nen::config c = small;
  c.ws_message_slots = 2;
  c.ws_message_bytes_max = 70'000;
  return c;
}();
/// Two rooms for control frames that come in pieces, and one for messages.
constexpr nen::config few = [] {
  nen::config c = small;
  c.head_slots = 2;
  c.ws_message_slots = 1;
  return c;
}();

/// What a server and its session say to bytes that come in pieces of this size behind a first one.
template <class Server>
std::string say_in_pieces(Server& s, std::string_view target, std::string_view all,
                          std::size_t first, std::size_t size) {
  ws_visitor<Server> v(s, target);
  v.send(all.substr(0, first));
  for (std::size_t at = first; at < all.size(); at += size) v.send(all.substr(at, size));
  return v.hears() + " | " + s.template state<journal>().take();
}

/// The same for bytes that are cut at each place in two, and into pieces of 1 to 5 bytes: what
/// comes of them in one piece, or else what differs.
std::string in_any_pieces(std::string_view target, std::string_view all) {
  server s;
  const std::string whole = say_in_pieces(s, target, all, all.size(), 1);
  const auto differs = [&](std::size_t first, std::size_t size) {
    const std::string heard = say_in_pieces(s, target, all, first, size);
    if (heard == whole) return std::string();
    return "cut at " + std::to_string(first) + ", then by " + std::to_string(size) + ": " + heard;
  };
  for (std::size_t cut = 1; cut < all.size(); ++cut)
    if (const auto what = differs(cut, all.size()); !what.empty()) return what;
  for (std::size_t size = 1; size <= 5; ++size)
    if (const auto what = differs(size, size); !what.empty()) return what;
  return whole;
}

struct fault {
  const char* what;
  std::string bytes;
  int code;
  bool is_gathered = false;  // it is a fault only there
};

std::vector<fault> faults() {
  const std::string long_text(4097, 'x');
  std::vector<fault> all = {
      {"not masked, §5.1", frame(text_frame, "x", false), 1002},
      {"a ping that is not masked", frame(ping_frame, "", false), 1002},
      {"RSV1 without an extension, §5.2", frame(0xc1, "x"), 1002},
      {"RSV2", frame(0xa1, "x"), 1002},
      {"RSV3", frame(0x91, "x"), 1002},
      {"RSV1 in a control frame", frame(0xc9, "x"), 1002},
      {"a reserved opcode", frame(0x83, "x"), 1002},
      {"the last reserved opcode", frame(0x87, "x"), 1002},
      {"a reserved control opcode", frame(0x8b, "x"), 1002},
      {"a length in more bytes than it needs", raw_frame(text_frame, true, 2, "abc"), 1002},
      {"a length in many more", raw_frame(text_frame, true, 8, "abc"), 1002},
      {"a length with its highest bit set", bytes({0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0}), 1002},
      {"a control frame in fragments, §5.5", frame(0x09, "x"), 1002},
      {"a ping of 126 bytes", frame(ping_frame, std::string(126, 'x')), 1002},
      {"a continuation of nothing, §5.4", frame(0x80, "x"), 1002},
      {"a message within a message", frame(text_begins, "a") + frame(text_frame, "b"), 1002},
      {"a close frame of one byte, §5.5.1", frame(close_frame, "x"), 1002},
      {"a reason that is no UTF-8, §8.1", closing(1000, "\xff"), 1007},
      {"text that is no UTF-8", frame(text_frame, "ab\xff"), 1007},
      {"text that is longer than it needs to be", frame(text_frame, "\xc0\x80"), 1007},
      {"a surrogate", frame(text_frame, "\xed\xa0\x80"), 1007},
      {"text that ends within a letter", frame(text_frame, "\xce"), 1007},
      {"and within fragments", frame(text_begins, "\xe2\x82") + frame(ends, ""), 1007},
      {"a letter that is wrong in the next fragment",
       frame(text_begins, "\xe2\x82") + frame(goes_on, "x"), 1007},
      {"a message that is too long", frame(text_frame, long_text).substr(0, 4), 1009, true},
      {"much too long", raw_frame(binary_frame, true, 8, std::string(66000, 'x')).substr(0, 10),
       1009, true},
      {"fragments that are too long together",
       frame(text_begins, long_text.substr(0, 4000)) + frame(goes_on, long_text.substr(0, 97)),
       1009, true},
  };
  for (const int code : {0, 999, 1004, 1005, 1006, 1015, 1016, 1999, 2000, 2999, 5000, 65535})
    all.push_back({"a close code that is none, §7.4", closing(code), 1002});
  return all;
}

}  // namespace

TEST_CASE("each fault is answered with its close code, and the session is told", "[websocket]") {
  for (const auto target : {"/", "/stream"}) {
    for (const fault& f : faults()) {
      if (f.is_gathered && target == std::string_view("/stream")) continue;
      INFO(target << ": " << f.what);
      server s;
      visitor v(s, target);
      // Behind a fault nothing is looked at any more.
      v.send(f.bytes + frame(text_frame, "behind") + closing(1000));
      const auto code = std::to_string(f.code);
      CHECK(v.hears() == "close(" + code + ") end");
      CHECK(s.notes() == "open closed(" + code + ") ");
    }
  }
}

TEST_CASE("a fault is the same fault wherever it is cut", "[websocket]") {
  for (const fault& f : faults()) {
    if (f.bytes.size() > 1000) continue;
    INFO(f.what);
    const auto code = std::to_string(f.code);
    CHECK(in_any_pieces("/", f.bytes) == "close(" + code + ") end | open closed(" + code + ") ");
  }
}

TEST_CASE("a fault is answered with the first byte that shows it", "[websocket]") {
  const fault cases[] = {
      {"no mask", bytes({0x81, 0x05}), 1002},
      {"a reserved bit", bytes({0xc1}), 1002},
      {"a reserved opcode", bytes({0x83}), 1002},
      {"bad text in a frame of which much is still to come",
       frame(text_frame, "\xff" + std::string(1000, 'x')).substr(0, 9), 1007},
      {"a length that is too long", bytes({0x82, 0xfe, 0x10, 0x01}), 1009},
  };
  for (const fault& f : cases) {
    INFO(f.what);
    server s;
    visitor v(s, "/");
    v.send(f.bytes.substr(0, f.bytes.size() - 1));
    CHECK(v.hears() == "");
    v.send(f.bytes.substr(f.bytes.size() - 1));
    CHECK(v.hears() == "close(" + std::to_string(f.code) + ") end");
  }
}

TEST_CASE("who broke a rule has time to read why, whatever he is still sending", "[websocket]") {
  server s;
  visitor v(s, "/");
  v.send(frame(0x83, "x"));
  for (int i = 0; i < 20; ++i) v.send(std::string(1000, 'x'));
  CHECK(v.hears() == "close(1002) end");
  CHECK_FALSE(v.client().server_is_gone());
  CHECK(s.inside().session().websockets().in_use() == 1);
  s.pass(2'000);
  CHECK(v.client().server_is_gone());
  CHECK(s.counters().timeouts_linger.value() == 1);
  CHECK(s.inside().session().websockets().in_use() == 0);
  CHECK(s.notes() == "open closed(1002) ");
}

TEST_CASE("messages and what is between them are the same in any pieces", "[websocket]") {
  const std::string stream =
      frame(text_frame, "Hello, w\xc3\xb6rld") + frame(binary_frame, bytes({0, 255, 10})) +
      frame(text_frame) + frame(binary_frame) + frame(text_begins, "in ") +
      frame(ping_frame, "between") + frame(goes_on, "three ") + frame(pong_frame, "unasked") +
      frame(goes_on) + frame(ping_frame) + frame(ends, "parts") + frame(binary_begins) +
      frame(goes_on) + frame(ends) + frame(text_frame, std::string(130, 'z')) +
      closing(3000, "that is all");
  CHECK(in_any_pieces("/", stream) ==
        "text(Hello, w\xc3\xb6rld) binary(" + bytes({0, 255, 10}) +
            ") text() binary() pong(between) pong() text(in three parts) binary() text(" +
            std::string(130, 'z') + ") close(3000) end | open closed(3000 that is all) ");
}

TEST_CASE("a session with on_fragment sees the same messages in any pieces", "[websocket]") {
  const std::string stream = frame(text_frame, "one") + frame(text_begins, "t") +
                             frame(ping_frame, "p") + frame(goes_on) + frame(ends, "wo") +
                             frame(binary_frame) + frame(binary_frame, "three") + closing(1000);
  CHECK(in_any_pieces("/stream", stream) ==
        "text(3) pong(p) text(3) text(0) text(5) close(1000) end | "
        "open text(one) text(two) binary() binary(three) closed(1000) ");
}

TEST_CASE("text is checked across fragments and pieces", "[websocket]") {
  const std::string text = "\xce\xba\xe1\xbd\xb9\xcf\x83\xf0\x90\x8d\x88!";
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    INFO("cut at " << cut);
    const auto stream = frame(text_begins, text.substr(0, cut)) + frame(ping_frame, "p") +
                        frame(ends, text.substr(cut)) + closing(1000);
    CHECK(in_any_pieces("/", stream) ==
          "pong(p) text(" + text + ") close(1000) end | open closed(1000) ");
    CHECK(in_any_pieces("/stream", stream) == "pong(p) text(" + std::to_string(text.size()) +
                                                  ") close(1000) end | open text(" + text +
                                                  ") closed(1000) ");
  }
}

TEST_CASE("messages of every length are echoed, in one frame and in many", "[websocket]") {
  auto s = std::make_unique<nen::testing::simulated_server<routes, large, journal>>();
  for (const std::size_t size : {0U, 1U, 125U, 126U, 127U, 1009U, 1010U, 1016U, 1017U, 2043U, 2044U,
                                 2045U, 2048U, 4096U, 65535U, 65536U, 70'000U}) {
    INFO(size << " bytes");
    std::string text(size, 'a');
    for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + i % 26);
    ws_visitor<std::decay_t<decltype(*s)>> v(*s, "/");
    v.say(text);
    CHECK(v.hears() == "text(" + text + ") ");
    v.send(frame(binary_frame, text));
    CHECK(v.hears() == "binary(" + text + ") ");
    const std::size_t part = size / 7 + 1;
    std::string fragments;
    for (std::size_t at = 0; at < size; at += part)
      fragments += frame(at == 0 ? text_begins : goes_on, text.substr(at, part));
    if (size != 0) {
      v.send(fragments + frame(ends));
      CHECK(v.hears() == "text(" + text + ") ");
    }
  }
  CHECK(s->inside().session().messages().in_use() == 0);
  s->settle();
  s->state<journal>().take();
  ws_visitor<std::decay_t<decltype(*s)>> v(*s, "/");
  v.say(std::string(70'001, 'x'));
  CHECK(v.hears() == "close(1009) end");
  CHECK(s->state<journal>().take() == "open closed(1009) ");
}

TEST_CASE("a session with on_fragment needs no room for its messages", "[websocket]") {
  server s;
  std::vector<std::unique_ptr<visitor>> all;
  for (int i = 0; i < 20; ++i) {
    all.push_back(std::make_unique<visitor>(s, "/stream"));
    all.back()->send(frame(text_begins, std::string(3000, 'x')));
  }
  CHECK(s.inside().session().messages().in_use() == 0);
  for (auto& v : all) {
    v->send(frame(ends, "y"));
    CHECK(v->hears() == "text(3001) ");
  }
}

TEST_CASE("a ping in pieces needs a room, and who finds none is closed with 1013", "[websocket]") {
  nen::testing::simulated_server<routes, few, journal> s;
  using one = ws_visitor<decltype(s)>;
  const auto ping = frame(ping_frame, std::string(125, 'p'));
  one a(s, "/");
  one b(s, "/");
  one c(s, "/");
  one d(s, "/");
  s.state<journal>().take();
  for (one* v : {&a, &b}) v->send(ping.substr(0, 60));
  CHECK(s.inside().session().control_rooms().in_use() == 2);
  c.send(ping.substr(0, 60));
  CHECK(c.hears() == "close(1013) end");
  CHECK(s.state<journal>().take() == "closed(1013) ");
  d.send(ping);  // in one piece it needs none
  CHECK(d.hears() == "pong(" + std::string(125, 'p') + ") ");
  for (one* v : {&a, &b}) {
    v->send(ping.substr(60));
    CHECK(v->hears() == "pong(" + std::string(125, 'p') + ") ");
  }
  CHECK(s.inside().session().control_rooms().in_use() == 0);
  for (const char byte : ping) d.send({&byte, 1});
  CHECK(d.hears() == "pong(" + std::string(125, 'p') + ") ");
}

TEST_CASE("a message in pieces needs a slot, and who finds none is closed with 1013",
          "[websocket]") {
  nen::testing::simulated_server<routes, few, journal> s;
  using one = ws_visitor<decltype(s)>;
  one a(s, "/");
  one b(s, "/");
  one c(s, "/");
  s.state<journal>().take();
  a.send(frame(text_begins, "a"));
  b.send(frame(text_begins, "b"));
  CHECK(b.hears() == "close(1013) end");
  CHECK(s.state<journal>().take() == "closed(1013) ");
  CHECK(s.counters().ws_message_slots_empty.value() == 1);
  c.say("whole");
  CHECK(c.hears() == "text(whole) ");
  a.send(frame(ends, "a"));
  CHECK(a.hears() == "text(aa) ");
  c.send(frame(text_begins, "c") + frame(ends, "c"));
  CHECK(c.hears() == "text(cc) ");
}

TEST_CASE("who leaves within a message or a ping gives its rooms back", "[websocket]") {
  nen::testing::simulated_server<routes, few, journal> s;
  using one = ws_visitor<decltype(s)>;
  for (int i = 0; i < 5; ++i) {
    one v(s, "/");
    v.send(frame(text_begins, "begun") + frame(ping_frame, std::string(100, 'p')).substr(0, 50));
    CHECK(v.hears() == "");
    CHECK(s.inside().session().messages().in_use() == 1);
    CHECK(s.inside().session().control_rooms().in_use() == 1);
    i % 2 == 0 ? v.client().close() : v.client().reset();
    s.settle();
    CHECK(s.inside().session().messages().in_use() == 0);
    CHECK(s.inside().session().control_rooms().in_use() == 0);
  }
}
