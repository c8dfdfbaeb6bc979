// WebSockets on the simulated ring: handshake, echo, close.
#include <nen/nen.hpp>
#include <nen/server/websocket_group.hpp>
#include <nen/testing/simulated_server.hpp>

#include <string>

#include "support/catch.hpp"

namespace {

struct echo {
  void on_message(nen::ws::peer& me, nen::ws::message m) { (void)me.send(m); }
};
using routes = nen::router<nen::websocket<"/echo", echo>>;
constexpr std::string_view upgrade =
    "GET /echo HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

std::string frame(nen::ws::opcode op, std::string payload) {
  char head[14];
  const nen::ws::masking_key key = {1, 2, 3, 4};
  char* const end = nen::ws::write_masked_frame_head(head, {.opcode = op}, payload.size(), key);
  for (std::size_t i = 0; i < payload.size(); ++i)
    payload[i] = static_cast<char>(payload[i] ^ key[i % 4]);
  return std::string(head, end) + payload;
}

}  // namespace

TEST_CASE("a WebSocket is opened, echoes and closes", "[websocket]") {
  nen::testing::simulated_server<routes> server;
  auto c = server.connect();
  c.send(upgrade);
  server.settle();
  const auto head = c.take();
  CHECK(head.starts_with("HTTP/1.1 101 Switching Protocols\r\n"));
  CHECK(head.find("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n") != head.npos);
  CHECK(head.ends_with("\r\n\r\n"));
  c.send(frame(nen::ws::opcode::text, "Hello"));
  server.settle();
  CHECK(c.take() == "\x81\x05Hello");
  c.send(frame(nen::ws::opcode::ping, "p"));
  server.settle();
  CHECK(c.take() == "\x8a\x01p");
  c.send(frame(nen::ws::opcode::close, "\x03\xe8"));
  server.settle();
  CHECK(c.take() == "\x88\x02\x03\xe8");
  CHECK(c.saw_end());
}
