// What one client may do, and who may be one: each limit alone, on both rings.
#include <nen/core/access.hpp>
#include <nen/core/cidr.hpp>

#include <string>

#include "server/two_servers.hpp"

namespace {

using nen::tcp::close_reason;
using nen::test::on_both;
using nen::test::request_for;
using std::chrono::milliseconds;

nen::reply who(const nen::request& req, nen::response& res) {
  const auto text = req.client().to_text();
  return res.text(text);
}
nen::reply gathered(const nen::request& req, nen::response& res) { return res.text(req.body()); }
nen::reply part_by_part(const nen::request&, nen::response& res) {
  return res.receive([](const nen::body_part& part, nen::response& r) {
    return part.is_last ? r.text("all") : r.more();
  });
}
nen::task<nen::reply> later(nen::context& ctx, const nen::request& req, nen::response& res) {
  co_await ctx.sleep(std::chrono::milliseconds(1));
  co_return who(req, res);
}

nen::reply politely(nen::status code, nen::response& res) {
  return res.text(code == nen::status::too_many_requests ? "slowly" : "what?");
}

using routes = nen::router<nen::get<"/", who>, nen::post<"/", gathered>>;
constexpr nen::config sizes = {.connections = 32, .receive_buffers = 32, .client_limits = 48};

constexpr auto pair = nen::cidrs<"127.0.0.2/31">;
constexpr auto one = nen::cidrs<"127.0.0.2">;
constexpr nen::access_rules only_pair{.allow = pair, .deny = one};
constexpr nen::access_rules not_one{.allow = {}, .deny = one};
nen::access_control control;

std::uint64_t closed(const nen::shard_counters& counters, close_reason why) {
  return counters.closes[why].value();
}

}  // namespace

TEST_CASE("a client that has enough connections gets no more", "[limits]") {
  on_both<routes, sizes>({.limits = {.connections_per_client = 2}}, [](auto& world) {
    auto a = world.connect("127.0.0.2");
    auto b = world.connect("127.0.0.2");
    auto c = world.connect("127.0.0.2");
    CHECK(c.is_refused());
    CHECK(a.ask(request_for("/")).body == "127.0.0.2");
    CHECK(b.ask(request_for("/")).status == 200);
    auto other = world.connect("127.0.0.3");
    CHECK(other.ask(request_for("/")).body == "127.0.0.3");
    a.close();
    auto d = world.connect("127.0.0.2");
    CHECK(d.ask(request_for("/")).status == 200);
    CHECK(world.counters().connections_limited.value() == 1);
    CHECK(closed(world.counters(), close_reason::limited) == 1);
  });
}

TEST_CASE("a client that connects too fast is not let in", "[limits]") {
  on_both<routes, sizes>({.limits = {.connections_per_second = 4, .connection_burst = 3}},
                         [](auto& world) {
                           for (int i = 0; i < 3; ++i) {
                             auto c = world.connect("127.0.0.2");
                             CHECK(c.ask(request_for("/")).status == 200);
                           }
                           auto refused = world.connect("127.0.0.2");
                           CHECK(refused.is_refused());
                           auto other = world.connect("127.0.0.3");
                           CHECK(other.ask(request_for("/")).status == 200);
                           world.pass(500);
                           auto again = world.connect("127.0.0.2");
                           CHECK(again.ask(request_for("/")).status == 200);
                           CHECK(world.counters().connections_limited.value() == 1);
                         });
}

TEST_CASE("requests over the rate are answered 429, and the connection is kept", "[limits]") {
  on_both<routes, sizes>({.limits = {.requests_per_second = 2, .request_burst = 3}},
                         [](auto& world) {
                           auto c = world.connect("127.0.0.2");
                           for (int i = 0; i < 3; ++i) CHECK(c.ask(request_for("/")).status == 200);
                           const auto refused = c.ask(request_for("/"));
                           CHECK(refused.status == 429);
                           CHECK(refused.field("Retry-After") == "1");
                           CHECK_FALSE(refused.says_close());
                           auto second = world.connect("127.0.0.2");  // the client is the same
                           CHECK(second.ask(request_for("/")).status == 429);
                           auto other = world.connect("127.0.0.3");
                           CHECK(other.ask(request_for("/")).status == 200);
                           world.pass(500);
                           CHECK(c.ask(request_for("/")).status == 200);
                           CHECK(world.counters().requests_limited.value() == 2);
                           CHECK(world.counters().requests.value() == 5);
                         });
}

TEST_CASE("Retry-After says when there is a request again", "[limits]") {
  nen::test::simulated_world<routes, sizes> world(
      nen::listen_options{.limits = {.requests_per_second = 1, .request_burst = 1}});
  auto c = world.connect("127.0.0.2");
  CHECK(c.ask(request_for("/")).status == 200);
  CHECK(c.ask(request_for("/")).field("Retry-After") == "2");  // in 1,000 ms: not before
  world.pass(1);
  CHECK(c.ask(request_for("/")).field("Retry-After") == "1");
  world.pass(999);
  CHECK(c.ask(request_for("/")).status == 200);
}

TEST_CASE("who goes on too fast is on the blacklist for a while", "[limits]") {
  on_both<routes, sizes>({.limits = {.requests_per_second = 1,
                                     .offences_max = 2,
                                     .blacklist_time = milliseconds(1500)}},
                         [](auto& world) {
                           auto c = world.connect("127.0.0.2");
                           auto second = world.connect("127.0.0.2");
                           CHECK(c.ask(request_for("/")).status == 200);
                           CHECK_FALSE(c.ask(request_for("/")).says_close());
                           const auto last = c.ask(request_for("/"));
                           CHECK(last.status == 429);
                           CHECK(last.says_close());
                           CHECK(last.field("Retry-After") == "2");
                           CHECK(second.ask(request_for("/")).says_close());
                           auto next = world.connect("127.0.0.2");
                           CHECK(next.is_refused());
                           auto other = world.connect("127.0.0.3");
                           CHECK(other.ask(request_for("/")).status == 200);
                           world.pass(1500);
                           auto again = world.connect("127.0.0.2");
                           CHECK(again.ask(request_for("/")).status == 200);
                           CHECK(world.counters().clients_blacklisted.value() == 1);
                           CHECK(world.counters().connections_blacklisted.value() == 1);
                           CHECK(closed(world.counters(), close_reason::blacklisted) == 1);
                         });
}

TEST_CASE("malformed requests are offences", "[limits]") {
  on_both<routes, sizes>({.limits = {.offences_max = 2}}, [](auto& world) {
    for (int i = 0; i < 2; ++i) {
      auto c = world.connect("127.0.0.2");
      CHECK(c.ask("GET / HTTP/1.1\r\nHost : x\r\n\r\n").status == 400);
    }
    auto c = world.connect("127.0.0.2");
    CHECK(c.is_refused());
    auto other = world.connect("127.0.0.3");
    CHECK(other.ask(request_for("/")).status == 200);
  });
}

TEST_CASE("offences are forgotten when their window is over", "[limits]") {
  nen::test::simulated_world<routes, sizes> world(nen::listen_options{
      .limits = {.offences_max = 2, .offence_window = std::chrono::seconds(10)}});
  for (int i = 0; i < 5; ++i) {
    auto c = world.connect("127.0.0.2");
    CHECK(c.ask("nonsense\r\n\r\n").status == 400);
    world.pass(10'000);
  }
  auto c = world.connect("127.0.0.2");
  CHECK(c.ask(request_for("/")).status == 200);
}

TEST_CASE("limits hold for requests with bodies, whole and part by part", "[limits]") {
  using with_bodies =
      nen::router<nen::post<"/whole", gathered>, nen::streamed<nen::post<"/parts", part_by_part>>>;
  for (const char* path : {"/whole", "/parts"}) {
    INFO(path);
    nen::test::simulated_world<with_bodies, sizes> world(
        nen::listen_options{.limits = {.requests_per_second = 1}});
    const std::string head =
        "POST " + std::string(path) + " HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n";
    auto c = world.connect("127.0.0.2");
    CHECK(c.ask(head + "abc").status == 200);
    CHECK(c.ask(head + "abc").status == 429);
    auto slow = world.connect("127.0.0.2");
    slow.send(head.substr(0, 20));
    slow.send(head.substr(20) + "a");
    CHECK(slow.ask("bc").status == 429);
  }
}

TEST_CASE("limits hold where handlers are coroutines", "[limits]") {
  using slow_routes = nen::router<nen::get<"/", later>>;
  nen::test::simulated_world<slow_routes, sizes> world(
      nen::listen_options{.limits = {.connections_per_client = 1, .requests_per_second = 1}});
  auto c = world.connect("127.0.0.2");
  c.send(request_for("/"));
  world.pass(5);
  CHECK(c.ask({}).body == "127.0.0.2");
  CHECK(c.ask(request_for("/")).status == 429);
  auto second = world.connect("127.0.0.2");
  CHECK(second.is_refused());
}

TEST_CASE("on_error may say it in its own way", "[limits]") {
  using polite = nen::router<nen::get<"/", who>, nen::on_error<politely>>;
  nen::test::simulated_world<polite, sizes> world(
      nen::listen_options{.limits = {.requests_per_second = 1}});
  auto c = world.connect("127.0.0.2");
  CHECK(c.ask(request_for("/")).body == "127.0.0.2");
  const auto refused = c.ask(request_for("/"));
  CHECK(refused.status == 429);
  CHECK(refused.body == "slowly");
}

TEST_CASE("a full table forgets the oldest and keeps who is connected", "[limits]") {
  nen::test::simulated_world<routes, nen::config{.connections = 2, .client_limits = 12}> world(
      nen::listen_options{.limits = {.requests_per_second = 1}});
  auto stays = world.connect("10.0.0.1");
  CHECK(stays.ask(request_for("/")).status == 200);
  for (int i = 0; i < 30; ++i) {
    auto c = world.connect("10.1.0." + std::to_string(i));
    CHECK(c.ask(request_for("/")).status == 200);
    c.close();
  }
  CHECK(world.counters().client_slots_evicted.value() == 31 - 12);
  CHECK(stays.ask(request_for("/")).status == 429);
  auto forgotten = world.connect("10.1.0.0");
  CHECK(forgotten.ask(request_for("/")).status == 200);
  forgotten.close();
  auto remembered = world.connect("10.1.0.29");
  CHECK(remembered.ask(request_for("/")).status == 429);
}

TEST_CASE("access rules say who is let in, and change while the server runs", "[limits]") {
  using ruled = nen::router<nen::get<"/", who>>;
  control.replace(only_pair);
  on_both<ruled, nen::config{.connections = 32, .client_rules = true}>(
      {.access = &control}, [](auto& world) {
        auto denied = world.connect("127.0.0.2");
        CHECK(denied.is_refused());
        auto allowed = world.connect("127.0.0.3");
        CHECK(allowed.ask(request_for("/")).body == "127.0.0.3");
        auto neither = world.connect("127.0.0.4");
        CHECK(neither.is_refused());
        control.replace(not_one);
        auto again = world.connect("127.0.0.4");
        CHECK(again.ask(request_for("/")).status == 200);
        CHECK(world.connect("127.0.0.2").is_refused());
        control.replace(only_pair);
        CHECK(world.counters().connections_denied.value() == 3);
        CHECK(closed(world.counters(), close_reason::denied) == 3);
      });
}

TEST_CASE("options that need what the server has not are refused with a sentence", "[limits]") {
  static const auto inner = nen::cidrs<"10.0.0.0/8">;
  const auto says = [](const auto& world, const char* text) {
    const auto& opened = world.opened();
    REQUIRE_FALSE(opened);
    INFO(opened.error().message());
    CHECK(opened.error().message().find(text) != std::string_view::npos);
  };
  using plain = nen::testing::simulated_server<routes>;
  using ruled = nen::testing::simulated_server<routes, nen::config{.client_rules = true}>;
  says(plain(1, {}, {.limits = {.requests_per_second = 1}}), "config::client_limits");
  says(plain(1, {}, {.access = &control}), "config::client_rules");
  says(plain(1, {}, {.trusted_proxies = inner}), "config::client_rules");
  says(plain(1, {}, {.proxy_protocol = nen::proxy_protocol::from_all}), "config::proxy_protocol");
  says(ruled(1, {}, {.limits = {.connections_per_client = 1}}), "set config::client_limits");
  says(ruled(1, {}, {.proxy_protocol = nen::proxy_protocol::from_all}), "config::proxy_protocol");
  says(ruled(1, {}, {.forwarded = nen::forwarded_field::forwarded}), "nobody is trusted");
  using with_headers = nen::testing::simulated_server<routes, nen::config{.proxy_protocol = true}>;
  says(with_headers(1, {}, {.proxy_protocol = nen::proxy_protocol::from_trusted}),
       "nobody is trusted");
  CHECK(ruled(1, {}, {.access = &control, .trusted_proxies = inner}).opened());
}

TEST_CASE("a server without a gate has no trace of one", "[limits]") {
  using with = nen::tcp_shard<nen::http_session<routes, sizes>, sizes, nen::uring>;
  constexpr nen::config without_sizes = {.connections = 32, .receive_buffers = 32};
  using without =
      nen::tcp_shard<nen::http_session<routes, without_sizes>, without_sizes, nen::uring>;
  static_assert(sizeof(with::connection) > sizeof(without::connection));
  static_assert(sizeof(without::connection) ==
                sizeof(nen::connection<without::session_type::connection_state>));
  CHECK_FALSE(without::gate::has_table);
  const auto bill = nen::server<routes, sizes>::memory();
  bool listed = false;
  for (const auto& item : bill.items) listed = listed || (item.name == "clients");
  CHECK(listed);
}
