// A turn of the loop: waits no longer than the next timer allows, then completions, timers, the
// end.
#include <nen/io/event_loop.hpp>

#include <sys/eventfd.h>

#include "io/ring_driver.hpp"
#include "support/catch.hpp"

namespace {

using nen::completion;
using nen::operation;
using nen::test::name;

nen::event_loop<nen::uring<nen::ring_sizes{4, 4, 256}>> loop;

/// Writes down what the loop calls.
struct recorder {
  std::string calls;
  nen::timer* slow = nullptr;

  void on_completion(const completion&) { calls += 'c'; }
  void on_timer(nen::timer& due) { calls += &due == slow ? 'T' : 't'; }
  void on_turn_end() { calls += 'e'; }
};

struct opened {
  opened() { REQUIRE(loop.open()); }
  ~opened() { loop.ring().shut(); }
};

}  // namespace

TEST_CASE("a turn runs what completed, then what is due, then its end", "[io]") {
  opened o;
  recorder seen;
  nen::timer t{};
  const int counter = ::eventfd(1, EFD_CLOEXEC);
  ::usleep(2000);
  loop.timers().arm(t, loop.now() + 1);
  loop.ring().watch(name(operation::wake, 0), counter);
  loop.turn(seen);
  if (seen.calls == "ce") loop.turn(seen);  // the clock had not gone on yet
  CHECK((seen.calls == "cte" || seen.calls == "cete"));
  ::close(counter);
}

TEST_CASE("a turn without anything to do sleeps until the next timer", "[io]") {
  opened o;
  recorder seen;
  nen::timer soon{};
  nen::timer late{};
  seen.slow = &late;
  const auto before = loop.now();
  loop.timers().arm(late, before + 120);
  loop.timers().arm(soon, before + 40);
  while (seen.calls.find('t') == seen.calls.npos) loop.turn(seen);
  CHECK(loop.now() - before >= 40);
  CHECK(loop.now() - before < 120);
  CHECK(seen.calls.size() <= 6);  // it slept instead of spinning
  while (seen.calls.find('T') == seen.calls.npos) loop.turn(seen);
  CHECK(loop.now() - before >= 120);
  CHECK(loop.now() - before < 620);
  CHECK(seen.calls.size() <= 12);
}

TEST_CASE("long timers do not keep the loop awake", "[io]") {
  opened o;
  recorder seen;
  nen::timer hours{};
  nen::timer soon{};
  loop.timers().arm(hours, loop.now() + 3 * 60 * 60 * 1000);
  loop.timers().arm(soon, loop.now() + 300);
  while (seen.calls.find('t') == seen.calls.npos) loop.turn(seen);
  CHECK(seen.calls.size() <= 16);
  loop.timers().cancel(hours);
}

TEST_CASE("what a turn's end queues is submitted by the next turn", "[io]") {
  opened o;
  struct again : recorder {
    int counter = ::eventfd(1, EFD_CLOEXEC);
    void on_turn_end() {
      recorder::on_turn_end();
      if (calls == "te") loop.ring().watch(name(operation::wake, 0), counter);
    }
  } seen;
  nen::timer t{};
  loop.timers().arm(t, loop.now());
  loop.turn(seen);
  REQUIRE(seen.calls == "te");
  loop.turn(seen);  // nothing else could end its wait
  CHECK(seen.calls == "tece");
  ::close(seen.counter);
}

TEST_CASE("a timer may arm itself again and cancel others", "[io]") {
  opened o;
  struct periodic {
    nen::timer tick{};
    nen::timer victim{};
    int ticks = 0;
    bool victim_ran = false;
    void on_completion(const completion&) {}
    void on_timer(nen::timer& due) {
      if (&due == &victim) {
        victim_ran = true;
        return;
      }
      loop.timers().cancel(victim);
      if (++ticks < 5) loop.timers().arm(tick, loop.now() + 10);
    }
    void on_turn_end() {}
  } p;
  const auto before = loop.now();
  loop.timers().arm(p.tick, before + 10);
  loop.timers().arm(p.victim, before + 20);
  while (p.ticks < 5) loop.turn(p);
  CHECK(loop.now() - before >= 50);
  CHECK(loop.now() - before < 550);
  CHECK_FALSE(p.victim_ran);
  CHECK_FALSE(p.tick.armed());
}
