// when_all, when_any, with_deadline: every order of ends, who is destroyed when, missing frames,
// exceptions.
#include <nen/io/when.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <tuple>
#include <variant>

#include "io/task_loop.hpp"
#include "support/catch.hpp"

using nen::context;
using nen::task;
using nen::when_all;
using nen::when_any;
using nen::with_deadline;
using nen::test::frames;
using nen::test::frames_left;
using nen::test::root;
using nen::test::tracker;
using nen::test::world;

namespace {

constexpr std::uint32_t at_once = 0xFFFF'FFFFU;

/// What a child did, in one string: 'a' began, 'A' ended, '-' was destroyed.
struct diary {
  std::string text;
  int alive = 0;
};

class entry {
 public:
  entry(diary& d, char name) : local_(d.alive), diary_(d) { diary_.text += name; }
  entry(const entry&) = delete;
  entry& operator=(const entry&) = delete;
  ~entry() { diary_.text += '-'; }

 private:
  tracker local_;
  diary& diary_;
};

/// Ends after some time, or at once.
task<int> child(context& ctx, diary& d, char name, std::uint32_t ms, bool fails = false) {
  const entry e(d, name);
  if (ms != at_once) co_await ctx.sleep(ms);
  d.text += static_cast<char>(name - 'a' + 'A');
  if (fails) throw std::runtime_error(std::string(1, name));
  co_return name - 'a';
}
task<int> one() { co_return 1; }
task<void> wait(context& ctx, std::uint32_t ms) { co_await ctx.sleep(ms); }
task<std::unique_ptr<int>> move_only(context& ctx, std::uint32_t ms) {
  co_await ctx.sleep(ms);
  co_return std::make_unique<int>(5);
}

task<std::string> all_of(context& ctx, diary& d, std::array<std::uint32_t, 3> ms) {
  const auto [a, b, c] = co_await when_all(child(ctx, d, 'a', ms[0]), child(ctx, d, 'b', ms[1]),
                                           child(ctx, d, 'c', ms[2]));
  d.text += '!';
  co_return std::to_string(a) + std::to_string(b) + std::to_string(c);
}

task<std::string> any_of(context& ctx, diary& d, std::array<std::uint32_t, 3> ms) {
  const auto first = co_await when_any(child(ctx, d, 'a', ms[0]), child(ctx, d, 'b', ms[1]),
                                       child(ctx, d, 'c', ms[2]));
  d.text += '!';
  CHECK(first.index == first.value.index());
  const int value = std::visit([](int v) { return v; }, first.value);
  co_return std::to_string(first.index) + std::to_string(value);
}

std::string what_of(const std::exception_ptr& exception) {
  try {
    if (exception) std::rethrow_exception(exception);
  } catch (const std::exception& e) {
    return e.what();
  }
  return "";
}

/// All orders in which three children can end, some of them at once.
std::vector<std::array<std::uint32_t, 3>> orders() {
  std::vector<std::array<std::uint32_t, 3>> all;
  const std::uint32_t times[] = {at_once, 0, 1, 2, 3};
  for (const std::uint32_t a : times) {
    for (const std::uint32_t b : times) {
      for (const std::uint32_t c : times) all.push_back({a, b, c});
    }
  }
  return all;
}

bool sleeps(std::uint32_t ms) { return ms != at_once; }

}  // namespace

TEST_CASE("when_all waits for all, in every order of ends", "[when]") {
  for (const auto& ms : orders()) {
    CAPTURE(ms[0], ms[1], ms[2]);
    world w;
    diary d;
    root r(all_of(w.ctx, d, ms));
    r.start();
    std::uint32_t longest = 0;
    for (const std::uint32_t m : ms) longest = sleeps(m) ? std::max(longest, m) : longest;
    const auto sleepers = std::count_if(ms.begin(), ms.end(), sleeps);
    CHECK(w.wheel.armed() == static_cast<std::uint32_t>(sleepers));
    for (std::uint32_t now = 0; now <= longest && sleepers > 0; ++now) {
      CHECK_FALSE(r.end.has_value());
      w.pass(now == 0 ? 0 : 1);
    }
    CHECK(r.value == "012");
    CHECK(d.alive == 0);
    CHECK(r.resumed == sleepers);
    CHECK(d.text.back() == '!');
    // They begin in order, and a child that ends at once does so before the next one begins.
    std::string began;
    for (const char c : d.text) began += c >= 'a' && c <= 'c' ? std::string(1, c) : "";
    CHECK(began == "abc");
  }
}

TEST_CASE("when_any goes on with the first and destroys the others before", "[when]") {
  for (const auto& ms : orders()) {
    CAPTURE(ms[0], ms[1], ms[2]);
    world w;
    diary d;
    root r(any_of(w.ctx, d, ms));
    r.start();
    // The first that ends at once, else the one with the least time.
    auto winner = std::find(ms.begin(), ms.end(), at_once) - ms.begin();
    std::string expected;
    if (winner < 3) {
      CHECK(r.end.has_value());
      for (int i = 0; i <= winner; ++i) expected += static_cast<char>('a' + i);
    } else {
      winner = std::min_element(ms.begin(), ms.end()) - ms.begin();
      CHECK_FALSE(r.end.has_value());
      const std::uint32_t least = *std::min_element(ms.begin(), ms.end());
      for (std::uint32_t now = 0; now <= least; ++now) {
        CHECK_FALSE(r.end.has_value());
        w.pass(now == 0 ? 0 : 1);
      }
      expected = "abc";
    }
    REQUIRE(r.value.has_value());
    // Which of several that are due together comes first is the wheel's business.
    const bool tie = winner < 3 && sleeps(ms[static_cast<std::size_t>(winner)]) &&
                     std::count(ms.begin(), ms.end(), ms[static_cast<std::size_t>(winner)]) > 1;
    if (!tie) CHECK(r.value == std::to_string(winner) + std::to_string(winner));
    const auto began = expected.size();
    expected += static_cast<char>('A' + (r.value->front() - '0')) + std::string(began, '-') + '!';
    CHECK(d.text == expected);
    CHECK(d.alive == 0);
    CHECK(w.wheel.armed() == 0);
    w.pass(10);
    CHECK(d.text == expected);
  }
}

TEST_CASE("groups give what is void, what can only be moved, and of several types", "[when]") {
  world w;
  const auto all = [](context& ctx) -> task<std::unique_ptr<int>> {
    auto [nothing, pointer] = co_await when_all(wait(ctx, 2), move_only(ctx, 1));
    static_assert(std::is_same_v<decltype(nothing), std::monostate>);
    co_return std::move(pointer);
  };
  root r(all(w.ctx));
  r.start();
  w.pass_all();
  CHECK(**r.value == 5);
  const auto any = [](context& ctx, std::uint32_t first) -> task<std::size_t> {
    auto result = co_await when_any(wait(ctx, first), move_only(ctx, 2));
    if (result.index == 1) CHECK(*std::get<1>(result.value) == 5);
    co_return result.index;
  };
  root r0(any(w.ctx, 1));
  root r1(any(w.ctx, 3));
  r0.start();
  r1.start();
  w.pass_all();
  CHECK(r0.value == 0U);
  CHECK(r1.value == 1U);
  const auto of_none = []() -> task<bool> {
    const std::tuple<> none = co_await when_all();
    static_cast<void>(none);
    co_return true;
  };
  CHECK(root(of_none()).start().value == true);
}

TEST_CASE("groups nest, and may be kept before they are awaited", "[when]") {
  world w;
  diary d;
  const auto nested = [](context& ctx, diary& log) -> task<std::string> {
    auto both = when_all(any_of(ctx, log, {5, 1, 5}), any_of(ctx, log, {at_once, 1, 1}));
    co_await ctx.sleep(1);
    const auto [a, b] = co_await both;
    const auto [e] = co_await when_all(all_of(ctx, log, {1, 2, at_once}));
    co_return a + b + e;
  };
  root r(nested(w.ctx, d));
  r.start();
  CHECK(d.text.empty());
  w.pass_all();
  CHECK(r.value == "1100012");
  CHECK(d.alive == 0);
}

TEST_CASE("a hundred thousand groups that do not wait leave the stack flat", "[when]") {
  const world w;
  const auto loop = []() -> task<int> {
    int sum = 0;
    for (int i = 0; i < 100'000; ++i) {
      const auto [a, b] = co_await when_all(one(), one());
      sum += a + b + static_cast<int>((co_await when_any(one(), one())).index);
    }
    co_return sum;
  };
  CHECK(root(loop()).start().value == 200'000);
}

TEST_CASE("a group that waits can be destroyed", "[when]") {
  for (const auto& ms : orders()) {
    if (!sleeps(ms[0]) && !sleeps(ms[1]) && !sleeps(ms[2])) continue;
    CAPTURE(ms[0], ms[1], ms[2]);
    world w;
    diary d;
    root all(all_of(w.ctx, d, ms));
    root any(any_of(w.ctx, d, ms));
    all.start();
    any.start();
    all.tree = {};
    any.tree = {};
    CHECK(d.alive == 0);
    CHECK(w.wheel.armed() == 0);
  }
}

TEST_CASE("an exception in when_all waits for the others; the first argument's is thrown",
          "[when]") {
  world w;
  diary d;
  const auto fails = [](context& ctx, diary& log) -> task<void> {
    co_await when_all(child(ctx, log, 'a', 3), child(ctx, log, 'b', 2, true),
                      child(ctx, log, 'c', at_once, true));
  };
  root r(fails(w.ctx, d));
  r.start();
  w.pass(0);
  w.pass(1);
  w.pass(1);
  CHECK_FALSE(r.end.has_value());
  w.pass(1);
  CHECK(what_of(r.exception) == "b");
  CHECK(d.alive == 0);
}

TEST_CASE("an exception in when_any is an end like any other", "[when]") {
  world w;
  diary d;
  const auto fails = [](context& ctx, diary& log, std::uint32_t ms) -> task<void> {
    co_await when_any(child(ctx, log, 'a', 3), child(ctx, log, 'b', ms, true));
  };
  for (const std::uint32_t ms : {at_once, 2U}) {
    root r(fails(w.ctx, d, ms));
    r.start();
    w.pass(0);
    w.pass(2);
    CHECK(what_of(r.exception) == "b");
    CHECK(d.alive == 0);
    CHECK(w.wheel.armed() == 0);
  }
}

TEST_CASE("a deadline destroys a task that still waits", "[when]") {
  using namespace std::chrono_literals;
  struct timing {
    std::uint32_t task_ms, limit_ms;
    bool in_time;
  };
  const timing timings[] = {{at_once, 0, true}, {at_once, 5, true}, {2, 5, true},
                            {5, 6, true},       {5, 4, false},      {1, 0, false},
                            {100, 5, false},    {70, 4'000, true},  {5'000, 4'000, false}};
  for (const timing& t : timings) {
    CAPTURE(t.task_ms, t.limit_ms);
    world w;
    diary d;
    const auto limited = [](context& ctx, diary& log, timing tm) -> task<bool> {
      const auto value = co_await with_deadline(ctx, tm.limit_ms, child(ctx, log, 'b', tm.task_ms));
      CHECK(log.alive == 0);
      CHECK(value.value_or(1) == 1);
      co_return value.has_value();
    };
    root r(limited(w.ctx, d, t));
    r.start();
    const auto began = w.time;
    w.pass_all();
    CHECK(r.value == t.in_time);
    const std::uint32_t least = t.task_ms == at_once ? 0 : std::min(t.task_ms, t.limit_ms);
    CHECK(w.time - began <= least + 1);
    CHECK(w.time - began >= least);
    CHECK(d.text == (t.in_time ? "bB-" : "b-"));
  }
}

TEST_CASE("what is due together with its deadline ends once, one way or the other", "[when]") {
  world w;
  diary d;
  const auto limited = [](context& ctx, diary& log) -> task<bool> {
    co_return (co_await with_deadline(ctx, 3, child(ctx, log, 'b', 3))).has_value();
  };
  root r(limited(w.ctx, d));
  r.start();
  w.pass(2);
  CHECK_FALSE(r.end.has_value());
  w.pass(1);
  REQUIRE(r.value.has_value());
  CHECK(d.text == (*r.value ? "bB-" : "b-"));
}

// GCC 12 calls await_resume for all co_awaits of an expression together, after the last one.
TEST_CASE("what has ended is over in the rest of the expression too", "[when]") {
  using namespace std::chrono_literals;
  world w;
  diary d;
  SECTION("the deadline of a task that ended") {
    const auto twice = [](context& ctx, diary& log) -> task<int> {
      co_return (co_await with_deadline(ctx, 4ms, wait(ctx, 1)) ? 10 : 20) +
          co_await child(ctx, log, 'b', 10);
    };
    root r(twice(w.ctx, d));
    r.start();
    w.pass(1);
    w.pass(8);
    CHECK_FALSE(r.end.has_value());
    w.pass(2);
    CHECK(r.value == 11);
  }
  SECTION("a task whose deadline came") {
    const auto twice = [](context& ctx, diary& log) -> task<int> {
      co_return (co_await with_deadline(ctx, 1ms, child(ctx, log, 'c', 4)) ? 10 : 20) +
          co_await child(ctx, log, 'b', 10);
    };
    root r(twice(w.ctx, d));
    r.start();
    w.pass(1);
    CHECK(d.text == "c-b");
    w.pass(8);
    CHECK_FALSE(r.end.has_value());
    w.pass(2);
    CHECK(r.value == 21);
  }
  SECTION("tasks that another one was faster than") {
    const auto twice = [](context& ctx, diary& log) -> task<int> {
      co_return static_cast<int>(
          (co_await when_any(child(ctx, log, 'a', 4), child(ctx, log, 'c', 1))).index) +
          co_await child(ctx, log, 'b', 10);
    };
    root r(twice(w.ctx, d));
    r.start();
    w.pass(1);
    CHECK(d.text.substr(0, 4) == "acC-");  // GCC keeps the winner until the expression ends.
    CHECK(d.text.find("-b") != std::string::npos);
    w.pass(8);
    CHECK_FALSE(r.end.has_value());
    w.pass(2);
    CHECK(r.value == 2);
  }
}

TEST_CASE("an exception leaves a deadline", "[when]") {
  world w;
  diary d;
  const auto limited = [](context& ctx, diary& log) -> task<void> {
    co_await with_deadline(ctx, 10, child(ctx, log, 'a', 1, true));
  };
  root r(limited(w.ctx, d));
  r.start();
  w.pass(1);
  CHECK(what_of(r.exception) == "a");
  CHECK(w.wheel.armed() == 0);
}

namespace {

task<int> everything(context& ctx, diary& d) {
  const tracker local(d.alive);
  const auto [a, b] = co_await when_all(any_of(ctx, d, {2, 1, at_once}), all_of(ctx, d, {0, 1, 2}));
  const auto c = co_await with_deadline(ctx, 2, all_of(ctx, d, {3, 3, 3}));
  const auto e = co_await with_deadline(ctx, 3, any_of(ctx, d, {2, 3, 4}));
  const bool f = co_await with_deadline(ctx, 5, wait(ctx, 1));
  co_return (a == "22") + (b == "012") + !c.has_value() + (e == "00") + f;
}

}  // namespace

TEST_CASE("groups that miss any one of their frames end, and all the others come back", "[when]") {
  int missed = 0;
  for (int count = 0;; ++count) {
    CAPTURE(count);
    world w;
    diary d;
    const frames_left few(count);
    root r(everything(w.ctx, d));
    r.start();
    w.pass_all();
    CHECK(d.alive == 0);
    REQUIRE(r.end.has_value());
    if (r.returned()) {
      CHECK(r.value == 5);
      break;
    }
    CHECK(r.out_of_frames());
    ++missed;
  }
  CHECK(missed >= 6);
}
