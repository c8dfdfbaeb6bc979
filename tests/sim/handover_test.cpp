// Stopping while somebody else goes on with the listener: nobody is refused, nobody who was
// accepted is lost, and requests that are on their way to idle connections are answered.
#include <nen/testing/simulated_server.hpp>
#include <nen/testing/simulated_tcp_server.hpp>

#include <array>

#include "sim/app.hpp"
#include "support/catch.hpp"

namespace {

using namespace nen::test::sim;
using nen::tcp::close_reason;
using server = nen::testing::simulated_server<routes, nen::config{.connections = 8}, app>;

constexpr std::array inherited = {0};
constexpr nen::listen_options handed_on = {.listeners = inherited};
const std::string hello = "GET /n/7 HTTP/1.1\r\nHost: h\r\n\r\n";
const std::string last = "Connection: close\r\n";

/// Answers once, also when it knows that it is the last thing it does.
struct polite {
  bool has_answered = false;
  std::size_t on_data(nen::tcp::peer& me, std::string_view bytes) {
    has_answered = true;
    return me.send(bytes);
  }
  void on_drain(nen::tcp::peer& me) {
    if (has_answered) me.close();
  }
};

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("an idle connection's next request is answered as its last, up to the end of its time",
          "[sim]") {
  for (const unsigned at_ms : {0u, 1u, 500u, 999u}) {
    INFO(at_ms);
    server s(1, {}, handed_on);
    auto c = s.connect();
    c.send(hello);
    s.settle();
    CHECK_FALSE(holds(c.take(), last));
    s.stop();
    s.pass(at_ms);
    CHECK_FALSE(c.saw_end());
    c.send(hello);
    s.settle();
    CHECK(holds(c.received(), "200 OK"));
    CHECK(holds(c.received(), last));
    CHECK(c.saw_end());
    c.close();
    s.settle();
    CHECK(s.is_over());
  }
}

TEST_CASE("an idle connection from which nothing comes is told the end, and not reset", "[sim]") {
  server s(1, {}, {.listeners = inherited, .drain_idle_timeout = std::chrono::milliseconds(300)});
  auto c = s.connect();
  c.send(hello);
  s.settle();
  s.stop();
  s.pass(299);
  CHECK_FALSE(c.saw_end());
  s.pass(1);
  CHECK(c.saw_end());
  c.send(hello);  // it crosses the end: nobody answers, and nothing breaks
  s.settle();
  CHECK_FALSE(c.was_reset());
  c.close();
  s.settle();
  CHECK(s.is_over());
  CHECK(s.counters().closes[close_reason::drained].value() == 1);
}

TEST_CASE("with listeners of its own a server waits for idle connections only if it is told to",
          "[sim]") {
  for (const bool waits : {false, true}) {
    server s(1, {}, {.drain_idle_timeout = std::chrono::milliseconds(waits ? 300 : -1)});
    auto c = s.connect();
    c.send(hello);
    s.settle();
    s.stop();
    s.settle();
    CHECK(c.saw_end() != waits);
    if (waits) c.send(hello);
    s.settle();
    CHECK(holds(c.received(), last) == waits);
    CHECK(c.saw_end());
  }
}

TEST_CASE("an answer of before the stop that is read later leaves time for the next request",
          "[sim]") {
  server s(1, {}, handed_on);
  s.network().window = 16;
  auto c = s.connect();
  c.stop_reading();
  c.send(hello);
  s.settle();
  s.stop();
  s.pass(500);
  c.start_reading();
  s.settle();
  CHECK_FALSE(holds(c.take(), last));
  c.send(hello);
  s.settle();
  CHECK(holds(c.received(), last));
  CHECK(c.saw_end());
}

TEST_CASE("whoever was accepted while the server stops is served", "[sim]") {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    INFO(seed);
    server s(seed, {.late = 300, .cancel_misses = 500, .reordered = true, .late_ms_max = 20},
             handed_on);
    s.settle();
    std::vector<nen::testing::simulated_client> crowd;
    for (int i = 0; i < 3; ++i) {
      crowd.push_back(s.connect());
      crowd.back().send(hello);
      if (i == 1) s.stop();
    }
    s.settle();
    s.pass(100);
    for (auto& c : crowd) {
      CHECK(holds(c.received(), "200 OK"));
      CHECK_FALSE(c.was_reset());
      c.close();
    }
    s.run_to_end();
    CHECK(s.counters().connections_accepted.value() == 3);
  }
}

TEST_CASE("a raw TCP session that was accepted while the server stops knows, and may answer",
          "[sim]") {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    INFO(seed);
    nen::testing::simulated_tcp_server<polite, nen::config{.connections = 8}> s(
        seed, {.late = 300, .cancel_misses = 500, .reordered = true, .late_ms_max = 20}, handed_on);
    s.settle();
    s.stop();
    auto meanwhile = s.connect();
    s.pass(50);
    meanwhile.send("hello");
    s.pass(50);
    CHECK(meanwhile.received() == "hello");
    meanwhile.close();
    s.run_to_end();
    CHECK(s.counters().connections_accepted.value() == 1);
  }
}

TEST_CASE("what waits in the backlog is looked for once more, and not for ever", "[sim]") {
  // Every accept may have kept one connection from others: 16 are looked for, and no more.
  nen::testing::simulated_server<routes, nen::config{.connections = 64}, app> s(1, {}, handed_on);
  s.settle();
  s.stop();
  std::vector<nen::testing::simulated_client> crowd;
  for (int i = 0; i < 60; ++i) {
    crowd.push_back(s.connect());
    crowd.back().send(hello);
  }
  s.settle();
  const auto accepted = s.counters().connections_accepted.value();
  CHECK(accepted > 16);
  CHECK(accepted <= 32);
  std::size_t answered = 0;
  for (auto& c : crowd) answered += holds(c.received(), "200 OK");
  CHECK(answered == accepted);
  CHECK(s.network().has_backlog());  // for who comes next
  crowd.clear();
  s.run_to_end();
}

TEST_CASE("abort takes nobody on, inherited listener or not", "[sim]") {
  server s(1, {}, handed_on);
  s.settle();
  s.abort();
  auto late = s.connect();
  late.send(hello);
  s.settle();
  CHECK(s.is_over());
  CHECK(late.received().empty());
}

TEST_CASE("a silent connection does not hold the end up for longer than its time", "[sim]") {
  server s(1, {}, handed_on);
  auto never_spoke = s.connect();
  auto half_a_head = s.connect();
  half_a_head.send("GET /n/7 HT");
  s.settle();
  s.stop();
  s.pass(1'000);
  CHECK(never_spoke.saw_end());
  CHECK_FALSE(half_a_head.saw_end());
  half_a_head.send("TP/1.1\r\nHost: h\r\n\r\n");
  s.settle();
  CHECK(holds(half_a_head.received(), last));
  s.pass(2'000);  // who is told the end has the linger timeout to go
  CHECK(s.is_over());
}
