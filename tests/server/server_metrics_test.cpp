// What is measured of routes, answers and the loop, on both rings.
#include <nen/nen.hpp>
#include <nen/server/route_metrics.hpp>
#include <nen/testing/simulated_server.hpp>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include "support/catch.hpp"
#include "support/client.hpp"
#include "support/test_server.hpp"
#include "tasks/bad_days.hpp"

namespace {

using nen::test::get;
using nen::test::quiet;

/// What a handler saw, for the test to look at.
struct seen {
  std::atomic<const nen::server_metrics*> metrics;
};

nen::reply look(const nen::server_metrics& all, seen& to, nen::response& res) {
  to.metrics = &all;
  return res.text("looked");
}
nen::reply hello(nen::response& res) { return res.text("hello"); }
nen::reply user(std::uint32_t id, nen::response& res) {
  return id == 7 ? res.status(nen::status::internal_server_error) : res.json({{"id", id}});
}
nen::reply later(nen::response& res) {
  const nen::deferred answer = res.defer();
  answer.after(300, [](const nen::request&, nen::response& r) { return r.text("later"); });
  return res.later();
}
nen::reply parts(nen::response& res) {
  return res.stream("text/plain", [left = 3](nen::body_stream& body) mutable {
    if (left-- == 0) return static_cast<void>(body.finish());
    body.write("part");
    body.sleep(100);
  });
}
nen::task<nen::reply> at_last(nen::context& ctx, nen::response& res) {
  co_await ctx.sleep(200);
  co_return res.text("at last");
}
nen::reply large(nen::response& res) {
  static const std::string body(1 << 20, 'x');
  return res.send_static("text/plain", body);
}

using routes =
    nen::router<nen::get<"/look", look>, nen::get<"/hello", hello>, nen::get<"/users/:id", user>,
                nen::get<"/later", later>, nen::get<"/parts", parts>, nen::get<"/at-last", at_last>,
                nen::get<"/large", large>>;
enum route : std::uint32_t { looks, hellos, users, laters, streams, coroutines, larges };
constexpr nen::config two_shards = {.shards = 2};

std::uint64_t answers(const nen::route_metrics& route, int first_digit) {
  return route.answers[static_cast<std::size_t>(first_digit) - 1].value();
}

using simulated = nen::testing::simulated_server<routes, nen::config{}, seen>;

/// True when the median is this long, within 1 %.
bool lasts(const nen::histogram& of, std::uint64_t wanted_ms) {
  const nen::histogram* const one[] = {&of};
  const std::uint64_t median_us = nen::percentile(one, 0.5) / 1000;
  INFO("median: " << median_us << " us");
  return median_us >= wanted_ms * 990 && median_us <= wanted_ms * 1010;
}

}  // namespace

TEST_CASE("answers are counted by route and by the class of their status", "[metrics]") {
  simulated s(1, {}, quiet);
  s.answer_to(get("/look"));
  const nen::server_metrics& all = *s.state<seen>().metrics;
  CHECK(all.shards() == 1);
  REQUIRE(all.routes().size() == routes::route_count);
  CHECK(all.routes()[users].pattern == "/users/:id");
  for (const char* path : {"/hello", "/users/1", "/users/2", "/users/7"}) s.answer_to(get(path));
  s.answer_to(get("/nowhere"));
  s.answer_to("BREW / HTTP/1.1\r\nHost: a\r\n\r\n");
  s.answer_to("GET /hello HTTP/1.1\r\n\r\n");  // no Host
  CHECK(answers(all.route(0, looks), 2) == 1);
  CHECK(answers(all.route(0, hellos), 2) == 1);
  CHECK(answers(all.route(0, users), 2) == 2);
  CHECK(answers(all.route(0, users), 5) == 1);
  CHECK(answers(all.unrouted(0), 4) == 2);
  CHECK(answers(all.unrouted(0), 5) == 1);  // 501
  CHECK(all.route(0, users).latency.count() == 3);
  CHECK(all.unrouted(0).latency.count() == 1);  // the 404: the others were never read as requests
}

TEST_CASE("an answer's time ends when the kernel has all of it", "[metrics]") {
  simulated s(1, {}, quiet);
  s.answer_to(get("/look"));
  const nen::server_metrics& all = *s.state<seen>().metrics;
  const auto measure = [&](const char* path) {
    auto c = s.connect();
    c.send(get(path));
    s.pass(1000);
    CHECK(c.take().starts_with("HTTP/1.1 200"));
  };
  measure("/hello");
  CHECK(lasts(all.route(0, hellos).latency, 0));
  measure("/later");
  CHECK(all.route(0, laters).latency.count() == 1);
  CHECK(lasts(all.route(0, laters).latency, 300));
  measure("/parts");
  CHECK(all.route(0, streams).latency.count() == 1);
  CHECK(lasts(all.route(0, streams).latency, 300));
  measure("/at-last");
  CHECK(all.route(0, coroutines).latency.count() == 1);
  CHECK(lasts(all.route(0, coroutines).latency, 200));

  // A client that does not read holds up its answer, and nobody else's.
  auto slow = s.connect();
  slow.stop_reading();
  slow.send(get("/large"));
  s.pass(500);
  CHECK(all.route(0, larges).latency.count() == 0);
  slow.start_reading();
  s.pass(100);
  CHECK(slow.take().size() > 1 << 20);
  CHECK(all.route(0, larges).latency.count() == 1);
  CHECK(lasts(all.route(0, larges).latency, 500));
}

TEST_CASE("pipelined answers have their times one by one", "[metrics]") {
  simulated s(1, {}, quiet);
  s.answer_to(get("/look"));
  const nen::server_metrics& all = *s.state<seen>().metrics;
  std::string many;
  for (int i = 0; i < 40; ++i) many += get("/hello") + get("/users/1") + get("/look");
  s.answer_to(many);
  CHECK(all.route(0, hellos).latency.count() == 40);
  CHECK(all.route(0, users).latency.count() == 40);
  CHECK(all.route(0, looks).latency.count() == 41);
  CHECK(answers(all.route(0, hellos), 2) == 40);
  // Of each route one call in sixteen is timed, and counts as that many.
  CHECK(all.route(0, hellos).handler_time.count() == 48);
}

TEST_CASE("an answer that is taken is counted, although another has come behind it", "[metrics]") {
  simulated s(1, {}, quiet);
  s.answer_to(get("/look"));
  const nen::server_metrics& all = *s.state<seen>().metrics;
  s.network().window = 100;  // bytes: less than an answer
  auto c = s.connect();
  c.stop_reading();
  c.send(get("/hello"));
  s.pass(10);
  c.send(get("/users/1"));  // its answer lies in the slot that is being sent
  s.pass(10);
  CHECK(all.route(0, hellos).latency.count() == 0);
  c.read(60);
  s.pass(10);
  CHECK(all.route(0, hellos).latency.count() == 1);
  CHECK(lasts(all.route(0, hellos).latency, 20));
  CHECK(all.route(0, users).latency.count() == 0);
  c.start_reading();
  s.pass(10);
  CHECK(all.route(0, users).latency.count() == 1);
}

TEST_CASE("the times of answers that were never taken are not counted", "[metrics]") {
  simulated s(1, {}, quiet);
  s.answer_to(get("/look"));
  const nen::server_metrics& all = *s.state<seen>().metrics;
  auto c = s.connect();
  c.stop_reading();
  c.send(get("/large"));
  s.pass(10);
  c.reset();
  s.pass(10);
  CHECK(answers(all.route(0, larges), 2) == 1);
  CHECK(all.route(0, larges).latency.count() == 0);
}

TEST_CASE("pools, bytes and the loop are seen by any thread", "[metrics]") {
  static nen::server<routes, two_shards, seen> server;
  nen::test::running running(server, quiet, two_shards.shards);
  nen::test::client c(server.port());
  c.ask(get("/look"));
  const nen::server_metrics& all = *server.state<seen>().metrics;
  CHECK(all.shards() == 2);
  for (int i = 0; i < 100; ++i) c.ask(get("/hello"));
  std::uint64_t received = 0, sent = 0, turns = 0, hello_answers = 0, submissions = 0;
  std::uint32_t most = 0;
  int pools = 0;
  for (std::uint32_t i = 0; i < all.shards(); ++i) {
    received += all.counters(i).bytes_received.value();
    sent += all.counters(i).bytes_sent.value();
    turns += all.ring(i).waits.value();
    submissions += all.ring(i).submissions.value();
    hello_answers += answers(all.route(i, hellos), 2);
    CHECK(all.loop(i).busy.count() == all.loop(i).batch.count());
    all.pools(i, [&](const nen::pool_figures& pool) {
      ++pools;
      CHECK_FALSE(pool.name.empty());
      CHECK(pool.in_use <= pool.high_water);
      CHECK(pool.high_water <= pool.size);
      if (pool.name == "send slots") most = std::max(most, pool.high_water);
    });
  }
  CHECK(hello_answers == 100);
  CHECK(received == get("/look").size() + 100 * get("/hello").size());
  CHECK(sent > 100 * 60);
  CHECK(turns >= 100);
  CHECK(submissions >= 101);
  CHECK(most == 1);
  CHECK(pools >= 2 * 10);
}
