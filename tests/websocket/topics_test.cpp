// Topics: several groups of one type within a user's own state, on one shard and on several.
#include <nen/nen.hpp>
#include <nen/testing/simulated_server.hpp>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "support/catch.hpp"
#include "support/client.hpp"
#include "support/test_server.hpp"
#include "websocket/ws_client.hpp"

namespace {

using namespace nen::test;
namespace ws = nen::ws;

template <class Group>
struct topics_of {
  std::array<Group, 16> of;
};

/// "+7" subscribes to a topic, "-7" no more, "7:text" tells those who listen to it.
template <class Topics>
struct subscriber {
  void on_message(ws::peer& me, ws::message m, Topics& topics) {
    const auto number = [](std::string_view text) { return *nen::parse_decimal<unsigned>(text); };
    if (m.bytes[0] == '+') return void(topics.of[number(m.bytes.substr(1))].join(me));
    if (m.bytes[0] == '-') return topics.of[number(m.bytes.substr(1))].leave(me);
    const auto colon = m.bytes.find(':');
    topics.of[number(m.bytes.substr(0, colon))].broadcast(m.bytes, ws::slow_peer::drop);
  }
};

using topics = topics_of<ws::group<100>>;
using routes = nen::router<nen::websocket<"/", subscriber<topics>>>;
using server = nen::testing::simulated_server<routes, small, topics>;
using visitor = ws_visitor<server>;

// The same on several shards, for real.
constexpr std::uint32_t shards = 3;
using wide_topics = topics_of<
    ws::group<100, ws::group_config{.shards = shards, .letters = 8, .letter_bytes_max = 64}>>;
nen::reply sizes(const wide_topics& t, nen::response& res) {
  std::string all;
  for (const auto& g : t.of) all += std::to_string(g.size()) + " ";
  return res.text(all);
}
using wide_routes =
    nen::router<nen::websocket<"/", subscriber<wide_topics>>, nen::get<"/sizes", sizes>>;
nen::server<wide_routes, nen::config{.shards = shards, .connections = 64}, wide_topics> wide_server;

std::string hear(client& c) {
  const auto head = c.read_bytes(2);
  REQUIRE(head[0] == '\x81');
  return c.read_bytes(static_cast<std::size_t>(head[1]));
}

}  // namespace

TEST_CASE("a peer hears the topics that it has joined, by their index", "[websocket]") {
  server s;
  std::vector<std::unique_ptr<visitor>> all;
  for (unsigned i = 0; i < 16; ++i) {
    all.push_back(std::make_unique<visitor>(s, "/"));
    for (unsigned topic = 0; topic <= i; ++topic) all[i]->say("+" + std::to_string(topic));
  }
  auto& of = s.state<topics>().of;
  for (unsigned topic = 0; topic < 16; ++topic) {
    INFO("topic " << topic);
    CHECK(of[topic].size() == 16 - topic);
    const auto text = std::to_string(topic) + ":news";
    all[0]->say(text);
    for (unsigned i = 0; i < 16; ++i)
      CHECK(all[i]->hears() == (i >= topic ? "text(" + text + ") " : ""));
  }
  all[15]->say("-3");
  all[0]->say("3:more");
  CHECK(all[15]->hears() == "");
  CHECK(all[14]->hears() == "text(3:more) ");
}

TEST_CASE("who closes has left all topics", "[websocket]") {
  server s;
  auto v = std::make_unique<visitor>(s, "/");
  visitor w(s, "/");
  for (unsigned topic = 0; topic < 16; ++topic) v->say("+" + std::to_string(topic));
  w.say("+7");
  v->client().reset();
  s.settle();
  for (unsigned topic = 0; topic < 16; ++topic)
    CHECK(s.state<topics>().of[topic].size() == (topic == 7 ? 1 : 0));
  w.say("7:still here");
  CHECK(w.hears() == "text(7:still here) ");
}

TEST_CASE("topics reach across shards, and who closes has left them everywhere", "[websocket]") {
  running run(wide_server, {}, shards);
  constexpr unsigned listeners = 24;
  std::vector<client> all;
  const auto send = [&](client& c, std::string_view text) { c.send(frame(text_frame, text)); };
  for (unsigned i = 0; i < listeners; ++i) {
    all.push_back(run.connect());
    all[i].send(upgrade_of("/"));
    std::string head;
    while (!head.ends_with("\r\n\r\n")) head += all[i].read_bytes(1);
    send(all[i], "+" + std::to_string(i % 16));
    send(all[i], "+15");
  }
  std::uint64_t used = 0;
  for (std::uint32_t i = 0; i < shards; ++i)
    used += run.count(&nen::shard_counters::websockets_opened, i) != 0;
  CHECK(used > 1);
  auto& of = wide_server.state<wide_topics>().of;
  CHECK(nen::test::eventually([&] { return of[15].size() == listeners; }));
  for (unsigned topic = 0; topic < 15; ++topic)
    CHECK(nen::test::eventually([&] { return of[topic].size() == (topic < 8 ? 2 : 1); }));
  for (unsigned topic = 0; topic < 15; ++topic) {
    const auto text = std::to_string(topic) + ":news";
    send(all[(topic + 5) % listeners], text);  // of another shard, mostly
    for (unsigned i = topic; i < listeners; i += 16) CHECK(hear(all[i]) == text);
  }
  send(all[0], "15:to all");
  for (client& c : all) CHECK(hear(c) == "15:to all");
  client outside = run.connect();
  CHECK(outside.ask("GET /sizes HTTP/1.1\r\nHost: h\r\n\r\n").body ==
        "2 2 2 2 2 2 2 2 1 1 1 1 1 1 1 24 ");
  for (std::uint64_t missed = 0; const auto& g : of) CHECK((missed += g.missed()) == 0);
  all.clear();
  for (const auto& g : of) CHECK(nen::test::eventually([&] { return g.size() == 0; }));
}
