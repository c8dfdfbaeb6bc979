// permessage-deflate on the simulated ring: agreed on, compressed, inflated, bounded; broadcasts
// are compressed once.
#include <nen/nen.hpp>
#include <nen/server/websocket_deflate.hpp>
#include <nen/testing/simulated_server.hpp>

#include <string>
#include <vector>

#include "support/catch.hpp"

namespace {

namespace ws = nen::ws;
using room = ws::group<16>;

struct echo {
  using compression = ws::deflate<>;
  void on_message(ws::peer& me, ws::message m) { (void)me.send(m); }
};
/// Two of its peers may keep their contexts.
struct remembering {
  using compression = ws::deflate<ws::deflate_config{.contexts = 2}>;
  void on_message(ws::peer& me, ws::message m) { (void)me.send(m); }
};
/// The same in a hall.
struct remembering_hall {
  using compression = ws::deflate<ws::deflate_config{.contexts = 2}>;
  void on_open(ws::peer& me, room& all) { CHECK(all.join(me)); }
  void on_message(ws::peer& me, ws::message m, room& all) {
    if (m.bytes.starts_with("all")) {
      (void)all.broadcast(m, ws::slow_peer::drop);
    } else {
      (void)me.send(m);
    }
  }
};
struct hall {
  using compression = ws::deflate<>;
  void on_open(ws::peer& me, room& all) { CHECK(all.join(me)); }
  void on_message(ws::peer&, ws::message m, room& all) {
    (void)all.broadcast(m, ws::slow_peer::drop);
  }
};
using routes = nen::router<nen::websocket<"/echo", echo>, nen::websocket<"/hall", hall>>;
using remembering_routes = nen::router<nen::websocket<"/echo", remembering>>;

constexpr nen::config sizes = {.ws_message_slots = 4, .ws_message_bytes_max = 100'000};
using server = nen::testing::simulated_server<routes, sizes, room>;

std::string upgrade(std::string_view path, std::string_view offer) {
  return "GET " + std::string(path) +
         " HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n" +
         (offer.empty() ? "" : "Sec-WebSocket-Extensions: " + std::string(offer) + "\r\n") + "\r\n";
}

std::string frame(ws::frame_head head, std::string payload) {
  char text[ws::masked_frame_head_bytes_max];
  const ws::masking_key key = {7, 77, 177, 250};
  char* const end = ws::write_masked_frame_head(text, head, payload.size(), key);
  for (std::size_t i = 0; i < payload.size(); ++i)
    payload[i] = static_cast<char>(payload[i] ^ key[i % 4]);
  return std::string(text, end) + payload;
}

/// A client that compresses and inflates by itself, with or without its context.
struct zipper {
  std::unique_ptr<ws::deflater<>> out = std::make_unique<ws::deflater<>>();
  std::unique_ptr<ws::inflater<>> in = std::make_unique<ws::inflater<>>();
  bool stands_alone = true;

  zipper() {
    REQUIRE(out->open());
    REQUIRE(in->open());
  }
  std::string zip(std::string_view text) const {
    if (stands_alone) out->reset();
    std::string into(text.size() + 1000, '\0');
    const auto size = out->compress(text, into);
    REQUIRE(size);
    into.resize(*size);
    return into;
  }
  /// The frame at the front of what was received, which it takes away.
  std::string take(std::string& bytes, bool& was_compressed) const {
    std::string copy = bytes;
    ws::frame_reader reader{};
    const ws::frame_rules rules = {
        .side = ws::side::client, .compression = true, .message_bytes_max = 10'000'000};
    char* at = copy.data();
    const auto event = reader.next(at, copy.data() + copy.size(), rules, nullptr);
    REQUIRE(event.kind == ws::frame_event_kind::data);
    REQUIRE(event.is_last);
    was_compressed = event.is_compressed;
    std::string payload(event.bytes);
    bytes.erase(0, static_cast<std::size_t>(at - copy.data()));
    if (!was_compressed) return payload;
    in->start_message(10'000'000, stands_alone);
    std::string text(1'000'000, '\0');
    const auto done = in->read(payload, true, text);
    REQUIRE(done.status == ws::inflate_status::complete);
    text.resize(done.produced);
    return text;
  }
};

const std::string long_text = [] {
  std::string text;
  for (int i = 0; i < 2000; ++i) text += "line " + std::to_string(i) + "\n";
  return text;
}();

}  // namespace

TEST_CASE("messages are compressed both ways when both sides want it", "[websocket]") {
  server s;
  zipper z;
  auto c = s.connect();
  c.send(upgrade("/echo", "permessage-deflate; client_max_window_bits"));
  s.settle();
  const auto head = c.take();
  CHECK(head.find("Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; "
                  "client_no_context_takeover\r\n") != head.npos);
  bool compressed = false;
  for (int round = 0; round < 3; ++round) {
    c.send(frame({.opcode = ws::opcode::text, .is_compressed = true}, z.zip(long_text)));
    s.settle();
    auto bytes = c.take();
    CHECK(bytes.size() < long_text.size() / 2);
    CHECK(z.take(bytes, compressed) == long_text);
    CHECK(compressed);
    CHECK(bytes.empty());
  }
  // Short ones are not worth it, and may come plain or compressed.
  c.send(frame({.opcode = ws::opcode::text}, "short") +
         frame({.opcode = ws::opcode::binary, .is_compressed = true}, z.zip("tiny")));
  s.settle();
  auto bytes = c.take();
  CHECK(z.take(bytes, compressed) == "short");
  CHECK_FALSE(compressed);
  CHECK(z.take(bytes, compressed) == "tiny");
  CHECK_FALSE(compressed);
  // A compressed message in pieces, the network's and its own.
  const auto zipped = z.zip(long_text);
  const auto half = zipped.size() / 2;
  const auto pieces = frame({.opcode = ws::opcode::text, .is_last = false, .is_compressed = true},
                            zipped.substr(0, half)) +
                      frame({.opcode = ws::opcode::ping}, "?") +
                      frame({.opcode = ws::opcode::continuation}, zipped.substr(half));
  for (const char byte : pieces) {
    c.send({&byte, 1});
    s.settle();
  }
  bytes = c.take();
  CHECK(bytes.substr(0, 3) == "\x8a\x01?");
  bytes.erase(0, 3);
  CHECK(z.take(bytes, compressed) == long_text);
}

TEST_CASE("without an offer, and with one that cannot be kept to, messages are plain",
          "[websocket]") {
  for (const auto offer :
       {"", "permessage-deflate; unknown", "permessage-deflate; server_max_window_bits=8"}) {
    server s;
    zipper z;
    auto c = s.connect();
    c.send(upgrade("/echo", offer));
    s.settle();
    CHECK(c.take().find("Sec-WebSocket-Extensions") == std::string::npos);
    c.send(frame({.opcode = ws::opcode::text}, long_text));
    s.settle();
    auto bytes = c.take();
    bool compressed = true;
    CHECK(z.take(bytes, compressed) == long_text);
    CHECK_FALSE(compressed);
    // RSV1 has no meaning then: RFC 6455 §5.2.
    c.send(frame({.opcode = ws::opcode::text, .is_compressed = true}, z.zip("x")));
    s.settle();
    CHECK(c.take() == "\x88\x02\x03\xea");
  }
}

TEST_CASE("what a message inflates to is bounded while it inflates", "[websocket]") {
  server s;
  zipper z;
  auto c = s.connect();
  c.send(upgrade("/echo", "permessage-deflate"));
  s.settle();
  (void)c.take();
  bool compressed = false;
  SECTION("as much as is allowed") {
    const std::string most(100'000, 'a');
    c.send(frame({.opcode = ws::opcode::text, .is_compressed = true}, z.zip(most)));
    s.settle();
    auto bytes = c.take();
    CHECK(z.take(bytes, compressed) == most);
  }
  SECTION("as much as is allowed of what does not compress") {
    nen::testing::random chance(1);
    std::string noise;
    while (noise.size() < 100'000) noise += static_cast<char>(chance.below(256));
    c.send(frame({.opcode = ws::opcode::binary, .is_compressed = true}, z.zip(noise)));
    s.settle();
    auto bytes = c.take();
    CHECK(z.take(bytes, compressed) == noise);
    CHECK_FALSE(compressed);
  }
  SECTION("a byte more") {
    c.send(frame({.opcode = ws::opcode::text, .is_compressed = true},
                 z.zip(std::string(100'001, 'a'))));
    s.settle();
    CHECK(c.take() == "\x88\x02\x03\xf1");  // 1009
  }
  SECTION("a bomb") {
    c.send(frame({.opcode = ws::opcode::binary, .is_compressed = true},
                 z.zip(std::string(50'000'000, '\0'))));
    s.settle();
    CHECK(c.take() == "\x88\x02\x03\xf1");
  }
  SECTION("no DEFLATE at all") {
    c.send(frame({.opcode = ws::opcode::text, .is_compressed = true}, "\xff\xff\xff\xff"));
    s.settle();
    CHECK(c.take() == "\x88\x02\x03\xef");  // 1007
  }
  SECTION("text that is no UTF-8") {
    c.send(frame({.opcode = ws::opcode::text, .is_compressed = true}, z.zip("a\xff")));
    s.settle();
    CHECK(c.take() == "\x88\x02\x03\xef");
  }
}

TEST_CASE("some peers keep their contexts, the others share", "[websocket]") {
  nen::testing::simulated_server<remembering_routes, sizes> s;
  std::vector<nen::testing::simulated_client> clients;
  std::vector<zipper> zippers(3);
  for (int i = 0; i < 3; ++i) {
    clients.push_back(s.connect());
    clients.back().send(upgrade("/echo", "permessage-deflate; client_max_window_bits"));
    s.settle();
    const bool alone = clients.back().take().find("no_context_takeover") != std::string::npos;
    CHECK(alone == (i == 2));
    zippers[static_cast<std::size_t>(i)].stands_alone = alone;
  }
  bool compressed = false;
  std::vector<std::size_t> sizes_of_second(3);
  for (int round = 0; round < 4; ++round) {
    for (std::size_t i = 0; i < 3; ++i) {
      clients[i].send(
          frame({.opcode = ws::opcode::text, .is_compressed = true}, zippers[i].zip(long_text)));
      s.settle();
      auto bytes = clients[i].take();
      sizes_of_second[i] = bytes.size();
      CHECK(zippers[i].take(bytes, compressed) == long_text);
      CHECK(compressed);
    }
  }
  CHECK(sizes_of_second[0] * 4 < sizes_of_second[2]);  // it refers to the round before
}

TEST_CASE("a broadcast is compressed once for all who understand it", "[websocket]") {
  server s;
  s.network().window = 256;  // less than the message
  zipper z;
  std::vector<nen::testing::simulated_client> clients;
  for (int i = 0; i < 6; ++i) {
    clients.push_back(s.connect());
    clients.back().send(upgrade("/hall", i % 2 == 0 ? "permessage-deflate" : ""));
    s.settle();
    (void)clients.back().take();
  }
  for (auto& c : clients) c.stop_reading();
  const std::string text = long_text.substr(0, 4000);
  clients[1].send(frame({.opcode = ws::opcode::text}, text));
  s.settle();
  CHECK(s.inside().session().shared_frames().in_use() == 2);  // one plain, one compressed
  for (auto& c : clients) c.start_reading();
  s.settle();
  bool compressed = false;
  for (std::size_t i = 0; i < clients.size(); ++i) {
    auto bytes = clients[i].take();
    CHECK(z.take(bytes, compressed) == text);
    CHECK(compressed == (i % 2 == 0));
    CHECK(bytes.empty());
  }
}

TEST_CASE("what is compressed for many does not disturb who keeps his context", "[websocket]") {
  nen::testing::simulated_server<nen::router<nen::websocket<"/hall", remembering_hall>>, sizes,
                                 room>
      s;
  std::vector<nen::testing::simulated_client> clients;
  std::vector<zipper> zippers(3);
  for (std::size_t i = 0; i < zippers.size(); ++i) {
    clients.push_back(s.connect());
    clients.back().send(upgrade("/hall", "permessage-deflate; client_max_window_bits"));
    s.settle();
    zippers[i].stands_alone =
        clients.back().take().find("no_context_takeover") != std::string::npos;
  }
  bool compressed = false;
  for (int round = 0; round < 4; ++round) {
    const std::string said = "all " + long_text.substr(static_cast<std::size_t>(round) * 500, 3000);
    clients[0].send(frame({.opcode = ws::opcode::text}, said));
    s.settle();
    for (std::size_t i = 0; i < zippers.size(); ++i) {
      auto bytes = clients[i].take();
      CHECK(zippers[i].take(bytes, compressed) == said);
      CHECK(compressed);
      clients[i].send(frame({.opcode = ws::opcode::text}, long_text));
      s.settle();
      bytes = clients[i].take();
      CHECK(zippers[i].take(bytes, compressed) == long_text);
      CHECK(compressed);
    }
  }
}
