// What the access log says of each way to answer, or not to, on the simulated ring.
#include <string>
#include <vector>

#include "sim/log_server.hpp"
#include "support/catch.hpp"

using namespace nen::test::logging;
using nen::listen_options;
using nen::log_format;

namespace {

/// A simulated second is one; only late completions would add to it.
bool is_about(double seconds, double wanted) {
  return seconds > wanted - 0.001 && seconds < wanted + 0.01;
}

}  // namespace

TEST_CASE("each answer has its line, with its status and the bytes of its body", "[sim]") {
  struct example {
    std::string request, gist;
  };
  const std::string no_names = " \"-\" \"-\"";
  const example examples[] = {
      {get_of("/"), "\"GET / HTTP/1.1\" 200 5"},
      {"GET / HTTP/1.0\r\n\r\n", "\"GET / HTTP/1.0\" 200 5"},
      {"HEAD / HTTP/1.1\r\nHost: h\r\n\r\n", "\"HEAD / HTTP/1.1\" 200 0"},
      {get_of("/?q=a&b"), "\"GET /?q=a&b HTTP/1.1\" 200 5"},
      {"GET http://h/ HTTP/1.1\r\nHost: h\r\n\r\n", "\"GET http://h/ HTTP/1.1\" 200 5"},
      {"OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", "\"OPTIONS * HTTP/1.1\" 204 0"},
      {"POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc",
       "\"POST /echo HTTP/1.1\" 200 3"},
      {get_of("/written"), "\"GET /written HTTP/1.1\" 200 7"},
      {get_of("/table"), "\"GET /table HTTP/1.1\" 200 12"},
      {get_of("/status/204"), "\"GET /status/204 HTTP/1.1\" 204 0"},
      {get_of("/status/304"), "\"GET /status/304 HTTP/1.1\" 304 0"},
      {get_of("/nowhere"), "\"GET /nowhere HTTP/1.1\" 404 9"},
      {"DELETE / HTTP/1.1\r\nHost: h\r\n\r\n", "\"DELETE / HTTP/1.1\" 405 18"},
      {get_of("/parts"), "\"GET /parts HTTP/1.1\" 200 12"},
      {"GET /parts HTTP/1.0\r\n\r\n", "\"GET /parts HTTP/1.0\" 200 12"},
      {"HEAD /parts HTTP/1.1\r\nHost: h\r\n\r\n", "\"HEAD /parts HTTP/1.1\" 200 0"},
      {get_of("/throws"), "\"GET /throws HTTP/1.1\" 500 21"},
      {get_of("/long"), "\"GET /long HTTP/1.1\" 500 21"},
      {"POST /sums HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc",
       "\"POST /sums HTTP/1.1\" 200 11"},
      // Refused: what of them is known stands there.
      {"GARBAGE\r\n\r\n", "\"-\" 400 11"},
      {"GET / HTTP/1.1\r\nBad Name: x\r\n\r\n", "\"-\" 400 11"},
      {"GET / HTTP/2.0\r\nHost: h\r\n\r\n", "\"-\" 505 26"},
      {get_of("/", "X: " + std::string(9000, 'x') + "\r\n"), "\"-\" 431 31"},
      {"POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 999999\r\n\r\n",
       "\"POST /echo HTTP/1.1\" 413 17"},
  };
  for (const example& e : examples) {
    INFO(e.request.substr(0, 60));
    plain_server s(1, {}, logged());
    const std::string answer = s.answer_to(e.request);
    const auto lines = lines_of(s);
    REQUIRE(lines.size() == 1);
    CHECK(gist(lines[0]) == e.gist + no_names);
    CHECK(s.counters().log_lines.value() == 1);
    // The same id in the answer and in the line; a trace of its own.
    CHECK(tail_of(lines[0]).id == field_of(answer, "X-Request-Id"));
    CHECK(tail_of(lines[0]).id.size() == 32);
    CHECK(tail_of(lines[0]).trace == tail_of(lines[0]).id);
    // Its status is the one that was sent.
    CHECK(gist(lines[0]).find("\" " + answer.substr(9, 3) + " ") != std::string::npos);
  }
}

TEST_CASE("requests on one connection, in one piece or many, have a line each", "[sim]") {
  plain_server s(1, {}, logged());
  auto c = s.connect();
  const std::string all = get_of("/") + get_of("/parts") +
                          "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc" +
                          get_of("/table");
  c.send(all);
  s.settle();
  for (const char byte : all) {
    c.send({&byte, 1});
    s.settle();
  }
  const auto lines = lines_of(s);
  REQUIRE(lines.size() == 8);
  for (std::size_t i = 0; i < 4; ++i) CHECK(gist(lines[i]) == gist(lines[i + 4]));
  CHECK(gist(lines[2]) == "\"POST /echo HTTP/1.1\" 200 3 \"-\" \"-\"");
}

TEST_CASE("what clients say of themselves stands on their line, harmless", "[sim]") {
  std::vector<std::string> lines;
  {
    plain_server s(1, {}, logged());
    (void)s.answer_to(get_of("/", "Referer: http://x/\"a\\b\r\nUser-Agent: \x80\xff evil\r\n"));
    (void)s.answer_to(get_of("/%22%0d%0a"));
    lines = lines_of(s);
  }
  REQUIRE(lines.size() == 2);
  CHECK(gist(lines[0]) == "\"GET / HTTP/1.1\" 200 5 \"http://x/\\x22a\\x5Cb\" \"\\x80\\xFF evil\"");
  CHECK(gist(lines[1]) == "\"GET /%22%0d%0a HTTP/1.1\" 404 9 \"-\" \"-\"");

  plain_server json(1, {}, logged({.format = log_format::json}));
  (void)json.answer_to(get_of("/", "User-Agent: \"\\\xff\r\n"));
  CHECK(text_of(json).find("\"user_agent\":\"\\\"\\\\\\ufffd\",") != std::string::npos);
}

TEST_CASE("time is counted from a request's first byte to its answer's last", "[sim]") {
  plain_server s(1, {}, logged());
  auto c = s.connect();
  c.send("GET / HTTP/1.1\r\n");
  s.pass(250);
  c.send("Host: h\r\n\r\n");
  s.settle();
  c.send(get_of("/endless"));
  s.pass(1500);
  c.close();
  s.settle();
  const auto lines = lines_of(s);
  REQUIRE(lines.size() == 2);
  CHECK(is_about(tail_of(lines[0]).seconds, 0.25));
  CHECK(is_about(tail_of(lines[1]).seconds, 1.5));
  // A stream that is cut off has the bytes that were written.
  CHECK(gist(lines[1]) == "\"GET /endless HTTP/1.1\" 200 8 \"-\" \"-\"");
}

TEST_CASE("a client that leaves before its answer has a line without a status", "[sim]") {
  plain_server s(1, {}, logged());
  auto c = s.connect();
  c.send(get_of("/parks"));
  s.settle();
  CHECK(lines_of(s).empty());
  c.close();
  auto half = s.connect();
  half.send("POST /sums HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc");
  s.settle();
  half.close();
  auto silent = s.connect();  // nothing was asked: there is nothing to say
  s.settle();
  silent.close();
  s.settle();
  const auto lines = lines_of(s);
  REQUIRE(lines.size() == 2);
  CHECK(gist(lines[0]) == "\"GET /parks HTTP/1.1\" - 0 \"-\" \"-\"");
  CHECK(gist(lines[1]) == "\"POST /sums HTTP/1.1\" - 0 \"-\" \"-\"");
}

TEST_CASE("times that pass are logged with the answers that say so", "[sim]") {
  listen_options options = logged();
  options.handler_timeout = std::chrono::milliseconds(1000);
  plain_server s(1, {}, options);
  auto slow = s.connect();
  slow.send("GET / HTTP/1.1\r\nHo");
  auto waits = s.connect();
  waits.send(get_of("/parks"));
  s.pass(30'000);
  const auto lines = lines_of(s);
  REQUIRE(lines.size() == 2);
  CHECK(gist(lines[0]) == "\"GET /parks HTTP/1.1\" 503 19 \"-\" \"-\"");
  CHECK(gist(lines[1]) == "\"-\" 408 15 \"-\" \"-\"");
  CHECK(is_about(tail_of(lines[1]).seconds, 10));
}

TEST_CASE("coroutines and WebSockets have their lines too", "[sim]") {
  any_server s(1, {}, logged());
  auto c = s.connect();
  c.send(get_of("/later/0") + get_of("/later/40"));
  s.pass(100);
  auto gone = s.connect();
  gone.send(get_of("/later/5000"));
  s.settle();
  gone.close();
  auto w = s.connect();
  w.send(get_of("/ws",
                "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"));
  s.settle();
  CHECK(w.take().starts_with("HTTP/1.1 101 "));
  w.send("\x81\x82\0\0\0\0hi");
  s.settle();
  w.close();
  s.settle();
  const auto lines = lines_of(s);
  REQUIRE(lines.size() == 4);
  CHECK(gist(lines[0]) == "\"GET /later/0 HTTP/1.1\" 200 32 \"-\" \"-\"");
  CHECK(gist(lines[1]) == "\"GET /later/40 HTTP/1.1\" 200 32 \"-\" \"-\"");
  CHECK(is_about(tail_of(lines[1]).seconds, 0.04));
  CHECK(gist(lines[3]) == "\"GET /ws HTTP/1.1\" 101 0 \"-\" \"-\"");
  CHECK(gist(lines[2]) == "\"GET /later/5000 HTTP/1.1\" - 0 \"-\" \"-\"");
}

TEST_CASE("lines are chosen by sample and by status", "[sim]") {
  const auto count = [](nen::access_log_options log, std::string_view path, int requests) {
    plain_server s(1, {}, logged(log));
    for (int i = 0; i < requests; ++i) (void)s.answer_to(get_of(path));
    CHECK(s.counters().log_lines_dropped.value() == 0);
    return static_cast<int>(lines_of(s).size());
  };
  CHECK(count({.sample = 10}, "/", 9) == 0);
  CHECK(count({.sample = 10}, "/", 30) == 3);
  CHECK(count({.sample = 0}, "/", 3) == 3);
  CHECK(count({.sample = 10}, "/throws", 25) == 25);
  CHECK(count({.sample = 10}, "/nowhere", 25) == 2);
  CHECK(count({.sample = 10, .always_from_status = 400}, "/nowhere", 25) == 25);
  CHECK(count({.status_min = 400}, "/", 5) == 0);
  CHECK(count({.status_min = 400}, "/nowhere", 5) == 5);
}

TEST_CASE("without a descriptor there is no log, and without config::log_bytes none at all",
          "[sim]") {
  plain_server s;
  CHECK(s.answer_to(get_of("/")).starts_with("HTTP/1.1 200 "));
  CHECK(lines_of(s).empty());
  CHECK(s.counters().log_lines.value() == 0);
  using without = nen::http_session<plain_routes, nen::config{}, waiting>;
  using with = nen::http_session<plain_routes, nen::config{.log_bytes = 8192}, waiting>;
  CHECK(sizeof(with) - sizeof(without) > 64 * 2000);  // the lines of 64 streams
  CHECK(sizeof(without::connection_state) + 8 == sizeof(with::connection_state));
  CHECK(sizeof(nen::access_log<0>) == 1);
}
