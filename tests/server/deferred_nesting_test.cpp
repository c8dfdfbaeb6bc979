// Handles that are used in the middle of an answer: by the callback that writes it, by one that
// another callback called, or by a producer. Each in a process of its own, since a fault here may
// end it.
#include <array>
#include <atomic>
#include <string>

#include "support/test_server.hpp"

namespace {

using nen::completion_outcome;
using nen::request;
using nen::response;
using nen::test::child;
using nen::test::client;

std::array<nen::deferred, 4> handles;
std::atomic<completion_outcome> inner_outcome;
bool inner_bool;
std::array<char, 2048> longest{};

nen::reply park(std::uint32_t i, response& res) {
  handles[i] = res.defer();
  return res.later();
}

/// The callback completes the very request that it answers.
nen::reply twice(response& res) {
  handles[0] = res.defer();
  handles[0].after(10, [](const request&, response& outer) {
    inner_outcome =
        handles[0].complete([](const request&, response& inner) { return inner.text("inner"); });
    return outer.text("outer");
  });
  return res.later();
}

nen::reply fill(const request&, response& res) { return res.bytes({longest.data(), 2048}); }
nen::reply complete_third(const request& req, response& res) {
  (void)handles[2].complete(&fill);
  return fill(req, res);
}
nen::reply complete_second(const request& req, response& res) {
  (void)handles[1].complete(&complete_third);
  return fill(req, res);
}
/// Answers with as much as is allowed, and within that has three others answered, one in another.
nen::reply nested(const request& req, response& res) {
  (void)handles[0].complete(&complete_second);
  return fill(req, res);
}

nen::reply forget(response& res) {
  handles[0] = res.defer();
  return res.text("at once");
}
/// Asks a handle of a request that is over to call back, while no handler runs.
nen::reply use_forgotten(response& res) {
  res.defer().after(100, [](const request&, response& late) {
    inner_bool = handles[0].after(0, [](const request&, response& r) { return r.text("ghost"); });
    return late.text(inner_bool ? "true" : "false");
  });
  return res.later();
}

/// A producer that wakes itself between two writes.
nen::reply wakes_itself(response& res) {
  handles[0] = res.defer();
  return res.stream("a/b", [calls = 0](nen::body_stream& out) mutable {
    if (out.ended()) return;
    (void)out.write("one");
    (void)handles[0].wake();
    (void)out.write("two");
    if (++calls == 3) out.finish();
  });
}

/// A part that never fits: the programmer's error, which must not become everybody's.
nen::reply too_much(response& res) {
  return res.stream("a/b", [](nen::body_stream& out) {
    if (!out.ended()) (void)out.write({longest.data(), longest.size()});
  });
}

/// Errors that are told with a stream: those of malformed requests can't be.
nen::reply streams_errors(nen::status code, response& res) {
  return res.set_status(code).stream("a/b", [](nen::body_stream& out) {
    if (!out.ended() && out.write("trouble")) out.finish();
  });
}

using routes =
    nen::router<nen::get<"/", [](response& res) { return res.text("hello"); }>,
                nen::get<"/park/:i", park>, nen::get<"/twice", twice>, nen::get<"/nested", nested>,
                nen::get<"/forget", forget>, nen::get<"/use-forgotten", use_forgotten>,
                nen::get<"/wakes-itself", wakes_itself>, nen::get<"/too-much", too_much>,
                nen::on_error<streams_errors>>;

constexpr nen::config small = {.connections = 16,
                               .receive_buffers = 4,
                               .receive_buffer_bytes = 512,
                               .send_slots = 8,
                               .send_slot_bytes = 1024,
                               .response_bytes_max = 2048,
                               .head_slots = 4,
                               .head_bytes_max = 1024,
                               .target_bytes_max = 256,
                               .streams = 2,
                               .body_slots = 3,
                               .body_bytes_max = 2048};
nen::server<routes, small> server;

std::string get_of(std::string_view target) {
  return "GET " + std::string(target) + " HTTP/1.1\r\nHost: h\r\n\r\n";
}

/// Runs `function(port)` against a server in a child process. @returns  how that ended
template <class F>
int outcome(F function, std::string& output) {
  child process([&] {
    if (!server.start({.host = "127.0.0.1", .port = 0})) return 100;
    try {
      return function(server.port());
    } catch (const std::exception& e) {
      std::fprintf(stderr, "%s\n", e.what());
      return 101;
    }
  });
  const int ended = process.wait();
  output = process.output;
  return ended;
}

}  // namespace

TEST_CASE("a callback can't complete the request that it is answering", "[server]") {
  std::string output;
  const int ended = outcome(
      [](std::uint16_t port) {
        client c(port);
        c.patience = 1000;
        const auto a = c.ask(get_of("/twice"));
        if (a.body != "outer") return 1;
        if (inner_outcome != completion_outcome::gone) return 2;
        return c.is_quiet_for(100) && c.ask(get_of("/")).body == "hello" ? 0 : 3;
      },
      output);
  INFO(output);
  CHECK(ended == 0);
}

TEST_CASE("answers completed one inside another find room or are told that there is none",
          "[server]") {
  std::string output;
  const int ended = outcome(
      [](std::uint16_t port) {
        std::array<client, 3> waiting = {client(port), client(port), client(port)};
        for (int i = 0; i < 3; ++i)
          waiting[static_cast<std::size_t>(i)].send(get_of("/park/" + std::to_string(i)));
        ::usleep(50'000);
        client c(port);
        return c.ask(get_of("/nested")).body.size() == 2048 ? 0 : 1;
      },
      output);
  INFO(output);
  CHECK(ended == 0);
}

TEST_CASE("after() on a handle of a request that was answered at once says so", "[server]") {
  std::string output;
  const int ended = outcome(
      [](std::uint16_t port) {
        client waiting(port);
        waiting.send(get_of("/use-forgotten"));
        client c(port);
        if (c.ask(get_of("/forget")).body != "at once") return 1;
        return waiting.read_answer().body == "false" ? 0 : 2;
      },
      output);
  INFO(output);
  CHECK(ended == 0);
}

TEST_CASE("a producer may wake itself", "[server]") {
  std::string output;
  const int ended = outcome(
      [](std::uint16_t port) {
        client c(port);
        c.patience = 1000;
        c.send(get_of("/wakes-itself"));
        std::string got;
        while (!got.ends_with("\r\n\r\n")) got += c.read_bytes(1);
        const std::string twice = "3\r\none\r\n3\r\ntwo\r\n";
        const std::string wanted = twice + twice + twice + "0\r\n\r\n";
        return c.read_bytes(wanted.size()) == wanted ? 0 : 1;
      },
      output);
  INFO(output);
  CHECK(ended == 0);
}

TEST_CASE("a write that can never fit is a programmer's error, not an endless loop", "[server]") {
  std::string output;
  const int ended = outcome(
      [](std::uint16_t port) {
        client c(port);
        c.send(get_of("/too-much"));
        ::usleep(100'000);
        client other(port);
        other.patience = 2000;
        return other.ask(get_of("/")).body == "hello" ? 0 : 1;
      },
      output);
  INFO(output);
  CHECK((ended == 0 || (ended == -SIGABRT && output.find("assertion failed") != output.npos)));
}

TEST_CASE("an error that can't be streamed is answered all the same", "[server]") {
  std::string output;
  const int ended = outcome(
      [](std::uint16_t port) {
        client c(port);
        c.send("nonsense\r\n\r\n");
        return c.read_bytes(12) == "HTTP/1.1 400" ? 0 : 1;
      },
      output);
  INFO(output);
  CHECK(ended == 0);
}
