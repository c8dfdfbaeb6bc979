// Who holds what others wait for is cut off: the one who holds most of it or has held it longest,
// and nobody else.
#include <nen/testing/simulated_server.hpp>

#include <array>
#include <deque>
#include <string>

#include "sim/app.hpp"
#include "support/catch.hpp"

namespace {

using namespace nen::test::sim;
using nen::testing::simulated_client;

/// Send slots for four answers, four receive buffers.
constexpr nen::config scarce = {.connections = 16,
                                .receive_buffers = 4,
                                .receive_buffer_bytes = 512,
                                .send_slots = 12,
                                .send_slot_bytes = 1024,
                                .response_bytes_max = 2048,
                                .head_slots = 8,
                                .head_bytes_max = 1024,
                                .fields_max = 8,
                                .target_bytes_max = 64,
                                .body_slots = 2,
                                .body_bytes_max = 2048};
using server = nen::testing::simulated_server<routes, scarce, app>;

const std::string get_much = "GET /bytes/2000 HTTP/1.1\r\nHost: h\r\n\r\n";
const std::string get_late = "GET /slow/20000 HTTP/1.1\r\nHost: h\r\n\r\n";
const std::string get_little = "GET /n/1 HTTP/1.1\r\nHost: h\r\n\r\n";

}  // namespace

TEST_CASE("the send that has been stuck for longest is given up for who waits", "[sim]") {
  server s;
  s.network().window = 100;
  constexpr std::uint32_t apart_ms = 300;
  // Not in the order of their slots: the oldest is neither the first nor the last of them.
  constexpr std::array<std::size_t, 4> begin_in_order = {2, 0, 3, 1};
  std::deque<simulated_client> holders;
  for (std::size_t i = 0; i < begin_in_order.size(); ++i) {
    holders.push_back(s.connect());
    holders.back().stop_reading();
    s.settle();
  }
  for (const std::size_t i : begin_in_order) {
    holders[i].send(get_much);
    s.pass(apart_ms);
  }
  std::deque<simulated_client> waiting;
  for (std::size_t given_up = 0; given_up <= begin_in_order.size(); ++given_up) {
    INFO(given_up << " given up");
    CHECK(s.counters().send_slots_evicted.value() == given_up);
    for (std::size_t i = 0; i < begin_in_order.size(); ++i)
      CHECK(holders[begin_in_order[i]].server_is_gone() == (i < given_up));
    if (given_up == begin_in_order.size()) break;
    waiting.push_back(s.connect());
    waiting.back().stop_reading();
    waiting.back().send(get_much);
    s.pass(apart_ms);
  }
}

TEST_CASE("who holds the most receive buffers is cut off for who waits, and sooner the more he has",
          "[sim]") {
  for (const bool most_first : {true, false}) {
    INFO("who has the most came " << (most_first ? "first" : "last"));
    server s;
    std::deque<simulated_client> holders;
    const auto hold = [&](std::size_t bytes) {
      holders.push_back(s.connect());
      std::string all = get_late;
      while (all.size() < bytes) all += get_little;
      holders.back().send(all);
      s.settle();
    };
    hold(most_first ? 1200 : 100);
    hold(most_first ? 100 : 1200);
    simulated_client& most = holders[most_first ? 0 : 1];
    simulated_client& least = holders[most_first ? 1 : 0];
    REQUIRE(s.inside().io().leases_out() == 4);
    auto waits = s.connect();
    waits.send(get_little);
    s.pass(300);
    CHECK(waits.received().empty());
    CHECK_FALSE(most.server_is_gone());
    s.pass(100);  // a second, shared among three buffers
    CHECK(waits.take().ends_with("{\"n\":1}"));
    CHECK(most.server_is_gone());
    s.pass(10'000);  // nobody waits any more
    CHECK_FALSE(least.server_is_gone());
    CHECK(s.counters().receive_buffers_evicted.value() == 1);
  }
}
