// stop() again is stop(): only abort() cuts off what is in hand.
#include <nen/testing/simulated_server.hpp>

#include "sim/app.hpp"
#include "support/catch.hpp"

namespace {

using namespace nen::test::sim;
using server = nen::testing::simulated_server<routes, nen::config{.connections = 8}, app>;

}  // namespace

TEST_CASE("however often a server is stopped, the request in hand is finished", "[sim]") {
  for (const int times : {1, 2, 1000}) {
    for (const bool at_once : {true, false}) {
      INFO(times << " times" << (at_once ? " at once" : ""));
      server s;
      auto c = s.connect();
      c.send("GET /slow/500 HTTP/1.1\r\nHost: h\r\n\r\n");
      s.settle();
      for (int i = 0; i < times; ++i) {
        s.stop();
        if (!at_once) s.settle();
      }
      s.pass(499);
      CHECK(c.received().empty());
      CHECK_FALSE(s.is_over());
      s.pass(1);
      CHECK(c.take().ends_with("{\"ms\":500}"));
      CHECK(c.saw_end());
      c.close();
      s.settle();
      CHECK(s.is_over());
      CHECK(s.counters().drain_aborts.value() == 0);
    }
  }
}

TEST_CASE("abort cuts off what is in hand, before and after a stop", "[sim]") {
  for (const bool stops_first : {true, false}) {
    server s;
    auto c = s.connect();
    c.send("GET /slow/500 HTTP/1.1\r\nHost: h\r\n\r\n");
    s.settle();
    if (stops_first) s.stop();
    s.abort();
    s.pass(10);
    CHECK(s.is_over());
    CHECK(c.received().empty());
    CHECK(s.counters().drain_aborts.value() == 1);
  }
}
