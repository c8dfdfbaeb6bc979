// Groups across shards: real threads, real sockets.
#include <nen/nen.hpp>

#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/client.hpp"
#include "support/test_server.hpp"

namespace {

namespace ws = nen::ws;
using nen::test::client;
using nen::test::running;

constexpr std::uint32_t shards = 3;
using room = ws::group<64, ws::group_config{.shards = shards, .letters = 512}>;

struct talker {
  void on_open(ws::peer& me, room& all) { (void)all.join(me); }
  void on_message(ws::peer&, ws::message m, room& all) {
    (void)all.broadcast(m, ws::slow_peer::drop);
  }
};
nen::reply post(const nen::request& req, room& all, nen::response& res) {
  (void)all.broadcast(req.body(), ws::slow_peer::drop);
  return res.json({{"members", all.size()}});
}
using routes = nen::router<nen::websocket<"/talk", talker>, nen::post<"/say", post>>;
// A turn may bring a burst of messages, each of which is kept until all members' sends are through.
nen::server<routes, nen::config{.shards = shards, .connections = 128, .ws_broadcast_slots = 1024},
            room>
    server;

constexpr std::string_view upgrade =
    "GET /talk HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

std::string text_frame(std::string payload) {
  char head[ws::masked_frame_head_bytes_max];
  const ws::masking_key key = {1, 2, 3, 4};
  char* const end =
      ws::write_masked_frame_head(head, {.opcode = ws::opcode::text}, payload.size(), key);
  for (std::size_t i = 0; i < payload.size(); ++i)
    payload[i] = static_cast<char>(payload[i] ^ key[i % 4]);
  return std::string(head, end) + payload;
}
client join(const running<decltype(server)>& run) {
  client c = run.connect();
  c.send(upgrade);
  std::string head;
  while (!head.ends_with("\r\n\r\n")) head += c.read_bytes(1);
  CHECK(head.starts_with("HTTP/1.1 101 "));
  return c;
}
/// The payload of the next frame, which is short.
std::string hear(client& c) {
  const auto head = c.read_bytes(2);
  REQUIRE(head[0] == '\x81');
  return c.read_bytes(static_cast<std::size_t>(head[1]));
}

}  // namespace

TEST_CASE("members on all shards hear what is said on any, in each speaker's order",
          "[websocket]") {
  running run(server, {}, shards);
  std::vector<client> members;
  for (int i = 0; i < 24; ++i) members.push_back(join(run));
  // The kernel spreads connections over the shards.
  std::uint64_t used = 0;
  for (std::uint32_t i = 0; i < shards; ++i)
    used += run.count(&nen::shard_counters::websockets_opened, i) != 0;
  CHECK(used > 1);
  CHECK(nen::test::eventually([&] { return server.state<room>().size() == 24; }));
  constexpr int rounds = 50;
  for (int round = 0; round < rounds; ++round)
    for (int i = 0; i < 4; ++i)
      members[static_cast<std::size_t>(i)].send(
          text_frame(std::to_string(i) + ":" + std::to_string(round)));
  for (client& m : members) {
    int next[4] = {};
    for (int i = 0; i < 4 * rounds; ++i) {
      const std::string heard = hear(m);
      const auto speaker = static_cast<std::size_t>(heard[0] - '0');
      REQUIRE(heard.substr(2) == std::to_string(next[speaker]++));
    }
  }
  CHECK(server.state<room>().missed() == 0);
}

TEST_CASE("a request can speak to a group, and who leaves is gone", "[websocket]") {
  running run(server, {}, shards);
  std::vector<client> members;
  for (int i = 0; i < 9; ++i) members.push_back(join(run));
  CHECK(nen::test::eventually([&] { return server.state<room>().size() == 9; }));
  client outside = run.connect();
  CHECK(outside.ask("POST /say HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello").body ==
        "{\"members\":9}");
  for (client& m : members) CHECK(hear(m) == "hello");
  while (members.size() > 3) members.pop_back();
  CHECK(nen::test::eventually([&] { return server.state<room>().size() == 3; }));
}

TEST_CASE("a group with fewer shards than the server takes no members of the others",
          "[websocket]") {
  using small_room = ws::group<8>;
  struct visitor {
    void on_open(ws::peer& me, small_room& all) { (void)me.send(all.join(me) ? "in" : "out"); }
    void on_message(ws::peer&, ws::message) {}
  };
  using small_routes = nen::router<nen::websocket<"/talk", visitor>>;
  static nen::server<small_routes, nen::config{.shards = shards}, small_room> small_server;
  running run(small_server, {}, shards);
  int in = 0;
  int out = 0;
  std::vector<client> visitors;
  for (int i = 0; i < 24; ++i) {
    visitors.push_back(run.connect());
    visitors.back().send(upgrade);
    std::string head;
    while (!head.ends_with("\r\n\r\n")) head += visitors.back().read_bytes(1);
    ++(hear(visitors.back()) == "in" ? in : out);
  }
  CHECK(in > 0);
  CHECK(in <= 8);
  CHECK(out > 0);
}
