// What a WebSocket server sends: what becomes of each send, bounds and who
// wakes behind them, one send for all frames of a turn.
#include <nen/testing/simulated_server.hpp>

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "support/catch.hpp"
#include "websocket/ws_client.hpp"

namespace {

using namespace nen::test;
using nen::ws::send_result;

/// Everybody who came, for those who act on others.
struct desk {
  std::array<nen::ws::peer, 24> peers{};
  std::size_t count = 0;
};

struct present : noting_echo {
  static constexpr nen::ws::options options = {.buffered_bytes_max = 1000};
  void on_open(nen::ws::peer& me, desk& all) { all.peers[all.count++] = me; }
};
/// Says a hundred numbered things, as fast as its peer takes them.
struct counter_up : noting_echo {
  static constexpr nen::ws::options options = {.buffered_bytes_max = 3000};
  void on_open(nen::ws::peer& me) { go_on(me); }
  void on_drain(nen::ws::peer& me, journal& notes) {
    notes += "drain";
    go_on(me);
  }
  void go_on(nen::ws::peer& me) {
    while (next != 100 && me.send(text_of(next)) == send_result::sent) ++next;
    if (next == 100) me.close();
  }
  static std::string text_of(int n) { return std::to_string(n) + std::string(200, '.'); }
  int next = 0;
};
/// Says so when it is worth another try.
struct eager : present {
  void on_drain(nen::ws::peer& me) { (void)me.send("drained"); }
};
/// Notes what is buffered, in its own turn and behind each send.
struct accountant : noting_echo {
  void on_message(nen::ws::peer& me, nen::ws::message m, journal& notes) {
    notes += std::to_string(me.buffered());
    for (int i = 0; i < 2; ++i) {
      (void)me.send(m);
      notes += std::to_string(me.buffered());
    }
  }
};
/// Sends one message twice.
struct twice : noting_echo {
  void on_message(nen::ws::peer& me, nen::ws::message m, journal& notes) {
    for (const auto result : {me.send(m), me.send(m)})
      if (result != send_result::sent) notes += "refused";
  }
};

std::string result_of(send_result r) { return std::to_string(static_cast<int>(r)); }

nen::reply send_to(std::uint32_t who, std::uint32_t bytes, desk& all, nen::response& res) {
  return res.text(result_of(all.peers[who].send(std::string(bytes, 's'))));
}
nen::reply close_one(std::uint32_t who, desk& all, nen::response& res) {
  all.peers[who].close();
  return res.text("closed");
}
/// Closes everybody, and gives the longest answer that there is room for.
nen::reply close_everybody(desk& all, nen::response& res) {
  for (const auto& p : all.peers) p.close();
  return res.text(std::string(2048, 'l'));
}
nen::reply buffered_by(std::uint32_t who, desk& all, nen::response& res) {
  return res.text(std::to_string(all.peers[who].buffered()));
}
/// All there is, then what became of it.
nen::reply send_several(std::uint32_t who, std::uint32_t count, desk& all, nen::response& res) {
  std::string results;
  for (; count != 0; --count) results += result_of(all.peers[who].send(std::string(100, 's')));
  return res.text(results);
}

using routes =
    nen::router<nen::websocket<"/", noting_echo>, nen::websocket<"/present", present>,
                nen::websocket<"/eager", eager>, nen::websocket<"/count", counter_up>,
                nen::websocket<"/account", accountant>, nen::websocket<"/twice", twice>,
                nen::get<"/send/:who/:bytes", send_to>, nen::get<"/close/:who", close_one>,
                nen::get<"/close", close_everybody>, nen::get<"/buffered/:who", buffered_by>,
                nen::get<"/several/:who/:count", send_several>>;

template <nen::config Config>
struct server_of : nen::testing::simulated_server<routes, Config, journal, desk> {
  std::string notes() { return this->template state<journal>().take(); }
  /// The body of the answer to a GET.
  std::string ask(std::string_view target) {
    const auto all = this->answer_to("GET " + std::string(target) + " HTTP/1.1\r\nHost: h\r\n\r\n");
    return all.substr(all.find("\r\n\r\n") + 4);
  }
  auto sends() {
    const auto& history = this->inside().io().history();
    return std::count(history.begin(), history.end(), nen::operation::send);
  }
};
using server = server_of<small>;
using visitor = ws_visitor<server>;

constexpr nen::config short_answers = [] {
  nen::config c = small;
  c.receive_buffer_bytes = 4096;
  c.response_bytes_max = 512;
  return c;
}();
constexpr nen::config one_view = [] {
  nen::config c = small;
  c.ws_views = 1;
  return c;
}();

}  // namespace

TEST_CASE("each send says what became of it", "[websocket]") {
  server s;
  visitor v(s, "/present");
  CHECK(s.ask("/send/0/0") == result_of(send_result::sent));
  CHECK(s.ask("/send/0/2044") == result_of(send_result::sent));
  CHECK(s.ask("/send/0/2045") == result_of(send_result::too_long));
  CHECK(v.hears() == "text() text(" + std::string(2044, 's') + ") ");
  CHECK(s.ask("/send/1/5") == result_of(send_result::closed));  // nobody
  CHECK(s.ask("/close/0") == "closed");
  CHECK(s.ask("/send/0/5") == result_of(send_result::closed));
  CHECK(s.ask("/buffered/0") == "0");
  CHECK(v.hears() == "close(1000) ");
  v.send(closing(1000));
  visitor next(s, "/present");  // of the same slot
  CHECK(s.ask("/send/0/5") == result_of(send_result::closed));
  CHECK(s.ask("/send/1/5") == result_of(send_result::sent));
  CHECK(next.hears() == "text(sssss) ");
  CHECK_FALSE(s.state<desk>().peers[0] == s.state<desk>().peers[1]);
}

TEST_CASE("what is buffered is what was sent and the kernel has not taken", "[websocket]") {
  server s;
  visitor v(s, "/account");
  v.say("12345");
  CHECK(s.notes() == "open 0 7 14 ");
  v.say(std::string(1500, 'x'));  // through several slots
  CHECK(s.notes() == "0 1504 3008 ");
  s.network().window = 100;
  visitor slow(s, "/present");
  slow.client().stop_reading();
  s.ask("/send/0/500");
  CHECK(s.ask("/buffered/0") == "504");
  s.ask("/send/0/10");
  CHECK(s.ask("/buffered/0") == "516");
  slow.client().start_reading();
  s.settle();
  CHECK(s.ask("/buffered/0") == "0");
  CHECK(slow.hears() == "text(" + std::string(500, 's') + ") text(ssssssssss) ");
}

TEST_CASE("no more is put behind what a peer has not read than its session allows", "[websocket]") {
  server s;
  s.network().window = 100;
  visitor v(s, "/present");
  v.client().stop_reading();
  CHECK(s.ask("/send/0/2000") == result_of(send_result::sent));  // nothing waits: always
  CHECK(s.ask("/send/0/0") == result_of(send_result::full));
  v.client().start_reading();
  s.settle();
  CHECK(s.notes() == "drain ");
  v.client().stop_reading();
  for (int i = 0; i < 3; ++i) CHECK(s.ask("/send/0/300") == result_of(send_result::sent));
  CHECK(s.ask("/buffered/0") == "912");
  CHECK(s.ask("/send/0/87") == result_of(send_result::full));
  CHECK(s.ask("/send/0/84") == result_of(send_result::sent));
  CHECK(s.ask("/buffered/0") == "998");
  CHECK(s.ask("/send/0/0") == result_of(send_result::sent));
  CHECK(s.ask("/send/0/0") == result_of(send_result::full));
  CHECK(s.counters().send_slots_empty.value() == 0);
}

TEST_CASE("on_drain is called once, when a send is worth another try", "[websocket]") {
  server s;
  s.network().window = 100;
  visitor v(s, "/present");
  v.client().stop_reading();
  CHECK(s.ask("/send/0/300") == result_of(send_result::sent));
  CHECK(s.ask("/several/0/7") == "0000001");
  CHECK(s.ask("/several/0/2") == "11");
  s.pass(1000);
  CHECK(s.notes() == "");
  v.client().read(100);
  s.pass(1000);
  CHECK(s.notes() == "");
  for (int i = 0; i < 3; ++i) {  // then the first send is through; what came meanwhile is one more
    v.client().read(100);
    s.pass(1000);
  }
  CHECK(s.ask("/buffered/0") == "612");
  CHECK(s.notes() == "");
  v.client().start_reading();
  s.pass(1000);
  CHECK(s.ask("/buffered/0") == "0");
  CHECK(s.notes() == "drain ");
  s.pass(5000);
  CHECK(s.notes() == "");
}

TEST_CASE("who was refused nothing is not told to try again", "[websocket]") {
  server s;
  s.network().window = 100;
  visitor v(s, "/present");
  v.client().stop_reading();
  CHECK(s.ask("/several/0/9") == "000000000");
  v.client().start_reading();
  s.pass(1000);
  CHECK(s.notes() == "");
}

TEST_CASE(
    "who goes on when he is told to sends everything, whatever his "
    "peer's speed",
    "[websocket]") {
  for (const std::size_t window : {50U, 333U, 5000U, 1'000'000U}) {
    INFO("window " << window);
    server s;
    s.network().window = window;
    visitor v(s);
    v.client().stop_reading();
    v.send(upgrade_of("/count"));
    for (int i = 0; i < 1000; ++i) {
      v.client().read(61);
      s.pass(1);
    }
    v.client().start_reading();
    s.pass(10);
    std::string all;
    for (int i = 0; i < 100; ++i) all += "text(" + counter_up::text_of(i) + ") ";
    CHECK(v.take_answer().status == 101);
    CHECK((v.hears() == all + "close(1000) "));
    const auto told = s.notes();
    CHECK(std::count(told.begin(), told.end(), ' ') <= 20);  // not for every few bytes
  }
}

TEST_CASE("a long message is sent on from where it was gathered", "[websocket]") {
  server s;
  s.network().window = 100;
  const std::string text(4000, 'm');
  visitor v(s, "/");
  v.client().stop_reading();
  v.client().send(frame(text_begins, text.substr(0, 1000)) + frame(ends, text.substr(1000)));
  s.settle();
  CHECK(v.client().unsent() == 0);
  CHECK(s.inside().session().messages().in_use() == 1);
  CHECK(s.inside().send_slots().in_use() == 1);  // the frame's head
  CHECK(s.inside().sends_held() == 2);
  v.client().read(100);
  s.settle();
  CHECK(s.inside().session().messages().in_use() == 1);
  v.client().start_reading();
  s.settle();
  CHECK((v.hears() == "text(" + text + ") "));
  CHECK(s.inside().session().messages().in_use() == 0);
  CHECK(s.inside().sends_held() == 0);
}

TEST_CASE("a message that is sent twice is held until both are through", "[websocket]") {
  server s;
  s.network().window = 4100;
  const std::string text(3000, 'm');
  visitor v(s, "/twice");
  v.client().stop_reading();
  v.send(frame(text_frame, text));
  CHECK(s.inside().session().messages().in_use() == 1);
  CHECK(s.notes() == "open ");
  v.client().read(4100);
  s.settle();
  v.client().start_reading();
  s.settle();
  CHECK((v.hears() == "text(" + text + ") text(" + text + ") "));
  CHECK(s.inside().session().messages().in_use() == 0);
}

TEST_CASE("who leaves with a long message on its way gives it back", "[websocket]") {
  for (const bool by_reset : {false, true}) {
    server s;
    s.network().window = 100;
    visitor v(s, "/twice");
    v.client().stop_reading();
    v.send(frame(text_frame, std::string(4000, 'm')));
    CHECK(s.inside().session().messages().in_use() == 1);
    by_reset ? v.client().reset() : v.client().close();
    s.settle();
    CHECK(s.inside().session().messages().in_use() == 0);
    CHECK(s.inside().sends_held() == 0);
  }
}

TEST_CASE("a message that came is never too long to be sent on", "[websocket]") {
  server_of<short_answers> s;
  ws_visitor<decltype(s)> v(s, "/");
  for (const std::size_t size : {500U, 508U, 509U, 512U, 513U, 3000U, 4080U, 4096U}) {
    INFO(size << " bytes");
    v.say(std::string(size, 'x'));  // in one piece, or not
    CHECK((v.hears() == "text(" + std::string(size, 'x') + ") "));
  }
  CHECK(s.notes() == "open ");
}

TEST_CASE("a long message that finds no view is refused, and on_drain tells when", "[websocket]") {
  server_of<one_view> s;
  s.network().window = 100;
  ws_visitor<decltype(s)> slow(s, "/");
  slow.client().stop_reading();
  slow.send(frame(text_frame, std::string(4000, 'm')));
  s.notes();
  s.network().window = 100'000;
  ws_visitor<decltype(s)> v(s, "/");
  v.say(std::string(4000, 'm'));
  CHECK(v.hears() == "");
  CHECK(s.notes() == "open send=" + result_of(send_result::full) + " ");
  CHECK(s.counters().ws_views_empty.value() == 1);
  v.say("short ones need none");
  CHECK(v.hears() == "text(short ones need none) ");
  slow.client().start_reading();
  s.pass(20);
  CHECK(s.notes().find("drain") != std::string::npos);
  v.say(std::string(4000, 'm'));
  CHECK((v.hears() == "text(" + std::string(4000, 'm') + ") "));
}

TEST_CASE("who does not read is not read from, and others do not notice", "[websocket]") {
  server s;
  s.network().window = 1000;
  visitor slow(s, "/");
  visitor v(s, "/");
  slow.client().stop_reading();
  for (int i = 0; i < 100; ++i) {
    slow.send(frame(text_frame, std::string(1000, 'x')));
    v.say("hello");
    CHECK(v.hears() == "text(hello) ");
  }
  CHECK(slow.client().unsent() > 80'000);
  CHECK(s.inside().send_slots().in_use() <= 6);
  CHECK(s.inside().connections()[0].leases_held <= 2);
  slow.client().start_reading();
  s.settle();
  CHECK(slow.client().unsent() == 0);
  std::string all;
  for (int i = 0; i < 100; ++i) all += "text(" + std::string(1000, 'x') + ") ";
  CHECK((slow.hears() == all));
}

TEST_CASE("who never reads is cut off, and his session is told", "[websocket]") {
  server s;
  s.network().window = 1000;
  visitor slow(s, "/");
  slow.client().stop_reading();
  for (int i = 0; i < 20; ++i) slow.send(frame(text_frame, std::string(1000, 'x')));
  s.pass(30'000);
  CHECK(slow.client().server_is_gone());
  CHECK(s.counters().timeouts_write.value() == 1);
  CHECK(s.notes() == "open closed(1006) ");
  CHECK(s.inside().sends_held() == 0);
}

TEST_CASE("all frames of one turn leave in one send", "[websocket]") {
  server s;
  visitor v(s, "/");
  auto before = s.sends();
  std::string frames;
  std::string heard;
  for (int i = 0; i < 10; ++i) {
    frames += frame(text_frame, "text") + frame(ping_frame, "ping");
    heard += "text(text) pong(ping) ";
  }
  v.send(frames);
  CHECK(v.hears() == heard);
  CHECK(s.sends() - before == 1);

  visitor other(s, "/present");
  before = s.sends();
  CHECK(s.ask("/several/0/9") == "000000000");
  CHECK(s.sends() - before == 3);  // the first, those behind it together, and the answer to us

  before = s.sends();
  visitor w(s);
  w.send(upgrade_of("/") + frame(text_frame, "x"));
  CHECK(s.sends() - before == 1);  // with the handshake, too

  visitor t(s, "/twice");
  before = s.sends();
  t.send(frame(text_frame, std::string(900, 'y')));
  CHECK(s.sends() - before == 1);
}

TEST_CASE(
    "a send to another is refused while memory is short, and that one's "
    "turn comes",
    "[websocket]") {
  constexpr nen::config tight = [] {
    nen::config c = small;
    c.send_slots = 7;  // two messages of the longest kind, and one slot
    return c;
  }();
  server_of<tight> s;
  s.network().window = 100;
  ws_visitor<decltype(s)> slow(s, "/present");
  slow.client().stop_reading();
  s.network().window = 10'000;
  ws_visitor<decltype(s)> v(s, "/eager");
  CHECK(s.ask("/send/0/1500") == result_of(send_result::sent));
  CHECK(s.ask("/send/1/1") == result_of(send_result::full));  // the answer needs its room, too
  CHECK(v.hears() == "text(drained) ");
  slow.client().start_reading();
  s.settle();
  CHECK(s.ask("/send/1/1") == result_of(send_result::sent));
  CHECK(v.hears() == "text(s) ");
}

TEST_CASE("without memory to answer nobody is read from, until somebody reads", "[websocket]") {
  constexpr nen::config tight = [] {
    nen::config c = small;
    c.send_slots = 7;
    return c;
  }();
  server_of<tight> s;
  using one = ws_visitor<decltype(s)>;
  one v(s, "/");
  s.network().window = 1600;
  std::vector<std::unique_ptr<one>> slow;
  for (int i = 0; i < 3; ++i) {
    slow.push_back(std::make_unique<one>(s, "/"));
    slow.back()->client().stop_reading();
    slow.back()->send(frame(text_frame, std::string(1700, 'x')));
  }
  v.say("hello");
  CHECK(v.hears() == "");
  CHECK(s.counters().send_slots_empty.value() >= 1);
  slow[1]->client().start_reading();
  s.pass(20);
  CHECK(v.hears() == "text(hello) ");
  slow[1]->client().stop_reading();
  slow[1]->send(frame(text_frame, std::string(1700, 'x')) +
                frame(text_frame, std::string(1700, 'x')));
  v.say("hello again");
  CHECK(v.hears() == "");
  s.pass(2000);  // who holds memory without reading pays for it
  CHECK(v.hears() == "text(hello again) ");
  CHECK(s.counters().send_slots_evicted.value() >= 1);
}

TEST_CASE("closing others does not take the room that an answer was promised", "[websocket]") {
  constexpr nen::config tight = [] {
    nen::config c = small;
    c.send_slots = 7;
    return c;
  }();
  server_of<tight> s;
  std::vector<std::unique_ptr<ws_visitor<decltype(s)>>> all;
  for (int i = 0; i < 5; ++i)
    all.push_back(std::make_unique<ws_visitor<decltype(s)>>(s, "/present"));
  CHECK((s.ask("/close") == std::string(2048, 'l')));
  for (std::size_t i = 0; i < 4; ++i) CHECK(all[i]->hears() == "close(1000) ");
  CHECK(all[4]->hears() == "end");  // for whom there was no room to say why
}
