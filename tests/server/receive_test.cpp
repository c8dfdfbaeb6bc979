// Bodies that are taken part by part: every cut, every length, slow and refusing handlers.
#include <nen/nen.hpp>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>

#include "support/catch.hpp"
#include "support/client.hpp"
#include "support/test_server.hpp"

namespace {

using nen::test::client;
using nen::test::running;

struct held {
  nen::deferred waits;
};

/// How many bytes, and a sum in which order counts.
struct digest {
  std::uint64_t bytes = 0;
  std::uint64_t sum = 0;
  void add(std::string_view part) {
    bytes += part.size();
    for (const char c : part) sum = sum * 31 + static_cast<unsigned char>(c);
  }
};

nen::reply count(nen::response& res) {
  return res.receive([d = digest{}](const nen::body_part& part, nen::response& r) mutable {
    d.add(part.bytes);
    if (!part.is_last) return r.more();
    return r.json({{"bytes", d.bytes}, {"sum", d.sum}, {"path", part.request.path()}});
  });
}

nen::reply slow(nen::response& res) {
  return res.receive([d = digest{}](const nen::body_part& part, nen::response& r) mutable {
    d.add(part.bytes);
    return part.is_last ? r.json({{"bytes", d.bytes}}) : r.more(30);
  });
}

nen::reply hold(held& h, nen::response& res) {
  return res.receive([&h, d = digest{}](const nen::body_part& part, nen::response& r) mutable {
    d.add(part.bytes);
    if (part.is_last) return r.json({{"bytes", d.bytes}});
    h.waits = r.defer();
    return r.later();
  });
}

nen::reply at_most_5000(nen::response& res) {
  return res.receive([d = digest{}](const nen::body_part& part, nen::response& r) mutable {
    d.add(part.bytes);
    if (d.bytes > 5000) return r.status(413);
    return part.is_last ? r.text("taken") : r.more();
  });
}

nen::reply answer_later(nen::response& res) {
  return res.receive([](const nen::body_part& part, nen::response& r) {
    if (!part.is_last) return r.more();
    r.defer().after(30, [](const nen::request& q, nen::response& x) { return x.text(q.path()); });
    return r.later();
  });
}

nen::reply never_enough(nen::response& res) {
  return res.receive([](const nen::body_part&, nen::response& r) { return r.more(); });
}

using routes = nen::router<
    nen::streamed<nen::post<"/count", count>>, nen::streamed<nen::post<"/slow", slow>>,
    nen::streamed<nen::post<"/hold", hold>>, nen::streamed<nen::post<"/limit", at_most_5000>>,
    nen::streamed<nen::post<"/later", answer_later>>,
    nen::streamed<nen::post<"/never", never_enough>>,
    nen::streamed<nen::post<"/refuse", [](nen::response& r) { return r.status(403); }>>,
    nen::post<"/whole", count>,
    nen::post<"/wake",
              [](held& h, nen::response& r) { return r.text(h.waits.wake() ? "y" : "n"); }>,
    nen::get<"/", [](nen::response& r) { return r.text("hi"); }>>;

constexpr nen::config sizes = [] {
  nen::config c = nen::test::little;
  c.body_slots = 2;
  c.body_bytes_max = 4096;
  return c;
}();
nen::server<routes, sizes, held> server;

std::string head(std::string_view path, std::string_view field) {
  return "POST " + std::string(path) + " HTTP/1.1\r\nHost: h\r\n" + std::string(field) + "\r\n\r\n";
}
std::string sized(std::string_view path, std::string_view body) {
  return head(path, "Content-Length: " + std::to_string(body.size())) + std::string(body);
}
std::string chunked(std::string_view path, std::string_view body, std::size_t chunk) {
  std::string all = head(path, "Transfer-Encoding: chunked");
  char size[20];
  for (std::size_t i = 0; i < body.size(); i += chunk) {
    const auto part = body.substr(i, chunk);
    std::snprintf(size, sizeof size, "%zx\r\n", part.size());
    all.append(size).append(part).append("\r\n");
  }
  return all + "0\r\n\r\n";
}
std::string body_of(std::size_t size) {
  std::string body;
  for (std::size_t i = 0; i < size; ++i) body += static_cast<char>('a' + i * 7 % 26);
  return body;
}
std::string digest_of(std::string_view body, std::string_view path) {
  digest d;
  d.add(body);
  return "{\"bytes\":" + std::to_string(d.bytes) + ",\"sum\":" + std::to_string(d.sum) +
         ",\"path\":\"" + std::string(path) + "\"}";
}

const std::string next = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

}  // namespace

TEST_CASE("a body of any length is taken part by part, far above body_bytes_max", "[server]") {
  running run(server);
  for (const std::size_t size : {0u, 1u, 400u, 512u, 4096u, 5000u, 100'000u, 2'000'000u}) {
    const std::string body = body_of(size);
    for (const auto& message : {sized("/count", body), chunked("/count", body, 777)}) {
      client c = run.connect();
      c.send(message + next);
      CHECK(c.read_answer().body == digest_of(body, "/count"));
      CHECK(c.read_answer().body == "hi");
    }
  }
}

TEST_CASE("where the network cuts such a request changes nothing", "[server]") {
  running run(server);
  const std::string body = body_of(40);
  const std::string message = chunked("/count", body, 9) + next;
  for (std::size_t cut = 1; cut < message.size(); ++cut) {
    client c = run.connect();
    c.send(message.substr(0, cut));
    client other = run.connect();  // its round trip lets the first piece arrive alone
    CHECK(other.ask(next).body == "hi");
    c.send(message.substr(cut));
    CHECK(c.read_answer().body == digest_of(body, "/count"));
    CHECK(c.read_answer().body == "hi");
  }
}

TEST_CASE("a handler that takes parts may also be asked for a whole body", "[server]") {
  running run(server);
  client c = run.connect();
  CHECK(c.ask(sized("/whole", body_of(3000))).body == digest_of(body_of(3000), "/whole"));
  CHECK(c.ask(sized("/whole", "")).body == digest_of("", "/whole"));
  CHECK(c.ask(sized("/whole", body_of(5000))).status == 413);
}

TEST_CASE("the client feels how fast the parts are taken", "[server]") {
  running run(server);
  client c = run.connect();
  nen::test::stopwatch watch;
  c.send(sized("/slow", body_of(5000)));
  CHECK(c.read_answer().body == "{\"bytes\":5000}");
  CHECK(watch.milliseconds() >= 5000 / 512 * 30 - 30);
}

TEST_CASE("a handler that waits for somebody else is woken, part by part", "[server]") {
  running run(server);
  client c = run.connect();
  client other = run.connect();
  c.send(head("/hold", "Content-Length: 20") + body_of(10));
  CHECK(c.is_quiet_for(50));
  c.send(body_of(10) + next);
  CHECK(c.is_quiet_for(50));
  CHECK(other.ask(sized("/wake", "")).body == "y");
  CHECK(c.read_answer().body == "{\"bytes\":20}");
  CHECK(c.read_answer().body == "hi");
  CHECK(other.ask(sized("/wake", "")).body == "n");
}

TEST_CASE("a waiting handler whose client leaves holds nothing any more", "[server]") {
  running run(server);
  client other = run.connect();
  for (const bool more : {false, true}) {  // bytes behind the part that waits hide the end of all
    client c = run.connect();
    c.send(head("/hold", "Content-Length: 5000") + body_of(10));
    CHECK(c.is_quiet_for(30));
    if (more) c.send(body_of(2000));
    if (more) CHECK(c.is_quiet_for(30));
    c.close();
    CHECK(nen::test::eventually([&] { return other.ask(sized("/wake", "")).body == "n"; }));
  }
}

TEST_CASE("an answer before the end of the body closes the connection", "[server]") {
  running run(server);
  client early = run.connect();
  early.send(sized("/refuse", body_of(3000)) + next);
  const auto refused = early.read_answer();
  CHECK(refused.status == 403);
  CHECK(refused.says_close());
  CHECK(early.is_closed_next());
  client late = run.connect();
  late.send(sized("/limit", body_of(20'000)) + next);
  CHECK(late.read_answer().status == 413);
  CHECK(late.is_closed_next());
  client fits = run.connect();
  CHECK(fits.ask(sized("/limit", body_of(5000))).body == "taken");
  CHECK(fits.ask(next).body == "hi");
}

TEST_CASE("leave to send is given only to a body that is wanted", "[server]") {
  running run(server);
  const std::string expects = "Expect: 100-continue\r\nContent-Length: 5";
  client wanted = run.connect();
  wanted.send(head("/count", expects));
  CHECK(wanted.read_bytes(25) == "HTTP/1.1 100 Continue\r\n\r\n");
  wanted.send("abcde");
  CHECK(wanted.read_answer().body == digest_of("abcde", "/count"));
  client refused = run.connect();
  refused.send(head("/refuse", expects));
  CHECK(refused.read_answer().status == 403);
  CHECK(refused.is_closed_next());
}

TEST_CASE("the answer to a streamed body may be deferred", "[server]") {
  running run(server);
  client c = run.connect();
  c.send(sized("/later", body_of(3000)) + next);
  CHECK(c.read_answer().body == "/later");
  CHECK(c.read_answer().body == "hi");
}

TEST_CASE("a handler that wants more than there is is answered for", "[server]") {
  running run(server);
  client c = run.connect();
  CHECK(c.ask(sized("/never", body_of(700))).status == 500);
}

TEST_CASE("a streamed body may take long, but neither stop nor drip", "[server]") {
  running run(server, {.body_timeout = std::chrono::milliseconds(300),
                       .linger_timeout = std::chrono::milliseconds(100)});
  client stops = run.connect();
  stops.send(head("/count", "Content-Length: 100") + "abc");
  CHECK(stops.read_answer().status == 408);
  client drips = run.connect();
  drips.send(head("/count", "Content-Length: 100000"));
  nen::test::stopwatch watch;
  while (watch.milliseconds() < 5000 && drips.try_send("x") && drips.is_quiet_for(40)) continue;
  CHECK(watch.milliseconds() < 2000);
  CHECK(run.count(&nen::shard_counters::timeouts_body) == 2);
  client steady = run.connect();  // 1.2 seconds in all, but always more than 4 KiB in 300 ms
  steady.send(head("/count", "Content-Length: 60000"));
  for (int i = 0; i < 12; ++i) {
    steady.send(body_of(5000));
    if (i != 11) CHECK(steady.is_quiet_for(100));
  }
  CHECK(steady.read_answer().status == 200);
}

TEST_CASE("a bad chunk in a streamed body is refused", "[server]") {
  running run(server);
  client c = run.connect();
  c.send(head("/count", "Transfer-Encoding: chunked") + "5\r\nabcdeX\r\n");
  CHECK(c.read_answer().status == 400);
  CHECK(c.is_closed_next());
}
