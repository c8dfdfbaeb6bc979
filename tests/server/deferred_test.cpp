// Answers that come later: by a timer, by another request, once, in order, and with the request as
// it was.
#include "server/deferred_server.hpp"

using namespace nen::test::deferring;
using nen::shard_counters;
using nen::test::client;
using nen::test::eventually;
using nen::test::milliseconds;
using nen::test::stopwatch;

TEST_CASE("an answer comes after the time that its handler said", "[server]") {
  run_of run(server, patient);
  client c = run.connect();
  for (const int ms : {0, 1, 30, 250}) {
    stopwatch watch;
    const auto target = "/late/" + std::to_string(ms);
    const auto a = c.ask(get_of(target));
    CHECK(a.body == "GET " + target + " - ");
    CHECK(watch.milliseconds() >= ms - 3);
    CHECK(watch.milliseconds() < ms + 200);
    CHECK(!a.says_close());
  }
  CHECK(c.ask(get_of("/")).body == "hello");
  CHECK(run.count(&shard_counters::requests_deferred) == 4);
  CHECK(run.count(&shard_counters::requests) == 5);
}

TEST_CASE("another connection answers, once", "[server]") {
  run_of run(server, patient);
  client waiting = parked(run, get_of("/park/0", "X-Tag: kept\r\n"), 1);
  client other = run.connect();
  CHECK(other.ask(get_of("/pending/0")).body == "true");
  CHECK(waiting.is_quiet_for(50));
  CHECK(other.ask(get_of("/complete/0")).body == "answered");
  CHECK(waiting.read_answer().body == "GET /park/0 kept ");
  CHECK(other.ask(get_of("/pending/0")).body == "false");
  CHECK(other.ask(get_of("/complete/0")).body == "gone");
  CHECK(other.ask(get_of("/after/0/1")).body == "false");
  CHECK(other.ask(get_of("/wake/0")).body == "false");
  CHECK(waiting.is_quiet_for(30));
  CHECK(waiting.ask(get_of("/")).body == "hello");
}

TEST_CASE("many that wait are answered by one", "[server]") {
  run_of run(server, patient);
  client other = run.connect();
  for (int round = 1; round <= 5; ++round) {
    std::vector<client> waiting;
    for (std::uint64_t i = 0; i < 3; ++i)
      waiting.push_back(parked(run, get_of("/park/" + std::to_string(i)),
                               static_cast<std::uint64_t>(round - 1) * 3 + i + 1));
    CHECK(other.ask(get_of("/complete-all/3")).body == "3");
    for (std::size_t i = 0; i < 3; ++i)
      CHECK(waiting[i].read_answer().body == "GET /park/" + std::to_string(i) + " - ");
  }
}

TEST_CASE("the request is kept as it was, however it came", "[server]") {
  run_of run(server, patient);
  const std::string body(700, 'b');
  const std::string chunked =
      "POST /park/0 HTTP/1.1\r\nHost: h\r\nX-Tag: tag\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n";
  struct row {
    std::string request;
    std::size_t piece;  // bytes that are sent at a time; 0: all
    std::string body;
  };
  const row rows[] = {
      {post_of("/park/0", "in one"), 0, "in one"},
      {post_of("/park/0", ""), 0, ""},
      {post_of("/park/0", "abcdefghij"), 7, "abcdefghij"},
      {post_of("/park/0", "abcdefghij"), 85, "abcdefghij"},
      {post_of("/park/0", body), 0, body},  // longer than a receive buffer
      {post_of("/park/0", body), 100, body},
      {chunked, 0, "abcdefg"},
      {chunked, 5, "abcdefg"},
      {chunked, 90, "abcdefg"},
  };
  client other = run.connect();
  client waiting = run.connect();
  std::uint64_t count = 0;
  for (const row& r : rows) {
    INFO(r.request.substr(0, 60) << " in pieces of " << r.piece);
    const std::string_view request = r.request;
    const std::size_t piece = r.piece == 0 ? request.size() : r.piece;
    for (std::size_t at = 0; at < request.size(); at += piece) {
      waiting.send(request.substr(at, piece));
      if (r.piece != 0) ::usleep(2000);
    }
    CHECK(run.counts(&shard_counters::requests_deferred, ++count));
    // Whatever it came in is used for other things meanwhile.
    for (int i = 0; i < 8; ++i)
      CHECK(other.ask(get_of("/", "X-Junk: " + std::string(300, 'j') + "\r\n")).status == 200);
    CHECK(other.ask(get_of("/complete/0")).body == "answered");
    CHECK(waiting.read_answer().body == "POST /park/0 tag " + r.body);
    CHECK(other.ask(get_of("/in-use")).body == "0 0");
  }
}

TEST_CASE("requests behind a deferred one are answered in order and only afterwards", "[server]") {
  run_of run(server, patient);
  client other = run.connect();
  client c = parked(run,
                    get_of("/") + post_of("/park/0", "body") + get_of("/pending/0") +
                        get_of("/late/30") + get_of("/") + get_of("/in-use"),
                    1);
  CHECK(c.read_answer().body == "hello");  // what came before it is not held up
  CHECK(c.is_quiet_for(60));
  CHECK(other.ask(get_of("/pending/0")).body == "true");
  CHECK(run.count(&shard_counters::requests) == 3);
  CHECK(other.ask(get_of("/complete/0")).body == "answered");
  CHECK(c.read_answer().body == "POST /park/0 tag body");
  CHECK(c.read_answer().body == "false");
  CHECK(c.read_answer().body == "GET /late/30 - ");
  CHECK(c.read_answer().body == "hello");
  CHECK(c.read_answer().body == "0 0");
}

TEST_CASE("what arrives while an answer waits is not lost", "[server]") {
  run_of run(server, patient);
  client other = run.connect();
  client c = parked(run, get_of("/park/0"), 1);
  std::string requests;
  for (int i = 0; i < 50; ++i) requests += get_of("/pending/" + std::to_string(50 + i % 2));
  for (std::size_t at = 0; at < 300; at += 100) {
    c.send(requests.substr(at, 100));
    ::usleep(5000);
  }
  CHECK(other.ask(get_of("/complete/0")).body == "answered");
  c.send(requests.substr(300));
  CHECK(c.read_answer().body == "GET /park/0 - ");
  for (int i = 0; i < 50; ++i) CHECK(c.read_answer().body == "false");
}

TEST_CASE("a callback may put the answer off once more", "[server]") {
  run_of run(server, patient);
  client c = run.connect();
  stopwatch watch;
  CHECK(c.ask(get_of("/twice")).body == "GET /twice - ");
  CHECK(watch.shows(80));
  CHECK(run.count(&shard_counters::requests_deferred) == 1);
  c.send(get_of("/parks-later"));
  client other = run.connect();
  CHECK(eventually([&] { return other.ask(get_of("/pending/0")).body == "true"; }));
  CHECK(c.is_quiet_for(50));
  CHECK(other.ask(get_of("/complete/0")).body == "answered");
  CHECK(c.read_answer().body == "GET /parks-later - ");
}

TEST_CASE("after() from outside sets the callback, and replaces one that waits", "[server]") {
  run_of run(server, patient);
  client other = run.connect();
  client c = parked(run, get_of("/park/0"), 1);
  stopwatch watch;
  CHECK(other.ask(get_of("/after/0/50")).body == "true");
  CHECK(c.read_answer().body == "from outside");
  CHECK(watch.shows(50));
  struct row {
    int first;
    int then;
  };
  for (const row r : {row{5000, 50}, row{50, 150}}) {
    stopwatch again;
    c.send(get_of("/late-and-kept/" + std::to_string(r.first)));
    CHECK(eventually(
        [&] { return other.ask(get_of("/after/0/" + std::to_string(r.then))).body == "true"; }));
    CHECK(c.read_answer().body == "from outside");
    CHECK(again.milliseconds() >= r.then - 3);
    CHECK(again.milliseconds() < r.then + 200);
    CHECK(c.is_quiet_for(100));  // the one that was replaced never runs
  }
}

TEST_CASE("complete() comes before a callback, which then never runs", "[server]") {
  run_of run(server, patient);
  client other = run.connect();
  client c = parked(run, get_of("/late-and-kept/100"), 1);
  CHECK(other.ask(get_of("/complete/0")).body == "answered");
  CHECK(c.read_answer().body == "GET /late-and-kept/100 - ");
  CHECK(c.is_quiet_for(200));
  CHECK(c.ask(get_of("/")).body == "hello");
}

TEST_CASE("deferred answers keep to the method and version of their request", "[server]") {
  run_of run(server, patient);
  client c = run.connect();
  const auto head = c.ask("HEAD /late/10 HTTP/1.1\r\nHost: h\r\n\r\n", true);
  CHECK(head.field("Content-Length") == "16");
  CHECK(c.is_quiet_for(30));
  const auto kept = c.ask("GET /late/10 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  CHECK(kept.field("Connection") == "keep-alive");
  CHECK(kept.body == "GET /late/10 - ");
  const auto last = c.ask(get_of("/late/10", "Connection: close\r\n"));
  CHECK(last.body == "GET /late/10 - ");
  CHECK(last.says_close());
  CHECK(c.is_closed_next());
  client old = run.connect();
  const auto a = old.ask("GET /late/10 HTTP/1.0\r\n\r\n");
  CHECK(a.body == "GET /late/10 - ");
  CHECK(a.says_close());
  CHECK(old.is_closed_next());
}

TEST_CASE("an exception in a callback is answered 500", "[server]") {
  nen::listen_options o = patient;
  static int said = 0;
  said = 0;
  o.on_exception = [](const nen::request& which, const char* what) {
    if (which.path() == "/throws" && std::string_view(what) == "late trouble") ++said;
  };
  run_of run(server, o);
  client c = run.connect();
  c.send(get_of("/throws") + get_of("/"));
  CHECK(c.read_answer().status == 500);
  CHECK(c.read_answer().body == "hello");
  CHECK(c.ask(get_of("/in-use")).body == "0 0");
  CHECK(run.count(&shard_counters::handler_exceptions) == 1);
  c.close();
  run.end();
  CHECK(said == 1);
}
