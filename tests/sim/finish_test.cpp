// A client that asks for much and sends its end along has asked for all of it (RFC 9112 §9.6): its
// answers don't fit the server's memory at once, and come one after the other all the same.
#include <nen/testing/simulated_server.hpp>

#include <string>

#include "sim/app.hpp"
#include "support/catch.hpp"

namespace {

using namespace nen::test::sim;

constexpr nen::config small = {.connections = 8,
                               .receive_buffers = 16,
                               .receive_buffer_bytes = 512,
                               .send_slots = 12,
                               .send_slot_bytes = 1024,
                               .response_bytes_max = 2048,
                               .head_slots = 2,
                               .head_bytes_max = 1024,
                               .fields_max = 16,
                               .target_bytes_max = 256,
                               .body_slots = 2,
                               .body_bytes_max = 2048};
using server = nen::testing::simulated_server<routes, small, app>;

int answers_in(const std::string& received) {
  int count = 0;
  for (auto at = received.find("HTTP/1.1 200 "); at != received.npos;
       at = received.find("HTTP/1.1 200 ", at + 1))
    ++count;
  return count;
}

}  // namespace

TEST_CASE("who sends his end with many requests gets every answer, then the server's end",
          "[sim]") {
  for (const int requests : {1, 2, 3, 10, 40}) {
    for (const bool reads_at_once : {true, false}) {
      INFO(requests << " requests, read " << (reads_at_once ? "at once" : "later"));
      server s;
      auto c = s.connect();
      s.settle();
      if (!reads_at_once) c.stop_reading();
      std::string all;
      for (int i = 0; i < requests; ++i) all += "GET /bytes/2000 HTTP/1.1\r\nHost: h\r\n\r\n";
      c.send(all);
      c.finish();
      s.settle();
      c.start_reading();
      s.settle();
      CHECK(answers_in(c.received()) == requests);
      CHECK(c.received().ends_with(letters(2000)));
      CHECK(c.saw_end());
    }
  }
}
