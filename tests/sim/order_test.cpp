// Who waits for memory is served in the order of coming, so that nobody waits for ever behind those
// who came later.
#include <nen/testing/simulated_server.hpp>

#include <deque>
#include <string>
#include <vector>

#include "sim/app.hpp"
#include "support/catch.hpp"

namespace {

using nen::request;
using nen::response;
using nen::test::sim::letters;

struct journal {
  std::vector<std::uint32_t> served;
};

nen::reply note(std::uint32_t n, journal& j, response& res) {
  j.served.push_back(n);
  return res.bytes(letters(2000));
}
nen::reply later(std::uint32_t ms, response& res) {
  res.defer().after(ms, [](const request&, response& r) { return r.text("at last"); });
  return res.later();
}
using routes = nen::router<nen::get<"/note/:n", note>, nen::get<"/later/:ms", later>>;

/// Send slots for four answers.
constexpr nen::config with_receive_buffers(std::uint32_t count) {
  return {.connections = 16,
          .receive_buffers = count,
          .receive_buffer_bytes = 512,
          .send_slots = 12,
          .send_slot_bytes = 1024,
          .response_bytes_max = 2048,
          .head_slots = 4,
          .head_bytes_max = 1024,
          .fields_max = 8,
          .target_bytes_max = 64,
          .body_slots = 2,
          .body_bytes_max = 2048};
}
template <std::uint32_t ReceiveBuffers>
using server =
    nen::testing::simulated_server<routes, with_receive_buffers(ReceiveBuffers), journal>;

constexpr std::uint32_t waiting = 5;

std::string get_of(std::string_view target) {
  return "GET " + std::string(target) + " HTTP/1.1\r\nHost: h\r\n\r\n";
}

std::vector<std::uint32_t> in_order(std::uint32_t first, std::uint32_t count) {
  std::vector<std::uint32_t> all;
  for (std::uint32_t i = 0; i < count; ++i) all.push_back(first + i);
  return all;
}

}  // namespace

TEST_CASE("who waits for send slots is served in the order of coming", "[sim]") {
  server<16> s;
  s.network().window = 100;
  std::deque<nen::testing::simulated_client> clients;
  const auto ask_and_not_read = [&](std::uint32_t n) {
    clients.push_back(s.connect());
    clients.back().stop_reading();
    clients.back().send(get_of("/note/" + std::to_string(n)));
    s.settle();
  };
  constexpr std::uint32_t holders = 4;
  for (std::uint32_t n = 0; n < holders; ++n) ask_and_not_read(n);
  REQUIRE(s.state<journal>().served == in_order(0, holders));
  for (std::uint32_t n = 0; n < waiting; ++n) ask_and_not_read(holders + n);
  REQUIRE(s.counters().send_slots_empty.value() == waiting);
  for (std::uint32_t n = 0; n < waiting; ++n) {
    clients.pop_front();  // who leaves makes room for one
    s.settle();
    CHECK(s.state<journal>().served == in_order(0, holders + n + 1));
  }
}

TEST_CASE("who waits for a receive buffer is served in the order of coming", "[sim]") {
  server<1> s;
  auto holder = s.connect();
  holder.send(get_of("/later/50") + get_of("/note/0"));  // its second request keeps the buffer
  s.settle();
  std::deque<nen::testing::simulated_client> clients;
  for (std::uint32_t n = 1; n <= waiting; ++n) {
    clients.push_back(s.connect());
    clients.back().send(get_of("/note/" + std::to_string(n)));
    s.settle();
  }
  CHECK(s.state<journal>().served.empty());
  CHECK(s.counters().receive_buffers_empty.value() == waiting);
  s.pass(50);
  CHECK(s.state<journal>().served == in_order(0, waiting + 1));
}
