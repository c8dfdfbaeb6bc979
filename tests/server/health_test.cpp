// What a server says of its health, and that it serves on for a while when it is told to stop, on
// both rings.
#include <nen/nen.hpp>
#include <nen/server/health.hpp>
#include <nen/testing/simulated_server.hpp>

#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/client.hpp"
#include "support/test_server.hpp"
#include "tasks/bad_days.hpp"

namespace {

using nen::test::answer;
using nen::test::milliseconds;
using nen::test::quiet;
using text = std::string_view;

using site = nen::router<nen::livez<"/livez">, nen::readyz<"/readyz">,
                         nen::get<"/", [](nen::response& res) { return res.text("hello"); }>>;

constexpr nen::config few = {.connections = 4,
                             .receive_buffers = 2,
                             .receive_buffer_bytes = 256,
                             .send_slots = 16,
                             .send_slot_bytes = 1024,
                             .response_bytes_max = 1024,
                             .head_slots = 2,
                             .head_bytes_max = 512,
                             .target_bytes_max = 128,
                             .body_slots = 1,
                             .body_bytes_max = 512};

using simulated = nen::testing::simulated_server<site, few>;

std::string get(text path) {
  return std::string("GET ").append(path).append(" HTTP/1.1\r\nHost: h\r\n\r\n");
}

/// Asks on this connection.
answer ask(simulated& server, nen::testing::simulated_client& c, text path) {
  c.send(get(path));
  server.settle();
  const std::string got = c.take();
  const auto end = got.find("\r\n\r\n");
  answer a = nen::test::parse_answer_head(text(got).substr(0, end + 2));
  a.body = got.substr(end + 4);
  return a;
}

nen::listen_options delaying(int ms) {
  nen::listen_options o = quiet;
  o.drain_delay = milliseconds(ms);
  return o;
}

void check_ready(const answer& a) {
  CHECK(a.status == 200);
  CHECK(a.body == "ready\n");
  CHECK(a.field("Cache-Control") == "no-store");
  CHECK(a.count("Retry-After") == 0);
}
void check_not_ready(const answer& a, text why) {
  CHECK(a.status == 503);
  CHECK(a.body == why);
  CHECK(a.field("Cache-Control") == "no-store");
  CHECK(a.field("Retry-After") == "1");
}

}  // namespace

TEST_CASE("a server is alive, and ready while it has room") {
  simulated server(1, {}, quiet);
  auto c = server.connect();
  const answer alive = ask(server, c, "/livez");
  CHECK(alive.status == 200);
  CHECK(alive.body == "alive\n");
  CHECK(alive.field("Cache-Control") == "no-store");
  check_ready(ask(server, c, "/readyz"));
}

TEST_CASE("a server whose connections are all taken is alive and not ready") {
  simulated server(1, {}, quiet);
  std::vector<nen::testing::simulated_client> all;
  for (std::uint32_t i = 0; i < few.connections; ++i) {
    all.push_back(server.connect());
    CHECK(ask(server, all.back(), "/").body == "hello");
  }
  check_not_ready(ask(server, all[0], "/readyz"), "overloaded\n");
  CHECK(ask(server, all[0], "/livez").status == 200);
  all.pop_back();
  server.pass(200);
  check_ready(ask(server, all[0], "/readyz"));
}

TEST_CASE("a server in which somebody waits for a receive buffer is not ready") {
  simulated server(1, {}, quiet);
  // Each sends more than is answered while he does not read, so that what he sent stays unread.
  std::vector<nen::testing::simulated_client> greedy;
  for (int i = 0; i < 2; ++i) {
    greedy.push_back(server.connect());
    greedy.back().stop_reading();
    for (int n = 0; n < 2000; ++n) greedy.back().send(get("/"));
  }
  server.settle();
  auto c = server.connect();
  c.send(get("/readyz"));
  for (int i = 0; i < 100 && c.received().empty(); ++i) server.pass(50);
  CHECK(c.received().starts_with("HTTP/1.1 503"));
  CHECK(server.counters().receive_buffers_evicted.value() != 0);
  c.take();
  greedy.clear();
  server.pass(500);
  check_ready(ask(server, c, "/readyz"));
}

TEST_CASE("a server that is told to stop serves on for the delay, and says that it is not ready") {
  simulated server(1, {}, delaying(100));
  auto idle = server.connect();
  check_ready(ask(server, idle, "/readyz"));
  server.stop();
  server.pass(50);
  check_not_ready(ask(server, idle, "/readyz"), "draining\n");
  CHECK(ask(server, idle, "/livez").status == 200);
  auto late = server.connect();
  const answer hello = ask(server, late, "/");
  CHECK(hello.body == "hello");
  CHECK_FALSE(hello.says_close());
  server.stop();  // again: that is no longer delay
  server.pass(48);
  CHECK_FALSE(idle.saw_end());
  CHECK_FALSE(server.is_over());
  server.pass(10);
  CHECK(idle.saw_end());
  CHECK(late.saw_end());
  CHECK(server.is_over());
  auto too_late = server.connect();
  CHECK(too_late.was_reset());
  CHECK(server.counters().drain_aborts.value() == 0);
}

TEST_CASE("behind the delay, requests in hand have the drain timeout") {
  nen::listen_options options = delaying(100);
  options.drain_timeout = milliseconds(1000);
  simulated server(1, {}, options);
  auto slow = server.connect();
  slow.send("GET / HT");
  server.settle();
  server.stop();
  server.pass(1050);
  CHECK_FALSE(slow.saw_end());
  CHECK_FALSE(server.is_over());
  server.pass(60);
  CHECK(server.is_over());
  CHECK(server.counters().drain_aborts.value() == 1);
}

TEST_CASE("a request in hand when the server stops without a delay is told that it drains") {
  simulated server(1, {}, quiet);
  auto c = server.connect();
  c.send("GET /readyz HT");
  server.settle();
  server.stop();
  server.settle();
  c.send("TP/1.1\r\nHost: h\r\n\r\n");
  server.settle();
  CHECK(c.received().starts_with("HTTP/1.1 503"));
  CHECK(c.received().ends_with("draining\n"));
}

TEST_CASE("an abort does not wait for the delay") {
  simulated server(1, {}, delaying(60'000));
  auto c = server.connect();
  check_ready(ask(server, c, "/readyz"));
  server.stop();
  server.pass(10);
  CHECK_FALSE(server.is_over());
  server.abort();
  server.pass(10);
  CHECK(server.is_over());
}

TEST_CASE("the delay on the kernel's ring") {
  constexpr nen::config two = [] {
    nen::config c = few;
    c.shards = 2;
    return c;
  }();
  static nen::server<site, two> server;
  for (const bool reuse_port : {true, false}) {
    CAPTURE(reuse_port);
    nen::listen_options options = delaying(400);
    options.reuse_port = reuse_port;
    nen::test::running run(server, options, 2);
    nen::test::client idle = run.connect();
    check_ready(idle.ask(get("/readyz")));
    nen::test::stopwatch watch;
    server.stop();
    CHECK(nen::test::eventually([&] { return idle.ask(get("/readyz")).status == 503; }));
    check_not_ready(idle.ask(get("/readyz")), "draining\n");
    {
      nen::test::client late = run.connect();
      CHECK(late.ask(get("/")).body == "hello");
      CHECK(late.ask(get("/livez")).status == 200);
    }
    CHECK(idle.is_closed_next());
    CHECK(watch.shows(400));
    idle.close();
    CHECK(nen::test::eventually([&] {
      try {
        (void)run.connect();
        return false;
      } catch (const std::exception&) {
        return true;
      }
    }));
    run.wait();
    CHECK(watch.milliseconds() < 2000);
  }
}
