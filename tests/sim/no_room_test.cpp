// What the server has to say unasked, while there is no room to say it: then it closes in silence.
#include <nen/testing/simulated_server.hpp>

#include <deque>
#include <string>

#include "sim/app.hpp"
#include "support/catch.hpp"

namespace {

using namespace nen::test::sim;
using namespace std::chrono_literals;
using nen::testing::simulated_client;

/// Send slots for four answers, one head slot beside that of a deferred answer.
constexpr nen::config scarce = {.connections = 8,
                                .receive_buffers = 8,
                                .receive_buffer_bytes = 512,
                                .send_slots = 12,
                                .send_slot_bytes = 1024,
                                .response_bytes_max = 2048,
                                .head_slots = 1,
                                .head_bytes_max = 1024,
                                .fields_max = 8,
                                .target_bytes_max = 64,
                                .body_slots = 2,
                                .body_bytes_max = 2048};
using server = nen::testing::simulated_server<routes, scarce, app>;

nen::listen_options patient() {
  nen::listen_options o;
  o.write_timeout = 0ms;
  o.header_timeout = o.handler_timeout = o.body_timeout = 5000ms;
  o.overload = nen::overload::shed;
  return o;
}

/// Takes every send slot, by not reading.
std::deque<simulated_client> fill(server& s) {
  s.network().window = 100;
  std::deque<simulated_client> holders;
  for (int i = 0; i < 4; ++i) {
    holders.push_back(s.connect());
    holders.back().stop_reading();
    holders.back().send("GET /bytes/2000 HTTP/1.1\r\nHost: h\r\n\r\n");
    s.settle();
  }
  REQUIRE(s.inside().send_slots().in_use() == scarce.send_slots);
  return holders;
}

/// It was closed, and heard nothing; room is there again and others are served.
void check_silence(server& s, simulated_client& c, std::deque<simulated_client>& holders) {
  CHECK(c.server_is_gone());
  CHECK(c.received().empty());
  holders.clear();
  s.network().window = 64 * 1024;
  s.settle();
  CHECK(s.answer_to("GET /n/7 HTTP/1.1\r\nHost: h\r\n\r\n").ends_with("{\"n\":7}"));
}

}  // namespace

TEST_CASE("a request whose time is up is not told so while there is no room to", "[sim]") {
  for (const char* request : {"GET /n/1 HTTP/1.1\r\nHo",
                              "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nhalf",
                              "GET /slow/60000 HTTP/1.1\r\nHost: h\r\n\r\n"}) {
    INFO(request);
    server s(1, {}, patient());
    auto c = s.connect();
    c.send(request);
    s.settle();
    auto holders = fill(s);
    s.pass(4900);
    CHECK_FALSE(c.server_is_gone());
    s.pass(200);
    check_silence(s, c, holders);
  }
}

TEST_CASE("an incomplete head is evicted in silence while there is no room to answer it", "[sim]") {
  server s(1, {}, patient());
  auto c = s.connect();
  c.send("GET /n/1 HTTP/1.1\r\nHo");
  s.settle();
  auto other = s.connect();
  auto holders = fill(s);
  holders.pop_back();  // three slots: room for the request that evicts, and none beside it
  s.settle();
  other.send("GET /n/2 HTTP/1.1\r\nHo");
  s.settle();
  CHECK(s.counters().head_slots_evicted.value() == 1);
  other.send("st: h\r\n\r\n");
  s.settle();
  CHECK(other.take().ends_with("{\"n\":2}"));
  check_silence(s, c, holders);
}

TEST_CASE("who is one too many is not told so while there is no room to", "[sim]") {
  server s(1, {}, patient());
  auto holders = fill(s);
  while (holders.size() < scarce.connections) {
    holders.push_back(s.connect());
    s.settle();
  }
  auto c = s.connect();
  s.settle();
  CHECK(s.counters().connections_shed.value() == 1);
  check_silence(s, c, holders);
}
