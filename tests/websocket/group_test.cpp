// Groups of WebSockets: who is in, who hears what, what it costs, and who pays when somebody is
// slow.
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
using nen::ws::slow_peer;

struct rooms {
  nen::ws::group<3> a;
  nen::ws::group<32> b;
  std::array<nen::ws::peer, 24> peers{};
  std::size_t count = 0;

  /// Does something to room a or b in somebody's name. @returns  what came of it
  std::string obey(nen::ws::peer& me, std::string_view command) {
    return command[1] == 'a' ? obey(a, me, command) : obey(b, me, command);
  }
  template <class Room>
  std::string obey(Room& room, nen::ws::peer& me, std::string_view command) {
    const auto rest = command.substr(2);
    switch (command[0]) {
      case '+':
        return room.join(me) ? "in" : "full";
      case '-':
        room.leave(rest.empty() ? me : other(rest));
        return "out";
      case '?':
        return std::to_string(room.size()) + (room.contains(me) ? " with me" : " without me");
      case '!':
        return "to " + std::to_string(room.broadcast(rest, slow_peer::drop));
      case '#':
        return "to " + std::to_string(room.broadcast(rest, slow_peer::close));
      case 'b':
        return "to " + std::to_string(room.broadcast_binary(rest, slow_peer::drop));
      default:
        other(rest).close(nen::ws::close_code::policy_violation);
        return "closed";
    }
  }
  nen::ws::peer& other(std::string_view number) {
    return peers[static_cast<std::size_t>(number[0] - '0')];
  }
};

/// Does what it is told, line by line; "will …" is what it does when it is closed.
struct servant {
  static constexpr nen::ws::options options = {.buffered_bytes_max = 600};
  void on_open(nen::ws::peer& me, rooms& all) { all.peers[all.count++] = me; }
  void on_message(nen::ws::peer& me, nen::ws::message m, rooms& all, journal& notes) {
    if (m.bytes.starts_with("will ")) return void(will = m.bytes.substr(5));
    obey_all(me, m.bytes, all, notes);
  }
  void on_drain(nen::ws::peer&, journal& notes) { notes += "drain"; }
  void on_close(nen::ws::peer& me, nen::ws::close_code code, std::string_view reason, rooms& all,
                journal& notes) {
    notes += told(code, reason);
    obey_all(me, will, all, notes);
  }
  static void obey_all(nen::ws::peer& me, std::string_view lines, rooms& all, journal& notes) {
    while (!lines.empty()) {
      const auto end = std::min(lines.find('\n'), lines.size());
      notes += all.obey(me, lines.substr(0, end));
      lines.remove_prefix(std::min(end + 1, lines.size()));
    }
  }
  std::string will;
};
/// A member of room b who passes everything on.
struct chatter {
  static constexpr nen::ws::options options = {.buffered_bytes_max = 600};
  void on_open(nen::ws::peer& me, rooms& all) { all.b.join(me); }
  void on_message(nen::ws::peer&, nen::ws::message m, rooms& all, journal& notes) {
    notes += std::to_string(all.b.broadcast(m, slow_peer::drop));
  }
  void on_close(nen::ws::peer&, nen::ws::close_code code, std::string_view, rooms&,
                journal& notes) {
    notes += told(code, {});
  }
};

nen::reply announce(std::string_view text, rooms& all, nen::response& res) {
  return res.text(std::to_string(all.b.broadcast(text, slow_peer::close)));
}
nen::reply announce_letters(std::uint32_t count, rooms& all, nen::response& res) {
  return res.text(std::to_string(all.b.broadcast(std::string(count, 'l'), slow_peer::drop)));
}

using routes = nen::router<nen::websocket<"/", servant>, nen::websocket<"/chat", chatter>,
                           nen::get<"/announce/:text", announce>,
                           nen::get<"/letters/:count", announce_letters>>;

template <nen::config Config>
struct server_of : nen::testing::simulated_server<routes, Config, journal, rooms> {
  using one = ws_visitor<server_of>;

  std::string notes() { return this->template state<journal>().take(); }
  std::string ask(std::string_view target) {
    const auto all = this->answer_to("GET " + std::string(target) + " HTTP/1.1\r\nHost: h\r\n\r\n");
    return all.substr(all.find("\r\n\r\n") + 4);
  }
  std::string tell(one& who, std::string_view command) {
    who.say(command);
    return notes();
  }
  auto& session() { return this->inside().session(); }
  auto sends() {
    const auto& history = this->inside().io().history();
    return std::count(history.begin(), history.end(), nen::operation::send);
  }
  /// Chatters who do not read, behind windows of this size.
  std::vector<std::unique_ptr<one>> deaf_ones(int count, std::size_t window) {
    const auto usual = std::exchange(this->network().window, window);
    std::vector<std::unique_ptr<one>> all;
    for (; count != 0; --count) {
      all.push_back(std::make_unique<one>(*this, "/chat"));
      all.back()->client().stop_reading();
    }
    this->network().window = usual;
    return all;
  }
};
using server = server_of<small>;
using visitor = ws_visitor<server>;

constexpr nen::config two_views = [] {
  nen::config c = small;
  c.ws_views = 2;
  return c;
}();

std::string text_of(std::string_view text) { return "text(" + std::string(text) + ") "; }

}  // namespace

TEST_CASE("a group takes as many as it has places for, each once", "[websocket]") {
  server s;
  visitor v0(s, "/");
  visitor v1(s, "/");
  visitor v2(s, "/");
  visitor v3(s, "/");
  CHECK(s.tell(v0, "?a") == "0 without me ");
  CHECK(s.tell(v0, "+a\n+a\n?a") == "in in 1 with me ");
  CHECK(s.tell(v1, "+a") == "in ");
  CHECK(s.tell(v2, "+a") == "in ");
  CHECK(s.tell(v3, "+a\n?a") == "full 3 without me ");
  CHECK(s.tell(v1, "-a\n-a\n?a") == "out out 2 without me ");
  CHECK(s.tell(v3, "+a\n?a") == "in 3 with me ");
  CHECK(s.tell(v0, "-a2\n?a") == "out 2 with me ");  // for somebody else
}

TEST_CASE("who closes, in whatever way, leaves all groups by himself", "[websocket]") {
  server s;
  visitor watcher(s, "/");
  for (int way = 0; way < 5; ++way) {
    INFO("way " << way);
    visitor v(s, "/");
    CHECK(s.tell(v, "will ?a\n?b") == "");
    CHECK(s.tell(v, "+a\n+b\n+a") == "in in in ");
    CHECK(s.tell(watcher, "?a\n?b") == "1 without me 1 without me ");
    switch (way) {
      case 0:
        v.send(closing(1000));
        break;
      case 1:
        v.client().finish();
        break;
      case 2:
        v.client().reset();
        break;
      case 3:
        v.send(frame(0x83));
        break;
      default:
        s.tell(v, "xa" + std::to_string(way + 1));
        v.send(closing(1000));
        break;
    }
    s.settle();
    CHECK(s.notes().ends_with(") 0 without me 0 without me "));
    CHECK(s.tell(watcher, "?a\n?b\n!a nobody") == "0 without me 0 without me to 0 ");
  }
}

TEST_CASE("everybody in the group hears a broadcast, in order, as what it was", "[websocket]") {
  server s;
  visitor v0(s, "/");
  visitor v1(s, "/");
  visitor v2(s, "/");
  for (auto* v : {&v0, &v1}) s.tell(*v, "+b");
  CHECK(s.tell(v0, "!bone\nbbtwo\n!b") == "to 2 to 2 to 2 ");
  for (auto* v : {&v0, &v1}) CHECK(v->hears() == "text(one) binary(two) text() ");
  CHECK(s.tell(v2, "!bfrom outside") == "to 2 ");
  CHECK(v2.hears() == "");
  CHECK(v0.hears() == "text(from outside) ");
  s.tell(v0, "-b");
  CHECK(s.tell(v0, "!bthree") == "to 1 ");
  CHECK(v0.hears() == "");
  CHECK(v1.hears() == "text(from outside) text(three) ");
}

TEST_CASE("a peer may be in several groups", "[websocket]") {
  server s;
  visitor v0(s, "/");
  visitor v1(s, "/");
  CHECK(s.tell(v0, "+a\n+b") == "in in ");
  CHECK(s.tell(v1, "+b") == "in ");
  CHECK(s.tell(v1, "!ax\n!by") == "to 1 to 2 ");
  CHECK(v0.hears() == "text(x) text(y) ");
  CHECK(v1.hears() == "text(y) ");
  CHECK(s.tell(v0, "-b\n!by\n!ax") == "out to 1 to 1 ");
  CHECK(v0.hears() == "text(x) ");
}

TEST_CASE("handlers broadcast, too", "[websocket]") {
  server s;
  CHECK(s.ask("/announce/nobody") == "0");
  visitor v0(s, "/chat");
  visitor v1(s, "/chat");
  CHECK(s.ask("/announce/everybody") == "2");
  CHECK(v0.hears() == "text(everybody) ");
  CHECK(v1.hears() == "text(everybody) ");
}

TEST_CASE("a broadcast is encoded once, and everybody's send points to it", "[websocket]") {
  server s;
  auto all = s.deaf_ones(10, 20);
  const std::string text(100, 'l');
  CHECK(s.ask("/letters/100") == "10");
  CHECK(s.session().shared_frames().in_use() == 1);
  CHECK(s.inside().send_slots().in_use() == 0);
  CHECK(s.inside().sends_held() == 10);
  CHECK(s.ask("/letters/101") == "10");
  CHECK(s.session().shared_frames().in_use() == 2);
  CHECK(s.inside().sends_held() == 20);
  for (std::size_t i = 0; i < 9; ++i) {
    all[i]->client().start_reading();
    s.settle();
    CHECK((all[i]->hears() == text_of(text) + text_of(text + "l")));
  }
  CHECK(s.session().shared_frames().in_use() == 2);
  all[9]->client().reset();
  s.settle();
  CHECK(s.session().shared_frames().in_use() == 0);
  CHECK(s.inside().sends_held() == 0);
}

TEST_CASE("broadcasts of one turn leave in one send for each member", "[websocket]") {
  server s;
  visitor v0(s, "/");
  visitor v1(s, "/");
  visitor v2(s, "/");
  s.tell(v0, "+b");
  s.tell(v1, "+b");
  const auto before = s.sends();
  CHECK(s.tell(v2, "!bone\n!btwo\n!bthree") == "to 2 to 2 to 2 ");
  CHECK(v0.hears() == "text(one) text(two) text(three) ");
  // They are other connections' turns: what is said while the first send is under way is the next.
  CHECK(s.sends() - before == 4);
  const auto then = s.sends();
  CHECK(s.tell(v0, "!bone\n!btwo\n!bthree") == "to 2 to 2 to 2 ");
  CHECK(s.sends() - then == 3);
}

TEST_CASE("a broadcast that is too long to be shared is copied for each", "[websocket]") {
  server s;
  auto all = s.deaf_ones(3, 20);
  CHECK(s.ask("/letters/512") == "3");
  CHECK(s.session().shared_frames().in_use() == 1);
  for (auto& v : all) {
    v->client().start_reading();
    s.settle();
    v->client().stop_reading();
  }
  CHECK(s.ask("/letters/513") == "3");
  CHECK(s.session().shared_frames().in_use() == 0);
  CHECK(s.inside().send_slots().in_use() == 3);
  CHECK(s.ask("/letters/2045") == "0");  // config::response_bytes_max
  for (auto& v : all) v->client().start_reading();
  s.settle();
  for (auto& v : all)
    CHECK((v->hears() == text_of(std::string(512, 'l')) + text_of(std::string(513, 'l'))));
}

TEST_CASE("a long message that came is broadcast from where it was gathered", "[websocket]") {
  server s;
  auto all = s.deaf_ones(4, 20);
  visitor v(s, "/chat");
  const std::string text(4000, 'm');
  v.say(text);
  CHECK(s.notes() == "5 ");
  CHECK((v.hears() == text_of(text)));
  CHECK(s.session().messages().in_use() == 1);
  CHECK(s.session().shared_frames().in_use() == 0);
  CHECK(s.inside().send_slots().in_use() == 4);  // the frames' heads
  for (auto& w : all) w->client().start_reading();
  s.settle();
  for (auto& w : all) CHECK((w->hears() == text_of(text)));
  CHECK(s.session().messages().in_use() == 0);
}

TEST_CASE("when all shared frames wait for somebody slow, the others get copies", "[websocket]") {
  server s;
  visitor v(s, "/chat");
  std::string heard;
  const auto say = [&] {
    const auto size = heard.size() % 50 + 20;
    heard += text_of(std::string(size, 'l'));
    return s.ask("/letters/" + std::to_string(size));
  };
  // Each holds some frames, and not those of the one before.
  std::vector<std::vector<std::unique_ptr<visitor>>> slow;
  for (std::uint32_t held = 0; held < 8; held = s.session().shared_frames().in_use()) {
    slow.push_back(s.deaf_ones(1, 20));
    while (say() != "1" && s.session().shared_frames().in_use() < 8) {
    }
    REQUIRE(s.session().shared_frames().in_use() > held);
  }
  CHECK(slow.size() >= 3);  // half of the frames are for those who read
  CHECK(s.counters().ws_broadcast_slots_empty.value() == 0);
  for (int i = 0; i < 20; ++i) CHECK(say() != "0");
  CHECK(s.session().shared_frames().in_use() == 8);
  CHECK(s.counters().ws_broadcast_slots_empty.value() == 20);
  CHECK(v.hears() == heard);
  // They cannot have them for ever.
  for (int i = 0; i < 10; ++i) {
    s.pass(500);
    say();
  }
  CHECK(s.session().shared_frames().in_use() < 8);
  CHECK(s.counters().send_slots_evicted.value() > 0);
}

TEST_CASE("who is behind with reading misses what he has no room for, and nobody notices",
          "[websocket]") {
  server s;
  auto slow = s.deaf_ones(1, 20);
  visitor v(s, "/chat");
  for (int i = 0; i < 10; ++i)
    CHECK(s.ask("/letters/150") == (i < 3 ? "2" : "1"));  // 154 bytes each, of 600
  std::string ten;
  for (int i = 0; i < 10; ++i) ten += text_of(std::string(150, 'l'));
  CHECK(v.hears() == ten);
  CHECK(s.session().shared_frames().in_use() == 3);
  slow[0]->client().start_reading();
  s.settle();
  CHECK(slow[0]->hears() == ten.substr(0, 3 * 157));
  CHECK(s.ask("/letters/1") == "2");
  CHECK(slow[0]->hears() == "text(l) ");
  CHECK(s.notes() == "");
}

TEST_CASE("who is behind with reading is closed with 1013 where that is the policy",
          "[websocket]") {
  server s;
  auto slow = s.deaf_ones(1, 20);
  visitor v(s, "/chat");
  for (int i = 0; i < 3; ++i) CHECK(s.ask("/letters/150") == "2");
  std::string word(150, 'w');
  CHECK(s.ask("/announce/" + word) == "1");
  CHECK(s.ask("/announce/" + word) == "1");
  slow[0]->client().start_reading();
  s.settle();
  std::string three;
  for (int i = 0; i < 3; ++i) three += text_of(std::string(150, 'l'));
  CHECK(slow[0]->hears() == three + "close(1013) ");
  CHECK(v.hears() == three + text_of(word) + text_of(word));
  slow[0]->send(closing(1013));
  CHECK(s.notes() == "closed(1013) ");
  CHECK(s.ask("/announce/x") == "1");
}

TEST_CASE("whose send finds no view misses the message, and is not closed for it", "[websocket]") {
  server_of<two_views> s;
  auto all = s.deaf_ones(3, 20);
  CHECK(s.ask("/announce/0123456789012345678901234567890") == "2");
  CHECK(s.counters().ws_views_empty.value() == 1);
  for (auto& v : all) v->client().start_reading();
  s.settle();
  CHECK(all[0]->hears() == "text(0123456789012345678901234567890) ");
  CHECK(all[2]->hears() == "");
  CHECK(s.ask("/announce/again") == "2");
  s.settle();
  CHECK(all[0]->hears() == "text(again) ");
  s.pass(1000);
  CHECK(s.session().websockets().in_use() == 3);
  CHECK(s.notes() == "");
}

TEST_CASE("a session broadcasts and closes others while it is closed itself", "[websocket]") {
  server s;
  visitor v0(s, "/");
  visitor v1(s, "/");
  visitor v2(s, "/");
  for (auto* v : {&v0, &v1, &v2}) CHECK(s.tell(*v, "+b") == "in ");
  s.tell(v0, "will !bv0 left\nxb1\n-b2\n+b\n?b");
  s.tell(v1, "will !bv1 left\n?b");
  v0.client().reset();
  s.settle();
  CHECK(s.notes() == "closed(1006) to 2 closed out full 1 without me ");
  CHECK(v1.hears() == "text(v0 left) close(1008) ");
  CHECK(v2.hears() == "text(v0 left) ");
  v1.send(closing(1008));
  CHECK(s.notes() == "closed(1008) to 0 0 without me ");
  CHECK(s.tell(v2, "?b") == "0 without me ");
}

TEST_CASE("a broadcast that closes its own sender's connection ends with it", "[websocket]") {
  server s;
  visitor v0(s, "/");
  visitor v1(s, "/");
  s.tell(v0, "+b");
  s.tell(v1, "+b");
  CHECK(s.tell(v0, "xb0\n!blast\n?b\n-b") == "closed to 1 2 without me out ");
  CHECK(v0.hears() == "close(1008) ");
  CHECK(v1.hears() == "text(last) ");
  v0.send(closing(1008));
  CHECK(s.notes() == "closed(1008) ");
  CHECK(s.tell(v1, "?b") == "1 with me ");
}
