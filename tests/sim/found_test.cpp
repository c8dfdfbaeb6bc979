// What the seeds have found, each as the shortest run that shows it.
#include <nen/testing/simulated_server.hpp>

#include <deque>
#include <string>

#include "sim/app.hpp"
#include "support/catch.hpp"

namespace {

using namespace nen::test::sim;

constexpr nen::config one_head = {.connections = 16,
                                  .receive_buffers = 8,
                                  .receive_buffer_bytes = 512,
                                  .send_slots = 24,
                                  .send_slot_bytes = 1024,
                                  .response_bytes_max = 2048,
                                  .head_slots = 1,
                                  .head_bytes_max = 1024,
                                  .fields_max = 16,
                                  .target_bytes_max = 256,
                                  .streams = 4,
                                  .body_slots = 2,
                                  .body_bytes_max = 2048};
using server = nen::testing::simulated_server<routes, one_head, app>;

}  // namespace

TEST_CASE("a head that came in pieces is complete, and no longer the one to evict", "[sim]") {
  server s;
  auto waits = s.connect();
  waits.send("GET /slow/50 HTTP/1.1\r\nHo");
  s.settle();
  waits.send("st: h\r\n\r\n");
  s.settle();
  auto next = s.connect();
  next.send("GET /n/1 HTTP/1.1\r\nHo");
  s.settle();
  CHECK(next.take().starts_with("HTTP/1.1 503 "));  // the one slot is the waiting request's
  s.pass(100);
  CHECK(waits.take().ends_with("{\"ms\":50}"));
}

TEST_CASE("a stream that sleeps is called in time though requests wait behind it", "[sim]") {
  server s;
  auto c = s.connect();
  c.send("GET /drip/50/2 HTTP/1.1\r\nHost: h\r\n\r\nGET /n/1 HTTP/1.1\r\nHost: h\r\n\r\n");
  s.pass(200);
  CHECK(c.received().find("\r\n1\r\nx\r\n1\r\nx\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n") !=
        std::string::npos);
  CHECK(c.take().ends_with("{\"n\":1}"));
}

TEST_CASE("the last answer is the last, however slowly it is read", "[sim]") {
  server s;
  auto c = s.connect();
  s.settle();
  c.stop_reading();
  c.send("GET /fixed/65536 HTTP/1.1\r\nConnection: close\r\nHo");
  s.settle();
  c.send("st: h\r\n\r\n");
  s.pass(11'000);  // longer than header_timeout
  c.start_reading();
  s.pass(11'000);
  CHECK(c.saw_end());
  CHECK(c.received().ends_with(letters(65536)));
  CHECK(s.counters().timeouts_head.value() == 0);
}

TEST_CASE("who leaves while he holds receive buffers is not looked at for them afterwards",
          "[sim]") {
  server s;
  s.network().window = 1000;
  std::deque<nen::testing::simulated_client> slow;
  const auto ask_slowly = [&](std::string_view request) {
    slow.push_back(s.connect());
    slow.back().stop_reading();
    slow.back().send(request);
    s.settle();
  };
  ask_slowly("GET /chunks/1000/20 HTTP/1.1\r\nHost: h\r\n\r\nGET /n/1 HTTP/1.1\r\n");
  slow.back().finish();
  s.settle();
  for (int i = 0; i < 9; ++i) ask_slowly("GET /bytes/2000 HTTP/1.1\r\nHost: h\r\n\r\n");
  // Every send slot is taken, so that this one holds all receive buffers; then one more comes.
  s.network().window = 64 * 1024;
  std::string many;
  for (int i = 0; i < 200; ++i) many += "GET /n/1 HTTP/1.1\r\nHost: h\r\n\r\n";
  auto holds = s.connect();
  holds.send(many);
  s.settle();
  auto waits = s.connect();
  waits.send("GET /n/1 HTTP/1.1\r\nHost: h\r\n\r\n");
  s.pass(100);
  CHECK(s.counters().receive_buffers_empty.value() != 0);
  slow.clear();
  s.pass(100);
  CHECK(waits.take().ends_with("{\"n\":1}"));
}

TEST_CASE("a receive that began while the one before was cancelled ends with its connection",
          "[sim]") {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    server s(seed, {.late = 500, .late_ms_max = 50});
    auto c = s.connect();
    s.pass(100);
    c.send("GET /slow/5 HTTP/1.1\r\nHost: h\r\n\r\n");
    s.pass(1);
    c.send("GET /slow/5 HTTP/1.1\r\nHost: h\r\n\r\n");
    s.pass(seed % 50);
    s.abort();
    s.pass(1000);
    CHECK(s.is_over());
  }
}
