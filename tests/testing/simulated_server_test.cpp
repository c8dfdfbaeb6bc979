// A server in memory: what a user's test of his handlers looks like.
#include <nen/http/router.hpp>
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
using routes = nen::router<nen::get<"/", hello>>;

constexpr std::string_view get = "GET / HTTP/1.1\r\nHost: test\r\n\r\n";

}  // namespace

TEST_CASE("a handler is tested in memory in a few lines", "[testing]") {
  nen::testing::simulated_server<routes, nen::config{}, app> server;
  CHECK(server.answer_to(get).starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(server.answer_to(get).ends_with("\r\n\r\nhello"));
  CHECK(server.answer_to("GET /other HTTP/1.1\r\nHost: test\r\n\r\n").starts_with("HTTP/1.1 404"));
  CHECK(server.state<app>().hits == 2);
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
