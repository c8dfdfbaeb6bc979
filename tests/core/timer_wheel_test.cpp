// timer_wheel: its edges, one by one.
#include <nen/core/timer_wheel.hpp>

#include <vector>

#include "support/catch.hpp"
#include "support/death.hpp"

namespace {

using nen::tick;
using nen::timer;
using nen::timer_wheel;

constexpr tick day_ms = 24U * 60U * 60U * 1000U;

/// Advances and counts what expires.
int expired_by(timer_wheel& wheel, tick now) {
  int count = 0;
  wheel.advance(now, [&](timer& t) {
    CHECK_FALSE(t.armed());
    ++count;
  });
  return count;
}

/// Sleeps exactly as long as the wheel says until the timer expires.
/// @returns  how often it woke up
int sleep_until_expired(timer_wheel& wheel, timer& t, tick from) {
  int turns = 0;
  tick now = from;
  while (t.armed()) {
    const auto next = wheel.next_deadline(now);
    REQUIRE(next.has_value());
    REQUIRE_FALSE(nen::tick_before(*next, now));
    REQUIRE_FALSE(nen::tick_before(t.deadline, *next));
    now = *next;
    wheel.advance(now, [&](timer& e) { REQUIRE(e.deadline == now); });
    REQUIRE(++turns < 1000);
  }
  return turns;
}

}  // namespace

TEST_CASE("a zero-initialised wheel is empty and has no next deadline", "[timer_wheel]") {
  STATIC_REQUIRE(std::is_trivially_default_constructible_v<timer_wheel>);
  STATIC_REQUIRE(std::is_trivially_default_constructible_v<timer>);
  static timer_wheel in_bss;
  CHECK(in_bss.armed() == 0);
  CHECK_FALSE(in_bss.next_deadline(0).has_value());
  CHECK(expired_by(in_bss, 1000) == 0);
  CHECK(in_bss.now() == 1000);
}

TEST_CASE("a timer expires at its deadline, not a tick before, once", "[timer_wheel]") {
  const tick start = GENERATE(tick{0}, tick{1}, tick{63}, tick{4095}, tick{0x7FFF'FFFF},
                              tick{0xFFFF'FFFF}, tick{0xFFFF'FFC0}, tick{123'456'789});
  const tick wait =
      GENERATE(tick{1}, tick{2}, tick{63}, tick{64}, tick{65}, tick{4095}, tick{4096}, tick{4097},
               tick{262'143}, tick{262'144}, tick{16'777'215}, tick{16'777'216}, tick{16'777'217},
               tick{20 * day_ms}, tick{0x7FFF'FFFF});
  INFO("start " << start << " wait " << wait);
  timer_wheel wheel{};
  wheel.start(start);
  timer t{};
  wheel.arm(t, start + wait);
  CHECK(t.armed());
  CHECK(wheel.armed() == 1);
  CHECK(expired_by(wheel, start + wait - 1) == 0);
  CHECK(expired_by(wheel, start + wait) == 1);
  CHECK_FALSE(t.armed());
  CHECK(wheel.armed() == 0);
  CHECK(expired_by(wheel, start + wait + day_ms) == 0);
}

TEST_CASE("sleeping to the next deadline comes to a timer in few turns", "[timer_wheel]") {
  const tick start = GENERATE(tick{0}, tick{61}, tick{0xFFFF'F000}, tick{0x7FFF'FF00});
  const tick wait = GENERATE(tick{0}, tick{1}, tick{64}, tick{5000}, tick{60'000}, tick{262'144},
                             tick{10'000'000}, tick{20 * day_ms});
  INFO("start " << start << " wait " << wait);
  timer_wheel wheel{};
  wheel.start(start);
  timer t{};
  wheel.arm(t, start + wait);
  // Once a level, and once for every revolution (4.6 hours) of the last one.
  CHECK(sleep_until_expired(wheel, t, start) <= 5 + static_cast<int>(wait / (1U << 24U)));
}

TEST_CASE("a deadline that has passed expires in the next advance", "[timer_wheel]") {
  timer_wheel wheel{};
  wheel.start(1000);
  timer past{};
  timer present{};
  wheel.arm(past, 400);
  wheel.arm(present, 1000);
  CHECK(wheel.next_deadline(1000) == 1000U);
  CHECK(wheel.next_deadline(1005) == 1005U);
  CHECK(expired_by(wheel, 1000) == 2);
  CHECK_FALSE(wheel.next_deadline(1000).has_value());
}

TEST_CASE("a cancelled timer does not expire, and cancelling twice is harmless", "[timer_wheel]") {
  timer_wheel wheel{};
  timer a{};
  timer b{};
  wheel.cancel(a);
  wheel.arm(a, 50);
  wheel.arm(b, 5000);
  wheel.cancel(a);
  wheel.cancel(a);
  CHECK_FALSE(a.armed());
  CHECK(wheel.armed() == 1);
  // The bucket that a left empty does not cause a wake-up.
  const auto next = wheel.next_deadline(0);
  REQUIRE(next.has_value());
  CHECK(*next > 50);
  CHECK(*next <= 5000);
  CHECK(expired_by(wheel, 4999) == 0);
  CHECK(expired_by(wheel, 5000) == 1);
}

TEST_CASE("moving a deadline to later is only a store", "[timer_wheel]") {
  timer_wheel wheel{};
  timer t{};
  wheel.arm(t, 50);
  const timer before = t;
  wheel.arm(t, 90);
  CHECK(t.next == before.next);
  CHECK(t.previous == before.previous);
  CHECK(t.scheduled == before.scheduled);
  CHECK(t.deadline == 90);
  CHECK(wheel.armed() == 1);
  CHECK(wheel.next_deadline(0) == 50U);
  CHECK(expired_by(wheel, 50) == 0);
  CHECK(wheel.next_deadline(50) == 90U);
  CHECK(expired_by(wheel, 89) == 0);
  CHECK(expired_by(wheel, 90) == 1);
}

TEST_CASE("moving a deadline to earlier brings it forward", "[timer_wheel]") {
  timer_wheel wheel{};
  timer t{};
  wheel.arm(t, 20 * day_ms);
  wheel.arm(t, 100'000);
  wheel.arm(t, 10);
  CHECK(wheel.armed() == 1);
  CHECK(wheel.next_deadline(0) == 10U);
  CHECK(expired_by(wheel, 9) == 0);
  CHECK(expired_by(wheel, 10) == 1);
}

TEST_CASE("a timer that re-arms itself for now does not keep advance from ending",
          "[timer_wheel]") {
  timer_wheel wheel{};
  timer t{};
  wheel.arm(t, 10);
  int calls = 0;
  const auto again = [&](timer& e) {
    ++calls;
    wheel.arm(e, wheel.now());
  };
  for (int turn = 1; turn <= 3; ++turn) {
    wheel.advance(10, again);
    CHECK(calls == turn);
    CHECK(wheel.next_deadline(10) == 10U);
  }
}

TEST_CASE("a callback can cancel and move others that are due in the same turn", "[timer_wheel]") {
  timer_wheel wheel{};
  timer cancelled{};
  timer moved{};
  timer first{};
  std::vector<timer*> order;
  wheel.arm(first, 10);
  wheel.arm(cancelled, 11);
  wheel.arm(moved, 12);
  wheel.advance(20, [&](timer& t) {
    order.push_back(&t);
    if (&t == &first) {
      wheel.cancel(cancelled);
      wheel.arm(moved, 30);
    }
  });
  CHECK(order == std::vector<timer*>{&first});
  CHECK(wheel.armed() == 1);
  CHECK(expired_by(wheel, 29) == 0);
  CHECK(expired_by(wheel, 30) == 1);
}

TEST_CASE("a timer about to be looked at expires in the same turn when it is moved to earlier",
          "[timer_wheel]") {
  timer_wheel wheel{};
  timer first{};
  timer second{};
  wheel.arm(first, 10);
  wheel.arm(second, 12);
  std::vector<timer*> order;
  wheel.advance(20, [&](timer& t) {
    order.push_back(&t);
    if (&t == &first) {
      wheel.arm(second, 5);
    }
  });
  CHECK(order == std::vector<timer*>{&first, &second});
  CHECK(wheel.armed() == 0);
}

TEST_CASE("the next deadline is never before the time that is asked for", "[timer_wheel]") {
  timer_wheel wheel{};
  timer t{};
  wheel.arm(t, 50);
  CHECK(wheel.next_deadline(49) == 50U);
  CHECK(wheel.next_deadline(50) == 50U);
  CHECK(wheel.next_deadline(70) == 70U);
}

TEST_CASE("a callback that throws loses no timer", "[timer_wheel]") {
  timer_wheel wheel{};
  timer a{};
  timer b{};
  wheel.arm(a, 1);
  wheel.arm(b, 1);
  CHECK_THROWS(wheel.advance(1, [](timer&) { throw 1; }));
  CHECK(wheel.armed() == 1);
  CHECK(wheel.next_deadline(1) == 1U);
  CHECK(expired_by(wheel, 1) == 1);
}

TEST_CASE("a wheel that was not advanced for more than half the clock's range works",
          "[timer_wheel]") {
  timer_wheel wheel{};
  wheel.start(100);
  const tick now = 100U + 30U * day_ms;  // Nothing was armed, so nobody had to wake up.
  timer t{};
  SECTION("when it is advanced first") { CHECK(expired_by(wheel, now) == 0); }
  SECTION("when a timer is armed first") { CHECK_FALSE(t.armed()); }
  wheel.arm(t, now + 60'000);
  CHECK(expired_by(wheel, now) == 0);
  CHECK(t.armed());
  CHECK(sleep_until_expired(wheel, t, now) < 10);
}

TEST_CASE("a clock that steps back makes no timer early", "[timer_wheel]") {
  timer_wheel wheel{};
  wheel.start(10'000);
  timer t{};
  timer far{};
  wheel.arm(t, 10'050);
  wheel.arm(far, 10'000 + day_ms);
  const tick back = GENERATE(tick{1}, tick{16}, tick{64}, tick{1000}, tick{9000}, tick{500'000});
  CHECK(expired_by(wheel, 10'000 - back) == 0);
  CHECK_FALSE(nen::tick_before(10'050, *wheel.next_deadline(10'000 - back)));
  CHECK(expired_by(wheel, 10'049) == 0);
  CHECK(expired_by(wheel, 10'050) == 1);
  CHECK(expired_by(wheel, 10'000 + day_ms - 1) == 0);
  CHECK(expired_by(wheel, 10'000 + day_ms) == 1);
}

TEST_CASE("the time is not set while a timer is armed", "[timer_wheel]") {
  timer_wheel wheel{};
  timer t{};
  wheel.arm(t, 1);
  CHECK(nen::test::dies([&] { wheel.start(5); }).aborted);
}

TEST_CASE("a timer that is pushed back all the time costs one look for each former deadline",
          "[timer_wheel]") {
  timer_wheel wheel{};
  timer t{};
  int wakeups = 0;
  tick now = 0;
  // A busy keep-alive connection: every 3 ms its idle timeout of 5 s begins anew.
  for (; now < 60'000; now += 3) {
    wheel.arm(t, now + 5000);
    const auto next = wheel.next_deadline(now);
    REQUIRE(next.has_value());
    if (*next <= now) {
      ++wakeups;
    }
    CHECK(expired_by(wheel, now) == 0);
  }
  CHECK(wakeups <= 60'000 / 904 + 1);  // A place is at least 5000 - 4096 ms away.
}
