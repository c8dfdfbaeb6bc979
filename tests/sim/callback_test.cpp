// A deferred answer's callback is called once, unless it asks for another time.
#include <nen/http/router.hpp>
#include <nen/testing/simulated_server.hpp>

#include <string>

#include "support/catch.hpp"

namespace {

using nen::request;
using nen::response;

struct app {
  int calls;
  nen::deferred waiting;
};

/// Its callback puts the answer off for as long as it takes somebody to ask for /tell.
nen::reply wait(app& a, response& res) {
  res.defer().after(10, [&a](const request&, response& r) {
    ++a.calls;
    a.waiting = r.defer();
    return r.later();
  });
  return res.later();
}
nen::reply tell(app& a, response& res) {
  const auto outcome =
      a.waiting.complete([](const request&, response& r) { return r.text("told"); });
  return res.text(outcome == nen::completion_outcome::answered ? "answered" : "not");
}
using routes = nen::router<nen::get<"/wait", wait>, nen::get<"/tell", tell>>;
using server = nen::testing::simulated_server<routes, nen::config{.connections = 8}, app>;

}  // namespace

TEST_CASE("a callback that puts its answer off without a time is not called again", "[sim]") {
  server s;
  auto c = s.connect();
  c.send("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
  s.pass(9);
  CHECK(s.state<app>().calls == 0);
  s.pass(1);
  CHECK(s.state<app>().calls == 1);
  s.pass(5000);
  CHECK(s.state<app>().calls == 1);
  CHECK(c.received().empty());
  CHECK(s.answer_to("GET /tell HTTP/1.1\r\nHost: h\r\n\r\n").ends_with("\r\n\r\nanswered"));
  CHECK(c.take().ends_with("\r\n\r\ntold"));
  s.pass(60'000);
  CHECK(s.state<app>().calls == 1);
}
