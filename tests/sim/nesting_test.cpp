// A handler that completes another request before it returns: what either of them leaves for later
// is its own.
#include <nen/http/router.hpp>
#include <nen/testing/simulated_server.hpp>

#include <string>

#include "support/catch.hpp"

namespace {

using nen::request;
using nen::response;

struct app {
  nen::deferred waiting;
};

template <char C>
void write_letter(nen::body_stream& out) {
  if (!out.ended() && out.write(std::string(4, C))) (void)out.finish();
}
nen::reply park(app& a, response& res) {
  a.waiting = res.defer();
  return res.later();
}
void complete_with_stream(app& a) {
  (void)a.waiting.complete(
      [](const request&, response& r) { return r.stream("a/b", write_letter<'b'>); });
}
nen::reply streams_first(app& a, response& res) {
  auto made = res.stream("a/b", write_letter<'a'>);
  complete_with_stream(a);
  return made;
}
nen::reply completes_first(app& a, response& res) {
  complete_with_stream(a);
  return res.stream("a/b", write_letter<'a'>);
}
nen::reply defers_first(app& a, response& res) {
  res.defer().after(10,
                    [](const request&, response& r) { return r.text("4\r\naaaa\r\n0\r\n\r\n"); });
  complete_with_stream(a);
  return res.later();
}
using routes = nen::router<nen::get<"/park", park>, nen::get<"/streams-first", streams_first>,
                           nen::get<"/completes-first", completes_first>,
                           nen::get<"/defers-first", defers_first>>;
using server = nen::testing::simulated_server<routes, nen::config{.connections = 8}, app>;

std::string get_of(std::string_view target) {
  return "GET " + std::string(target) + " HTTP/1.1\r\nHost: h\r\n\r\n";
}

}  // namespace

TEST_CASE("a stream that another handler completes is not mixed up with its own answer", "[sim]") {
  for (const char* target : {"/streams-first", "/completes-first", "/defers-first"}) {
    INFO(target);
    server s;
    auto parked = s.connect();
    parked.send(get_of("/park"));
    s.settle();
    auto c = s.connect();
    c.send(get_of(target));
    s.pass(100);
    CHECK(c.take().ends_with("\r\n\r\n4\r\naaaa\r\n0\r\n\r\n"));
    CHECK(parked.take().ends_with("\r\n\r\n4\r\nbbbb\r\n0\r\n\r\n"));
  }
}
