// Many requests in flight on one connection: every one is answered, in order, byte for byte.
#include "support/test_server.hpp"

namespace {

using nen::test::client;
using nen::test::running;

nen::reply sized(std::uint32_t n, nen::response& res) {
  res.begin("text/plain");
  char line[16];
  for (std::uint32_t left = n; left != 0;) {
    std::snprintf(line, sizeof line, "%09u.", left);
    const auto part = std::min<std::uint32_t>(left, 10);
    res.write({line, part});
    left -= part;
  }
  return res.finish();
}
nen::reply echo(const nen::request& req, std::uint32_t, nen::response& res) {
  return res.field("X-Target", req.target()).bytes(req.body());
}
char landscape[100'000];

using routes = nen::router<
    nen::get<"/sized/:n", sized>, nen::post<"/echo/:n", echo>, nen::put<"/echo/:n", echo>,
    nen::get<"/static",
             [](nen::response& res) {
               return res.send_static("x/y", {landscape, 100'000});
             }>,
    nen::get<"/order/:n", [](std::uint32_t n, nen::response& res) { return res.json(n); }>>;

constexpr nen::config small = {.connections = 8,
                               .receive_buffers = 8,
                               .receive_buffer_bytes = 512,
                               .send_slots = 32,
                               .send_slot_bytes = 1024,
                               .response_bytes_max = 4096,
                               .head_slots = 4,
                               .head_bytes_max = 1024,
                               .target_bytes_max = 256,
                               .body_slots = 2,
                               .body_bytes_max = 2048};
nen::server<routes, small> server;
nen::server<routes, nen::config{}> usual_server;

/// A request and what its answer has to be.
struct exchange {
  std::string request;
  bool head = false;
  int status = 200;
  std::string body;
};

std::string text_of(std::uint32_t n) {
  std::string s;
  char line[16];
  for (std::uint32_t left = n; left != 0;) {
    std::snprintf(line, sizeof line, "%09u.", left);
    const auto part = std::min<std::uint32_t>(left, 10);
    s.append(line, part);
    left -= part;
  }
  return s;
}

/// The i-th of a mixture of methods, sizes and errors.
exchange mixed(std::uint32_t i) {
  const std::uint32_t random = (i + 1) * 2654435761u >> 8;
  const auto n = std::to_string(i);
  const std::string host = " HTTP/1.1\r\nHost: h\r\n";
  switch (random % 8) {
    case 0: {
      const auto size = random / 8 % 4097;
      return {"GET /sized/" + std::to_string(size) + host + "\r\n", false, 200, text_of(size)};
    }
    case 1:
      return {"HEAD /sized/" + std::to_string(random % 4000) + host + "\r\n", true, 200, ""};
    case 2: {
      const auto body = text_of(random / 8 % 2049);
      return {"POST /echo/" + n + host + "Content-Length: " + std::to_string(body.size()) +
                  "\r\n\r\n" + body,
              false, 200, body};
    }
    case 3:
      return {"PUT /echo/" + n + host + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n" +
                  "1;x=y\r\nd\r\n0\r\nT: v\r\n\r\n",
              false, 200, "abcd"};
    case 4:
      return {"GET /nowhere/" + n + host + "\r\n", false, 404, "Not Found"};
    case 5:
      return {"DELETE /echo/" + n + host + "\r\n", false, 405, "Method Not Allowed"};
    default:
      return {
          "GET /order/" + n + host + "X-Padding: " + std::string(random % 200, 'p') + "\r\n\r\n",
          false, 200, n};
  }
}

void check(client& c, const exchange& e) {
  const auto a = c.read_answer(e.head);
  if (a.status == e.status && a.body == e.body) return;  // 10,000 assertions would be slow
  FAIL_CHECK("wrong answer " << a.status << " " << a.body << " to " << e.request);
}

template <class Server>
void pipeline(running<Server>& run, std::uint32_t depth) {
  client c = run.connect();
  std::string all;
  for (std::uint32_t i = 0; i < depth; ++i) all += mixed(i).request;
  c.send_while_reading(all);
  for (std::uint32_t i = 0; i < depth; ++i) check(c, mixed(i));
  CHECK(c.is_quiet_for(5));
  c.finish_sending();
  CHECK(c.is_closed_next());
  CHECK(run.count(&nen::shard_counters::requests) == depth);
}

}  // namespace

TEST_CASE("pipelined requests are answered in order at every depth", "[server]") {
  for (const std::uint32_t depth : {1u, 2u, 3u, 10u, 100u, 1000u, 10'000u}) {
    INFO(depth);
    running run(server);
    pipeline(run, depth);
  }
}

TEST_CASE("pipelined requests are answered in order with the usual sizes", "[server]") {
  running run(usual_server);
  pipeline(run, 10'000);
}

TEST_CASE("pipelined answers are exactly the bytes of single ones", "[server]") {
  running run(server, {.server_name = "x"});
  client c = run.connect();
  const std::string request = "GET /order/7 HTTP/1.1\r\nHost: h\r\n\r\n";
  std::string all;
  for (int i = 0; i < 5000; ++i) all += request;
  c.send_while_reading(all);
  std::string first = c.read_bytes(1);
  while (first.substr(first.size() - std::min<std::size_t>(first.size(), 5)) != "\r\n\r\n7")
    first += c.read_bytes(1);
  const auto date = first.find("Date: ");
  REQUIRE(date != first.npos);
  int wrong = 0;
  for (int i = 1; i < 5000; ++i) {
    auto next = c.read_bytes(first.size());
    next.replace(date, 35, first, date, 35);  // the seconds go on
    wrong += next != first;
  }
  CHECK(wrong == 0);
  CHECK(c.is_quiet_for(5));
}

TEST_CASE("pipelined views are sent between copies in order", "[server]") {
  for (std::size_t i = 0; i < sizeof landscape; ++i)
    landscape[i] = static_cast<char>('a' + i * i % 25);
  running run(server);
  client c = run.connect();
  std::string all;
  for (int i = 0; i < 200; ++i)
    all += "GET /static HTTP/1.1\r\nHost: h\r\n\r\nGET /order/" + std::to_string(i) +
           " HTTP/1.1\r\nHost: h\r\n\r\nHEAD /static HTTP/1.1\r\nHost: h\r\n\r\n";
  c.send_while_reading(all);
  for (int i = 0; i < 200; ++i) {
    const auto a = c.read_answer();
    if (a.body != std::string_view(landscape, sizeof landscape)) FAIL("wrong static body");
    if (c.read_answer().body != std::to_string(i)) FAIL("wrong order");
    if (c.read_answer(true).field("Content-Length") != "100000") FAIL("wrong head");
  }
  CHECK(c.is_quiet_for(5));
}

TEST_CASE("a slow reader of a deep pipeline holds no more than its share", "[server]") {
  running run(usual_server);  // with receive buffers for all of it: else he would be cut off
  client slow = run.connect(4096);
  std::string all;
  for (int i = 0; i < 6000; ++i) all += "GET /sized/4096 HTTP/1.1\r\nHost: h\r\n\r\n";
  all.resize(all.size() - slow.send_what_fits(all));  // as many as the kernel holds
  const auto sent =
      6000 * std::string_view("GET /sized/4096 HTTP/1.1\r\nHost: h\r\n\r\n").size() - all.size();
  client other = run.connect();
  for (int i = 0; i < 100; ++i) {
    other.send("GET /order/1 HTTP/1.1\r\nHost: h\r\n\r\n");
    CHECK(other.read_answer().body == "1");
  }
  const auto whole = sent / std::string_view("GET /sized/4096 HTTP/1.1\r\nHost: h\r\n\r\n").size();
  const auto expected = text_of(4096);
  for (std::size_t i = 0; i < whole; ++i)
    if (slow.read_answer().body != expected) FAIL("wrong answer " << i);
  CHECK(whole > 100);
}

TEST_CASE("the bad one of pipelined requests ends the connection behind the good ones",
          "[server]") {
  running run(server);
  client c = run.connect();
  c.send(
      "GET /order/1 HTTP/1.1\r\nHost: h\r\n\r\nGET /order/2 HTTP/1.1\r\nHost: h\r\n\r\n"
      "GET /order/3 HTTP/1.1\r\n\r\nGET /order/4 HTTP/1.1\r\nHost: h\r\n\r\n");
  CHECK(c.read_answer().body == "1");
  CHECK(c.read_answer().body == "2");
  const auto a = c.read_answer();
  CHECK(a.status == 400);
  CHECK(a.says_close());
  CHECK(c.is_closed_next());
  CHECK(run.count(&nen::shard_counters::requests) == 2);
  CHECK(run.count(&nen::shard_counters::requests_rejected) == 1);
}
