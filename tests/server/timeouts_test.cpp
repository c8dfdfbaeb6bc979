// Every timeout fires when its time has come, ends the connection as designed, and only that.
#include "support/test_server.hpp"

namespace {

using nen::shard_counters;
using nen::test::client;
using nen::test::milliseconds;
using nen::test::running;
using nen::test::stopwatch;

char large[32 * nen::MiB];

using routes = nen::router<nen::get<"/", [](nen::response& res) { return res.text("hello"); }>,
                           nen::get<"/copy",
                                    [](nen::response& res) {
                                      return res.bytes({large, 2048});
                                    }>,
                           nen::get<"/large",
                                    [](nen::response& res) {
                                      return res.send_static("a/b", {large, sizeof large});
                                    }>,
                           nen::post<"/echo", [](const nen::request& req, nen::response& res) {
                             return res.bytes(req.body());
                           }>>;

constexpr nen::config small = {.connections = 8,
                               .receive_buffers = 8,
                               .receive_buffer_bytes = 512,
                               .send_slots = 7,
                               .send_slot_bytes = 1024,
                               .response_bytes_max = 2048,
                               .head_slots = 4,
                               .head_bytes_max = 1024,
                               .target_bytes_max = 256,
                               .body_slots = 4,
                               .body_bytes_max = 4096};
nen::server<routes, small> server;

const std::string hello = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
const std::string upload = "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n";

/// All timeouts but the ones a test sets are too long to be seen.
constexpr milliseconds far{60'000};
constexpr nen::listen_options patient = {.header_timeout = far,
                                         .body_timeout = far,
                                         .write_timeout = far,
                                         .idle_timeout = far,
                                         .linger_timeout = far,
                                         .drain_timeout = milliseconds(200)};
nen::listen_options with(milliseconds nen::listen_options::*which, int value) {
  nen::listen_options o = patient;
  o.*which = milliseconds(value);
  return o;
}

}  // namespace

TEST_CASE("a head that doesn't become complete in time is answered 408", "[server]") {
  running run(server, with(&nen::listen_options::header_timeout, 300));
  client c = run.connect();
  CHECK(c.ask(hello).status == 200);  // what came before doesn't matter
  stopwatch watch;
  c.send("GET / HTTP/1.1\r\n");
  // Bytes that trickle in don't put it off.
  for (int i = 0; i < 10; ++i) {
    c.send("X-A: b\r\n");
    ::usleep(20'000);
  }
  const auto a = c.read_answer();
  CHECK(watch.shows(300));
  CHECK(a.status == 408);
  CHECK(a.says_close());
  CHECK(c.is_closed_next());
  CHECK(run.count(&shard_counters::timeouts_head) == 1);
}

TEST_CASE("a client that never says anything is closed without an answer", "[server]") {
  running run(server, with(&nen::listen_options::header_timeout, 250));
  stopwatch watch;
  client c = run.connect();
  CHECK(c.is_closed_next());
  CHECK(watch.shows(250));
  CHECK(run.count(&shard_counters::timeouts_idle) == 1);
}

TEST_CASE("a head that is complete in time is not cut off", "[server]") {
  running run(server, with(&nen::listen_options::header_timeout, 200));
  client c = run.connect();
  for (int i = 0; i < 3; ++i) {  // each head has its own time
    c.send(hello.substr(0, 9));
    CHECK(c.is_quiet_for(120));
    CHECK(c.ask(hello.substr(9)).status == 200);
  }
  CHECK(c.is_quiet_for(250));  // between requests the idle timeout rules
  c.send(upload + "12345");
  CHECK(c.is_quiet_for(250));  // in a body the body timeout does
  CHECK(c.ask("67890").body == "1234567890");
}

TEST_CASE("a body that doesn't become complete in time is answered 408", "[server]") {
  running run(server, with(&nen::listen_options::body_timeout, 300));
  SECTION("behind a head in one piece") {
    client c = run.connect();
    stopwatch watch;
    c.send(upload);
    for (int i = 0; i < 5; ++i) {
      ::usleep(20'000);
      c.send("1");
    }
    const auto a = c.read_answer();
    CHECK(watch.shows(300));
    CHECK(a.status == 408);
    CHECK(c.is_closed_next());
  }
  SECTION("counted from the head's end") {
    client c = run.connect();
    c.send(upload.substr(0, 20));
    CHECK(c.is_quiet_for(350));
    stopwatch watch;
    c.send(upload.substr(20));
    CHECK(c.read_answer().status == 408);
    CHECK(watch.shows(300));
  }
  SECTION("in chunks") {
    client c = run.connect();
    stopwatch watch;
    c.send("POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n");
    CHECK(c.read_answer().status == 408);
    CHECK(watch.shows(300));
  }
  CHECK(run.count(&shard_counters::timeouts_body) == 1);
}

TEST_CASE("an idle connection is closed without an answer", "[server]") {
  running run(server, with(&nen::listen_options::idle_timeout, 250));
  client c = run.connect();
  CHECK(c.ask(hello).status == 200);
  CHECK(c.is_quiet_for(150));
  stopwatch watch;
  CHECK(c.ask(hello).status == 200);  // begins anew
  CHECK(c.is_closed_next());
  CHECK(watch.shows(250));
  CHECK(run.count(&shard_counters::timeouts_idle) == 1);
}

TEST_CASE("idle time begins when the answer has been sent", "[server]") {
  running run(server, with(&nen::listen_options::idle_timeout, 800));
  client c = run.connect(4096);
  c.send("GET /large HTTP/1.1\r\nHost: h\r\n\r\n");
  ::usleep(1'200'000);  // the answer is still on its way
  CHECK(c.read_answer().body.size() == sizeof large);
  CHECK(c.ask(hello).status == 200);
  CHECK(run.count(&shard_counters::timeouts_idle) == 0);
}

TEST_CASE("a peer that doesn't read is cut off by the write timeout", "[server]") {
  running run(server, with(&nen::listen_options::write_timeout, 300));
  client c = run.connect(4096);
  stopwatch watch;
  c.send("GET /large HTTP/1.1\r\nHost: h\r\n\r\n");
  CHECK(run.counts(&shard_counters::timeouts_write, 1));
  CHECK(watch.shows(300));
  CHECK(run.is_empty());
  (void)c.read_end();
  CHECK(c.rest().size() < sizeof large);
}

TEST_CASE("a peer that reads slowly but steadily is not cut off", "[server]") {
  running run(server, with(&nen::listen_options::write_timeout, 400));
  client c = run.connect(64 * 1024);
  c.send("GET /large HTTP/1.1\r\nHost: h\r\n\r\n");
  stopwatch watch;
  std::size_t got = 0;
  while (watch.milliseconds() < 1200) {
    got += c.read_bytes(512 * 1024).size();
    ::usleep(30'000);
  }
  CHECK(got < sizeof large);
  CHECK(run.count(&shard_counters::timeouts_write) == 0);
  c.reset();
  CHECK(run.is_empty());
}

TEST_CASE("after an error answer the peer has the linger timeout to close", "[server]") {
  running run(server, with(&nen::listen_options::linger_timeout, 250));
  client c = run.connect();
  stopwatch watch;
  CHECK(c.ask("nonsense\r\n\r\n").status == 400);
  CHECK(c.is_closed_next());  // at once: no more will be sent
  CHECK(watch.milliseconds() < 250);
  CHECK(run.counts(&shard_counters::connections_closed, 1));  // but the slot is kept for a while
  CHECK(watch.shows(250));
  CHECK(run.count(&shard_counters::timeouts_linger) == 1);
}

TEST_CASE("a peer that closes ends the lingering", "[server]") {
  running run(server, patient);
  client c = run.connect();
  CHECK(c.ask("nonsense\r\n\r\n").status == 400);
  stopwatch watch;
  c.close();
  CHECK(run.is_empty());
  CHECK(watch.milliseconds() < 1000);
  CHECK(run.count(&shard_counters::timeouts_linger) == 0);
}

TEST_CASE("zero means no timeout", "[server]") {
  nen::listen_options none = patient;
  none.header_timeout = none.body_timeout = none.write_timeout = none.idle_timeout =
      none.linger_timeout = milliseconds(0);
  running run(server, none);
  client silent = run.connect();
  client idle = run.connect();
  CHECK(idle.ask(hello).status == 200);
  client in_head = run.connect();
  in_head.send("GET / HT");
  client in_body = run.connect();
  in_body.send(upload + "1");
  client slow = run.connect(4096);
  slow.send("GET /large HTTP/1.1\r\nHost: h\r\n\r\n");
  client lingering = run.connect();
  CHECK(lingering.ask("nonsense\r\n\r\n").status == 400);
  ::usleep(300'000);
  CHECK(run.count(&shard_counters::connections_closed) == 0);
  CHECK(silent.ask(hello).status == 200);
  CHECK(idle.ask(hello).status == 200);
  CHECK(in_head.ask("TP/1.1\r\nHost: h\r\n\r\n").status == 200);
  CHECK(in_body.ask("234567890").body == "1234567890");
  CHECK(slow.read_answer().body.size() == sizeof large);
}

TEST_CASE("nobody is timed out while it is the server that can't go on", "[server]") {
  nen::listen_options o = patient;
  o.header_timeout = o.body_timeout = o.idle_timeout = milliseconds(150);
  running run(server, o);
  // Two that don't read hold so many send slots that nothing else can be answered.
  client first = run.connect(4096);
  first.send("GET /large HTTP/1.1\r\nHost: h\r\n\r\nGET /copy HTTP/1.1\r\nHost: h\r\n\r\n");
  (void)first.read_bytes(1000);
  client second = run.connect(4096);
  second.send("GET /large HTTP/1.1\r\nHost: h\r\n\r\n");
  (void)second.read_bytes(1000);
  client third = run.connect();
  third.send(hello);
  CHECK(run.counts(&shard_counters::send_slots_empty, 1));
  CHECK(third.is_quiet_for(600));
  first.reset();
  second.reset();
  CHECK(third.read_answer().body == "hello");
  CHECK(run.count(&shard_counters::timeouts_idle) == 0);
  CHECK(run.count(&shard_counters::timeouts_head) == 0);
}
