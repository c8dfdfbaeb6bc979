// The WebSocket client: the handshake's checks, messages in every piece, pings, and every end.
#include <nen/client/websocket_client.hpp>
#include <nen/nen.hpp>
#include <nen/testing/simulated_server.hpp>

#include <array>
#include <string>
#include <string_view>

#include "support/catch.hpp"

namespace {

using nen::testing::simulated_client;
using nen::ws::close_code;
using nen::ws::connect_fault;

/// What the coroutine under test found, for the test to see.
struct findings {
  std::string url = "ws://127.0.0.1:99/chat?x=1";
  connect_fault fault = connect_fault::none;
  nen::tcp::outcome transport{};
  int status = 0;
  std::string protocol;
  std::vector<std::string> messages;
  close_code closed = close_code::none;
};

nen::task<nen::reply> talk(nen::context& ctx, findings& found, nen::response& res) {
  std::array<char, 64> room;
  auto made = co_await nen::ws::client::connect(
      ctx, found.url, {.protocols = "b, a", .timeout_ms = 1000, .message_bytes_max = 100});
  found.fault = made.fault;
  found.transport = made.transport;
  found.status = static_cast<int>(made.status);
  if (!made) co_return res.text("no");
  found.protocol = made.client.protocol();
  (void)co_await made.client.send("hello");
  while (true) {
    auto got = co_await made.client.receive_whole(room, 500);
    if (!got) {
      found.closed = got.closed;
      co_return res.text("over");
    }
    found.messages.emplace_back(got.bytes);
    if (got.bytes == "bye") co_await made.client.close();
  }
}

using routes = nen::router<nen::get<"/", talk>>;
constexpr std::string_view ask = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

struct world : nen::testing::simulated_server<routes, nen::config{}, findings> {
  world() {
    network().listeners[99] = nen::testing::connect_answer::accepted;
    asker.send(ask);
    settle();
  }
  findings& found() { return state<findings>(); }
  simulated_client server() {
    simulated_client other(network().went_out.at(0).connected);
    network().went_out.pop_front();
    return other;
  }
  simulated_client asker = connect();
};

std::string key_of(const std::string& request) {
  const auto at = request.find("Sec-WebSocket-Key: ");
  REQUIRE(at != std::string::npos);
  return request.substr(at + 19, 24);
}
std::string accept_of(const std::string& request) {
  const auto accept = nen::ws::accept_key(key_of(request));
  return {accept.data(), accept.size()};
}
std::string upgrade(const std::string& request, std::string_view more = {}) {
  return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Accept: " +
         accept_of(request) + "\r\n" + std::string(more) + "\r\n";
}
/// A whole frame as servers send it.
std::string frame(unsigned first, std::string_view payload) {
  REQUIRE(payload.size() < 126);
  std::string all{static_cast<char>(first), static_cast<char>(payload.size())};
  return all.append(payload);
}
/// Takes a client's frame apart.
std::string unmask(std::string_view all) {
  REQUIRE(all.size() >= 6);
  REQUIRE((static_cast<unsigned char>(all[1]) & 0x80U) != 0);
  std::string payload(all.substr(6, static_cast<unsigned char>(all[1]) & 0x7fU));
  for (std::size_t i = 0; i < payload.size(); ++i) payload[i] ^= all[2 + i % 4];
  return payload;
}

}  // namespace

TEST_CASE("a WebSocket client asks as RFC 6455 says and masks what it sends", "[client]") {
  world w;
  auto server = w.server();
  const std::string request = server.take();
  CHECK(request.find("GET /chat?x=1 HTTP/1.1\r\nHost: 127.0.0.1:99\r\n") == 0);
  CHECK(request.find("\r\nSec-WebSocket-Version: 13\r\n") != std::string::npos);
  CHECK(request.find("\r\nSec-WebSocket-Protocol: b, a\r\n") != std::string::npos);
  server.send(upgrade(request, "Sec-WebSocket-Protocol: a\r\n"));
  w.settle();
  CHECK(w.found().fault == connect_fault::none);
  CHECK(w.found().protocol == "a");
  const std::string hello = server.take();
  CHECK(static_cast<unsigned char>(hello.at(0)) == 0x81);
  CHECK(unmask(hello) == "hello");
}

TEST_CASE("messages come in any pieces, with control frames between them", "[client]") {
  const std::string stream = frame(0x81, "one") + frame(0x01, "tw") + frame(0x89, "ping!") +
                             frame(0x00, "") + frame(0x80, "o") + frame(0x8a, "") +
                             frame(0x82, "three") + frame(0x88, "\x03\xe8");
  for (std::size_t step = 1; step <= stream.size(); ++step) {
    INFO("in pieces of " << step);
    world w;
    auto server = w.server();
    const std::string all = upgrade(server.take()) + stream;
    for (std::size_t at = 0; at < all.size(); at += step) {
      server.send(std::string_view(all).substr(at, step));
      w.settle();
    }
    CHECK(w.found().messages == std::vector<std::string>{"one", "two", "three"});
    CHECK(w.found().closed == close_code::normal_closure);
    std::string sent = server.take();
    CHECK(unmask(sent) == "hello");
    CHECK(static_cast<unsigned char>(sent.at(11)) == 0x8a);
    CHECK(unmask(std::string_view(sent).substr(11)) == "ping!");
    CHECK(unmask(std::string_view(sent).substr(22)) == "\x03\xe8");
    CHECK(server.saw_end());
    CHECK(w.asker.received().find("over") != std::string::npos);
    w.pass(10'000);
    CHECK(w.inside().session().streams().in_use() == 0);
    CHECK(w.inside().session().frames().in_use() == 0);
  }
}

TEST_CASE("an answer that is no WebSocket's is refused", "[client]") {
  const auto fault_of = [](auto make_answer) {
    world w;
    auto server = w.server();
    const std::string request = server.take();
    server.send(make_answer(request));
    w.settle();
    CHECK(w.inside().session().frames().in_use() == 0);
    CHECK((server.saw_end() || server.was_reset()));
    return std::pair(w.found().fault, w.found().status);
  };
  CHECK(fault_of([](const std::string&) {
          return "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n";
        }) == std::pair(connect_fault::refused, 403));
  CHECK(fault_of([](const std::string&) { return "SSH-2.0\r\n\r\n"; }).first ==
        connect_fault::malformed);
  const auto changed = [&](std::string_view what, std::string_view into) {
    return fault_of([&](const std::string& request) {
             std::string answer = upgrade(request);
             answer.replace(answer.find(what), what.size(), into);
             return answer;
           })
        .first;
  };
  CHECK(changed("Upgrade: websocket", "Upgrade: h2c") == connect_fault::bad_handshake);
  CHECK(changed("Connection: Upgrade", "Connection: close") == connect_fault::bad_handshake);
  CHECK(changed("Accept: ", "Accept: x") == connect_fault::bad_handshake);
  CHECK(changed("\r\n\r\n", "\r\nSec-WebSocket-Protocol: c\r\n\r\n") ==
        connect_fault::bad_handshake);
  CHECK(changed("\r\n\r\n", "\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n") ==
        connect_fault::bad_handshake);
}

TEST_CASE("a server that breaks the rules is told the code, and it is over", "[client]") {
  const auto end_of = [](const std::string& bytes) {
    world w;
    auto server = w.server();
    server.send(upgrade(server.take()));
    w.settle();
    (void)server.take();
    server.send(bytes);
    w.settle();
    const std::string told = server.take();
    CHECK(told.size() >= 8);
    const std::string code = unmask(told);
    CHECK(static_cast<unsigned>(w.found().closed) ==
          static_cast<unsigned>(static_cast<unsigned char>(code.at(0)) << 8U |
                                static_cast<unsigned char>(code.at(1))));
    CHECK(server.saw_end());
    return w.found().closed;
  };
  CHECK(end_of(std::string("\x81\x81", 2) + "abcdx") == close_code::protocol_error);  // masked
  CHECK(end_of(frame(0xc1, "x")) == close_code::protocol_error);
  CHECK(end_of(frame(0x80, "x")) == close_code::protocol_error);
  CHECK(end_of(frame(0x81, "\xff")) == close_code::invalid_frame_payload_data);
  CHECK(end_of(std::string("\x82\x7e\x00\xff", 4)) == close_code::message_too_big);  // 255 > 100
  CHECK(end_of(frame(0x02, std::string(60, 'x')) + frame(0x80, std::string(30, 'x'))) ==
        close_code::message_too_big);  // more than the room for a whole message
}

TEST_CASE("a WebSocket's silence, reset and goodbye end it in time", "[client]") {
  SECTION("nobody answers the handshake") {
    world w;
    auto server = w.server();
    w.pass(1000);
    CHECK(w.found().fault == connect_fault::timed_out);
  }
  SECTION("nothing comes any more") {
    world w;
    auto server = w.server();
    server.send(upgrade(server.take()));
    w.pass(501);
    CHECK(w.found().closed == close_code::abnormal_closure);
    CHECK(server.saw_end());
  }
  SECTION("the server resets") {
    world w;
    auto server = w.server();
    server.send(upgrade(server.take()));
    w.settle();
    server.reset();
    w.pass(1);
    CHECK(w.found().closed == close_code::abnormal_closure);
  }
  SECTION("the client says goodbye and waits for the answer") {
    world w;
    auto server = w.server();
    server.send(upgrade(server.take()) + frame(0x81, "bye"));
    w.settle();
    (void)server.take();
    CHECK(w.asker.received().empty());
    server.send(frame(0x88, "\x03\xe8"));
    w.settle();
    CHECK(server.saw_end());
    CHECK(w.asker.received().find("over") != std::string::npos);
  }
  SECTION("whoever asked leaves") {
    world w;
    auto server = w.server();
    server.send(upgrade(server.take()));
    w.settle();
    w.asker.close();
    w.settle();
    CHECK((server.saw_end() || server.was_reset()));
    CHECK(w.inside().session().streams().in_use() == 0);
    CHECK(w.inside().session().frames().in_use() == 0);
  }
  SECTION("nobody listens") {
    nen::testing::simulated_server<routes, nen::config{}, findings> s;
    CHECK(s.answer_to(ask).find("no") != std::string::npos);
    CHECK(s.state<findings>().fault == connect_fault::not_connected);
    CHECK(s.state<findings>().transport == nen::tcp::outcome::refused);
  }
}

TEST_CASE("a WebSocket's host may be a name, and a URL that is none is refused", "[client]") {
  const auto ask_for = [](std::string url) {
    nen::testing::simulated_server<routes, nen::config{}, findings> s;
    s.network().listeners[99] = nen::testing::connect_answer::accepted;
    s.state<findings>().url = std::move(url);
    auto asker = s.connect();
    asker.send(ask);
    s.settle();
    return std::pair(s.state<findings>().fault, s.network().went_out.size());
  };
  CHECK(ask_for("ws://localhost:99/").second == 1);
  CHECK(ask_for("ws://LOCALHOST:99/").second == 1);
  CHECK(ask_for("ws://no.such.name:99/") ==
        std::pair(connect_fault::not_connected, std::size_t{0}));
  CHECK(ask_for("http://localhost:99/") == std::pair(connect_fault::bad_url, std::size_t{0}));
  CHECK(ask_for("ws://localhost:0/") == std::pair(connect_fault::bad_url, std::size_t{0}));
}
