// Coroutines that wait for a descriptor of somebody else's.
#include <nen/nen.hpp>
#include <nen/testing/simulated_server.hpp>

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "support/catch.hpp"
#include "support/client.hpp"
#include "support/test_server.hpp"
#include "tasks/bad_days.hpp"

namespace {

using nen::test::check_all_back;
using nen::test::fail_at_each_operation;
using nen::test::get;
using nen::test::live_through_bad_days;
using nen::test::says;

constexpr std::string_view name_of(nen::poll_outcome what) {
  switch (what) {
    case nen::poll_outcome::ready:
      return "ready";
    case nen::poll_outcome::timed_out:
      return "timed out";
    case nen::poll_outcome::no_slot:
      return "no slot";
    case nen::poll_outcome::failed:
      return "failed";
  }
  return "?";
}

nen::task<nen::reply> readable(nen::context& ctx, int fd, std::uint32_t ms, nen::response& res) {
  co_return res.text(name_of(co_await ctx.readable(fd, ms)));
}
nen::task<nen::reply> writable(nen::context& ctx, int fd, std::uint32_t ms, nen::response& res) {
  co_return res.text(name_of(co_await ctx.writable(fd, ms)));
}
/// Waits for two descriptors at once.
nen::task<> wait_for(nen::context& ctx, int fd, std::uint32_t ms, nen::poll_outcome& what) {
  what = co_await ctx.readable(fd, ms);
}
nen::task<nen::reply> either(nen::context& ctx, int a, int b, nen::response& res) {
  nen::poll_outcome of_a{}, of_b{};
  const auto first = co_await nen::when_any(wait_for(ctx, a, 0, of_a), wait_for(ctx, b, 0, of_b));
  co_return res.text(first.index == 0 ? "a" : "b");
}

using routes = nen::router<nen::get<"/r/:fd/:ms", readable>, nen::get<"/w/:fd/:ms", writable>,
                           nen::get<"/either/:a/:b", either>>;
constexpr nen::config small = {.polls = 2};
using server = nen::testing::simulated_server<routes, small>;

}  // namespace

TEST_CASE("a coroutine goes on when somebody else's descriptor is ready", "[task]") {
  server s;
  auto c = s.connect();
  c.send(get("/r/7/0"));
  s.pass(100'000 / 10);
  CHECK(c.received().empty());
  s.network().set_ready(7, nen::readiness::writable);
  s.settle();
  CHECK(c.received().empty());  // that is something else
  s.network().set_ready(7, nen::readiness::readable);
  s.settle();
  CHECK(says(c.take(), "ready"));
  c.send(get("/w/7/5"));
  s.settle();
  CHECK(says(c.take(), "ready"));
  CHECK(s.inside().session().polls().in_use() == 0);
}

TEST_CASE("waiting for a descriptor ends when its time is over, and can begin again", "[task]") {
  server s;
  auto c = s.connect();
  for (int i = 0; i < 3; ++i) {
    c.send(get("/r/7/50"));
    s.pass(49);
    CHECK(c.received().empty());
    s.pass(1);
    CHECK(says(c.take(), "timed out"));
    s.settle();
    CHECK(s.inside().session().polls().in_use() == 0);
  }
}

TEST_CASE("who finds every poll slot taken is told so, and the slots come back", "[task]") {
  server s;
  std::vector<nen::testing::simulated_client> waiting;
  for (int i = 0; i < 2; ++i) {
    waiting.push_back(s.connect());
    waiting.back().send(get("/r/7/0"));
  }
  s.settle();
  CHECK(says(s.answer_to(get("/r/8/0")), "no slot"));
  CHECK(s.counters().polls_empty.value() == 1);
  waiting[0].close();
  s.settle();
  CHECK(s.inside().session().polls().in_use() == 1);
  waiting[0] = s.connect();
  waiting[0].send(get("/r/8/0"));
  s.settle();
  s.network().set_ready(8, nen::readiness::readable);
  s.settle();
  CHECK(says(waiting[0].take(), "ready"));
  CHECK(waiting[1].received().empty());  // the slot's owner before is not mistaken for this one
}

TEST_CASE("who waits for two descriptors lets go of the other", "[task]") {
  server s;
  auto c = s.connect();
  c.send(get("/either/3/4"));
  s.settle();
  CHECK(s.inside().session().polls().in_use() == 2);
  s.network().set_ready(4, nen::readiness::readable);
  s.settle();
  CHECK(says(c.take(), "b"));
  CHECK(s.inside().session().polls().in_use() == 0);
}

TEST_CASE("a server that is told to stop at once leaves no polling behind", "[task]") {
  server s;
  auto c = s.connect();
  c.send(get("/either/3/4"));
  s.settle();
  s.abort();
  s.run_to_end();
  check_all_back(s);
}

TEST_CASE("whatever happens to those who wait for descriptors, all slots come back", "[task]") {
  live_through_bad_days<server>(300, [](server& s, nen::testing::simulated_client& c) {
    auto& chance = s.network().chance;
    const std::string fd = std::to_string(chance.below(3));
    c.send(get(chance.chance(500) ? "/r/" + fd + "/" + std::to_string(chance.below(9))
                                  : "/either/" + fd + "/1"));
    s.network().set_ready(static_cast<int>(chance.below(3)), nen::readiness::readable,
                          chance.chance(500));
  });
}

TEST_CASE("each operation may fail while coroutines wait for descriptors", "[task]") {
  const auto day = [](const nen::testing::failure& one) {
    // A slot that was given up is taken until its cancel has come back: one more than two.
    nen::testing::simulated_server<routes, nen::config{.polls = 3}> s(1, {}, {}, one);
    auto c = s.connect();
    c.send(get("/r/7/20") + get("/either/3/4"));
    s.pass(25);
    s.network().set_ready(4, nen::readiness::readable);
    s.pass(20);
    c.close();
    s.pass(10'000);
    check_all_back(s);
    return s.inside().io().history();
  };
  const auto usual = fail_at_each_operation(day, {EBADF, ENOMEM, ECANCELED});
  CHECK(std::count(usual.begin(), usual.end(), nen::operation::poll) == 3);
}

TEST_CASE("the kernel says when a descriptor of somebody else's is ready", "[task]") {
  static nen::server<routes, small> real;
  nen::test::running running(real);
  const int event = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  const std::string fd = std::to_string(event);
  nen::test::client c(real.port());
  c.send(get("/w/" + fd + "/1000"));
  CHECK(c.read_answer().body == "ready");
  c.send(get("/r/" + fd + "/20"));
  CHECK(c.read_answer().body == "timed out");
  c.send(get("/r/" + fd + "/0"));
  ::usleep(10'000);
  const std::uint64_t one = 1;
  REQUIRE(::write(event, &one, sizeof one) == sizeof one);
  CHECK(c.read_answer().body == "ready");
  ::close(event);
  c.send(get("/r/" + fd + "/1000"));
  CHECK(c.read_answer().body == "failed");
}
