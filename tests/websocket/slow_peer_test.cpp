// Peers who do not read: what a session's policy does about them, when they are told that the
// WebSocket is closed, and that nobody else notices.
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
using nen::ws::send_result;
using nen::ws::slow_peer;

/// Peers by the order of their coming, for those who send to them.
struct desk {
  nen::ws::group<24> room;
  std::vector<nen::ws::peer> peers;
};

template <slow_peer Slow>
struct listener : noting {
  static constexpr nen::ws::options options = {
      .idle_ping_ms = 0, .close_timeout_ms = 300, .buffered_bytes_max = 1000, .when_full = Slow};
  void on_open(nen::ws::peer& me, desk& all) {
    all.peers.push_back(me);
    all.room.join(me);
  }
  void on_message(nen::ws::peer& me, nen::ws::message m) { (void)me.send(m); }
};

std::string name_of(send_result result) {
  switch (result) {
    case send_result::sent:
      return "sent ";
    case send_result::full:
      return "full ";
    case send_result::too_long:
      return "too-long ";
    case send_result::closed:
      return "closed ";
    case send_result::dropped:
      return "dropped ";
  }
  return "?";
}

nen::reply send_to(std::uint32_t who, std::uint32_t count, desk& all, nen::response& res) {
  std::string results;
  for (; count != 0; --count) results += name_of(all.peers[who].send(std::string(246, 's')));
  return res.text(results);
}
nen::reply tell_all(std::uint32_t bytes, desk& all, nen::response& res) {
  return res.text(std::to_string(all.room.broadcast(std::string(bytes, 'b'), slow_peer::drop)));
}
nen::reply close_one(std::uint32_t who, desk& all, nen::response& res) {
  all.peers[who].close();
  return res.text("closed");
}

using routes = nen::router<nen::websocket<"/wait", listener<slow_peer::wait>>,
                           nen::websocket<"/drop", listener<slow_peer::drop>>,
                           nen::websocket<"/close", listener<slow_peer::close>>,
                           nen::get<"/send/:who/:count", send_to>,
                           nen::get<"/tell/:bytes", tell_all>, nen::get<"/end/:who", close_one>>;

template <nen::config Config = small>
struct server_of : nen::testing::simulated_server<routes, Config, journal, desk> {
  using basic = nen::testing::simulated_server<routes, Config, journal, desk>;
  using one = ws_visitor<server_of>;

  explicit server_of(const nen::listen_options& options = {}) : basic(1, {}, options) {}
  std::string notes() { return this->template state<journal>().take(); }
  std::string ask(std::string_view target) {
    const auto all = this->answer_to("GET " + std::string(target) + " HTTP/1.1\r\nHost: h\r\n\r\n");
    return all.substr(all.find("\r\n\r\n") + 4);
  }
  /// Somebody who does not read, behind a window of this size.
  std::unique_ptr<one> deaf_one(std::string_view target, std::size_t window = 100) {
    const auto usual = std::exchange(this->network().window, window);
    auto made = std::make_unique<one>(*this, target);
    made->client().stop_reading();
    this->network().window = usual;
    return made;
  }
};
using server = server_of<>;
using visitor = ws_visitor<server>;

}  // namespace

TEST_CASE("a send to who is behind is refused, thrown away, or ends him: as his session says",
          "[websocket]") {
  struct {
    const char* target;
    const char* results;
    const char* notes;
  } const policies[] = {
      {"/wait", "sent sent sent sent full full ", "drain "},
      {"/drop", "sent sent sent sent dropped dropped ", "drain "},
      {"/close", "sent sent sent sent closed closed ", ""},
  };
  for (const auto& policy : policies) {
    INFO(policy.target);
    server s;
    auto v = s.deaf_one(policy.target);
    CHECK(s.ask("/send/0/6") == policy.results);
    CHECK(s.counters().ws_sends_full.value() == (policy.target[1] == 'c' ? 1 : 2));
    s.pass(100);
    CHECK(s.notes() == "");
    CHECK(s.inside().buffered(0) <= 1000 + 4);  // a close frame besides
    v->client().start_reading();
    s.pass(1);
    std::string four;
    for (int i = 0; i < 4; ++i) four += "text(" + std::string(246, 's') + ") ";
    CHECK(v->hears() == four + (policy.target[1] == 'c' ? "close(1013) " : ""));
    CHECK(s.notes() == policy.notes);
    if (policy.target[1] == 'c') {
      v->send(closing(1013));
      CHECK(s.notes() == "closed(1013) ");
    } else {
      CHECK(s.ask("/send/0/1") == "sent ");
    }
  }
}

TEST_CASE("who has nothing before him is not closed for the server's want of memory",
          "[websocket]") {
  constexpr nen::config tight = [] {
    nen::config c = small;
    c.send_slots = 7;
    return c;
  }();
  server_of<tight> s;
  auto slow = s.deaf_one("/wait");
  auto slower = s.deaf_one("/wait");
  ws_visitor<decltype(s)> v(s, "/close");
  CHECK(s.ask("/send/0/1") == "sent ");
  CHECK(s.ask("/send/1/1") == "sent ");
  CHECK(s.ask("/send/2/1") == "full ");
  CHECK(s.counters().ws_sends_full.value() == 0);
}

TEST_CASE("the time for a close frame begins when the kernel has taken ours", "[websocket]") {
  server s;
  auto v = s.deaf_one("/wait");
  CHECK(s.ask("/send/0/3") == "sent sent sent ");
  CHECK(s.ask("/end/0") == "closed");
  s.pass(10'000);  // far more than the close timeout, less than the write timeout
  CHECK(s.notes() == "");
  CHECK_FALSE(v->client().server_is_gone());
  v->client().start_reading();
  s.settle();
  CHECK(v->hears().ends_with("close(1000) "));
  s.pass(299);
  CHECK_FALSE(v->client().server_is_gone());
  s.pass(1);
  CHECK(v->client().server_is_gone());
  CHECK(s.notes() == "closed(1006) ");
  CHECK(s.counters().timeouts_websocket.value() == 1);
  CHECK(s.counters().timeouts_write.value() == 0);
}

TEST_CASE("who never reads the close frame is cut off by the write timeout", "[websocket]") {
  using namespace std::chrono_literals;
  server s({.write_timeout = 5s});
  auto v = s.deaf_one("/wait");
  CHECK(s.ask("/send/0/3") == "sent sent sent ");
  CHECK(s.ask("/end/0") == "closed");
  s.pass(4999);
  CHECK_FALSE(v->client().server_is_gone());
  s.pass(1);
  CHECK(v->client().server_is_gone());
  CHECK(s.notes() == "closed(1006) ");
  CHECK(s.counters().timeouts_write.value() == 1);
  CHECK(s.counters().timeouts_websocket.value() == 0);
}

TEST_CASE("who closes while he is read to the end is answered at once all the same",
          "[websocket]") {
  server s;
  auto v = s.deaf_one("/wait");
  CHECK(s.ask("/send/0/3") == "sent sent sent ");
  CHECK(s.ask("/end/0") == "closed");
  v->send(closing(4000));
  CHECK(s.notes() == "closed(4000) ");
  v->client().start_reading();
  s.settle();
  CHECK(v->hears().ends_with("close(1000) end"));
}

TEST_CASE("peers who never read cost the others no time, whatever the policy", "[websocket]") {
  constexpr nen::config usual = [] {
    nen::config c = small;
    c.ws_broadcast_slots = 64;
    return c;
  }();
  using one = ws_visitor<server_of<usual>>;
  for (const auto target : {"/wait", "/drop", "/close"}) {
    INFO(target);
    server_of<usual> s;
    std::vector<std::unique_ptr<one>> slow;
    for (int i = 0; i < 8; ++i) slow.push_back(s.deaf_one(target));
    std::vector<std::unique_ptr<one>> fast;
    for (int i = 0; i < 8; ++i) fast.push_back(std::make_unique<one>(s, "/wait"));
    for (int round = 0; round < 200; ++round) {
      // Within one moment of simulated time everybody who reads has heard everything.
      (void)s.ask("/send/" + std::to_string(round % 8) + "/2");
      const std::string text(static_cast<std::size_t>(round % 100), 'b');
      CHECK(s.ask("/tell/" + std::to_string(text.size())) != "0");
      for (auto& f : fast) REQUIRE(f->hears() == "text(" + text + ") ");
      fast[static_cast<std::size_t>(round % 8)]->say("echo");
      REQUIRE(fast[static_cast<std::size_t>(round % 8)]->hears() == "text(echo) ");
      s.pass(10);
    }
    for (std::uint32_t i = 0; i < 8; ++i) CHECK(s.inside().buffered(i) <= 1000 + 20);
    CHECK(s.counters().ws_sends_full.value() > 0);
    CHECK(s.counters().ws_views_empty.value() == 0);
    CHECK(s.counters().ws_broadcast_slots_empty.value() == 0);
  }
}

TEST_CASE("views are shared out so that everybody has some whatever the others hold",
          "[websocket]") {
  constexpr nen::config c = [] {
    nen::config made = small;
    made.websockets = 8;
    made.ws_views = 32;  // four for each
    made.ws_broadcast_slots = 64;
    return made;
  }();
  server_of<c> s;
  using one = ws_visitor<server_of<c>>;
  std::vector<std::unique_ptr<one>> slow;
  for (int i = 0; i < 7; ++i) slow.push_back(s.deaf_one("/drop", 1));
  one v(s, "/wait");
  std::string heard;
  for (int i = 0; i < 50; ++i) {
    CHECK(s.ask("/tell/1") != "0");
    heard += "text(b) ";
  }
  CHECK(v.hears() == heard);
  CHECK(s.inside().sends_held() <= 7 * 4);
  CHECK(s.counters().ws_views_empty.value() == 0);
}

TEST_CASE("what only few are there for, few may have", "[websocket]") {
  server s;  // 64 views, 24 WebSockets, 8 frames: two of them hold up to half of the frames
  auto a = s.deaf_one("/drop", 1);
  visitor v(s, "/wait");
  for (int i = 0; i < 20; ++i) CHECK(s.ask("/tell/1") != "0");
  CHECK(s.inside().session().shared_frames().in_use() >= 3);
  CHECK(s.inside().session().shared_frames().in_use() <= small.ws_broadcast_slots / 2);
}
