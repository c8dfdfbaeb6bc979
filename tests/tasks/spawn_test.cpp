// Coroutines that nobody awaits: they outlive who started them, and not the server.
#include <nen/nen.hpp>
#include <nen/testing/simulated_server.hpp>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "support/catch.hpp"
#include "tasks/bad_days.hpp"

namespace {

using nen::test::get;
using nen::test::live_through_bad_days;
using nen::test::says;

struct diary {
  int begun = 0;
  int ended = 0;
  int destroyed = 0;  ///< whatever became of them
  int refused_late = 0;
};

/// Spawns another one at its end, as careless destructors might.
struct witness {
  nen::context& ctx;
  diary& of;
  bool spawns = false;

  static nen::task<> nothing() { co_return; }
  ~witness() {
    ++of.destroyed;
    if (spawns) of.refused_late += !ctx.spawn(nothing());
  }
};

nen::task<> rest(nen::context& ctx, std::uint32_t ms) { co_await ctx.sleep(ms); }
/// Needs a frame of 8 KiB.
nen::task<> wide(nen::context& ctx) {
  volatile char room[5000];
  room[0] = 0;
  co_await ctx.sleep(1);
  room[4999] = room[0];
}

nen::task<> work(nen::context& ctx, diary& of, std::uint32_t ms, bool spawns) {
  const witness here{ctx, of, spawns};
  ++of.begun;
  co_await rest(ctx, ms);
  ++of.ended;
}
nen::task<> fail(nen::context& ctx) {
  co_await ctx.yield();
  throw std::runtime_error("this went wrong");
}
nen::task<> await_two_wide(nen::context& ctx, diary& of) {
  const witness here{ctx, of};
  co_await nen::when_all(wide(ctx), wide(ctx));
}

nen::reply told(nen::response& res, bool was_spawned) {
  return res.text(was_spawned ? "spawned" : "refused");
}
nen::task<nen::reply> start(nen::context& ctx, diary& of, std::uint32_t ms, nen::response& res) {
  const int begun = of.begun;
  const bool was_spawned = ctx.spawn(work(ctx, of, ms, false));
  CHECK(of.begun == begun);  // never inside whoever spawns it
  co_return told(res, was_spawned);
}
nen::task<nen::reply> careless(nen::context& ctx, diary& of, nen::response& res) {
  co_return told(res, ctx.spawn(work(ctx, of, 1'000'000, true)));
}
nen::task<nen::reply> throws(nen::context& ctx, nen::response& res) {
  co_return told(res, ctx.spawn(fail(ctx)));
}
nen::task<nen::reply> starves(nen::context& ctx, diary& of, nen::response& res) {
  co_return told(res, ctx.spawn(await_two_wide(ctx, of)));
}

using routes = nen::router<nen::get<"/start/:ms", start>, nen::get<"/careless", careless>,
                           nen::get<"/throws", throws>, nen::get<"/starves", starves>>;
constexpr nen::config small = {.tasks = 2,
                               .task_frames = {{{512, 16}, {1024, 8}, {2048, 4}, {8192, 1}}}};
using server = nen::testing::simulated_server<routes, small, diary>;

}  // namespace

TEST_CASE("a spawned coroutine goes on when who spawned it has answered and left", "[task]") {
  server s;
  auto c = s.connect();
  c.send(get("/start/50"));
  s.settle();
  CHECK(says(c.take(), "spawned"));
  c.close();
  s.pass(49);
  CHECK(s.state<diary>().begun == 1);
  CHECK(s.state<diary>().destroyed == 0);
  CHECK(s.inside().session().spawned().in_use() == 1);
  s.pass(1);
  CHECK(s.state<diary>().ended == 1);
  CHECK(s.state<diary>().destroyed == 1);
  CHECK(s.inside().session().spawned().in_use() == 0);
  CHECK(s.inside().session().frames().in_use() == 0);
}

TEST_CASE("when config::tasks coroutines are spawned, the next is refused and destroyed",
          "[task]") {
  server s;
  CHECK(says(s.answer_to(get("/careless")), "spawned"));
  CHECK(says(s.answer_to(get("/careless")), "spawned"));
  CHECK(says(s.answer_to(get("/careless")), "refused"));
  CHECK(s.counters().spawned_tasks_empty.value() == 1);
  CHECK(s.inside().session().spawned().in_use() == 2);
  CHECK(s.state<diary>().begun == 2);
}

TEST_CASE("what leaves a spawned coroutine as an exception is said", "[task]") {
  static std::string said;
  said.clear();
  server s(1, {}, {.on_exception = [](const nen::request&, const char* what) { said = what; }});
  CHECK(says(s.answer_to(get("/throws")), "spawned"));
  s.pass(1);
  CHECK(said == "this went wrong");
  CHECK(s.counters().handler_exceptions.value() == 1);
  CHECK(s.inside().session().spawned().in_use() == 0);
}

TEST_CASE("a spawned coroutine that gets no frame for another one ends, and is counted", "[task]") {
  server s;
  CHECK(says(s.answer_to(get("/starves")), "spawned"));
  s.pass(10);
  CHECK(s.counters().task_frames_empty.value() == 1);
  CHECK(s.state<diary>().destroyed == 1);
  CHECK(s.inside().session().spawned().in_use() == 0);
  CHECK(s.inside().session().frames().in_use() == 0);
}

TEST_CASE("a server that stops lets spawned coroutines work until its last client has gone",
          "[task]") {
  server s;
  auto c = s.connect();
  c.send(get("/start/1000000") + "GET /start/5 HTTP/1.1\r\n");
  s.settle();
  s.stop();
  s.pass(100);
  CHECK(s.state<diary>().begun == 1);
  CHECK(s.state<diary>().destroyed == 0);
  c.send("Host: x\r\n\r\n");
  s.settle();
  CHECK(c.received().find("spawned", c.received().find("spawned") + 1) != std::string::npos);
  c.close();
  s.run_to_end();
  CHECK(s.state<diary>().destroyed == s.state<diary>().begun);
  CHECK(s.state<diary>().ended == 0);
  CHECK(s.inside().session().frames().in_use() == 0);
}

TEST_CASE("nothing is spawned any more when a server closes everything", "[task]") {
  server s;
  CHECK(says(s.answer_to(get("/careless")), "spawned"));
  CHECK(says(s.answer_to(get("/careless")), "spawned"));
  s.abort();
  s.run_to_end();
  CHECK(s.state<diary>().destroyed == 2);
  CHECK(s.state<diary>().refused_late == 2);
  CHECK(s.inside().session().spawned().in_use() == 0);
  CHECK(s.inside().session().frames().in_use() == 0);
}

TEST_CASE("whatever happens, no spawned coroutine is left behind", "[task]") {
  constexpr std::string_view paths[] = {"/start/0", "/start/3", "/careless", "/throws", "/starves"};
  live_through_bad_days<server>(
      200,
      [&](server& s, nen::testing::simulated_client& c) {
        c.send(get(paths[s.network().chance.below(std::size(paths))]));
      },
      [](server& s) { CHECK(s.state<diary>().destroyed >= s.state<diary>().begun); });
}
