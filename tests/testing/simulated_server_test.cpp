// A server in memory: what a user's test of his handlers looks like.
#include <nen/nen.hpp>
#include <nen/testing/simulated_server.hpp>

#include "support/catch.hpp"

namespace {

struct app {
  int hits = 0;
};
nen::reply hello(app& a, nen::response& res) {
  ++a.hits;
  return res.text("hello");
}
nen::reply slow(std::uint32_t ms, nen::response& res) {
  res.defer().after(ms, [ms](const nen::request&, nen::response& later) {
    return later.json({{"ms", ms}});
  });
  return res.later();
}
using routes = nen::router<nen::get<"/", hello>, nen::get<"/slow/:ms", slow>>;

constexpr std::string_view get = "GET / HTTP/1.1\r\nHost: test\r\n\r\n";

}  // namespace

TEST_CASE("a handler is tested in memory in a few lines", "[testing]") {
  nen::testing::simulated_server<routes, nen::config{}, app> server;
  CHECK(server.answer_to(get).starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(server.answer_to(get).ends_with("\r\n\r\nhello"));
  CHECK(server.answer_to("GET /other HTTP/1.1\r\nHost: test\r\n\r\n").starts_with("HTTP/1.1 404"));
  CHECK(server.state<app>().hits == 2);
}

TEST_CASE("nobody waits for what takes a while", "[testing]") {
  nen::testing::simulated_server<routes, nen::config{}, app> server{/*seed*/ 7};
  auto client = server.connect();
  client.send("GET /slow/50 HTTP/1.1\r\nHost: test\r\n\r\n");
  server.pass(49);
  CHECK(client.received().empty());
  server.pass(1);
  CHECK(client.received().ends_with("{\"ms\":50}"));
}

TEST_CASE("time passes only when a test lets it", "[testing]") {
  nen::testing::simulated_server<routes, nen::config{}, app> server;
  auto client = server.connect();
  client.send(get);
  server.settle();
  CHECK(client.take().ends_with("hello"));
  server.pass(59'000);
  CHECK_FALSE(client.saw_end());
  server.pass(2'000);
  CHECK(client.saw_end());  // idle_timeout is a minute
  CHECK(server.counters().timeouts_idle.value() == 1);
}
