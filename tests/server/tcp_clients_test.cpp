// Clients of raw TCP servers by their addresses: the same gate in front of other sessions; and that
// nothing is left behind on the worst days.
#include <nen/core/access.hpp>
#include <nen/core/cidr.hpp>
#include <nen/nen.hpp>
#include <nen/server/client_gate.hpp>
#include <nen/server/tcp_server.hpp>
#include <nen/testing/simulated_server.hpp>
#include <nen/testing/simulated_tcp_server.hpp>

#include <atomic>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/client.hpp"
#include "support/test_server.hpp"

namespace {

using nen::proxy_protocol;
using nen::tcp::close_reason;

// Counted by the shard's thread.
std::atomic<int> opened = 0;
std::atomic<int> closed = 0;

/// Says whose end it is, then what came.
struct teller {
  void on_open(nen::tcp::peer& me) {
    ++opened;
    me.send(me.client().to_text());
    me.send(":");
  }
  std::size_t on_data(nen::tcp::peer& me, std::span<const std::byte> bytes) {
    return me.send(bytes);
  }
  void on_close(nen::tcp::peer&, close_reason) { ++closed; }
};

nen::task<> serve(nen::context&, nen::tcp::stream peer) {
  while (true) {
    const auto got = co_await peer.read(10'000);
    if (!got) break;
    const nen::tcp::outcome sent = co_await peer.write(got.bytes);
    if (sent != nen::tcp::outcome::ok) break;
  }
}

constexpr auto proxies = nen::cidrs<"127.0.0.1">;
constexpr nen::config sizes = {
    .connections = 8, .receive_buffers = 16, .client_limits = 24, .proxy_protocol = true};
constexpr nen::listen_options options = {.limits = {.connections_per_client = 1},
                                         .trusted_proxies = proxies,
                                         .proxy_protocol = proxy_protocol::from_trusted};

const std::string v1 = "PROXY TCP4 192.0.2.7 127.0.0.1 4711 80\r\n";

nen::endpoint from(const char* host) { return *nen::endpoint::parse(host, 4711); }

}  // namespace

TEST_CASE("raw TCP has limits and PROXY headers before its session hears of anything", "[limits]") {
  opened = closed = 0;
  {
    nen::testing::simulated_tcp_server<teller, sizes> s(1, {}, options);
    auto direct = s.connect(from("10.0.0.1"));
    auto second = s.connect(from("10.0.0.1"));
    auto proxied = s.connect(from("127.0.0.1"));
    proxied.send(v1 + "hello");
    s.settle();
    auto again = s.connect(from("127.0.0.1"));
    again.send(v1 + "hello");
    auto wrong = s.connect(from("127.0.0.1"));
    wrong.send("hello");
    s.settle();
    CHECK(direct.take() == "10.0.0.1:");
    CHECK(second.saw_end());
    CHECK(second.received().empty());
    CHECK(proxied.take() == "192.0.2.7:hello");
    CHECK(again.received().empty());
    CHECK(wrong.received().empty());
    CHECK(opened == 2);
    CHECK(closed == 0);
    CHECK(s.counters().closes[close_reason::limited].value() == 2);
    CHECK(s.counters().closes[close_reason::proxy_header].value() == 1);
  }
  CHECK(closed == 2);
}

TEST_CASE("raw TCP has them on the kernel's ring too", "[limits]") {
  opened = closed = 0;
  static nen::tcp::server<teller, sizes> server;
  nen::test::running running(server, options);
  auto proxied = running.connect();
  proxied.send(v1 + "hello");
  CHECK(proxied.read_bytes(15) == "192.0.2.7:hello");
  auto again = running.connect();
  again.send(v1);
  CHECK(again.is_closed_next());
  auto wrong = running.connect();
  wrong.send("G");
  CHECK(wrong.is_closed_next());
  CHECK(opened == 1);
}

TEST_CASE("coroutines of raw TCP never see who is not let in", "[limits]") {
  nen::testing::simulated_tcp_server<nen::tcp::coroutine<serve>, sizes> s(1, {}, options);
  auto direct = s.connect(from("10.0.0.1"));
  direct.send("hello");
  auto second = s.connect(from("10.0.0.1"));
  second.send("hello");
  auto proxied = s.connect(from("127.0.0.1"));
  proxied.send(v1 + "hello");
  s.settle();
  CHECK(direct.take() == "hello");
  CHECK(second.received().empty());
  CHECK(second.server_is_gone());
  CHECK(proxied.take() == "hello");
}

TEST_CASE("a WebSocket counts as its client's connection as long as it is open", "[limits]") {
  struct echo {
    void on_message(nen::ws::peer& me, nen::ws::message text) { me.send(text); }
  };
  using routes = nen::router<nen::websocket<"/", echo>>;
  nen::testing::simulated_server<routes, sizes> s(1, {}, options);
  auto c = s.connect(from("10.0.0.1"));
  c.send(
      "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
  s.settle();
  CHECK(c.take().starts_with("HTTP/1.1 101 "));
  auto second = s.connect(from("10.0.0.1"));
  s.settle();
  CHECK(second.saw_end());
  c.close();
  s.settle();
  auto third = s.connect(from("10.0.0.1"));
  s.settle();
  CHECK_FALSE(third.saw_end());
}

TEST_CASE("on bad days every client's place comes back", "[limits]") {
  // After each turn it is asserted that the table counts exactly the connections that are open.
  constexpr nen::listen_options strict = {
      .limits = {.connections_per_client = 2,
                 .connections_per_second = 50,
                 .offences_max = 4,
                 .blacklist_time = std::chrono::milliseconds(100)},
      .trusted_proxies = proxies,
      .proxy_protocol = proxy_protocol::from_trusted,
      .on_log = [](const nen::log_event&) {}};  // accepts fail all the time
  std::uint64_t limited = 0;
  std::uint64_t rejected = 0;
  std::uint64_t blacklisted = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    INFO("seed " << seed);
    nen::testing::simulated_tcp_server<teller, sizes> s(seed, nen::testing::faults::bad_day(),
                                                        strict);
    auto& chance = s.network().chance;
    std::vector<nen::testing::simulated_client> clients;
    for (int i = 0; i < 60; ++i) {
      const bool by_proxy = chance.chance(500);
      const std::string host = "10.0.0." + std::to_string(chance.below(4));
      clients.push_back(s.connect(from(by_proxy ? "127.0.0.1" : host.c_str())));
      auto& c = clients.back();
      if (by_proxy && !chance.chance(100)) {
        const std::string header = "PROXY TCP4 " + host + " 127.0.0.1 1 2\r\n";
        const auto cut = chance.below(header.size());
        c.send(header.substr(0, cut));
        s.pass(chance.below(20));
        if (!chance.chance(100)) c.send(header.substr(cut));
      }
      c.send("hello");
      s.pass(chance.below(20));
      if (chance.chance(300)) clients[chance.below(clients.size())].close();
      if (chance.chance(100)) clients[chance.below(clients.size())].reset();
    }
    limited += s.counters().connections_limited.value();
    rejected += s.counters().proxy_headers_rejected.value();
    blacklisted += s.counters().connections_blacklisted.value();
    clients.clear();
    s.stop();
    s.run_to_end();
    CHECK(s.inside().clients().consistent(0));
  }
  CHECK(limited > 100);
  CHECK(rejected > 100);
  CHECK(blacklisted > 100);
}
