// Streamed answers that don't go as planned: clients that don't read or leave, no slots, faults,
// and a server that stops.
#include "server/stream_server.hpp"

using namespace nen::test::streaming;
using nen::shard_counters;
using nen::test::client;
using nen::test::eventually;
using nen::test::milliseconds;
using nen::test::stopwatch;
using nen::test::stream_end;

namespace {

nen::listen_options with(milliseconds nen::listen_options::*which, int value) {
  nen::listen_options o = patient;
  o.*which = milliseconds(value);
  return o;
}

/// Send slots that are taken, besides those of this very question.
int slots_taken(client& other) { return std::stoi(other.ask(get_of("/in-use")).body); }

/// Waits until no producer is there any more, and has all of their ends told.
bool ends_are(client& other, int wanted) {
  const bool reached = eventually([&] { return seen.ends >= wanted; });
  (void)other.ask(get_of("/"));
  ::usleep(30'000);
  UNSCOPED_INFO("told of the end " << seen.ends << " times");
  return reached && seen.ends == wanted;
}

}  // namespace

TEST_CASE("a client that does not read holds few send slots, and its producer rests", "[server]") {
  run_of run(server, patient);
  client other = run.connect();
  for (const char* size : {"1", "500", "2000"}) {
    INFO("chunks of " << size);
    seen.reset();
    client c = run.connect(4096);
    c.send(get_of("/endless/" + std::string(size)));
    const int calls = calls_when_quiet();
    const int slots = slots_taken(other);
    CHECK(slots >= 1);
    CHECK(slots <= 3);  // one message of at most this many slots is on its way
    ::usleep(200'000);
    CHECK(seen.calls == calls);
    CHECK(other.ask(get_of("/")).body == "hello");
    (void)read_head(c);
    stopwatch watch;
    while (seen.calls == calls && watch.milliseconds() < 10'000) (void)read_chunk(c);
    CHECK(seen.calls > calls);  // it reads, and so there is more to read
    c.reset();
    CHECK(ends_are(other, 1));
    CHECK(slots_taken(other) == 0);
  }
}

TEST_CASE("waking the producer of a client that does not read takes no more memory", "[server]") {
  run_of run(server, patient);
  seen.reset();
  client c = run.connect(4096);
  c.send(get_of("/listen/0"));
  client other = run.connect();
  int unheard = 0;
  for (int i = 0; i < 20'000 && unheard < 50; ++i) {
    const int calls = seen.calls;
    CHECK(other.ask(get_of("/say-much/0/2000")).body == "true");
    CHECK(slots_taken(other) <= 6);
    unheard = seen.calls == calls ? unheard + 1 : 0;
  }
  CHECK(unheard == 50);
  (void)read_head(c);
  const int calls = seen.calls;
  while (seen.calls == calls) CHECK(read_chunk(c) == letters(2000));
  CHECK(other.ask(get_of("/finish/0")).body == "true");
  while (!read_chunk(c).empty()) {
  }
  CHECK(read_line(c).empty());
  CHECK(c.ask(get_of("/")).body == "hello");
}

TEST_CASE("a client that does not read a stream is cut off by the write timeout", "[server]") {
  run_of run(server, with(&nen::listen_options::write_timeout, 300));
  seen.reset();
  client c = run.connect(4096);
  c.send(get_of("/endless/2000"));
  CHECK(run.counts(&shard_counters::timeouts_write, 1));
  client other = run.connect();
  CHECK(ends_are(other, 1));
  CHECK(slots_taken(other) == 0);
  CHECK(run.count(&shard_counters::connections_closed) == 1);
}

TEST_CASE("a producer is told once that its client has left", "[server]") {
  run_of run(server, patient);
  client other = run.connect();
  int streams = 0;
  for (const char* target : {"/listen/0", "/drip/60000/1", "/endless/1000", "/drip/1/10000"}) {
    for (const bool resets : {false, true}) {
      INFO(target << (resets ? ", reset" : ", end"));
      seen.reset();
      client c = listening(run, get_of(target));
      ::usleep(10'000);
      CHECK(seen.ends == 0);
      resets ? c.reset() : c.close();
      CHECK(ends_are(other, 1));
      CHECK(run.counts(&shard_counters::connections_closed, static_cast<std::uint64_t>(++streams)));
      const int calls = seen.calls;
      ::usleep(20'000);
      CHECK(seen.calls == calls);
      CHECK(other.ask(get_of("/pending/0")).body == "false");
      CHECK(other.ask(get_of("/say/0/late")).body == "false");
      CHECK(other.ask(get_of("/in-use")).body == "0 0");
    }
  }
}

TEST_CASE("that a client left is noticed though requests wait behind its stream", "[server]") {
  run_of run(server, patient);
  client other = run.connect();
  for (const bool resets : {false, true}) {
    seen.reset();
    client c = listening(run, get_of("/listen/0") + get_of("/"));
    ::usleep(20'000);
    resets ? c.reset() : c.close();
    stopwatch watch;
    while (seen.ends == 0 && watch.milliseconds() < 2000) ::usleep(1000);
    CHECK(seen.ends == 1);
  }
}

TEST_CASE("more streams than config::streams are answered 503", "[server]") {
  run_of run(server, patient);
  seen.reset();
  std::vector<client> all;
  for (int i = 0; i < 4; ++i) all.push_back(listening(run, get_of("/listen/" + std::to_string(i))));
  client other = run.connect();
  for (std::uint64_t i = 1; i <= 3; ++i) {
    const int calls = seen.calls;
    const auto a = other.ask(get_of("/chunks/5/5"));
    CHECK(a.status == 503);
    CHECK(a.field("Retry-After") == "1");
    CHECK(a.count("Transfer-Encoding") == 0);
    CHECK(!a.says_close());
    CHECK(seen.calls == calls);
    CHECK(run.count(&shard_counters::streams_empty) == i);
  }
  other.send("POST /late/1 HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nab");
  CHECK(other.read_answer().status == 503);
  CHECK(seen.ends == 0);  // who was never called is not told of an end
  CHECK(other.ask(get_of("/finish/2")).body == "true");
  CHECK(read_chunk(all[2]).empty());
  other.send(get_of("/chunks/5/5"));
  CHECK(read_streamed(other).chunks.size() == 5);
  CHECK(all[0].is_quiet_for(1));
  CHECK(run.count(&shard_counters::streams_empty) == 4);
}

TEST_CASE("an exception in a producer cuts its body short", "[server]") {
  run_of run(server, patient);
  client other = run.connect();
  client c = listening(run, get_of("/listen/0") + get_of("/"));
  CHECK(other.ask(get_of("/say/0/half")).body == "true");
  CHECK(read_chunk(c) == "half");
  CHECK(other.ask(get_of("/fail/0")).body == "true");
  CHECK(c.is_closed_next());  // without a last chunk: it is not whole
  CHECK(run.count(&shard_counters::handler_exceptions) == 1);
  CHECK(other.ask(get_of("/pending/0")).body == "false");
  CHECK(other.ask(get_of("/in-use")).body == "0 0");
}

TEST_CASE("streams that rest can finish when the server stops", "[server]") {
  run_of run(server, patient);
  seen.reset();
  client waits = listening(run, get_of("/listen/0"));
  client events = listening(run, get_of("/events"));
  client old = run.connect();
  old.send("GET /listen/1 HTTP/1.0\r\n\r\n");
  (void)read_head(old);
  stopwatch watch;
  server.stop();
  for (client* c : {&waits, &events}) {
    CHECK(c->read_bytes(5) == "0\r\n\r\n");
    CHECK(c->is_closed_next());
    c->close();
  }
  CHECK(old.is_closed_next());
  old.close();
  run.wait();
  CHECK(watch.milliseconds() < 1500);
  CHECK(seen.ends == 3);
  CHECK(run.count(&shard_counters::drain_aborts) == 0);
}

TEST_CASE("a stream that rests is ended though requests wait behind it", "[server]") {
  run_of run(server, patient);
  seen.reset();
  client c = listening(run, get_of("/listen/0") + get_of("/"));
  CHECK(c.is_quiet_for(20));
  stopwatch watch;
  server.stop();
  CHECK(c.read_bytes(5) == "0\r\n\r\n");
  c.close();
  run.wait();
  CHECK(watch.milliseconds() < 1500);
  CHECK(seen.ends == 1);
  CHECK(run.count(&shard_counters::drain_aborts) == 0);
}

TEST_CASE("a stream that is busy while the server stops can finish later", "[server]") {
  run_of run(server, patient);
  seen.reset();
  rests_now = false;
  client c = run.connect(4096);
  c.send(get_of("/rests-when-told"));
  (void)calls_when_quiet();
  stopwatch watch;
  server.stop();
  ::usleep(100'000);
  rests_now = true;
  CHECK(c.read_end() == stream_end::closed);
  CHECK(c.rest().ends_with("\r\n0\r\n\r\n"));
  c.close();
  run.wait();
  CHECK(watch.milliseconds() < 2500);
  CHECK(seen.ends == 1);
  CHECK(run.count(&shard_counters::drain_aborts) == 0);
}

TEST_CASE("a stream that is under way may end in the drain timeout, and is cut off after it",
          "[server]") {
  SECTION("it ends in time") {
    run_of run(server, patient);
    client c = run.connect(4096);
    c.send(get_of("/fill/2000/4000"));
    ::usleep(200'000);
    server.stop();
    const auto s = read_streamed(c);
    CHECK(s.chunks.size() == 4000);
    CHECK(c.is_closed_next());
    c.close();
    run.wait();
    CHECK(run.count(&shard_counters::drain_aborts) == 0);
  }
  SECTION("it sleeps now and then") {
    run_of run(server, patient);
    client c = listening(run, get_of("/drip/50/5"));
    server.stop();
    for (int i = 0; i < 5; ++i) CHECK(c.read_bytes(6) == "1\r\nx\r\n");
    CHECK(c.read_bytes(5) == "0\r\n\r\n");
    CHECK(c.is_closed_next());
    c.close();
    run.wait();
    CHECK(run.count(&shard_counters::drain_aborts) == 0);
  }
  SECTION("it sleeps for too long") {
    run_of run(server, with(&nen::listen_options::drain_timeout, 300));
    client c = listening(run, get_of("/drip/60000/2"));
    server.stop();
    CHECK(c.read_bytes(6) == "1\r\nx\r\n");  // it is called, and rests again
    CHECK(run.counts(&shard_counters::drain_aborts, 1));
    CHECK(c.is_closed_next());  // without the end of the body
    c.close();
    run.wait();
  }
  SECTION("it does not") {
    run_of run(server, with(&nen::listen_options::drain_timeout, 300));
    seen.reset();
    client c = run.connect(4096);
    c.send(get_of("/endless/1000"));
    (void)calls_when_quiet();
    stopwatch watch;
    server.stop();
    CHECK(run.counts(&shard_counters::drain_aborts, 1));
    CHECK(watch.shows(300));
    c.close();
    run.wait();
    CHECK(seen.ends == 1);
  }
}

TEST_CASE("streams that rest with requests behind them don't keep others from being read",
          "[server]") {
  run_of run(server, patient);
  // As many as there are receive buffers, each of which would hold one.
  std::vector<client> all;
  for (int i = 0; i < 4; ++i)
    all.push_back(listening(run, get_of("/listen/" + std::to_string(i)) + get_of("/")));
  for (client& c : all) c.send(get_of("/"));
  ::usleep(50'000);
  client other = run.connect();
  other.patience = 4000;
  CHECK(other.ask(get_of("/")).body == "hello");
}

TEST_CASE("an exception in a producer's last call ends nothing else", "[server]") {
  nen::test::child process([] {
    if (!server.start({.host = "127.0.0.1", .port = 0})) return 1;
    client c(server.port());
    c.send(get_of("/throws-in-its-end"));
    if (read_head(c).status != 200) return 2;
    c.reset();
    ::usleep(100'000);
    client other(server.port());
    return other.ask(get_of("/")).body == "hello" ? 0 : 3;
  });
  CHECK(process.wait() == 0);
}
