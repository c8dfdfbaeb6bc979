// A connection's slot is as good as new for its next owner.
#include <nen/testing/simulated_server.hpp>

#include <string>

#include "sim/app.hpp"
#include "support/catch.hpp"

namespace {

using namespace nen::test::sim;

constexpr std::uint32_t requests_max = 3;

/// One slot, so that every connection has the one before it to thank for what it finds there.
constexpr nen::config one = {.connections = 1,
                             .receive_buffers = 4,
                             .receive_buffer_bytes = 512,
                             .send_slots = 12,
                             .send_slot_bytes = 1024,
                             .response_bytes_max = 2048,
                             .head_slots = 2,
                             .head_bytes_max = 1024,
                             .fields_max = 8,
                             .target_bytes_max = 64,
                             .streams = 1,
                             .body_slots = 1,
                             .body_bytes_max = 2048};
using server = nen::testing::simulated_server<routes, one, app>;

/// What clients leave behind them.
const std::string histories[] = {
    "",
    "GET /n/1 HTTP/1.1\r\nHost: h\r\n\r\n",
    "GET /n/1 HTTP/1.1\r\nHost: h\r\n\r\nGET /n/2 HTTP/1.1\r\nHost: h\r\n\r\n",
    "GET /n/1 HTTP/1.1\r\nHo",
    "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nhalf",
    "POST /sum/10000 HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nhalf",
    "GET /slow/10000 HTTP/1.1\r\nHost: h\r\n\r\nGET /n/1 HTTP/1.1\r\nHost: h\r\n\r\n",
    "GET /drip/10000/2 HTTP/1.1\r\nHost: h\r\n\r\nGET /n/1 HTTP/1.1\r\nHost: h\r\n\r\n",
    "nonsense\r\n\r\n",
};

}  // namespace

TEST_CASE("a connection has all its requests, whatever the one before it in its slot did",
          "[sim]") {
  for (const std::string& before : histories) {
    for (const bool resets : {false, true}) {
      INFO(before << (resets ? " reset" : " closed"));
      nen::listen_options options;
      options.requests_per_connection_max = requests_max;
      server s(1, {}, options);
      {
        auto c = s.connect();
        c.send(before);
        s.settle();
        resets ? c.reset() : c.close();
        s.settle();
        REQUIRE(s.counters().connections_closed.value() == 1);
      }
      auto c = s.connect();
      for (std::uint32_t i = 1; i <= requests_max; ++i) {
        c.send("GET /n/7 HTTP/1.1\r\nHost: h\r\n\r\n");
        s.settle();
        const std::string answer = c.take();
        CHECK(answer.ends_with("{\"n\":7}"));
        CHECK((answer.find("\r\nConnection: close\r\n") != answer.npos) == (i == requests_max));
      }
      CHECK(c.saw_end());
    }
  }
}
