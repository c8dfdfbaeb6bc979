// Streamed answers: their exact bytes, for every version and method, and who is called when.
#include "server/stream_server.hpp"

using namespace nen::test::streaming;
using nen::shard_counters;
using nen::test::client;
using nen::test::eventually;
using nen::test::milliseconds;
using nen::test::stopwatch;

TEST_CASE("a stream is its chunks and the last one, whatever their size", "[server]") {
  run_of run(server, patient);
  client c = run.connect();
  std::vector<std::size_t> sizes;
  for (std::size_t size = 1; size <= 40; ++size) sizes.push_back(size);
  for (const std::size_t around : {256u, 512u, 900u, 1000u, 1024u, 1900u, 2000u})
    for (std::size_t size = around - 16; size <= around + 16; ++size) sizes.push_back(size);
  for (const std::size_t size : sizes) {
    for (const char* how : {"/chunks/", "/fill/"}) {
      c.send(get_of(how + std::to_string(size) + "/5"));
      const auto s = read_streamed(c);
      if (s.head.status != 200 || s.head.field("Content-Type") != "a/b" || s.head.says_close() ||
          s.chunks != std::vector<std::string>(5, std::string(letters(size))) ||
          !s.trailers.empty())
        FAIL(how << size);
    }
  }
  CHECK(c.ask(get_of("/")).body == "hello");
}

TEST_CASE("an empty stream is the last chunk alone", "[server]") {
  run_of run(server, patient);
  client c = run.connect();
  c.send(get_of("/chunks/1/0"));
  CHECK(read_streamed(c).chunks.empty());
  CHECK(c.ask(get_of("/")).body == "hello");
}

TEST_CASE("a producer that writes too much for now is called again", "[server]") {
  run_of run(server, patient);
  client c = run.connect();
  seen.reset();
  c.send(get_of("/fill/900/10"));
  CHECK(read_streamed(c).chunks.size() == 10);
  CHECK(seen.calls == 5);  // two fit each time
  CHECK(seen.refused_writes == 4);
  CHECK(seen.ends == 0);
  seen.reset();
  c.send(get_of("/full"));
  const auto s = read_streamed(c);
  CHECK(s.chunks == std::vector<std::string>{std::string(letters(2016)), std::string(letters(9))});
  CHECK(s.trailers == std::vector<std::string>{"X-Long: 0123456789"});
  CHECK(seen.calls == 2);
  CHECK(seen.refused_finishes == 1);
}

TEST_CASE("trailers stand behind the last chunk", "[server]") {
  run_of run(server, patient);
  client c = run.connect();
  c.send(get_of("/trailers"));
  const auto s = read_streamed(c);
  CHECK(s.chunks == std::vector<std::string>{"abc"});
  CHECK(s.trailers == std::vector<std::string>{"X-Sum: 294", "X-More: "});
  CHECK(c.ask(get_of("/")).body == "hello");
}

TEST_CASE("for HTTP/1.0 the body ends with the connection", "[server]") {
  run_of run(server, patient);
  for (const char* more : {"", "Connection: keep-alive\r\n"}) {
    for (const std::size_t size : {1u, 1000u, 2000u}) {
      client c = run.connect();
      c.send("GET /fill/" + std::to_string(size) + "/7 HTTP/1.0\r\n" + more + "\r\n");
      const auto head = read_head(c);
      CHECK(head.status == 200);
      CHECK(head.says_close());
      CHECK(head.count("Transfer-Encoding") == 0);
      CHECK(head.count("Content-Length") == 0);
      CHECK(c.read_end() == nen::test::stream_end::closed);
      std::string wanted;
      for (int i = 0; i < 7; ++i) wanted += letters(size);
      CHECK(c.rest() == wanted);
    }
  }
  client c = run.connect();
  c.send("GET /trailers HTTP/1.0\r\n\r\n");
  (void)read_head(c);
  CHECK(c.read_bytes(3) == "abc");
  CHECK(c.is_closed_next());
}

TEST_CASE("the answer to HEAD is the head, and no producer is called", "[server]") {
  run_of run(server, patient);
  client c = run.connect();
  seen.reset();
  c.send("HEAD /chunks/5/5 HTTP/1.1\r\nHost: h\r\n\r\n" + get_of("/"));
  const auto head = read_head(c);
  CHECK(head.status == 200);
  CHECK(head.field("Transfer-Encoding") == "chunked");
  CHECK(c.read_answer().body == "hello");
  CHECK(seen.calls == 0);
}

TEST_CASE("Connection: close is kept to behind a stream", "[server]") {
  run_of run(server, patient);
  client c = run.connect();
  c.send(get_of("/chunks/100/3", "Connection: close\r\n"));
  const auto s = read_streamed(c);
  CHECK(s.head.says_close());
  CHECK(s.chunks.size() == 3);
  CHECK(c.is_closed_next());
}

TEST_CASE("a stream is as good as any answer in a pipeline", "[server]") {
  run_of run(server, patient);
  client c = run.connect();
  std::string requests;
  for (int i = 0; i < 20; ++i)
    requests += get_of("/") + get_of("/fill/700/9") + get_of("/trailers") + get_of("/chunks/9/2");
  c.send_while_reading(requests);
  for (int i = 0; i < 20; ++i) {
    CHECK(c.read_answer().body == "hello");
    CHECK(read_streamed(c).chunks == std::vector<std::string>(9, std::string(letters(700))));
    CHECK(read_streamed(c).trailers.size() == 2);
    CHECK(read_streamed(c).chunks == std::vector<std::string>(2, std::string(letters(9))));
  }
  CHECK(run.count(&shard_counters::requests) == 80);
  CHECK(c.ask(get_of("/in-use")).status == 200);
}

TEST_CASE("another connection wakes a stream that waits", "[server]") {
  run_of run(server, patient);
  seen.reset();
  client c = listening(run, get_of("/listen/0"));
  client other = run.connect();
  CHECK(c.is_quiet_for(100));
  CHECK(seen.calls == 1);
  CHECK(other.ask(get_of("/pending/0")).body == "true");
  for (const char* text : {"one", "two", "three"}) {
    CHECK(other.ask(get_of(std::string("/say/0/") + text)).body == "true");
    CHECK(read_chunk(c) == text);
  }
  CHECK(c.is_quiet_for(30));
  CHECK(other.ask(get_of("/finish/0")).body == "true");
  CHECK(read_chunk(c).empty());
  CHECK(read_line(c).empty());
  CHECK(other.ask(get_of("/pending/0")).body == "false");
  CHECK(other.ask(get_of("/say/0/late")).body == "false");
  CHECK(c.ask(get_of("/")).body == "hello");
  CHECK(seen.ends == 0);
}

TEST_CASE("requests behind a stream that waits are answered when it ends", "[server]") {
  run_of run(server, patient);
  client c = listening(run, get_of("/listen/0") + get_of("/") + get_of("/trailers"));
  client other = run.connect();
  CHECK(c.is_quiet_for(50));
  CHECK(other.ask(get_of("/say/0/word")).body == "true");
  CHECK(read_chunk(c) == "word");
  CHECK(c.is_quiet_for(50));
  CHECK(other.ask(get_of("/finish/0")).body == "true");
  CHECK(read_chunk(c).empty());
  CHECK(read_line(c).empty());
  CHECK(c.read_answer().body == "hello");
  CHECK(read_streamed(c).trailers.size() == 2);
}

TEST_CASE("a producer that sleeps is called when its time has come", "[server]") {
  run_of run(server, patient);
  client c = run.connect();
  seen.reset();
  stopwatch watch;
  c.send(get_of("/drip/40/5"));
  const auto s = read_streamed(c);
  CHECK(watch.shows(200));
  CHECK(s.chunks == std::vector<std::string>(5, "x"));
  CHECK(seen.calls == 6);
  CHECK(c.ask(get_of("/")).body == "hello");
}

TEST_CASE("no timeout runs while a stream rests", "[server]") {
  nen::listen_options o = patient;
  o.header_timeout = o.body_timeout = o.idle_timeout = o.write_timeout = o.handler_timeout =
      milliseconds(100);
  run_of run(server, o);
  client c = listening(run, get_of("/listen/0"));
  CHECK(c.is_quiet_for(300));
  client other = run.connect();
  CHECK(other.ask(get_of("/finish/0")).body == "true");
  CHECK(read_chunk(c).empty());
  CHECK(read_line(c).empty());
  stopwatch watch;
  CHECK(c.is_closed_next());  // now it is idle
  CHECK(watch.shows(100));
}

TEST_CASE("a deferred answer may be a stream", "[server]") {
  run_of run(server, patient);
  client c = run.connect();
  const std::string request =
      "POST /late/30 HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n123456789";
  c.send(request + get_of("/") + request);
  CHECK(read_streamed(c).chunks == std::vector<std::string>(3, std::string(letters(9))));
  CHECK(c.read_answer().body == "hello");
  CHECK(read_streamed(c).chunks == std::vector<std::string>(3, std::string(letters(9))));
  c.send(get_of("/in-use"));
  CHECK_THAT(c.read_answer().body, nen::test::EndsWith(" 0"));
  client old = run.connect();
  old.send("POST /late/1 HTTP/1.0\r\nContent-Length: 2\r\n\r\nab");
  CHECK(read_head(old).says_close());
  CHECK(old.read_bytes(6) == "ababab");
  CHECK(old.is_closed_next());
}
