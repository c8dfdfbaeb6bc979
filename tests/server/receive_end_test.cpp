// Consumers of bodies that never come whole: each is told once, whatever the reason, and none that
// has answered is.
#include <atomic>
#include <cstdint>
#include <string>

#include "support/test_server.hpp"

using nen::shard_counters;
using nen::test::client;
using nen::test::eventually;
using nen::test::milliseconds;
using nen::test::running;

namespace {

/// What became of the consumers since reset().
struct tally {
  std::atomic<int> parts, lasts, ends, wrong;
  void reset() { parts = lasts = ends = wrong = 0; }
};
tally seen;

struct app {
  nen::deferred waits;
  nen::deferred later;
};

/// Counts a call. @returns  true when it is the one that ends a body before its time
bool is_over(const nen::body_part& part) {
  if (!part.is_cancelled) {
    ++(part.is_last ? seen.lasts : seen.parts);
    return false;
  }
  const bool is_right = part.bytes.empty() && !part.is_last && part.request.body().empty() &&
                        part.request.trailers().empty() && part.request.field("X") == "y" &&
                        part.request.path().substr(0, 3) == "/r/" && part.request.host() == "h";
  if (!is_right) ++seen.wrong;
  ++seen.ends;
  return true;
}

nen::reply take(std::string_view, nen::response& res) {
  return res.receive([](const nen::body_part& part, nen::response& r) {
    return is_over(part) || !part.is_last ? r.more() : r.text("taken");
  });
}
nen::reply hold(app& a, nen::response& res) {
  return res.receive([&a](const nen::body_part& part, nen::response& r) {
    if (is_over(part)) {
      if (a.waits.pending() || a.waits.wake()) ++seen.wrong;
      return r.more();
    }
    if (part.is_last) return r.text("taken");
    a.waits = r.defer();
    return r.later();
  });
}
nen::reply doze(nen::response& res) {
  return res.receive([](const nen::body_part& part, nen::response& r) {
    return is_over(part) || !part.is_last ? r.more(60'000) : r.text("taken");
  });
}
nen::reply early(nen::response& res) {
  return res.receive([](const nen::body_part& part, nen::response& r) {
    return is_over(part) ? r.more() : r.status(403);
  });
}
nen::reply greedy(nen::response& res) {
  return res.receive([](const nen::body_part& part, nen::response& r) {
    (void)is_over(part);
    return r.more();
  });
}
nen::reply throws(nen::response& res) {
  return res.receive([](const nen::body_part& part, nen::response&) -> nen::reply {
    (void)is_over(part);
    throw 1;
  });
}
nen::reply answers_later(app& a, nen::response& res) {
  return res.receive([&a](const nen::body_part& part, nen::response& r) {
    if (is_over(part) || !part.is_last) return r.more();
    a.later = r.defer();
    return r.later();
  });
}
nen::reply answers_for_ever(nen::response& res) {
  return res.receive([](const nen::body_part& part, nen::response& r) {
    if (is_over(part) || !part.is_last) return r.more();
    return r.stream("a/b", [](nen::body_stream& out) { (void)out.write("x"), out.sleep(1000); });
  });
}

/// In the call that nobody reads the answer of, an answer of each kind.
nen::reply says(std::uint32_t what, nen::response& res) {
  return res.receive([what](const nen::body_part& part, nen::response& r) {
    if (!is_over(part)) return r.more();
    const std::string long_text(100'000, 'x');
    if (what == 0) return r.text(long_text);
    if (what == 1) return r.field("A", long_text).html("b");
    if (what == 2) return r.begin("a/b").write(long_text).write("c").finish();
    if (what == 3) return r.send_static("a/b", "static");
    if (what == 4) return r.redirect("/");
    if (what == 5)
      return r.receive([](const nen::body_part&, nen::response& x) {
        ++seen.wrong;
        return x.more();
      });
    if (what == 6) return r.stream("a/b", [](nen::body_stream&) { ++seen.wrong; });
    if (what == 7) return r.more(50);
    const nen::deferred handle = r.defer();
    if (handle.pending() || handle.wake()) ++seen.wrong;
    if (handle.after(1, [](const nen::request&, nen::response& x) { return x.text("late"); }))
      ++seen.wrong;
    return r.later();
  });
}
constexpr int kinds_of_answers = 9;

nen::reply wake(app& a, nen::response& res) { return res.text(a.waits.wake() ? "y" : "n"); }
nen::reply next(nen::response& res) { return res.text("next"); }

using routes = nen::router<
    nen::streamed<nen::post<"/r/take/*rest", take>>, nen::streamed<nen::post<"/r/hold", hold>>,
    nen::streamed<nen::post<"/r/doze", doze>>, nen::streamed<nen::post<"/r/early", early>>,
    nen::streamed<nen::post<"/r/greedy", greedy>>, nen::streamed<nen::post<"/r/throws", throws>>,
    nen::streamed<nen::post<"/r/later", answers_later>>,
    nen::streamed<nen::post<"/r/ever", answers_for_ever>>,
    nen::streamed<nen::post<"/r/says/:what", says>>, nen::post<"/r/whole", greedy>,
    nen::get<"/wake", wake>, nen::get<"/", next>>;

constexpr nen::config sizes = [] {
  nen::config c = nen::test::little;
  c.body_slots = 2;
  c.body_bytes_max = 4096;
  return c;
}();
nen::server<routes, sizes, app> server;

constexpr milliseconds far{60'000};
constexpr nen::listen_options patient = {.header_timeout = far,
                                         .body_timeout = far,
                                         .write_timeout = far,
                                         .idle_timeout = far,
                                         .drain_timeout = milliseconds(5000),
                                         .on_exception = [](const nen::request&, const char*) {}};

nen::listen_options with(milliseconds nen::listen_options::*which, int value) {
  nen::listen_options o = patient;
  o.*which = milliseconds(value);
  return o;
}

std::string head(std::string_view path, std::string_view field) {
  return "POST " + std::string(path) + " HTTP/1.1\r\nHost: h\r\nX: y\r\n" + std::string(field) +
         "\r\n\r\n";
}
const std::string sized = "Content-Length: 5000";
const std::string chunked = "Transfer-Encoding: chunked";
const std::string get_next = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

/// Waits until nobody but `other` is connected, and has all ends told.
template <class Run>
bool ends_are(const Run& run, client& other, int wanted) {
  const bool alone = eventually([&] {
    return run.count(&shard_counters::connections_accepted) ==
           run.count(&shard_counters::connections_closed) + 1;
  });
  const bool is_alive = other.ask(get_next).body == "next";
  UNSCOPED_INFO("told of the end " << seen.ends << " times; " << seen.parts << " parts, "
                                   << seen.lasts << " last ones, " << seen.wrong << " wrong");
  return alone && is_alive && seen.ends == wanted && seen.wrong == 0;
}

}  // namespace

TEST_CASE("a consumer is told once that its client has left", "[server]") {
  running run(server, patient);
  client other = run.connect();
  enum class way { close, reset, finish };
  for (const std::string path : {"/r/take/1", "/r/hold", "/r/doze"}) {
    for (const std::string& sent : {head(path, sized), head(path, sized) + std::string(1000, 'x'),
                                    head(path, chunked), head(path, chunked) + "3\r\nabc\r\n",
                                    head(path, chunked) + "3\r\nabc\r\n0\r\nX-Sum: 1\r\n"}) {
      for (const way leaves : {way::close, way::reset, way::finish}) {
        INFO(sent.substr(0, 100) << " way " << static_cast<int>(leaves));
        seen.reset();
        client c = run.connect();
        c.send(sent);
        CHECK(c.is_quiet_for(5));
        CHECK(seen.ends == 0);
        if (leaves == way::close) c.close();
        if (leaves == way::reset) c.reset();
        if (leaves == way::finish) {
          c.finish_sending();
          CHECK(c.is_closed_next());
        }
        CHECK(ends_are(run, other, 1));
        CHECK(seen.lasts == 0);
        CHECK(other.ask("GET /wake HTTP/1.1\r\nHost: h\r\n\r\n").body == "n");
      }
    }
  }
}

TEST_CASE("a consumer is told once that its client has taken too long", "[server]") {
  running run(server, with(&nen::listen_options::body_timeout, 100));
  client other = run.connect();
  for (const std::string& rest : {std::string(), std::string(1000, 'x')}) {
    seen.reset();
    client c = run.connect();
    c.send(head("/r/take/1", sized) + rest);
    CHECK(c.read_answer().status == 408);
    CHECK(seen.ends == 1);
    c.send("more");  // nobody looks at it
    CHECK(c.is_closed_next());
    c.close();
    CHECK(ends_are(run, other, 1));
    CHECK(seen.lasts == 0);
  }
}

TEST_CASE("a consumer is told once that the rest of its body is malformed or too much",
          "[server]") {
  running run(server, patient);
  client other = run.connect();
  struct row {
    std::string rest;
    int answer;
  };
  std::string too_many = "3\r\nabc\r\n0\r\n";
  for (std::uint32_t i = 0; i < sizes.fields_max; ++i) too_many += "A:\r\n";
  const row rows[] = {
      {too_many + "\r\n", 431},
      {"X", 400},
      {"3\r\nabcX", 400},
      {"0\r\nbad\r\n", 400},
      {"3\r\nabc\r\n0\r\nT: " + std::string(1100, 'v'), 431},
      {"3\r\nabc\r\n0\r\n" + std::string(64, 'T') + ": v\r\n bad", 400},
  };
  for (const row& r : rows) {
    for (const bool at_once : {false, true}) {
      INFO(r.rest << " at once: " << at_once);
      seen.reset();
      client c = run.connect();
      c.send(head("/r/take/1", chunked) + (at_once ? r.rest : ""));
      if (!at_once) CHECK(other.ask(get_next).body == "next");
      if (!at_once) c.send(r.rest);
      CHECK(c.read_answer().status == r.answer);
      CHECK(seen.ends == 1);
      CHECK(c.is_closed_next());
      c.close();
      CHECK(ends_are(run, other, 1));
      CHECK(seen.lasts == 0);
    }
  }
}

TEST_CASE("consumers are told when the server stops before their bodies have come", "[server]") {
  for (const bool aborts : {false, true}) {
    for (const std::string path : {"/r/take/1", "/r/hold", "/r/doze"}) {
      INFO(path << " aborts: " << aborts);
      seen.reset();
      running run(server, with(&nen::listen_options::drain_timeout, aborts ? 60'000 : 50));
      client c = run.connect();
      c.send(head(path, sized) + "x");
      CHECK(eventually([] { return seen.parts == 1; }));
      CHECK(seen.ends == 0);
      aborts ? server.abort() : server.stop();
      run.join();
      c.close();
      run.check();
      CHECK(seen.ends == 1);
      CHECK(seen.lasts == 0);
      CHECK(seen.wrong == 0);
    }
  }
}

TEST_CASE("a body that comes whole while the server stops is not cancelled", "[server]") {
  seen.reset();
  running run(server, patient);
  client c = run.connect();
  c.send(head("/r/take/1", "Content-Length: 2") + "a");
  CHECK(eventually([] { return seen.parts == 1; }));
  server.stop();
  CHECK(c.is_quiet_for(20));
  c.send("b");
  CHECK(c.read_answer().body == "taken");
  c.close();
  run.wait();
  CHECK(seen.ends == 0);
  CHECK(seen.lasts == 1);
}

TEST_CASE("a consumer that has answered is told nothing more", "[server]") {
  running run(server, patient);
  client other = run.connect();
  struct row {
    std::string message;
    int answer;  ///< 0: the client does not wait for one
  };
  const row rows[] = {
      {head("/r/take/1", "Content-Length: 3") + "abc", 200},
      {head("/r/take/1", "Content-Length: 0"), 200},
      {head("/r/take/1", chunked) + "3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n", 200},
      {head("/r/early", sized) + "abc", 403},                 // before the body's end
      {head("/r/early", "Content-Length: 3") + "abc", 403},   // at it
      {head("/r/greedy", "Content-Length: 3") + "abc", 500},  // it had to answer, and did not
      {head("/r/throws", "Content-Length: 3") + "abc", 500},
      {head("/r/throws", sized) + "abc", 500},
      {head("/r/whole", "Content-Length: 3") + "abc", 500},
      {head("/r/later", "Content-Length: 3") + "abc", 0},
      {head("/r/ever", "Content-Length: 3") + "abc", 0},
  };
  for (const row& r : rows) {
    INFO(r.message);
    seen.reset();
    client c = run.connect();
    c.send(r.message);
    if (r.answer != 0) CHECK(c.read_answer().status == r.answer);
    CHECK(eventually([] { return seen.parts + seen.lasts > 0; }));
    c.close();
    CHECK(ends_are(run, other, 0));
    CHECK(seen.parts + seen.lasts == 1);
  }
}

TEST_CASE("what a consumer answers when its client has left goes nowhere", "[server]") {
  running run(server, with(&nen::listen_options::body_timeout, 60));
  client other = run.connect();
  for (int what = 0; what < kinds_of_answers; ++what) {
    INFO("answer " << what);
    const std::string message = head("/r/says/" + std::to_string(what), sized) + "abc";
    seen.reset();
    client leaves = run.connect();
    leaves.send(message);
    CHECK(eventually([] { return seen.parts == 1; }));
    leaves.reset();
    CHECK(ends_are(run, other, 1));
    seen.reset();
    client slow = run.connect();
    slow.send(message);
    const auto answer = slow.read_answer();
    CHECK(answer.status == 408);
    CHECK(answer.says_close());
    CHECK(slow.is_closed_next());
    slow.close();
    CHECK(ends_are(run, other, 1));
  }
}

TEST_CASE("an exception that leaves a consumer in its last call is said and counted", "[server]") {
  running run(server, patient);
  client other = run.connect();
  seen.reset();
  client c = run.connect();
  c.send(head("/r/throws", sized));
  CHECK(c.is_quiet_for(10));
  c.close();
  CHECK(ends_are(run, other, 1));
  CHECK(run.count(&shard_counters::handler_exceptions) == 1);
}
