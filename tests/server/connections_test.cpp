// Connection slots: what happens when they are all taken, how they end, and that they can be used
// again and again.
#include <thread>

#include "support/test_server.hpp"

namespace {

using nen::shard_counters;
using nen::test::client;
using nen::test::eventually;
using nen::test::running;
using nen::test::stopwatch;

char large[8 * nen::MiB];

using routes = nen::router<nen::get<"/", [](nen::response& res) { return res.text("hello"); }>,
                           nen::get<"/large",
                                    [](nen::response& res) {
                                      return res.send_static("a/b", {large, sizeof large});
                                    }>,
                           nen::post<"/echo", [](const nen::request& req, nen::response& res) {
                             return res.bytes(req.body());
                           }>>;

constexpr nen::config small = {.connections = 4,
                               .receive_buffers = 8,
                               .receive_buffer_bytes = 512,
                               .send_slots = 16,
                               .send_slot_bytes = 1024,
                               .response_bytes_max = 2048,
                               .head_slots = 2,
                               .head_bytes_max = 1024,
                               .target_bytes_max = 256,
                               .body_slots = 2,
                               .body_bytes_max = 2048};
nen::server<routes, small> server;

const std::string hello = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
const std::string last_hello = "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";

std::vector<client> connect_many(const running<decltype(server)>& run, int count) {
  std::vector<client> all;
  for (int i = 0; i < count; ++i) all.push_back(run.connect());
  return all;
}

}  // namespace

TEST_CASE("more connections than slots wait their turn in the backlog", "[server]") {
  running run(server);
  auto first = connect_many(run, 4);
  for (client& c : first) CHECK(c.ask(hello).status == 200);
  auto later = connect_many(run, 6);
  for (client& c : later) c.send(hello);
  for (client& c : later) CHECK(c.is_quiet_for(10));
  CHECK(run.count(&shard_counters::connections_accepted) == 4);
  CHECK(run.count(&shard_counters::accept_pauses) >= 1);
  for (client& c : first) CHECK(c.ask(hello).body == "hello");  // these go on being served

  for (client& c : first) c.close();
  int served = 0;
  for (int i = 0; i < 4; ++i) {
    CHECK(later[static_cast<std::size_t>(i)].read_answer().body == "hello");
    ++served;
  }
  CHECK(later[4].is_quiet_for(10));
  for (int i = 0; i < 4; ++i) later[static_cast<std::size_t>(i)].reset();
  for (int i = 4; i < 6; ++i) CHECK(later[static_cast<std::size_t>(i)].read_answer().status == 200);
  CHECK(served == 4);
  CHECK(run.counts(&shard_counters::connections_accepted, 10));
  CHECK(run.count(&shard_counters::connections_shed) == 0);
}

TEST_CASE("with overload::shed, connections beyond the slots are told to come back", "[server]") {
  running run(server, {.overload = nen::overload::shed});
  auto first = connect_many(run, 4);
  for (client& c : first) CHECK(c.ask(hello).status == 200);
  for (int round = 0; round < 20; ++round) {
    client c = run.connect();
    const auto a = c.read_answer();  // without having asked
    CHECK(a.status == 503);
    CHECK(a.field("Retry-After") == "1");
    CHECK(a.says_close());
    CHECK(c.is_closed_next());
  }
  CHECK(run.count(&shard_counters::connections_shed) == 20);
  for (client& c : first) CHECK(c.ask(hello).status == 200);
  first[0].close();
  CHECK(eventually([&] { return run.count(&shard_counters::connections_closed) == 21; }));
  client c = run.connect();
  CHECK(c.ask(hello).status == 200);
}

TEST_CASE("the slots for shedding run out too, and recover", "[server]") {
  running run(server,
              {.linger_timeout = nen::test::milliseconds(300), .overload = nen::overload::shed});
  auto first = connect_many(run, 4);
  for (client& c : first) CHECK(c.ask(hello).status == 200);
  auto crowd = connect_many(run, 60);  // they keep their connections open, so each lingers
  stopwatch watch;
  for (client& c : crowd) CHECK(c.read_answer().status == 503);
  // 8 slots at a time for 60 connections, each for the linger timeout.
  CHECK(watch.milliseconds() >= 6 * 300);
  CHECK(run.count(&shard_counters::connections_shed) == 60);
  for (client& c : first) CHECK(c.ask(hello).status == 200);
}

TEST_CASE("slots are used again thousands of times", "[server]") {
  running run(server);
  const int descriptors = nen::test::open_descriptors();
  constexpr std::uint64_t rounds = 3000;
  for (std::uint64_t i = 0; i < rounds; ++i) {
    client c = run.connect();
    switch (i % 5) {
      case 0:
        CHECK(c.ask(last_hello).status == 200);
        CHECK(c.is_closed_next());
        break;
      case 1:
        CHECK(c.ask(hello).status == 200);
        break;
      case 2:
        c.send(hello);
        c.reset();
        break;
      case 3:
        c.send("GET / HTT");
        break;
      case 4:
        c.send(hello + "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n123");
        break;
    }
  }
  CHECK(run.counts(&shard_counters::connections_accepted, rounds));
  CHECK(run.is_empty());
  CHECK(nen::test::open_descriptors() == descriptors);
  CHECK(server.shard_at(0).counters().stale_completions.value() == 0);
}

TEST_CASE("an answer that is an error can be read although the client is still sending",
          "[server]") {
  running run(server);
  for (int round = 0; round < 50; ++round) {
    client c = run.connect();
    std::string endless = "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 300000\r\n\r\n";
    endless.append(300'000, 'x');
    c.send(endless);  // all of it before the answer is looked at
    const auto a = c.read_answer();
    CHECK(a.status == 413);
    CHECK(a.says_close());
    CHECK(c.is_closed_next());  // an end, not a reset
  }
  CHECK(run.count(&shard_counters::requests_rejected) == 50);
}

TEST_CASE("a client that goes on sending without end after an error is cut off", "[server]") {
  running run(server);
  client c = run.connect();
  c.send("nonsense\r\n\r\n");
  CHECK(c.read_answer().status == 400);
  const std::string more(64 * 1024, 'x');
  std::size_t sent = 0;
  while (sent < 1024 * nen::MiB && c.try_send(more)) sent += more.size();
  CHECK(sent < 128 * nen::MiB);  // by what it sent, or by the linger timeout
  CHECK(run.is_empty());
}

TEST_CASE("a client that vanishes in the middle of a long answer frees its slot", "[server]") {
  running run(server);
  for (int i = 0; i < 20; ++i) {
    client c = run.connect(4096);
    c.send("GET /large HTTP/1.1\r\nHost: h\r\n\r\n");
    (void)c.read_bytes(10'000);
    if (i % 2 == 0) c.reset();
  }
  CHECK(run.is_empty());
  CHECK(run.count(&shard_counters::connections_accepted) == 20);
  client c = run.connect();
  CHECK(c.ask(hello).status == 200);
}

TEST_CASE("many clients at once on few slots are all served", "[server]") {
  running run(server);
  std::atomic<int> wrong = 0;
  {
    std::vector<std::jthread> crowd;
    for (int t = 0; t < 8; ++t) {
      crowd.emplace_back([&] {
        try {
          for (int i = 0; i < 60; ++i) {
            client c = run.connect();
            for (int k = 0; k < 5; ++k) wrong += c.ask(hello).body != "hello";
          }
        } catch (const std::exception&) {
          wrong += 1000;
        }
      });
    }
  }
  CHECK(wrong == 0);
  CHECK(run.count(&shard_counters::requests) == 8 * 60 * 5);
}
