// Accepts that fail, and those that come through while the server stops.
#include <nen/testing/simulated_server.hpp>

#include <algorithm>
#include <deque>

#include "sim/app.hpp"
#include "support/catch.hpp"

namespace {

using namespace nen::test::sim;
using namespace std::chrono_literals;

constexpr nen::config few = {.connections = 4, .receive_buffers = 8, .send_slots = 24};
using server = nen::testing::simulated_server<routes, few, app>;

}  // namespace

TEST_CASE("accepting rests after a failure instead of spinning, and goes on", "[sim]") {
  server s(1, {.refused_accept = 1000});
  std::deque<nen::testing::simulated_client> backlog;
  for (int i = 0; i < 300; ++i) backlog.push_back(s.connect());
  s.pass(1000);
  CHECK(s.counters().connections_accepted.value() == 0);
  CHECK(s.counters().accepts_failed.value() >= 10);
  const auto& history = s.inside().io().history();
  const auto accepts = std::count(history.begin(), history.end(), nen::operation::accept);
  CHECK(accepts < 100);  // for each slot once in 100 ms, and behind those who left the backlog
  s.network().faults = {};
  backlog.clear();
  s.pass(200);
  CHECK(s.answer_to("GET /n/1 HTTP/1.1\r\nHost: h\r\n\r\n").ends_with("{\"n\":1}"));
}

TEST_CASE("who is accepted while the server stops is closed at once", "[sim]") {
  nen::listen_options options;
  options.header_timeout = options.idle_timeout = options.drain_timeout = 60'000ms;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    INFO("seed " << seed);
    constexpr std::uint16_t often = 500;
    server s(seed, {.late = often, .cancel_misses = often, .late_ms_max = 50}, options);
    std::deque<nen::testing::simulated_client> silent;
    for (std::uint32_t i = 0; i < few.connections; ++i) silent.push_back(s.connect());
    s.pass(seed % 50);
    s.stop();
    s.pass(1000);
    CHECK(s.is_over());
  }
}
