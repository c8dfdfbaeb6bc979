// When something runs out, it is counted, answered as designed, and the others go on being served.
#include "support/test_server.hpp"

namespace {

using nen::shard_counters;
using nen::test::client;
using nen::test::eventually;
using nen::test::milliseconds;
using nen::test::running;
using nen::test::stopwatch;

char large[32 * nen::MiB];

using routes = nen::router<
    nen::get<"/", [](nen::response& res) { return res.text("hello"); }>,
    nen::get<"/:any", [](std::string_view any, nen::response& res) { return res.text(any); }>,
    nen::get<"/copy/it",
             [](nen::response& res) {
               return res.bytes({large, 2048});
             }>,
    nen::get<"/large/it",
             [](nen::response& res) {
               return res.send_static("a/b", {large, sizeof large});
             }>,
    nen::post<"/echo",
              [](const nen::request& req, nen::response& res) { return res.bytes(req.body()); }>>;

constexpr nen::config small = {.connections = 16,
                               .receive_buffers = 4,
                               .receive_buffer_bytes = 512,
                               .send_slots = 7,
                               .send_slot_bytes = 1024,
                               .response_bytes_max = 2048,
                               .head_slots = 3,
                               .head_bytes_max = 1024,
                               .fields_max = 8,
                               .target_bytes_max = 256,
                               .body_slots = 2,
                               .body_bytes_max = 2048};
nen::server<routes, small> server;

const std::string hello = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
const std::string wants_large = "GET /large/it HTTP/1.1\r\nHost: h\r\n\r\n";
const std::string wants_copy = "GET /copy/it HTTP/1.1\r\nHost: h\r\n\r\n";
const std::string upload = "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n";

/// A client that asked for much and doesn't read it: its connection holds a send slot for each
/// view.
client stalled(const running<decltype(server)>& run, const std::string& more = "") {
  client c = run.connect(4096);
  c.send(wants_large + more);
  if (c.is_quiet_for(10'000)) FAIL("no answer begins");
  return c;
}

}  // namespace

TEST_CASE("without a free receive buffer, connections wait for one in turn", "[server]") {
  running run(server);
  // A stalled reader that goes on asking keeps what it sent in receive buffers.
  client greedy = stalled(run);
  std::string requests;
  for (int i = 0; i < 500; ++i) requests += wants_copy;
  greedy.send(requests);
  CHECK(eventually([&] { return run.count(&shard_counters::requests) >= 2; }));
  std::vector<client> others;
  for (int i = 0; i < 8; ++i) others.push_back(run.connect());
  for (int round = 0; round < 20; ++round) {
    for (client& c : others) c.send(hello);
    for (client& c : others) CHECK(c.read_answer().body == "hello");
  }
  CHECK(run.count(&shard_counters::receive_buffers_evicted) <= 1);
}

TEST_CASE("who holds receive buffers that others wait for pays for it", "[server]") {
  running run(server);
  std::vector<client> greedy;
  std::string requests;
  for (int i = 0; i < 500; ++i) requests += hello;
  // Each is behind with reading, and each holds what it asked for meanwhile.
  for (int i = 0; i < 6; ++i) {
    greedy.push_back(run.connect(4096));
    greedy.back().send(wants_large);
  }
  for (client& c : greedy) c.send(requests);
  stopwatch watch;
  client other = run.connect();
  CHECK(other.ask(hello).body == "hello");
  CHECK(watch.milliseconds() < 8000);
  INFO("buffers empty: " << run.count(&shard_counters::receive_buffers_empty)
                         << ", evicted: " << run.count(&shard_counters::receive_buffers_evicted));
  CHECK(run.count(&shard_counters::send_slots_empty) +
            run.count(&shard_counters::receive_buffers_empty) >=
        1);
  for (client& c : greedy) c.reset();
  CHECK(other.ask(hello).body == "hello");
}

TEST_CASE("a burst beyond the receive buffers is served completely", "[server]") {
  running run(server);
  std::vector<client> crowd;
  for (int i = 0; i < 16; ++i) crowd.push_back(run.connect());
  // More bytes for each than there are receive buffers. None is cut by a buffer's end: no head
  // slots.
  const std::string aligned =
      "GET / HTTP/1.1\r\nHost: h\r\nX-Padding: 012345678901234567890123\r\n\r\n";
  REQUIRE(aligned.size() == 64);
  std::string requests;
  for (int i = 0; i < 100; ++i) requests += aligned;
  for (int round = 0; round < 10; ++round) {
    for (client& c : crowd) c.send(requests);
    for (client& c : crowd)
      for (int i = 0; i < 100; ++i)
        if (c.read_answer().body != "hello") FAIL("wrong answer");
  }
  CHECK(run.count(&shard_counters::requests) == 16'000);
  CHECK(run.count(&shard_counters::receive_buffers_empty) > 0);
  CHECK(run.count(&shard_counters::connections_closed) == 0);
}

TEST_CASE("without free send slots, requests wait and are answered when some are free",
          "[server]") {
  running run(server);
  client first = stalled(run, wants_copy);
  client second = stalled(run);
  std::vector<client> waiting;
  for (int i = 0; i < 3; ++i) {
    waiting.push_back(run.connect());
    waiting.back().send("GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: h\r\n\r\n");
  }
  CHECK(run.counts(&shard_counters::send_slots_empty, 3));
  for (client& c : waiting) CHECK(c.is_quiet_for(20));
  CHECK(first.read_answer().body.size() == sizeof large);  // it reads after all
  CHECK(first.read_answer().body.size() == 2048);
  for (std::size_t i = 0; i < 3; ++i) CHECK(waiting[i].read_answer().body == std::to_string(i));
  CHECK(first.ask(hello).status == 200);
  CHECK(run.count(&shard_counters::connections_closed) == 0);
  CHECK(second.read_answer().body.size() == sizeof large);
}

TEST_CASE("a client that waits for send slots may vanish", "[server]") {
  running run(server);
  client first = stalled(run, wants_copy);
  client second = stalled(run);
  for (int i = 0; i < 3; ++i) {
    client c = run.connect();
    c.send(hello);
    CHECK(run.counts(&shard_counters::send_slots_empty, static_cast<std::uint64_t>(i) + 1));
    i == 0 ? c.close() : c.reset();
  }
  first.reset();
  second.reset();
  client c = run.connect();
  CHECK(c.ask(hello).status == 200);
  c.close();
  CHECK(run.is_empty());
}

TEST_CASE("the oldest incomplete head makes room for a newer one", "[server]") {
  running run(server);
  client steady = run.connect();
  std::vector<client> slow;
  for (int i = 0; i < 3; ++i) {
    slow.push_back(run.connect());
    CHECK(slow.back().ask(hello).status == 200);
    slow.back().send("GET /" + std::to_string(i) + " HTTP/1.1\r\n");
    // The answers to others show that this head has been read: the shard is one thread.
    CHECK(steady.ask(hello).status == 200);
    CHECK(slow.back().is_quiet_for(5));
  }
  CHECK(run.count(&shard_counters::head_slots_evicted) == 0);
  client newer = run.connect();
  newer.send("GET /new HTTP/1.1\r\n");
  const auto a = slow[0].read_answer();
  CHECK(a.status == 408);
  CHECK(a.says_close());
  CHECK(slow[0].is_closed_next());
  CHECK(run.count(&shard_counters::head_slots_evicted) == 1);
  for (std::size_t i = 1; i < 3; ++i)
    CHECK(slow[i].ask("Host: h\r\n\r\n").body == std::to_string(i));
  CHECK(newer.ask("Host: h\r\n\r\n").body == "new");
  CHECK(steady.ask(hello).status == 200);
}

TEST_CASE("many incomplete heads evict one another in turn", "[server]") {
  running run(server);
  std::vector<client> slow;
  for (std::size_t i = 0; i < 13; ++i) {
    slow.push_back(run.connect());
    slow.back().send("GET / HT");
    if (i >= 3) CHECK(slow[i - 3].read_answer().status == 408);
    client c = run.connect();  // whole requests need no head slot
    CHECK(c.ask(hello).status == 200);
  }
  CHECK(run.count(&shard_counters::head_slots_evicted) == 10);
  for (std::size_t i = 10; i < 13; ++i)
    CHECK(slow[i].ask("TP/1.1\r\nHost: h\r\n\r\n").body == "hello");
}

TEST_CASE("without a free body slot, an upload is answered 503 and told to come back", "[server]") {
  running run(server);
  std::vector<client> uploads;
  for (int i = 0; i < 2; ++i) {
    uploads.push_back(run.connect());
    uploads.back().send(upload + "12345");
    client c = run.connect();
    CHECK(c.ask(upload + "1234567890").body == "1234567890");  // all at once needs no body slot
    CHECK(eventually([&] { return run.count(&shard_counters::connections_accepted) >= 2; }));
  }
  client refused = run.connect();
  const auto a = refused.ask(upload + "1");
  CHECK(a.status == 503);
  CHECK(a.field("Retry-After") == "1");
  CHECK(a.says_close());
  refused.send("234567890");
  CHECK(refused.is_closed_next());
  CHECK(run.count(&shard_counters::body_slots_empty) == 1);
  for (client& c : uploads) CHECK(c.ask("67890").body == "1234567890");
  client again = run.connect();
  again.send(upload + "12345");
  CHECK(again.ask("67890").body == "1234567890");
}

TEST_CASE("bodies hold head slots as well: none free is a 503", "[server]") {
  running run(server);
  // Heads in bodies can't be evicted: their clients have done nothing wrong.
  std::vector<client> busy;
  for (int i = 0; i < 2; ++i) {
    busy.push_back(run.connect());
    busy.back().send(upload + "1");
  }
  client steady = run.connect();
  CHECK(steady.ask(hello).status == 200);
  busy.push_back(run.connect());
  busy.back().send("GET / HT");
  CHECK(steady.ask(hello).status == 200);
  client newer = run.connect();
  newer.send("GET / HT");
  CHECK(busy.back().read_answer().status == 408);
  CHECK(newer.ask("TP/1.1\r\nHost: h\r\n\r\n").status == 200);
  for (int i = 0; i < 2; ++i)
    CHECK(busy[static_cast<std::size_t>(i)].ask("234567890").status == 200);
}

TEST_CASE("what is over a limit is answered with its status, and others go on", "[server]") {
  running run(server);
  const auto with = [](std::string_view target, std::string_view fields) {
    return "GET " + std::string(target) + " HTTP/1.1\r\nHost: h\r\n" + std::string(fields) + "\r\n";
  };
  const auto lines = [](int count) {
    std::string s;
    for (int i = 0; i < count; ++i) s += "A: b\r\n";
    return s;
  };
  const std::string frame = with("/", "A: \r\n");
  struct row {
    std::string request;
    int status;
  };
  const row rows[] = {
      {with("/", lines(7)), 200},
      {with("/", lines(8)), 431},
      {with("/", "A: " + std::string(1024 - frame.size(), 'x') + "\r\n"), 200},
      {with("/", "A: " + std::string(1025 - frame.size(), 'x') + "\r\n"), 431},
      {with("/", "A: " + std::string(5000, 'x') + "\r\n"), 431},
      {with("/" + std::string(255, 'x'), ""), 200},
      {with("/" + std::string(256, 'x'), ""), 414},
      {with("/" + std::string(3000, 'x'), ""), 414},
      {"POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 2048\r\n\r\n" + std::string(2048, 'x'),
       200},
      {"POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 2049\r\n\r\n" + std::string(2049, 'x'),
       413},
      {"POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n800\r\n" +
           std::string(2048, 'x') + "\r\n0\r\n\r\n",
       200},
      {"POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n800\r\n" +
           std::string(2048, 'x') + "\r\n1\r\nx\r\n0\r\n\r\n",
       413},
      {"POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 9999999999999999999\r\n\r\n", 413},
  };
  client steady = run.connect();
  std::uint64_t rejected = 0;
  for (const auto& [request, status] : rows) {
    INFO(request.substr(0, 100) << " … " << request.size());
    client c = run.connect();
    const auto a = c.ask(request);
    CHECK(a.status == status);
    CHECK(a.says_close() == (status != 200));
    if (status != 200) {
      CHECK(c.is_closed_next());
      ++rejected;
    } else {
      CHECK(c.ask(hello).status == 200);
    }
    CHECK(run.count(&shard_counters::requests_rejected) == rejected);
    CHECK(steady.ask(hello).body == "hello");
  }
}
