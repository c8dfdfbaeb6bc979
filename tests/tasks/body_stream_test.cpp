// Handlers that are coroutines and write their answers part by part.
#include <nen/nen.hpp>
#include <nen/testing/simulated_server.hpp>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "support/catch.hpp"
#include "tasks/bad_days.hpp"

namespace {

using namespace nen::test;

struct diary {
  std::uint64_t written = 0;
  int ended = 0;
  int destroyed = 0;
};
/// Writes `bytes` bytes, so many at a time, with a rest behind each.
nen::task<nen::reply> send(nen::context& ctx, std::uint32_t bytes, std::uint32_t at_once,
                           std::uint32_t rest_ms, diary& of, nen::response& res) {
  const witness here{of.destroyed};
  auto out = co_await ctx.stream(res.field("X-Before", "yes"), "text/plain");
  for (std::size_t at = 0; at < bytes; at += at_once) {
    const auto part =
        std::string_view(letters()).substr(at, std::min<std::size_t>(at_once, bytes - at));
    co_await out.write(part);
    of.written += part.size();
    if (rest_ms != 0) co_await ctx.sleep(rest_ms);
  }
  ++of.ended;
  co_return out.end();
}
nen::task<nen::reply> late(nen::context& ctx, diary& of, nen::response& res) {
  const witness here{of.destroyed};
  res.field("X-Before", "yes");
  co_await ctx.sleep(20);
  auto out = co_await ctx.stream(res, "text/plain");
  co_await out.write("late");
  co_return out.end();
}
nen::task<nen::reply> fail(nen::context& ctx, diary& of, nen::response& res) {
  const witness here{of.destroyed};
  auto out = co_await ctx.stream(res, "text/plain");
  co_await out.write("half a");
  co_await ctx.sleep(10);
  throw std::runtime_error("this went wrong");
}
nen::task<> wide(nen::context& ctx) {
  volatile char room[5000];
  room[0] = 0;
  co_await ctx.sleep(1);
  room[4999] = room[0];
}
nen::task<nen::reply> starve(nen::context& ctx, diary& of, nen::response& res) {
  const witness here{of.destroyed};
  auto out = co_await ctx.stream(res, "text/plain");
  co_await out.write("half a");
  co_await nen::when_all(wide(ctx), wide(ctx));
  co_return out.end();
}
nen::task<nen::reply> ticks(nen::context& ctx, diary& of, nen::response& res) {
  const witness here{of.destroyed};
  auto out = co_await ctx.stream(res, "text/plain");
  while (!out.draining()) {
    co_await out.write("tick\n");
    co_await ctx.sleep(100);
  }
  co_return out.end();
}
nen::task<> write(nen::body_writer& out, std::string_view what) { co_await out.write(what); }
nen::task<> rest(nen::context& ctx) { co_await ctx.sleep(5); }
/// One write that is given up.
nen::task<nen::reply> gives_up(nen::context& ctx, diary& of, nen::response& res) {
  const witness here{of.destroyed};
  auto out = co_await ctx.stream(res, "text/plain");
  co_await nen::when_any(write(out, letters()), rest(ctx));
  co_await out.write("|the end");
  co_return out.end();
}
nen::task<nen::reply> bad_type(nen::context& ctx, diary& of, nen::response& res) {
  const witness here{of.destroyed};
  auto out = co_await ctx.stream(res, "text\r\nplain");
  co_await out.write("nobody reads this");
  ++of.ended;
  co_return out.end();
}

using routes =
    nen::router<nen::get<"/send/:bytes/:part/:rest", send>, nen::get<"/late", late>,
                nen::get<"/fail", fail>, nen::get<"/starve", starve>, nen::get<"/ticks", ticks>,
                nen::get<"/gives-up", gives_up>, nen::get<"/bad-type", bad_type>>;
constexpr nen::config small = {.send_slots = 16,
                               .send_slot_bytes = 1024,
                               .response_bytes_max = 4096,
                               .streams = 2,
                               .task_frames = {{{512, 64}, {1024, 32}, {2048, 8}, {8192, 1}}}};
using server = nen::testing::simulated_server<routes, small, diary>;

std::string ask(std::string_view path, std::string_view method = "GET", int minor = 1) {
  return std::string(method) + " " + std::string(path) + " HTTP/1." + std::to_string(minor) +
         "\r\nHost: x\r\n\r\n";
}
std::string head_of(const std::string& answer) { return answer.substr(0, answer.find("\r\n\r\n")); }

/// Takes the chunks apart; what stands behind them is put into `rest`.
std::string chunks_of(const std::string& answer, std::string* rest = nullptr) {
  std::size_t at = answer.find("\r\n\r\n") + 4;
  std::string body;
  while (true) {
    const auto end = answer.find("\r\n", at);
    if (end == std::string::npos) return body + " (cut)";
    const auto size = std::stoul(answer.substr(at, end - at), nullptr, 16);
    at = end + 2;
    if (size == 0) break;
    body += answer.substr(at, size);
    at += size + 2;
  }
  if (rest != nullptr) *rest = answer.substr(at + 2);
  return body;
}
}  // namespace

TEST_CASE("a coroutine streams its answer, and the next request's follows", "[task]") {
  for (const std::string_view path : {"/send/10/3/0", "/send/10/3/7", "/send/100000/100000/0",
                                      "/send/100000/4000/0", "/send/5000/1/0", "/send/0/1/0"}) {
    INFO(path);
    server s;
    auto c = s.connect();
    c.send(ask(path) + ask("/late"));
    s.pass(1000);
    std::string second;
    const std::string bytes(path.substr(6, path.find('/', 6) - 6));
    CHECK(head_of(c.received())
              .find("X-Before: yes\r\nContent-Type: text/plain\r\n"
                    "Transfer-Encoding: chunked") != std::string::npos);
    CHECK(chunks_of(c.received(), &second) == letters().substr(0, std::stoul(bytes)));
    CHECK(chunks_of(second, &second) == "late");
    CHECK(second.empty());
    check_all_back(s);
    CHECK(s.state<diary>().destroyed == 2);
  }
}

TEST_CASE("HTTP/1.0 gets the bytes as they are, up to the connection's end", "[task]") {
  server s;
  auto c = s.connect();
  c.send(ask("/send/9000/700/1", "GET", 0));
  s.pass(1000);
  CHECK(c.received().substr(c.received().find("\r\n\r\n") + 4) == letters().substr(0, 9000));
  CHECK(c.saw_end());
  check_all_back(s);
}

TEST_CASE("HEAD gets the head alone, and the coroutine runs to its end", "[task]") {
  for (const std::string_view path : {"/send/9000/700/0", "/send/9000/700/1"}) {
    server s;
    auto c = s.connect();
    c.send(ask(path, "HEAD") + ask("/late"));
    s.pass(1000);
    CHECK(head_of(c.received()).find("Transfer-Encoding: chunked") != std::string::npos);
    CHECK(c.received().substr(head_of(c.received()).size() + 4, 12) == "HTTP/1.1 200");
    CHECK(s.state<diary>().ended == 1);
    check_all_back(s);
  }
}

TEST_CASE("the head of a stream is sent before there is anything of its body", "[task]") {
  server s;
  auto c = s.connect();
  c.send(ask("/send/10/10/50"));
  s.settle();
  CHECK(c.received().ends_with("\r\na\r\n" + letters().substr(0, 10) + "\r\n"));
  s.pass(50);
  CHECK(c.received().ends_with("\r\n0\r\n\r\n"));
}

TEST_CASE("a writer waits for a client that does not read", "[task]") {
  server s;
  s.network().window = 3000;
  auto c = s.connect();
  c.stop_reading();
  c.send(ask("/send/100000/100/0"));
  s.settle();
  const auto stuck_at = s.state<diary>().written;
  CHECK(stuck_at < 20'000);
  s.pass(5000);
  CHECK(s.state<diary>().written == stuck_at);
  for (int i = 0; i < 500; ++i) {
    c.read(500);
    s.settle();
  }
  c.start_reading();
  s.settle();
  CHECK(chunks_of(c.received()) == letters().substr(0, 100'000));
  check_all_back(s);
}

TEST_CASE("a client that leaves takes the coroutine that streams to it along", "[task]") {
  for (const std::string_view path : {"/send/100000/100/0", "/send/1000/1/5"}) {
    server s;
    s.network().window = 3000;
    auto c = s.connect();
    c.stop_reading();
    c.send(ask(path));
    s.pass(7);
    CHECK(s.state<diary>().destroyed == 0);
    c.reset();
    s.settle();
    CHECK(s.state<diary>().destroyed == 1);
    CHECK(s.state<diary>().ended == 0);
    check_all_back(s);
  }
}

TEST_CASE("a stream whose coroutine fails is cut, so that its client sees it", "[task]") {
  server s(1, {}, quiet);
  for (const std::string_view path : {"/fail", "/starve"}) {
    auto c = s.connect();
    c.send(ask(path) + ask("/late"));
    s.pass(100);
    CHECK(c.received().ends_with("\r\n6\r\nhalf a\r\n"));
    CHECK(c.saw_end());
    check_all_back(s);
  }
  CHECK(s.counters().handler_exceptions.value() == 1);
  CHECK(s.counters().task_frames_empty.value() == 1);
  CHECK(s.state<diary>().destroyed == 2);
}

TEST_CASE("who finds every stream taken is told 503, and its coroutine ends", "[task]") {
  server s;
  auto a = s.connect();
  auto b = s.connect();
  a.send(ask("/ticks"));
  b.send(ask("/ticks"));
  s.settle();
  for (const std::string_view path : {"/ticks", "/late"}) {
    auto c = s.connect();
    c.send(ask(path));
    s.pass(30);
    CHECK(c.received().starts_with("HTTP/1.1 503 "));
    CHECK(c.received().find("Retry-After: 1\r\n") != std::string::npos);
  }
  CHECK(s.counters().streams_empty.value() == 2);
  CHECK(s.inside().session().inner().tasks().in_use() == 2);
  CHECK(s.state<diary>().destroyed == 2);
}

TEST_CASE("a stream without an end of its own ends when the server stops", "[task]") {
  server s;
  auto c = s.connect();
  c.send(ask("/ticks"));
  s.pass(250);
  CHECK(c.received().ends_with("\r\n5\r\ntick\n\r\n5\r\ntick\n\r\n5\r\ntick\n\r\n"));
  s.stop();
  s.pass(60);
  CHECK(c.received().ends_with("\r\n0\r\n\r\n"));
  c.close();
  s.run_to_end();
  check_all_back(s);
}

TEST_CASE("an answer that comes while the server stops is the connection's last", "[task]") {
  server s;
  auto c = s.connect();
  c.send(ask("/late"));
  s.settle();
  s.stop();
  s.pass(30);
  CHECK(c.received().find("Connection: close\r\n") != std::string::npos);
  CHECK(chunks_of(c.received()) == "late");
  CHECK(c.saw_end());
}

TEST_CASE("a write can be given up, and another one follows", "[task]") {
  server s;
  s.network().window = 3000;
  auto c = s.connect();
  c.stop_reading();
  c.send(ask("/gives-up"));
  s.pass(10);
  c.start_reading();
  s.settle();
  const std::string body = chunks_of(c.received());
  CHECK(body.ends_with("|the end"));
  CHECK(body.size() < 50'000);
  CHECK(letters().starts_with(body.substr(0, body.size() - 8)));
  check_all_back(s);
}

TEST_CASE("a stream with a media type that is none becomes a 500", "[task]") {
  server s;
  CHECK(s.answer_to(ask("/bad-type")).starts_with("HTTP/1.1 500 "));
  CHECK(s.state<diary>().ended == 1);
  check_all_back(s);
}

TEST_CASE("whatever happens to streams of coroutines, everything comes back", "[task]") {
  constexpr std::string_view paths[] = {
      "/send/9000/700/0", "/send/300000/5000/0", "/send/300/10/1", "/late", "/fail", "/starve",
      "/ticks",           "/gives-up",           "/bad-type"};
  live_through_bad_days<server>(200, [&](server& s, nen::testing::simulated_client& c) {
    auto& chance = s.network().chance;
    for (int n = 0; n < 2; ++n)
      c.send(ask(paths[chance.below(std::size(paths))], chance.chance(100) ? "HEAD" : "GET",
                 chance.chance(100) ? 0 : 1));
  });
}

TEST_CASE("each operation may fail while a coroutine streams", "[task]") {
  const auto day = [](const nen::testing::failure& one) {
    server s(1, {}, quiet, one);
    s.network().window = 2000;
    auto c = s.connect();
    c.stop_reading();
    c.send(ask("/late") + ask("/send/20000/900/0") + ask("/fail"));
    for (int i = 0; i < 40; ++i) {
      c.read(700);
      s.pass(2);
    }
    c.close();
    s.pass(60'000);
    check_all_back(s);
    return s.inside().io().history();
  };
  fail_at_each_operation(day, {ENOMEM, ECANCELED});
}
