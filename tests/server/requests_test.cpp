// Requests of every shape over real sockets, and the answers to them.
#include "support/test_server.hpp"

namespace {

using nen::test::client;
using nen::test::running;

alignas(4096) char large[3 * nen::MiB];

nen::reply echo(const nen::request& req, nen::response& res) { return res.bytes(req.body()); }
nen::reply too_long(nen::response& res) {
  res.begin("text/plain");
  for (int i = 0; i < 100; ++i) res.write(std::string_view(large, 1000));
  return res.finish();
}
nen::reply throws(nen::response& res) {
  res.field("X-Half", "written").begin("text/plain").write("half");
  throw std::runtime_error("boom");
}

using routes = nen::router<
    nen::get<"/", [](nen::response& res) { return res.text("hello"); }>, nen::post<"/echo", echo>,
    nen::get<"/large",
             [](nen::response& res) {
               return res.send_static("a/b", {large, sizeof large});
             }>,
    nen::get<"/throws", throws>, nen::get<"/int", [](nen::response&) -> nen::reply { throw 7; }>,
    nen::get<"/too-long", too_long>,
    nen::get<"/bad-field",
             [](nen::response& res) { return res.field("A", "b\r\nC: d").text("x"); }>,
    nen::get<"/framing",
             [](nen::response& res) { return res.field("Content-Length", "9").text("x"); }>,
    nen::get<"/close", [](nen::response& res) { return res.close().text("bye"); }>,
    nen::get<"/none", [](nen::response& res) { return res.status(204); }>>;

constexpr nen::config small = {.connections = 8,
                               .receive_buffers = 8,
                               .receive_buffer_bytes = 256,
                               .send_slots = 32,
                               .send_slot_bytes = 2048,
                               .response_bytes_max = 8192,
                               .head_slots = 2,
                               .head_bytes_max = 1024,
                               .fields_max = 8,
                               .target_bytes_max = 512,
                               .body_slots = 2,
                               .body_bytes_max = 4096};
nen::server<routes, small> server;

std::string post(std::string_view body, std::string_view fields = "") {
  return "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n" + std::string(fields) + "\r\n" + std::string(body);
}
std::string get(std::string_view target, std::string_view method = "GET") {
  return std::string(method) + " " + std::string(target) + " HTTP/1.1\r\nHost: h\r\n\r\n";
}
std::string noise(std::size_t size) {
  std::string s(size, 0);
  std::uint32_t state = static_cast<std::uint32_t>(size) + 1;
  for (char& c : s) c = static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
  return s;
}

/// The body in chunks of these sizes, the last one repeated.
std::string chunked(std::string_view body, std::size_t chunk) {
  std::string s = "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  while (!body.empty()) {
    char size[32];
    std::snprintf(size, sizeof size, "%zx\r\n", std::min(chunk, body.size()));
    s.append(size).append(body.substr(0, chunk)).append("\r\n");
    body.remove_prefix(std::min(chunk, body.size()));
  }
  return s + "0\r\n\r\n";
}

}  // namespace

TEST_CASE("bodies come back whole, whatever their length", "[server]") {
  running run(server);
  client c = run.connect();
  // In one lease, around its end, across several, around the limit of a head slot, the very limit.
  for (const std::size_t size : {0u, 1u, 150u, 190u, 200u, 255u, 256u, 257u, 511u, 512u, 1000u,
                                 1023u, 1024u, 1025u, 2047u, 4095u, 4096u}) {
    INFO(size);
    const auto body = noise(size);
    const auto a = c.ask(post(body));
    CHECK(a.status == 200);
    CHECK(a.body == body);
    CHECK(a.field("Content-Type") == "application/octet-stream");
    CHECK_FALSE(a.says_close());
    for (const std::size_t chunk : {1u, 7u, 255u, 4096u}) {
      if (size / chunk > 1024) continue;
      INFO(chunk);
      const auto b = c.ask(chunked(body, chunk));
      CHECK(b.status == 200);
      CHECK(b.body == body);
    }
  }
  CHECK(run.count(&nen::shard_counters::connections_accepted) == 1);
}

TEST_CASE("requests that come byte by byte are read like whole ones", "[server]") {
  running run(server);
  client c = run.connect();
  const auto body = noise(300);
  for (const auto& message : {post(body), chunked(body, 13), get("/")}) {
    for (const char byte : message) c.send({&byte, 1});  // TCP_NODELAY: a segment each
    const auto a = c.read_answer();
    CHECK(a.status == 200);
    CHECK(a.body == (message[0] == 'G' ? "hello" : body));
  }
}

TEST_CASE("a request may be cut anywhere", "[server]") {
  running run(server);
  client c = run.connect();
  const auto message = chunked("some content", 5);
  for (std::size_t cut = 1; cut < message.size(); ++cut) {
    INFO(cut);
    c.send(message.substr(0, cut));
    if (cut % 8 == 0)
      ::usleep(500);  // now and then give the server the time to see the pieces apart
    CHECK(c.ask(message.substr(cut)).body == "some content");
  }
}

TEST_CASE("keep-alive and close follow the version and the Connection field", "[server]") {
  running run(server);
  struct row {
    const char* request;
    bool stays;
    const char* connection;
  };
  for (const auto& [request, stays, connection] : {
           row{"GET / HTTP/1.1\r\nHost: h\r\n\r\n", true, ""},
           row{"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", false, "close"},
           row{"GET / HTTP/1.1\r\nHost: h\r\nConnection: Keep-Alive, CLOSE\r\n\r\n", false,
               "close"},
           row{"GET / HTTP/1.1\r\nHost: h\r\nConnection: keep-alive\r\n\r\n", true, ""},
           row{"GET / HTTP/1.0\r\n\r\n", false, "close"},
           row{"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true, "keep-alive"},
           row{"GET /close HTTP/1.1\r\nHost: h\r\n\r\n", false, "close"},
       }) {
    INFO(request);
    client c = run.connect();
    const auto a = c.ask(request);
    CHECK(a.status == 200);
    CHECK(a.minor == 1);
    CHECK(a.field("Connection") == connection);
    if (stays) {
      CHECK(c.ask(get("/")).status == 200);
    } else {
      CHECK(c.is_closed_next());
    }
  }
}

TEST_CASE("nothing behind a close is answered", "[server]") {
  running run(server);
  client c = run.connect();
  c.send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n" + get("/") + get("/"));
  CHECK(c.read_answer().says_close());
  (void)c.read_end();
  CHECK(c.rest().empty());
  CHECK(run.count(&nen::shard_counters::requests) == 1);
}

TEST_CASE("HEAD gets the head of GET and no body", "[server]") {
  running run(server);
  client c = run.connect();
  for (const char* target : {"/", "/large"}) {
    const auto with = c.ask(get(target));
    const auto without = c.ask(get(target, "HEAD"), true);
    CHECK(without.status == 200);
    CHECK(without.field("Content-Length") == with.field("Content-Length"));
    CHECK(without.field("Content-Type") == with.field("Content-Type"));
  }
  CHECK(c.ask(get("/nowhere", "HEAD"), true).status == 404);
  CHECK(c.ask(get("/none", "HEAD"), true).status == 204);
  CHECK(c.ask(get("/none")).status == 204);
  CHECK(c.ask(get("/")).body == "hello");
}

TEST_CASE("a client that waits for leave to send gets it once", "[server]") {
  running run(server);
  client c = run.connect();
  const auto message = post("12345", "Expect: 100-continue\r\n");
  const auto head = message.substr(0, message.size() - 5);

  const bool whole = GENERATE(true, false);
  INFO(whole);
  if (whole) c.send(head);
  for (std::size_t i = 0; i < head.size() && !whole; ++i) c.send(head.substr(i, 1));
  const auto leave = c.read_answer();
  CHECK(leave.status == 100);
  CHECK(leave.fields.empty());
  CHECK(c.is_quiet_for(20));
  c.send("123");
  CHECK(c.is_quiet_for(20));
  CHECK(c.ask("45").body == "12345");
}

TEST_CASE("a body that came along needs no leave", "[server]") {
  running run(server);
  client c = run.connect();
  CHECK(c.ask(post("12345", "Expect: 100-continue\r\n")).body == "12345");
  const auto begun = post("12345", "Expect: 100-continue\r\n");
  c.send(begun.substr(0, begun.size() - 2));
  CHECK(c.ask("45").body == "12345");
  const auto a = c.ask(
      "POST /echo HTTP/1.0\r\nContent-Length: 0\r\nExpect: 100-continue\r\n"
      "Connection: keep-alive\r\n\r\n");
  CHECK(a.status == 200);  // RFC 9110 §10.1.1: an expectation of HTTP/1.0 is ignored
}

TEST_CASE("a body that is too large is refused before leave is given", "[server]") {
  running run(server);
  client c = run.connect();
  const auto a = c.ask(
      "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 4097\r\nExpect: 100-continue\r\n\r\n");
  CHECK(a.status == 413);
  CHECK(a.says_close());
}

TEST_CASE("an exception in a handler is a 500, and the connection lives on", "[server]") {
  static std::string said;
  said.clear();
  running run(server, {.on_exception = [](const nen::request& which, const char* what) {
                said.append(which.path()).append(": ").append(what).append("\n");
              }});
  client c = run.connect();
  c.send(get("/") + get("/throws") + get("/int") + get("/"));
  CHECK(c.read_answer().status == 200);
  for (int i = 0; i < 2; ++i) {
    const auto a = c.read_answer();
    CHECK(a.status == 500);
    CHECK(a.count("X-Half") == 0);
    CHECK(a.body == "Internal Server Error");
  }
  CHECK(c.read_answer().body == "hello");
  CHECK(run.count(&nen::shard_counters::handler_exceptions) == 2);
  c.close();
  run.end();
  CHECK(said == "/throws: boom\n/int: not a std::exception\n");
}

TEST_CASE("an answer that can't be sent becomes a 500", "[server]") {
  running run(server);
  std::uint64_t replaced = 0;
  for (const char* target : {"/too-long", "/bad-field", "/framing"}) {
    INFO(target);
    client c = run.connect();
    c.send(get("/") + get(target));
    CHECK(c.read_answer().body == "hello");
    const auto a = c.read_answer();
    CHECK(a.status == 500);
    CHECK(a.body == "Internal Server Error");
    CHECK(a.says_close());
    CHECK(c.is_closed_next());
    CHECK(run.count(&nen::shard_counters::responses_replaced) == ++replaced);
  }
}

TEST_CASE("static bodies of megabytes arrive whole, one behind the other", "[server]") {
  const auto content = noise(sizeof large);
  content.copy(large, sizeof large);
  running run(server);
  client c = run.connect();
  std::string requests;
  for (int i = 0; i < 4; ++i) requests += get("/large") + get("/");
  c.send(requests);
  for (int i = 0; i < 4; ++i) {
    CHECK(c.read_answer().body == content);
    CHECK(c.read_answer().body == "hello");
  }
}

TEST_CASE("a client that finished sending still gets every answer", "[server]") {
  running run(server);
  client c = run.connect();
  c.send(get("/large") + get("/") + get("/"));
  c.finish_sending();
  CHECK(c.read_answer().body.size() == sizeof large);
  CHECK(c.read_answer().status == 200);
  CHECK(c.read_answer().status == 200);
  CHECK(c.is_closed_next());
}

TEST_CASE("a request that ends in the middle is not answered", "[server]") {
  running run(server);
  for (const char* part : {"", "GE", "GET / HTTP/1.1\r\nHost: h\r\n",
                           "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n1234"}) {
    INFO(part);
    client c = run.connect();
    c.send(part);
    c.finish_sending();
    CHECK(c.is_closed_next());
  }
  CHECK(run.count(&nen::shard_counters::requests) == 0);
}
