// Starting, stopping, draining, and all of it again.
#include <thread>

#include "support/test_server.hpp"

namespace {

using nen::shard_counters;
using nen::test::client;
using nen::test::eventually;
using nen::test::milliseconds;
using nen::test::running;
using nen::test::stopwatch;

char large[32 * nen::MiB];

constexpr nen::config small = nen::test::little;
constexpr nen::config twofold() {
  nen::config c = small;
  c.shards = 2;
  return c;
}

void (*stop_it)() = nullptr;

using routes = nen::router<nen::get<"/", [](nen::response& res) { return res.text("hello"); }>,
                           nen::get<"/stop",
                                    [](nen::response& res) {
                                      stop_it();
                                      return res.text("stopping");
                                    }>,
                           nen::get<"/large",
                                    [](nen::response& res) {
                                      return res.send_static("a/b", {large, sizeof large});
                                    }>,
                           nen::post<"/echo", [](const nen::request& req, nen::response& res) {
                             return res.bytes(req.body());
                           }>>;
nen::server<routes, small> server;
nen::server<routes, twofold()> two;

const std::string hello = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
const std::string upload = "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n";
constexpr milliseconds far{60'000};

}  // namespace

TEST_CASE("a server can be started and stopped again and again", "[server]") {
  for (int i = 0; i < 50; ++i) {
    INFO(i);
    running run(server);
    client c = run.connect();
    CHECK(c.ask(hello).body == "hello");
    client silent = run.connect();
    client in_head = run.connect();
    if (i % 3 == 0) c.close();
    CHECK(run.count(&shard_counters::requests) == 1);
  }
}

TEST_CASE("a server of two shards can be started and stopped again and again", "[server]") {
  for (int i = 0; i < 50; ++i) {
    running run(two, {}, 2);
    client a = run.connect();
    client b = run.connect();
    CHECK(a.ask(hello).body == "hello");
    CHECK(b.ask(hello).body == "hello");
  }
}

TEST_CASE("a server that nobody talks to stops at once", "[server]") {
  stopwatch watch;
  for (int i = 0; i < 5; ++i) {
    running run(server);
    run.end();
  }
  CHECK(watch.milliseconds() < 1000);
}

TEST_CASE("after a stop nobody can connect", "[server]") {
  std::uint16_t port = 0;
  {
    running run(server);
    port = run.port();
  }
  CHECK_THROWS(client(port));
}

TEST_CASE("stop may be called from another thread, and often", "[server]") {
  for (int round = 0; round < 10; ++round) {
    running run(two, {}, 2);
    client c = run.connect();
    CHECK(c.ask(hello).status == 200);
    {
      std::jthread one([] {
        for (int i = 0; i < 20; ++i) two.stop();
      });
      std::jthread other([] {
        for (int i = 0; i < 20; ++i) two.stop();
      });
    }
    CHECK(c.is_closed_next());
    c.close();
    run.wait();
  }
}

TEST_CASE("a handler may stop its server, and its answer is still sent", "[server]") {
  stop_it = [] { server.stop(); };
  running run(server);
  client c = run.connect();
  const auto a = c.ask("GET /stop HTTP/1.1\r\nHost: h\r\n\r\n");
  CHECK(a.body == "stopping");
  CHECK(c.is_closed_next());
  c.close();
  run.wait();
}

TEST_CASE("idle connections are closed at once when the server stops", "[server]") {
  running run(server, {.idle_timeout = far, .drain_timeout = far});
  std::vector<client> idle;
  for (int i = 0; i < 5; ++i) {
    idle.push_back(run.connect());
    if (i % 2 == 0) CHECK(idle.back().ask(hello).status == 200);
  }
  CHECK(run.counts(&shard_counters::connections_accepted, 5));
  stopwatch watch;
  server.stop();
  for (client& c : idle) CHECK(c.is_closed_next());
  idle.clear();
  run.wait();
  CHECK(watch.milliseconds() < 2000);
  CHECK(run.count(&shard_counters::drain_aborts) == 0);
}

TEST_CASE("a request in hand is finished before the server ends", "[server]") {
  running run(server, {.drain_timeout = far});
  client in_body = run.connect();
  in_body.send(upload + "123");
  client in_head = run.connect();
  in_head.send("GET / HT");
  client idle = run.connect();
  CHECK(idle.ask(hello).status == 200);  // so the shard has read what the others sent before
  CHECK(run.counts(&shard_counters::connections_accepted, 3));
  server.stop();
  CHECK(idle.is_closed_next());

  SECTION("by its client") {
    const auto a = in_body.ask("4567890");
    CHECK(a.body == "1234567890");
    CHECK(a.says_close());
    const auto b = in_head.ask("TP/1.1\r\nHost: h\r\n\r\n");
    CHECK(b.body == "hello");
    CHECK(b.says_close());
    CHECK(in_body.is_closed_next());
    CHECK(in_head.is_closed_next());
  }
  SECTION("or given up") {
    in_body.reset();
    in_head.finish_sending();
    CHECK(in_head.is_closed_next());
  }
  in_body.close();
  in_head.close();
  idle.close();
  run.wait();
  CHECK(run.count(&shard_counters::drain_aborts) == 0);
}

TEST_CASE("a long answer is sent to its end before the server ends", "[server]") {
  running run(server, {.drain_timeout = far});
  client c = run.connect(4096);
  c.send("GET /large HTTP/1.1\r\nHost: h\r\n\r\n");
  CHECK_FALSE(c.is_quiet_for(5000));
  server.stop();
  CHECK(c.read_answer().body.size() == sizeof large);
  CHECK(c.is_closed_next());
  c.close();
  run.wait();
  CHECK(run.count(&shard_counters::drain_aborts) == 0);
}

TEST_CASE("what isn't finished when the drain timeout has passed is cut off", "[server]") {
  running run(server, {.drain_timeout = milliseconds(300)});
  client in_body = run.connect();
  in_body.send(upload + "123");
  client slow = run.connect(4096);
  slow.send("GET /large HTTP/1.1\r\nHost: h\r\n\r\n");
  CHECK_FALSE(slow.is_quiet_for(5000));
  client idle = run.connect();
  CHECK(idle.ask(hello).status == 200);
  stopwatch watch;
  server.stop();
  CHECK(idle.is_closed_next());
  (void)in_body.read_end();
  CHECK(watch.shows(300));
  CHECK(in_body.rest().empty());
  in_body.close();
  slow.close();
  idle.close();
  run.wait();
  CHECK(watch.shows(300));
  CHECK(run.count(&shard_counters::drain_aborts) == 2);
}

TEST_CASE("without a drain timeout, requests in hand may take their time", "[server]") {
  running run(server, {.drain_timeout = milliseconds(0)});
  client in_body = run.connect();
  in_body.send(upload + "123");
  client other = run.connect();
  CHECK(other.ask(hello).status == 200);
  server.stop();
  CHECK(other.is_closed_next());
  CHECK(in_body.is_quiet_for(200));
  CHECK(in_body.ask("4567890").body == "1234567890");
  in_body.close();
  other.close();
  run.wait();
}

TEST_CASE("clients that come while the server stops get an answer or an end", "[server]") {
  for (int round = 0; round < 20; ++round) {
    running run(server);
    std::vector<client> crowd;
    for (int i = 0; i < 8; ++i) {
      crowd.push_back(run.connect());
      crowd.back().send(hello);
      if (i == round % 8) server.stop();
      if (i >= round % 8) break;
    }
    for (client& c : crowd) {
      (void)c.read_end();
      const auto got = c.rest();
      CHECK((got.empty() || got.substr(0, 15) == "HTTP/1.1 200 OK"));
    }
    crowd.clear();
    run.wait();
  }
}

TEST_CASE("a failed start leaves nothing behind, and the server can still be started", "[server]") {
  running other(two, {.reuse_port = false}, 2);
  const int before = nen::test::open_descriptors();
  for (int i = 0; i < 3; ++i) {
    const auto taken = server.start({.host = "127.0.0.1", .port = other.port()});
    REQUIRE_FALSE(taken);
    CHECK(taken.error().code() == std::errc::address_in_use);
    const auto bad = server.start({.host = "not an address", .port = 0});
    REQUIRE_FALSE(bad);
    CHECK_FALSE(bad.error().message().empty());
  }
  CHECK(nen::test::open_descriptors() == before);
  running run(server);
  client c = run.connect();
  CHECK(c.ask(hello).status == 200);
}
