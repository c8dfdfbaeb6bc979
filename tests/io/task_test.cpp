// task: values, order, depth, destruction at every point, missing frames, exceptions, misuse; and
// what a context offers.
#include <nen/io/task.hpp>

#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>

#include "io/task_loop.hpp"
#include "support/catch.hpp"
#include "support/death.hpp"

using nen::context;
using nen::task;
using nen::test::ContainsSubstring;
using nen::test::dies;
using nen::test::frames;
using nen::test::frames_left;
using nen::test::root;
using nen::test::tracker;
using nen::test::world;

namespace {

task<int> number(int n) { co_return n; }
task<void> nothing() { co_return; }
task<void> note(std::string& log, char what) {
  log += what;
  co_return;
}
task<std::unique_ptr<int>> move_only(int n) { co_return std::make_unique<int>(n); }

task<int> late(context& ctx, std::uint32_t ms, int n) {
  co_await ctx.sleep(ms);
  co_return n;
}

/// Sleeps at the bottom of as many tasks.
task<int> deep(context& ctx, int depth, int& alive, std::uint32_t ms) {
  const tracker local(alive);
  if (depth == 0) {
    co_await ctx.sleep(ms);
    co_return 1;
  }
  co_return 1 + co_await deep(ctx, depth - 1, alive, ms);
}

task<int> throws(context& ctx, std::uint32_t ms) {
  if (ms > 0) co_await ctx.sleep(ms);
  throw std::runtime_error("thrown");
  co_return 0;
}

std::string what_of(const std::exception_ptr& exception) {
  try {
    if (exception) std::rethrow_exception(exception);
  } catch (const std::exception& e) {
    return e.what();
  }
  return "";
}

}  // namespace

TEST_CASE("a task runs when it is started, not before", "[task]") {
  const world w;
  std::string log;
  root r(note(log, 'a'));
  CHECK(log.empty());
  CHECK(r.tree.has_frame());
  CHECK_FALSE(r.tree.done());
  r.start();
  CHECK(log == "a");
  CHECK(r.returned());
  CHECK(r.value.has_value());
}

TEST_CASE("tasks give values, nothing, and what can only be moved", "[task]") {
  const world w;
  CHECK(root(number(7)).start().value == 7);
  CHECK(root(nothing()).start().value.has_value());
  CHECK(**root(move_only(8)).start().value == 8);
  const auto parent = []() -> task<std::string> {
    const int a = co_await number(3);
    co_await nothing();
    const std::unique_ptr<int> b = co_await move_only(a + 1);
    auto later = number(5);
    const int c = co_await std::move(later);
    co_return "3" + std::to_string(*b) + std::to_string(c);
  };
  CHECK(root(parent()).start().value == "345");
  // What is returned is converted as by return.
  const auto converted = []() -> task<std::string> { co_return "text"; };
  CHECK(root(converted()).start().value == "text");
  const auto braces = []() -> task<std::pair<int, int>> { co_return {1, 2}; };
  CHECK(root(braces()).start().value == std::pair(1, 2));
}

TEST_CASE("a task's children run at their co_await, in its order", "[task]") {
  const world w;
  std::string log;
  const auto parent = [](std::string& l) -> task<void> {
    auto first = note(l, '1');
    auto second = note(l, '2');
    l += 'a';
    co_await std::move(second);
    l += 'b';
    co_await std::move(first);
    l += 'c';
  };
  root(parent(log)).start();
  CHECK(log == "a2b1c");
}

TEST_CASE("a million children that do not wait leave the stack flat", "[task]") {
  const world w;
  // 8 MiB of stack would be used up after tens of thousands if they were nested.
  const auto sum = []() -> task<std::int64_t> {
    std::int64_t total = 0;
    for (int i = 0; i < 1'000'000; ++i) total += co_await number(i);
    co_return total;
  };
  CHECK(root(sum()).start().value == 499'999'500'000);
}

TEST_CASE("a thousand tasks deep, a value comes all the way up", "[task]") {
  world w;
  int alive = 0;
  root r(deep(w.ctx, 999, alive, 5));
  r.start();
  CHECK(alive == 1000);
  CHECK(r.resumed == 0);
  w.pass(5);
  CHECK(r.value == 1000);
  CHECK(r.resumed == 1);
  CHECK(alive == 0);
}

TEST_CASE("tasks sleep in the loop and wake in time", "[task]") {
  world w;
  root first(late(w.ctx, 10, 1));
  root second(late(w.ctx, 5, 2));
  first.start();
  second.start();
  w.pass(4);
  CHECK_FALSE(second.end.has_value());
  w.pass(1);
  CHECK(second.value == 2);
  CHECK_FALSE(first.end.has_value());
  w.pass(5);
  CHECK(first.value == 1);
  CHECK(first.resumed == 1);
}

TEST_CASE("a sleep of no time goes through the loop", "[task]") {
  using namespace std::chrono_literals;
  world w;
  std::string log;
  const auto yields = [](context& ctx, std::string& l) -> task<void> {
    l += 'a';
    co_await ctx.yield();
    l += 'b';
    co_await ctx.sleep(0);
    l += 'c';
    co_await ctx.sleep(-5s);
    l += 'd';
  };
  root r(yields(w.ctx, log));
  r.start();
  CHECK(log == "a");
  // Who yields in a turn of timers goes on in the next one, not in the same for ever.
  for (const char* const expected : {"ab", "abc", "abcd"}) {
    CHECK_FALSE(r.end.has_value());
    w.pass(0);
    CHECK(log == expected);
  }
  CHECK(r.returned());
}

TEST_CASE("a sleep may be longer than the clock counts, and begin before it wraps", "[task]") {
  using namespace std::chrono_literals;
  const auto sleeps = [](context& ctx, std::chrono::hours h) -> task<void> {
    co_await ctx.sleep(h);
  };
  SECTION("before it wraps") {
    world w(0xFFFF'FFF0U);
    root r(late(w.ctx, 100, 1));
    r.start();
    w.pass(99);
    CHECK_FALSE(r.end.has_value());
    w.pass(1);
    CHECK(r.returned());
  }
  SECTION("longer than half of the clock") {
    world w;
    root r(sleeps(w.ctx, 100 * 24h));
    r.start();
    std::uint64_t slept = 0;
    constexpr nen::tick step = 3'600'000;
    while (!r.end && slept < 1'000ULL * 24 * step) {
      w.pass(step);
      slept += step;
    }
    CHECK(slept == 100ULL * 24 * step);
    CHECK(r.resumed == 1);
  }
}

TEST_CASE("durations are rounded up to milliseconds and have no limit", "[task]") {
  using namespace std::chrono_literals;
  using nen::detail::milliseconds_of;
  STATIC_REQUIRE(milliseconds_of(50ms) == 50);
  STATIC_REQUIRE(milliseconds_of(3s) == 3000);
  STATIC_REQUIRE(milliseconds_of(1ns) == 1);
  STATIC_REQUIRE(milliseconds_of(1'000'000ns) == 1);
  STATIC_REQUIRE(milliseconds_of(1'000'001ns) == 2);
  STATIC_REQUIRE(milliseconds_of(2h) == 7'200'000);
  STATIC_REQUIRE(milliseconds_of(0s) == 0);
  STATIC_REQUIRE(milliseconds_of(-1h) == 0);
  STATIC_REQUIRE(milliseconds_of(std::chrono::duration<double>(0.0251)) == 26);
  STATIC_REQUIRE(milliseconds_of(std::chrono::hours::max()) == std::uint64_t{1} << 62);
  STATIC_REQUIRE(milliseconds_of(std::chrono::nanoseconds::max()) >= 9'223'372'036'854);
  using seconds = std::chrono::duration<double>;
  CHECK(milliseconds_of(seconds(std::numeric_limits<double>::quiet_NaN())) == 0);
  CHECK(milliseconds_of(seconds(std::numeric_limits<double>::infinity())) == 1ULL << 62);
}

TEST_CASE("a tree can be destroyed wherever it sleeps", "[task]") {
  for (int depth = 0; depth < 20; ++depth) {
    CAPTURE(depth);
    world w;
    int alive = 0;
    root r(deep(w.ctx, depth, alive, 10));
    r.start();
    CHECK(alive == depth + 1);
    CHECK(w.wheel.armed() == 1);
    r.tree = {};
    CHECK(alive == 0);
    CHECK(w.wheel.armed() == 0);
    w.pass(20);
    CHECK(r.resumed == 0);
    CHECK_FALSE(r.end.has_value());
  }
}

TEST_CASE("a tree can be destroyed before it started, with what it was given", "[task]") {
  const world w;
  int alive = 0;
  {
    const auto takes = [](tracker) -> task<void> { co_return; };
    root r(takes(tracker(alive)));
    CHECK(alive == 1);
  }
  CHECK(alive == 0);
}

TEST_CASE("a sleeper may destroy another tree that is due in the same turn", "[task]") {
  world w;
  int alive = 0;
  root victim(deep(w.ctx, 3, alive, 10));
  const auto destroys = [](context& ctx, task<int>& tree) -> task<void> {
    co_await ctx.sleep(10);
    tree = {};
  };
  root killer(destroys(w.ctx, victim.tree));
  killer.start();
  victim.start();
  w.pass(10);
  CHECK(killer.returned());
  CHECK(alive == 0);
  CHECK(victim.resumed == 0);
}

namespace {

/// Frames at many places: in a row, nested, in a loop, before and after it slept.
task<int> many_frames(context& ctx, int& alive) {
  const tracker local(alive);
  int sum = co_await number(1);
  sum += co_await deep(ctx, 3, alive, 2);
  for (int i = 0; i < 3; ++i) {
    auto kept = number(i);
    sum += co_await late(ctx, 1, 1);
    sum += co_await std::move(kept);
  }
  sum += **co_await [](int& a) -> task<std::unique_ptr<std::unique_ptr<int>>> {
    const tracker inner(a);
    co_return std::make_unique<std::unique_ptr<int>>(co_await move_only(10));
  }(alive);
  co_return sum;
}

}  // namespace

TEST_CASE("a tree that misses any one of its frames ends, and all the others come back", "[task]") {
  int missed = 0;
  for (int count = 0;; ++count) {
    CAPTURE(count);
    const auto before = frames.refused();
    world w;
    int alive = 0;
    bool ended = false;
    {
      const frames_left few(count);
      const auto refused = frames.refused().none_free;  // The filling counts too.
      root r(many_frames(w.ctx, alive));
      CHECK(r.tree.has_frame() == (count > 0));
      r.start();
      w.pass_all();
      ended = r.returned();
      CHECK(r.end.has_value());
      CHECK(alive == 0);
      CHECK(frames.refused().none_free == refused + (ended ? 0 : 1));
      if (ended) CHECK(r.value == 1 + 4 + 3 + 3 + 10);
      if (!ended) CHECK(r.out_of_frames());
    }
    CHECK(frames.refused().too_large == before.too_large);
    if (ended) break;
    ++missed;
  }
  CHECK(missed >= 5);  // As many frames are held at once.
}

TEST_CASE("an exception leaves the co_await, and a root's is given to its owner", "[task]") {
  world w;
  const auto ms = GENERATE(0U, 3U);
  SECTION("at a root") {
    root r(throws(w.ctx, ms));
    r.start();
    w.pass_all();
    CHECK(r.returned());
    CHECK(what_of(r.exception) == "thrown");
    CHECK_FALSE(r.value.has_value());
  }
  SECTION("caught by a parent, which goes on") {
    const auto parent = [](context& ctx, std::uint32_t sleep) -> task<std::string> {
      std::string said;
      try {
        co_await throws(ctx, sleep);
      } catch (const std::runtime_error& e) {
        said = e.what();
      }
      co_return said + std::to_string(co_await number(1));
    };
    root r(parent(w.ctx, ms));
    r.start();
    w.pass_all();
    CHECK(r.value == "thrown1");
  }
  SECTION("through many") {
    const auto level = [](auto self, context& ctx, int depth, std::uint32_t sleep,
                          int& alive) -> task<int> {
      const tracker local(alive);
      if (depth == 0) co_return co_await throws(ctx, sleep);
      co_return co_await self(self, ctx, depth - 1, sleep, alive);
    };
    int alive = 0;
    root r(level(level, w.ctx, 100, ms, alive));
    r.start();
    w.pass_all();
    CHECK(what_of(r.exception) == "thrown");
    CHECK(alive == 0);
  }
  SECTION("of a task without a value") {
    const auto fails = [](context& ctx, std::uint32_t sleep) -> task<void> {
      co_await ctx.sleep(sleep);
      throw std::logic_error("void");
    };
    root r(fails(w.ctx, ms));
    r.start();
    w.pass_all();
    CHECK(what_of(r.exception) == "void");
  }
}

TEST_CASE("an exception after co_return replaces the value", "[task]") {
  const world w;
  int alive = 0;
  struct throws_at_end {
    ~throws_at_end() noexcept(false) { throw std::runtime_error("late"); }
  };
  const auto fails = [](int& a) -> task<tracker> {
    const throws_at_end last;
    co_return tracker(a);
  };
  root r(fails(alive));
  r.start();
  CHECK(what_of(r.exception) == "late");
  CHECK(alive == 0);
}

TEST_CASE("a task can be kept as an address", "[task]") {
  const world w;
  auto t = number(4);
  void* const frame = t.release();
  CHECK_FALSE(t.has_frame());
  CHECK(frames.in_use() == 1);
  root r(task<int>::adopt(frame));
  CHECK(r.start().value == 4);
}

TEST_CASE("a task that is moved goes on, and what it replaces is destroyed", "[task]") {
  world w;
  int alive = 0;
  root r(deep(w.ctx, 2, alive, 5));
  r.start();
  auto moved = std::move(r.tree);
  CHECK(alive == 3);
  moved = deep(w.ctx, 1, alive, 5);
  CHECK(alive == 0);
  auto& same = moved;
  moved = std::move(same);
  CHECK(moved.has_frame());
}

TEST_CASE("tasks have the size of a pointer, and owners can lie in pools", "[task]") {
  STATIC_REQUIRE(sizeof(task<std::string>) == sizeof(void*));
  STATIC_REQUIRE(!std::is_copy_constructible_v<task<int>>);
  STATIC_REQUIRE(!std::is_copy_assignable_v<task<int>>);
  STATIC_REQUIRE(std::is_nothrow_move_constructible_v<task<int>>);
  STATIC_REQUIRE(std::is_trivially_default_constructible_v<nen::detail::task_owner>);
  STATIC_REQUIRE(std::is_trivially_destructible_v<nen::detail::task_owner>);
  STATIC_REQUIRE(std::is_trivially_default_constructible_v<nen::detail::waiter>);
}

TEST_CASE("tasks used wrongly stop the process", "[task]") {
  world w;
  SECTION("made on a thread that runs none") {
    // Clang leaves out the frame of a task that it sees being made and destroyed.
    task<int> (*volatile make)(int) = number;
    nen::detail::current_frames() = nullptr;
    CHECK(dies([&] { static_cast<void>(make(1)); }).aborted);
    nen::detail::current_frames() = &frames;
  }
  SECTION("awaited twice") {
    CHECK(dies([] {
            const auto twice = []() -> task<void> {
              auto t = number(1);
              co_await std::move(t);
              co_await std::move(t);
            };
            root(twice()).start();
          }).aborted);
  }
  SECTION("a value that is taken before its time, or twice") {
    auto t = number(1);
    CHECK(dies([&] { static_cast<void>(t.take()); }).aborted);
    CHECK(dies([&] { static_cast<void>(task<int>().take()); }).aborted);
    CHECK(dies([] {
            const auto twice = []() -> task<void> {
              auto t1 = number(1);
              co_await std::move(t1);
              static_cast<void>(t1.take());
            };
            root(twice()).start();
          }).aborted);
  }
  SECTION("a tree that is destroyed by itself") {
    const auto death = dies([&] {
      task<void> tree;
      const auto destroys = [](task<void>& self) -> task<void> {
        self = {};
        co_return;
      };
      root r(destroys(tree));
      tree = std::move(r.tree);
      tree.start(r);
    });
    CHECK(death.aborted);
    CHECK_THAT(death.output, ContainsSubstring("!promise().is_running_root()"));
  }
  SECTION("an owner that is run by what it runs") {
    const auto death = dies([] {
      root<void>* owner = nullptr;
      const auto runs = [](root<void>*& o) -> task<void> {
        o->run(std::noop_coroutine());
        co_return;
      };
      root<void> r(runs(owner));
      owner = &r;
      r.start();
    });
    CHECK(death.aborted);
    CHECK_THAT(death.output, ContainsSubstring("state_ == state::idle"));
  }
}
