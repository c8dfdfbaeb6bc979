// Milliseconds wrap every 49 days: a server must not notice, wherever its clock begins.
#include <nen/http/router.hpp>
#include <nen/testing/simulated_server.hpp>

#include <cstdint>
#include <string_view>
#include <vector>

#include "support/catch.hpp"

namespace {

using routes = nen::router<nen::get<"/", [](nen::response& res) { return res.text("hello"); }>>;
constexpr std::string_view get = "GET / HTTP/1.1\r\nHost: test\r\n\r\n";
constexpr std::uint64_t wrap = std::uint64_t{1} << 32;

constexpr nen::config few = {.connections = 2,
                             .receive_buffers = 4,
                             .send_slots = 8,
                             .head_slots = 2,
                             .streams = 2,
                             .body_slots = 2};
using server = nen::testing::simulated_server<routes, few>;

/// Lets time pass until the clock shows this, in its lower 32 bits.
void pass_to(server& s, std::uint32_t clock) {
  while (static_cast<std::uint32_t>(s.network().now_ms()) != clock) {
    const auto left = static_cast<std::uint32_t>(clock - s.network().now_ms());
    s.pass(left < 1'000'000'000 ? left : 1'000'000'000);
  }
}

/// Where a clock might do harm.
const std::uint32_t clocks[] = {0u,
                                1u,
                                static_cast<std::uint32_t>(wrap - 1),
                                static_cast<std::uint32_t>(wrap - 30'000),
                                static_cast<std::uint32_t>(wrap / 2 - 30'000),
                                static_cast<std::uint32_t>(wrap / 2),
                                static_cast<std::uint32_t>(wrap / 2 + 30'000),
                                3'000'000'000u,
                                4'000'000'000u};

}  // namespace

TEST_CASE("an idle connection is closed in time wherever the clock stands", "[testing]") {
  for (const std::uint32_t clock : clocks) {
    INFO("the clock began at " << clock);
    server s;
    pass_to(s, clock);
    auto client = s.connect();
    client.send(get);
    s.settle();
    CHECK(client.take().ends_with("hello"));
    s.pass(59'000);
    CHECK_FALSE(client.saw_end());
    s.pass(2'000);
    CHECK(client.saw_end());
    CHECK(s.counters().timeouts_idle.value() == 1);
  }
}

TEST_CASE("who says nothing makes room for others wherever the clock stands", "[testing]") {
  for (const std::uint32_t clock : clocks) {
    INFO("the clock began at " << clock);
    server s;
    pass_to(s, clock);
    std::vector<nen::testing::simulated_client> silent;
    for (int i = 0; i < 2; ++i) silent.push_back(s.connect());
    s.settle();
    auto waits = s.connect();
    waits.send(get);
    s.pass(1000);
    CHECK(waits.take().ends_with("hello"));
    CHECK(s.counters().connections_evicted.value() >= 1);
  }
}

TEST_CASE("a month without a client does no harm", "[testing]") {
  server s;
  const auto overloaded = [&] {
    std::vector<nen::testing::simulated_client> silent;
    for (int i = 0; i < 2; ++i) silent.push_back(s.connect());
    s.settle();
    auto waits = s.connect();
    waits.send(get);
    s.pass(1000);
    return waits.take();
  };
  for (int month = 0; month < 4; ++month) {
    CHECK(overloaded().ends_with("hello"));
    s.pass(std::uint64_t{30} * 24 * 3600 * 1000);
  }
}
