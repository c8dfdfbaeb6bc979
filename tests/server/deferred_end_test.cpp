// Deferred answers that nobody waits for any more, that come too late, or for which there is no
// room.
#include "server/deferred_server.hpp"

using namespace nen::test::deferring;
using nen::shard_counters;
using nen::test::client;
using nen::test::eventually;
using nen::test::milliseconds;
using nen::test::stopwatch;

TEST_CASE("when the client leaves, its answer is not owed any more", "[server]") {
  for (const bool resets : {false, true}) {
    for (const std::string& request : {get_of("/park/0"), post_of("/park/0", "body")}) {
      INFO((resets ? "reset: " : "end: ") << request);
      run_of run(server, patient);
      client other = run.connect();
      client c = parked(run, request, 1);
      CHECK(other.ask(get_of("/pending/0")).body == "true");
      resets ? c.reset() : c.close();
      CHECK(eventually([&] { return other.ask(get_of("/pending/0")).body == "false"; }));
      CHECK(other.ask(get_of("/complete/0")).body == "gone");
      CHECK(other.ask(get_of("/after/0/1")).body == "false");
      CHECK(other.ask(get_of("/in-use")).body == "0 0");
      CHECK(run.counts(&shard_counters::connections_closed, 1));
    }
  }
}

TEST_CASE("a client that only ends its side has left, too", "[server]") {
  run_of run(server, patient);
  client c = parked(run, get_of("/park/0"), 1);
  c.finish_sending();
  CHECK(c.is_closed_next());
}

TEST_CASE("a client may leave while requests wait behind the deferred one", "[server]") {
  for (const bool resets : {false, true}) {
    run_of run(server, patient);
    client other = run.connect();
    client c = parked(run, get_of("/park/0") + get_of("/") + get_of("/pa"), 1);
    resets ? c.reset() : c.close();
    ::usleep(20'000);
    const auto outcome = other.ask(get_of("/complete/0")).body;
    CHECK((outcome == "answered" || outcome == "gone"));
    CHECK(run.counts(&shard_counters::connections_closed, 1));
    CHECK(other.ask(get_of("/in-use")).body == "0 0");
    CHECK(other.ask(get_of("/complete/0")).body == "gone");
  }
}

TEST_CASE("a client may leave before the callback's time", "[server]") {
  run_of run(server, patient);
  {
    client c = parked(run, get_of("/late/100"), 1);
    c.reset();
  }
  CHECK(run.counts(&shard_counters::connections_closed, 1));
  ::usleep(150'000);
  client other = run.connect();
  CHECK(other.ask(get_of("/in-use")).body == "0 0");
  CHECK(run.count(&shard_counters::send_errors) == 0);
}

TEST_CASE("a handle means nothing to the next request of its connection", "[server]") {
  run_of run(server, patient);
  client other = run.connect();
  client c = run.connect();
  for (std::uint64_t i = 0; i < 10; ++i) {
    c.send(get_of("/park/" + std::to_string(i)));
    CHECK(run.counts(&shard_counters::requests_deferred, i + 1));
    for (std::uint64_t old = 0; old < i; ++old) {
      const auto n = std::to_string(old);
      CHECK(other.ask(get_of("/pending/" + n)).body == "false");
      CHECK(other.ask(get_of("/complete/" + n)).body == "gone");
      CHECK(other.ask(get_of("/after/" + n + "/0")).body == "false");
    }
    CHECK(c.is_quiet_for(5));
    CHECK(other.ask(get_of("/complete/" + std::to_string(i))).body == "answered");
    CHECK(c.read_answer().status == 200);
  }
}

TEST_CASE("a handle means nothing to the next owner of its slot", "[server]") {
  run_of run(server, patient);
  client other = run.connect();
  // More than there are slots, so that each is used again.
  constexpr std::uint64_t rounds = 60;
  for (std::uint64_t i = 0; i < rounds; ++i) {
    client c = parked(run, get_of("/park/" + std::to_string(i)), i + 1);
    i % 2 == 0 ? c.reset() : c.close();
    CHECK(run.counts(&shard_counters::connections_closed, i + 1));
  }
  client last = parked(run, get_of("/park/99"), rounds + 1);
  for (std::uint64_t i = 0; i < rounds; ++i) {
    const auto n = std::to_string(i);
    CHECK(other.ask(get_of("/pending/" + n)).body == "false");
    CHECK(other.ask(get_of("/complete/" + n)).body == "gone");
    CHECK(other.ask(get_of("/after/" + n + "/0")).body == "false");
  }
  CHECK(last.is_quiet_for(30));
  CHECK(other.ask(get_of("/pending/99")).body == "true");
  CHECK(other.ask(get_of("/complete/99")).body == "answered");
  CHECK(last.read_answer().status == 200);
}

TEST_CASE("a handle outlives its server's run and means nothing in the next", "[server]") {
  {
    run_of run(server, patient);
    client c = parked(run, get_of("/park/0"), 1);
    server.abort();
    c.close();
    run.wait();
  }
  run_of run(server, patient);
  client c = run.connect();
  CHECK(c.ask(get_of("/pending/0")).body == "false");
  CHECK(c.ask(get_of("/complete/0")).body == "gone");
}

TEST_CASE("who answers at once has a handle that names nothing", "[server]") {
  run_of run(server, patient);
  client c = run.connect();
  CHECK(c.ask(get_of("/forget/7")).body == "at once");
  CHECK(c.ask(get_of("/pending/7")).body == "false");
  CHECK(c.ask(get_of("/complete/7")).body == "gone");
  CHECK(c.ask(get_of("/after/7/0")).body == "false");
  CHECK(c.is_quiet_for(30));
  CHECK(run.count(&shard_counters::requests_deferred) == 0);
}

TEST_CASE("an answer that does not come in time is a 503", "[server]") {
  nen::listen_options o = patient;
  o.handler_timeout = milliseconds(250);
  run_of run(server, o);
  for (const char* target : {"/park/0", "/late/5000", "/never"}) {
    INFO(target);
    client c = run.connect();
    stopwatch watch;
    const auto a = c.ask(get_of(target));
    CHECK(watch.shows(250));
    CHECK(a.status == 503);
    CHECK(a.field("Retry-After") == "1");
    CHECK(a.says_close());
    CHECK(c.is_closed_next());
  }
  CHECK(run.count(&shard_counters::timeouts_handler) == 3);
  client other = run.connect();
  CHECK(other.ask(get_of("/complete/0")).body == "gone");
  CHECK(other.ask(get_of("/in-use")).body == "0 0");
  stopwatch watch;
  CHECK(other.ask(get_of("/late/100")).status == 200);  // what comes in time is not cut off
  CHECK(watch.shows(100));
  CHECK(other.is_quiet_for(300));
  CHECK(run.count(&shard_counters::timeouts_handler) == 3);
}

TEST_CASE("the handler's time runs though requests wait behind it", "[server]") {
  nen::listen_options o = patient;
  o.handler_timeout = milliseconds(200);
  run_of run(server, o);
  client c = run.connect();
  stopwatch watch;
  c.send(get_of("/park/0") + get_of("/"));
  CHECK(c.read_answer().status == 503);
  CHECK(watch.shows(200));
  CHECK(c.is_closed_next());
}

TEST_CASE("no other timeout runs while an answer is put off, and zero is no limit", "[server]") {
  nen::listen_options o = patient;
  o.header_timeout = o.body_timeout = o.idle_timeout = o.write_timeout = milliseconds(100);
  o.handler_timeout = milliseconds(0);
  run_of run(server, o);
  client c = parked(run, get_of("/park/0"), 1);
  CHECK(c.is_quiet_for(300));
  client other = run.connect();
  CHECK(other.ask(get_of("/complete/0")).body == "answered");
  CHECK(c.read_answer().status == 200);
  stopwatch watch;
  CHECK(c.is_closed_next());  // now it is idle
  CHECK(watch.shows(100));
}

TEST_CASE("more deferred requests than head slots are answered 503", "[server]") {
  run_of run(server, patient);
  std::vector<client> waiting;
  for (std::uint64_t i = 0; i < 4; ++i)
    waiting.push_back(parked(run, get_of("/park/" + std::to_string(i)), i + 1));
  client refused = run.connect();
  const auto a = refused.ask(get_of("/park/4"));
  CHECK(a.status == 503);
  CHECK(a.field("Retry-After") == "1");
  CHECK(refused.is_closed_next());
  CHECK(run.count(&shard_counters::head_slots_empty) == 1);
  CHECK(run.count(&shard_counters::requests_deferred) == 4);
  client other = run.connect();
  CHECK(other.ask(get_of("/pending/4")).body == "false");
  CHECK(other.ask(get_of("/complete/4")).body == "gone");
  CHECK(other.ask(get_of("/complete/0")).body == "answered");
  CHECK(waiting[0].read_answer().status == 200);
  waiting[0].send(get_of("/park/0"));
  CHECK(run.counts(&shard_counters::requests_deferred, 5));
  CHECK(other.ask(get_of("/complete-all/4")).body == "4");
  for (client& c : waiting) CHECK(c.read_answer().status == 200);
}

TEST_CASE("more deferred bodies than body slots are answered 503", "[server]") {
  run_of run(server, patient);
  std::vector<client> waiting;
  for (std::uint64_t i = 0; i < 3; ++i)
    waiting.push_back(parked(run, post_of("/park/" + std::to_string(i), "body"), i + 1));
  client refused = run.connect();
  CHECK(refused.ask(post_of("/park/3", "body")).status == 503);
  CHECK(run.count(&shard_counters::body_slots_empty) == 1);
  client other = run.connect();
  CHECK(other.ask(get_of("/in-use")).body == "3 3");
  CHECK(other.ask(get_of("/complete-all/4")).body == "3");
  for (client& c : waiting) CHECK(c.read_answer().status == 200);
  CHECK(other.ask(post_of("/late/1", "body")).body == "POST /late/1 tag body");
}

TEST_CASE("without send slots complete() says so, and works when there are some", "[server]") {
  run_of run(server, patient);
  client waiting = parked(run, get_of("/park/0"), 1);
  client other = run.connect();
  auto readers = stalled_readers(run);
  for (int i = 0; i < 3; ++i) CHECK(other.ask(get_of("/complete/0")).body == "no_room");
  CHECK(other.ask(get_of("/pending/0")).body == "true");
  CHECK(waiting.is_quiet_for(30));
  for (client& c : readers) CHECK(c.read_answer().body.size() == large.size());
  CHECK(other.ask(get_of("/complete/0")).body == "answered");
  CHECK(waiting.read_answer().body == "GET /park/0 - ");
}

TEST_CASE("a callback that finds no send slots is called when there are some", "[server]") {
  run_of run(server, patient);
  client waiting = parked(run, get_of("/late/300"), 1);
  auto readers =
      stalled_readers(run, 7);  // two of the nine slots are left, and an answer takes three
  CHECK(waiting.is_quiet_for(600));
  for (client& c : readers) CHECK(c.read_answer().body.size() == large.size());
  CHECK(waiting.read_answer().body == "GET /late/300 - ");
}

TEST_CASE("draining lets a deferred answer finish, and closes behind it", "[server]") {
  nen::listen_options o = patient;
  o.drain_timeout = milliseconds(5000);
  run_of run(server, o);
  client c = parked(run, get_of("/late/200"), 1);
  stopwatch watch;
  server.stop();
  const auto a = c.read_answer();
  CHECK(watch.milliseconds() < 1000);
  CHECK(a.body == "GET /late/200 - ");
  CHECK(a.says_close());
  c.close();
  run.wait();
  CHECK(watch.milliseconds() < 2000);
  CHECK(run.count(&shard_counters::drain_aborts) == 0);
}

TEST_CASE("when the drain timeout passes, a deferred answer is cut off", "[server]") {
  run_of run(server, patient);
  client c = parked(run, post_of("/park/0", "body"), 1);
  stopwatch watch;
  server.stop();
  CHECK(c.is_closed_next());
  CHECK(watch.shows(300));
  c.close();
  run.wait();
  CHECK(run.count(&shard_counters::drain_aborts) == 1);
}

TEST_CASE("a handle stays on its shard's thread", "[server]") {
  nen::test::child process([] {
    if (!server.start({.host = "127.0.0.1", .port = 0})) return 1;
    client c(server.port());
    const int before = parks;
    c.send(get_of("/park/0"));
    while (parks == before) ::usleep(1000);
    return handles[0].pending() ? 2 : 3;
  });
  CHECK(process.wait() == -SIGABRT);
  CHECK_THAT(process.output, nen::test::ContainsSubstring("pthread_equal"));
}
