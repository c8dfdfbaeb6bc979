// What a handler leaves for after its return stays its own, whatever the handlers of other requests
// leave that it completes meanwhile.
#include <nen/nen.hpp>
#include <nen/testing/simulated_server.hpp>

#include <string>
#include <string_view>

#include "support/catch.hpp"

namespace {

struct app {
  nen::deferred waiting;
  bool was_staged = false;
};

nen::reply parks(app& a, nen::response& res) {
  a.waiting = res.defer();
  return res.later();
}
nen::reply streams_b(const nen::request&, nen::response& res) {
  return res.stream("a/b", [](nen::body_stream& out) {
    if (!out.ended() && out.write("bbbb")) (void)out.finish();
  });
}
/// Completes another request, which streams, before it says when it answers itself.
nen::reply defers(app& a, nen::response& res) {
  const nen::deferred mine = res.defer();
  (void)a.waiting.complete(streams_b);
  a.was_staged = mine.after(
      10, [](const nen::request&, nen::response& later) { return later.text("in time"); });
  return res.later();
}
/// Completes another request, which wants a body that it has not, behind its own wish for one.
nen::reply takes(app& a, nen::response& res) {
  const nen::reply mine = res.receive([](const nen::body_part& part, nen::response& r) {
    return part.is_last ? r.text("mine") : r.more();
  });
  (void)a.waiting.complete([](const nen::request&, nen::response& r) {
    return r.receive([](const nen::body_part&, nen::response& r2) { return r2.text("not mine"); });
  });
  return mine;
}

using routes = nen::router<nen::get<"/parks", parks>, nen::get<"/defers", defers>,
                           nen::streamed<nen::post<"/takes", takes>>>;
using server = nen::testing::simulated_server<routes, nen::config{.connections = 8}, app>;

}  // namespace

TEST_CASE("a handler that completes another request keeps its own callback", "[sim]") {
  server s;
  auto other = s.connect();
  other.send("GET /parks HTTP/1.1\r\nHost: h\r\n\r\n");
  s.settle();
  auto c = s.connect();
  c.send("GET /defers HTTP/1.1\r\nHost: h\r\n\r\n");
  s.pass(100);
  CHECK(s.state<app>().was_staged);
  CHECK(c.take().ends_with("in time"));
  CHECK(other.take().ends_with("4\r\nbbbb\r\n0\r\n\r\n"));
}

TEST_CASE("a handler that completes another request keeps what takes its body", "[sim]") {
  server s;
  auto other = s.connect();
  other.send("GET /parks HTTP/1.1\r\nHost: h\r\n\r\n");
  s.settle();
  auto c = s.connect();
  c.send("POST /takes HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx");
  s.pass(100);
  CHECK(c.take().ends_with("\r\n\r\nmine"));
  CHECK(other.take().starts_with("HTTP/1.1 500 "));
}
