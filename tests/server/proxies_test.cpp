// Whose connections and requests they are that proxies pass on: PROXY headers and forwarded fields,
// on both rings. Only proxies that are trusted are believed.
#include <nen/core/access.hpp>
#include <nen/core/cidr.hpp>

#include <array>
#include <string>

#include "server/two_servers.hpp"

namespace {

using namespace std::string_literals;
using nen::proxy_protocol;
using nen::tcp::close_reason;
using nen::test::on_both;
using nen::test::request_for;
using field = nen::forwarded_field;

nen::reply who(const nen::request& req, nen::response& res) {
  return res.text(req.client().to_text());
}
nen::reply who_later(nen::response& res) {
  res.defer().after(5, [](const nen::request& req, nen::response& r) { return who(req, r); });
  return res.later();
}
using routes = nen::router<nen::get<"/", who>, nen::get<"/later", who_later>>;

constexpr auto proxies = nen::cidrs<"127.0.0.8/29">;
constexpr nen::config with_headers = {
    .connections = 32, .client_limits = 48, .proxy_protocol = true};
constexpr nen::config rules_only = {.connections = 32, .client_rules = true};
constexpr nen::config with_limits = {.connections = 32, .client_limits = 48};

const std::string v1 = "PROXY TCP4 192.0.2.7 127.0.0.1 4711 80\r\n";
const std::string v2 =
    "\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c\xc0\x00\x02\x07\x7f\x00\x00\x01\x12\x67\x00\x50"s;
const std::string local = "\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00"s;

std::string xff(std::string_view value) {
  return request_for("/", "X-Forwarded-For: " + std::string(value) + "\r\n");
}

}  // namespace

TEST_CASE("a PROXY header says whose connection it is", "[proxies]") {
  on_both<routes, with_headers>(
      {.trusted_proxies = proxies, .proxy_protocol = proxy_protocol::from_trusted},
      [](auto& world) {
        for (const auto& header : {v1, v2}) {
          auto c = world.connect("127.0.0.9");
          CHECK(c.ask(header + request_for("/")).body == "192.0.2.7");
          CHECK(c.ask(request_for("/later")).body == "192.0.2.7");
          auto slow = world.connect("127.0.0.9");
          for (const char byte : header) slow.send({&byte, 1});
          CHECK(slow.ask(request_for("/")).body == "192.0.2.7");
        }
        auto unknown = world.connect("127.0.0.9");
        CHECK(unknown.ask("PROXY UNKNOWN\r\n" + request_for("/")).body == "127.0.0.9");
        auto itself = world.connect("127.0.0.9");
        CHECK(itself.ask(local + request_for("/")).body == "127.0.0.9");
        // Others speak for themselves, and a header of theirs is no request.
        auto other = world.connect("127.0.0.2");
        CHECK(other.ask(request_for("/")).body == "127.0.0.2");
        auto liar = world.connect("127.0.0.2");
        CHECK(liar.ask(v1 + request_for("/")).status == 501);
      });
}

TEST_CASE("a connection that has to begin with a PROXY header and does not is closed",
          "[proxies]") {
  on_both<routes, with_headers>(
      {.trusted_proxies = proxies, .proxy_protocol = proxy_protocol::from_trusted},
      [](auto& world) {
        for (const std::string& wrong :
             {request_for("/"), "PROXY TCP4 192.0.2.7 127.0.0.1 4711\r\n"s + request_for("/"),
              "\r\n\r\n\0\r\nQUIT\n\x11"s}) {
          auto c = world.connect("127.0.0.9");
          c.send(wrong);
          CHECK(c.is_refused());
        }
        auto half = world.connect("127.0.0.9");
        half.send(v1.substr(0, 20));
        half.close();
        auto silent = world.connect("127.0.0.9");
        silent.close();
        CHECK(world.counters().proxy_headers_rejected.value() == 4);
        CHECK(world.counters().closes[close_reason::proxy_header].value() == 4);
        CHECK(world.counters().closes[close_reason::peer_finished].value() == 1);
        CHECK(world.counters().requests.value() == 0);
      });
}

TEST_CASE("a PROXY header may be expected from everybody", "[proxies]") {
  on_both<routes, with_headers>({.proxy_protocol = proxy_protocol::from_all}, [](auto& world) {
    auto c = world.connect("127.0.0.2");
    CHECK(c.ask(v2 + request_for("/")).body == "192.0.2.7");
    auto without = world.connect("127.0.0.2");
    without.send(request_for("/"));
    CHECK(without.is_refused());
  });
}

TEST_CASE("without the option a PROXY header is a request of an unknown method", "[proxies]") {
  on_both<routes, with_headers>({}, [](auto& world) {
    auto c = world.connect("127.0.0.9");
    CHECK(c.ask(v1 + request_for("/")).status == 501);
  });
}

TEST_CASE("limits and rules hold for the client whom a PROXY header names", "[proxies]") {
  static constexpr auto bad = nen::cidrs<"198.51.100.0/24">;
  static constexpr nen::access_rules rules{.allow = {}, .deny = bad};
  static nen::access_control control(rules);
  on_both<routes, with_headers>(
      {.limits = {.connections_per_client = 1, .requests_per_second = 1, .request_burst = 2},
       .access = &control,
       .trusted_proxies = proxies,
       .proxy_protocol = proxy_protocol::from_trusted},
      [](auto& world) {
        auto c = world.connect("127.0.0.9");
        CHECK(c.ask(v1 + request_for("/")).status == 200);
        auto second = world.connect("127.0.0.9");
        second.send(v1 + request_for("/"));
        CHECK(second.is_refused());
        auto other = world.connect("127.0.0.9");
        CHECK(other.ask("PROXY TCP4 192.0.2.8 127.0.0.1 4711 80\r\n" + request_for("/")).body ==
              "192.0.2.8");
        CHECK(c.ask(request_for("/")).status == 200);
        CHECK(c.ask(request_for("/")).status == 429);
        auto denied = world.connect("127.0.0.9");
        denied.send("PROXY TCP4 198.51.100.1 127.0.0.1 4711 80\r\n" + request_for("/"));
        CHECK(denied.is_refused());
        // The proxy's own connections are as many as it likes.
        auto check = world.connect("127.0.0.9");
        auto check_too = world.connect("127.0.0.9");
        for (int i = 0; i < 5; ++i)
          CHECK(check.ask((i == 0 ? local : "") + request_for("/")).status == 200);
        CHECK(check_too.ask(local + request_for("/")).status == 200);
        CHECK(world.counters().connections_limited.value() == 1);
        CHECK(world.counters().connections_denied.value() == 1);
        CHECK(world.counters().requests_limited.value() == 1);
      });
}

TEST_CASE("a PROXY header has as long as a head has", "[proxies]") {
  nen::test::simulated_world<routes, with_headers> world(
      {.header_timeout = std::chrono::milliseconds(300),
       .proxy_protocol = proxy_protocol::from_all});
  auto c = world.connect("127.0.0.2");
  for (const char byte : v1.substr(0, 29)) {  // each byte in time, all of them not
    c.send({&byte, 1});
    world.pass(10);
  }
  CHECK_FALSE(c.is_refused());
  world.pass(10);
  CHECK(c.is_refused());
  CHECK(world.counters().closes[close_reason::idle_timeout].value() == 1);
  auto in_time = world.connect("127.0.0.2");
  world.pass(299);
  CHECK(in_time.ask(v1 + request_for("/")).status == 200);
}

TEST_CASE("a server that stops does not wait for PROXY headers", "[proxies]") {
  nen::testing::simulated_server<routes, with_headers> s(
      1, {}, {.proxy_protocol = proxy_protocol::from_all});
  auto c = s.connect();
  c.send(v1.substr(0, 10));
  s.settle();
  s.stop();
  s.settle();
  CHECK(s.is_over());
  CHECK(s.counters().closes[close_reason::drained].value() == 1);
}

TEST_CASE("a server whose listener outlives it serves whoever was accepted, behind his header",
          "[proxies]") {
  constexpr std::array inherited = {0};
  nen::testing::simulated_server<routes, with_headers> s(
      1, {.cancel_misses = 1000},
      {.listeners = inherited, .proxy_protocol = proxy_protocol::from_all});
  auto before = s.connect();
  before.send(v1.substr(0, 10));
  s.settle();
  s.stop();
  auto meanwhile = s.connect();
  s.settle();
  before.send(v1.substr(10) + request_for("/"));
  meanwhile.send(v2 + request_for("/"));
  s.settle();
  for (auto* c : {&before, &meanwhile}) {
    CHECK(c->received().find("Connection: close\r\n") != std::string::npos);
    CHECK(c->received().ends_with("192.0.2.7"));
    CHECK(c->saw_end());
    c->close();
  }
  s.settle();
  CHECK(s.is_over());
}

TEST_CASE("a connection that comes when all slots are taken is shed without a header",
          "[proxies]") {
  nen::testing::simulated_server<
      routes, nen::config{.connections = 1, .client_limits = 16, .proxy_protocol = true}>
      s(1, {}, {.overload = nen::overload::shed, .proxy_protocol = proxy_protocol::from_all});
  auto first = s.connect();
  first.send(v1 + request_for("/"));
  s.settle();
  auto second = s.connect();
  s.settle();
  CHECK(second.saw_end());
  CHECK(s.counters().connections_shed.value() == 1);
}

TEST_CASE("X-Forwarded-For of a trusted proxy says whose request it is", "[proxies]") {
  on_both<routes, rules_only>(
      {.trusted_proxies = proxies, .forwarded = field::x_forwarded_for}, [](auto& world) {
        auto c = world.connect("127.0.0.9");
        CHECK(c.ask(xff("192.0.2.7")).body == "192.0.2.7");
        CHECK(c.ask(xff("203.0.113.1, 192.0.2.8, 127.0.0.10")).body == "192.0.2.8");
        CHECK(c.ask(request_for("/")).body == "127.0.0.9");  // each request for itself
        CHECK(c.ask(request_for("/later", "X-Forwarded-For: 192.0.2.9\r\n")).body == "192.0.2.9");
        CHECK(c.ask(xff("nonsense")).body == "127.0.0.9");
        CHECK(c.ask(request_for("/", "Forwarded: for=192.0.2.7\r\n")).body == "127.0.0.9");
        auto liar = world.connect("127.0.0.2");
        CHECK(liar.ask(xff("192.0.2.7")).body == "127.0.0.2");
      });
}

TEST_CASE("Forwarded of a trusted proxy says whose request it is", "[proxies]") {
  on_both<routes, rules_only>(
      {.trusted_proxies = proxies, .forwarded = field::forwarded}, [](auto& world) {
        auto c = world.connect("127.0.0.9");
        const auto ask = [&](const char* value) {
          return c.ask(request_for("/", "Forwarded: " + std::string(value) + "\r\n")).body;
        };
        CHECK(ask("for=192.0.2.7;proto=https") == "192.0.2.7");
        CHECK(ask("for=\"[2001:db8::7]:4711\", for=127.0.0.10") == "2001:db8::7");
        CHECK(ask("for=_hidden") == "127.0.0.9");
        CHECK(c.ask(xff("192.0.2.7")).body == "127.0.0.9");
      });
}

TEST_CASE("without the option no field says whose request it is", "[proxies]") {
  on_both<routes, rules_only>({.trusted_proxies = proxies}, [](auto& world) {
    auto c = world.connect("127.0.0.9");
    CHECK(c.ask(xff("192.0.2.7")).body == "127.0.0.9");
    CHECK(c.ask(request_for("/", "Forwarded: for=192.0.2.7\r\n")).body == "127.0.0.9");
  });
}

TEST_CASE("each client of a proxy has limits of its own, and the connection stays", "[proxies]") {
  on_both<routes, with_limits>(
      {.limits = {.connections_per_client = 1, .requests_per_second = 1, .offences_max = 2},
       .trusted_proxies = proxies,
       .forwarded = field::x_forwarded_for},
      [](auto& world) {
        auto c = world.connect("127.0.0.9");
        auto second = world.connect("127.0.0.9");  // a proxy is not limited itself
        CHECK(c.ask(xff("192.0.2.7")).status == 200);
        CHECK(second.ask(xff("192.0.2.7")).status == 429);
        CHECK(c.ask(xff("192.0.2.8")).status == 200);
        const auto blacklisted = c.ask(xff("192.0.2.7"));
        CHECK(blacklisted.status == 429);
        CHECK(blacklisted.field("Retry-After") == "601");
        CHECK_FALSE(blacklisted.says_close());
        CHECK(c.ask(xff("192.0.2.9")).status == 200);
        for (int i = 0; i < 5; ++i) CHECK(c.ask(request_for("/")).status == 200);
        // What is malformed may be anybody's.
        CHECK(second.ask("nonsense\r\n\r\n").status == 400);
        auto direct = world.connect("127.0.0.2");  // what it says of itself changes nothing
        CHECK(direct.ask(xff("192.0.2.100")).status == 200);
        CHECK(direct.ask(xff("192.0.2.101")).status == 429);
        CHECK(world.counters().clients_blacklisted.value() == 1);
      });
}

TEST_CASE("whom the rules do not admit is answered 403 behind a proxy", "[proxies]") {
  static constexpr auto bad = nen::cidrs<"192.0.2.0/25">;
  static constexpr nen::access_rules rules{.allow = {}, .deny = bad};
  static nen::access_control control(rules);
  on_both<routes, rules_only>(
      {.access = &control, .trusted_proxies = proxies, .forwarded = field::x_forwarded_for},
      [](auto& world) {
        auto c = world.connect("127.0.0.9");
        const auto denied = c.ask(xff("192.0.2.7"));
        CHECK(denied.status == 403);
        CHECK(denied.count("Retry-After") == 0);
        CHECK(c.ask(xff("192.0.2.200")).body == "192.0.2.200");
        CHECK(world.counters().requests_denied.value() == 1);
      });
}

TEST_CASE("a field behind a PROXY header is believed if that names a trusted proxy", "[proxies]") {
  on_both<routes, with_headers>(
      {.trusted_proxies = proxies,
       .proxy_protocol = proxy_protocol::from_trusted,
       .forwarded = field::x_forwarded_for},
      [](auto& world) {
        auto c = world.connect("127.0.0.9");
        CHECK(c.ask("PROXY TCP4 127.0.0.10 127.0.0.1 1 80\r\n" + xff("192.0.2.7")).body ==
              "192.0.2.7");
        auto d = world.connect("127.0.0.9");
        CHECK(d.ask(v1 + xff("203.0.113.1")).body == "192.0.2.7");
      });
}

TEST_CASE("proxies that come through a Unix socket are trusted if that is wanted", "[proxies]") {
  for (const bool trusts : {false, true}) {
    static nen::server<routes, rules_only> server;
    const std::string path = "@nen-proxies-test-" + std::to_string(::getpid());
    static constexpr auto nobody = nen::cidrs<"192.0.2.255">;
    nen::test::running running(server, {.unix_path = path,
                                        .trusted_proxies = nobody,
                                        .trusts_unix_sockets = trusts,
                                        .forwarded = field::x_forwarded_for});
    auto c = nen::test::client::over_unix(path);
    CHECK(c.ask(xff("192.0.2.7")).body == (trusts ? "192.0.2.7" : "unix"));
  }
}
