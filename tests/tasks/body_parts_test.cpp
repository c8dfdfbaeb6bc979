// Handlers that are coroutines and take their request's body part by part.
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
  std::string body;
  int parts = 0;
  int destroyed = 0;
};
/// Looks at each part again after a rest: it has to be there still.
nen::task<nen::reply> take(nen::context& ctx, std::uint32_t rest_ms, const nen::request& req,
                           diary& of, nen::response& res) {
  const witness here{of.destroyed};
  of.body.clear();
  while (const auto part = co_await ctx.next_part(req)) {
    const std::string before(*part);
    if (rest_ms != 0) co_await ctx.sleep(rest_ms);
    CHECK(before == *part);
    of.body += before;
    ++of.parts;
  }
  CHECK_FALSE(co_await ctx.next_part(req));
  if (rest_ms > 50) co_await ctx.sleep(rest_ms);
  const auto sum = req.trailers().find("X-Sum");
  co_return res.text(sum ? *sum : "all of it");
}
/// Says no when it has seen enough.
nen::task<nen::reply> refuse(nen::context& ctx, std::uint32_t rest_ms, const nen::request& req,
                             diary& of, nen::response& res) {
  const witness here{of.destroyed};
  static_cast<void>(co_await ctx.next_part(req));
  if (rest_ms != 0) co_await ctx.sleep(rest_ms);
  co_return res.status(nen::status::forbidden);
}
nen::task<nen::reply> rests_first(nen::context& ctx, const nen::request& req, diary& of,
                                  nen::response& res) {
  const witness here{of.destroyed};
  co_await ctx.sleep(30);
  while (const auto part = co_await ctx.next_part(req)) of.body += *part;
  co_return res.text("rested");
}
nen::task<nen::reply> never_asks(nen::context& ctx, diary& of, nen::response& res) {
  const witness here{of.destroyed};
  co_await ctx.sleep(100'000'000);
  co_return res.text("never");
}
nen::task<nen::reply> fail(nen::context& ctx, const nen::request& req, diary& of, nen::response&) {
  const witness here{of.destroyed};
  static_cast<void>(co_await ctx.next_part(req));
  throw std::runtime_error("this went wrong");
}
/// Reads all, then streams what it was.
nen::task<nen::reply> echo(nen::context& ctx, const nen::request& req, diary& of,
                           nen::response& res) {
  const witness here{of.destroyed};
  while (const auto part = co_await ctx.next_part(req)) of.body += *part;
  auto out = co_await ctx.stream(res, "text/plain");
  co_await out.write(of.body);
  co_return out.end();
}

using routes =
    nen::router<nen::streamed<nen::post<"/take/:rest", take>>, nen::post<"/whole/:rest", take>,
                nen::streamed<nen::post<"/refuse/:rest", refuse>>,
                nen::streamed<nen::post<"/rests", rests_first>>,
                nen::streamed<nen::post<"/never", never_asks>>,
                nen::streamed<nen::post<"/fail", fail>>, nen::streamed<nen::post<"/echo", echo>>,
                nen::get<"/now", [](nen::response& res) { return res.text("now"); }>>;
constexpr nen::config small = {.receive_buffers = 16, .receive_buffer_bytes = 1024};
using server = nen::testing::simulated_server<routes, small, diary>;

constexpr std::string_view now = "GET /now HTTP/1.1\r\nHost: x\r\n\r\n";

std::string sized(std::string_view path, std::string_view body) {
  return "POST " + std::string(path) +
         " HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         std::string(body);
}
std::string chunked(std::string_view path, std::string_view body, std::size_t at_once,
                    std::string_view trailers) {
  std::string all =
      "POST " + std::string(path) + " HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (std::size_t at = 0; at < body.size(); at += at_once) {
    const auto part = body.substr(at, at_once);
    char size[20];
    std::snprintf(size, sizeof size, "%zx\r\n", part.size());
    all += size + std::string(part) + "\r\n";
  }
  return all + "0\r\n" + std::string(trailers) + "\r\n";
}
bool ends_with_now(const std::string& answers) {
  return answers.ends_with("\r\n\r\nnow") && answers.find("Connection: close") == std::string::npos;
}
}  // namespace

TEST_CASE("a coroutine takes a body part by part, and the connection goes on behind it", "[task]") {
  for (const std::string_view path : {"/take/0", "/take/1", "/take/60", "/whole/0", "/whole/1"}) {
    for (const std::size_t bytes : {0U, 1U, 500U, 20'000U}) {
      const auto body = std::string_view(letters()).substr(0, bytes);
      for (const std::size_t piece : {1'000'000U, 1300U, 7U}) {
        if (bytes / piece > 1000) continue;
        INFO(path << ", " << bytes << " bytes, " << piece << " at once");
        for (const std::string& sent : {sized(path, body), chunked(path, body, 300, ""),
                                        chunked(path, body, 5000, "X-Sum: 42\r\n")}) {
          server s;
          auto c = s.connect();
          const std::string all = sent + std::string(now);
          for (std::size_t at = 0; at < all.size(); at += piece) {
            c.send(std::string_view(all).substr(at, piece));
            s.settle();
          }
          s.pass(20'000);
          CHECK(s.state<diary>().body == body);
          CHECK(c.received().find(sent.find("X-Sum") != sent.npos ? "42" : "all of it") !=
                std::string::npos);
          CHECK(ends_with_now(c.received()));
          check_all_back(s);
        }
      }
    }
  }
}

TEST_CASE("a client is held back while the coroutine does not ask for more", "[task]") {
  server s;
  s.network().window = 2000;
  auto c = s.connect();
  c.send(sized("/take/1000", letters().substr(0, 50'000)));
  s.pass(10);
  const std::size_t unsent = c.unsent();  // what all receive buffers hold is taken at most
  CHECK(unsent >= 50'000 - 2000 - 16 * 1024);
  s.pass(980);
  CHECK(c.unsent() == unsent);
  CHECK(s.state<diary>().parts == 0);
  s.pass(200'000);
  CHECK(s.state<diary>().body == letters().substr(0, 50'000));
}

TEST_CASE("a coroutine may rest before it takes the first part", "[task]") {
  server s;
  auto c = s.connect();
  c.send(sized("/rests", "some bytes") + std::string(now));
  s.pass(29);
  CHECK(s.state<diary>().body.empty());
  s.pass(2);
  CHECK(s.state<diary>().body == "some bytes");
  CHECK(ends_with_now(c.received()));
}

TEST_CASE("who answers before the body has come closes the connection behind it", "[task]") {
  for (const std::string_view path : {"/refuse/0", "/refuse/20"}) {
    server s;
    auto c = s.connect();
    c.send(sized(path, letters().substr(0, 3000)).substr(0, 2000));
    s.pass(30);
    CHECK(c.received().starts_with("HTTP/1.1 403 "));
    CHECK(c.received().find("Connection: close\r\n") != std::string::npos);
    CHECK(c.saw_end());
    c.close();
    s.pass(5000);
    check_all_back(s);
    CHECK(s.counters().connections_closed.value() == 1);
  }
}

TEST_CASE("who answers with the last part in his hands keeps the connection", "[task]") {
  server s;
  auto c = s.connect();
  c.send(sized("/refuse/20", "few bytes") + std::string(now));
  s.pass(30);
  CHECK(c.received().starts_with("HTTP/1.1 403 "));
  CHECK(ends_with_now(c.received()));
  check_all_back(s);
}

TEST_CASE("when no more of the body comes, the coroutine is destroyed", "[task]") {
  const std::string half = sized("/take/0", "0123456789").substr(0, 60);
  enum { leaves, resets, rests, writes_nonsense };
  for (const int how : {leaves, resets, rests, writes_nonsense}) {
    server s;
    auto c = s.connect();
    std::string sent = chunked("/take/0", "0123456789", 10, "");
    sent.resize(sent.size() - 5);  // all but the last chunk
    c.send(sent);
    s.settle();
    CHECK(s.state<diary>().parts == 1);
    CHECK(s.state<diary>().destroyed == 0);
    switch (how) {
      case leaves:
        c.close();
        break;
      case resets:
        c.reset();
        break;
      case rests:
        s.pass(30'000);
        CHECK(c.received().starts_with("HTTP/1.1 408 "));
        break;
      case writes_nonsense:
        c.send("nonsense\r\n");
        break;
    }
    s.settle();
    if (how == writes_nonsense) CHECK(c.received().starts_with("HTTP/1.1 400 "));
    CHECK(s.state<diary>().destroyed == 1);
    check_all_back(s);
  }
}

TEST_CASE("a coroutine that does not ask for the body in time is destroyed", "[task]") {
  server s;
  auto c = s.connect();
  c.send(sized("/never", "0123456789"));
  s.pass(29'999);
  CHECK(s.state<diary>().destroyed == 0);
  s.pass(2);
  CHECK(c.received().starts_with("HTTP/1.1 503 "));
  CHECK(s.counters().timeouts_handler.value() == 1);
  CHECK(s.state<diary>().destroyed == 1);
  check_all_back(s);
}

TEST_CASE("an exception in the middle of a body is answered with 500", "[task]") {
  server s(1, {}, quiet);
  auto c = s.connect();
  c.send(sized("/fail", letters().substr(0, 3000)).substr(0, 2000));
  s.settle();
  CHECK(c.received().starts_with("HTTP/1.1 500 "));
  CHECK(s.counters().handler_exceptions.value() == 1);
  check_all_back(s);
}

TEST_CASE("who has read a body can stream an answer to it", "[task]") {
  server s;
  auto c = s.connect();
  c.send(sized("/echo", letters().substr(0, 50'000)) + std::string(now));
  s.settle();
  CHECK(c.received().find("\r\n" + letters().substr(0, 1000)) != std::string::npos);
  CHECK(ends_with_now(c.received()));
  CHECK(s.state<diary>().body == letters().substr(0, 50'000));
  check_all_back(s);
}

TEST_CASE("a client that asks whether it may send is told to", "[task]") {
  server s;
  auto c = s.connect();
  c.send("POST /take/0 HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
  s.settle();
  CHECK(c.take() == "HTTP/1.1 100 Continue\r\n\r\n");
  c.send("body");
  s.settle();
  CHECK(c.received().ends_with("all of it"));
}

TEST_CASE("whatever happens to bodies that coroutines take, everything comes back", "[task]") {
  constexpr std::string_view paths[] = {"/take/0", "/take/3", "/whole/2", "/refuse/0", "/refuse/5",
                                        "/rests",  "/never",  "/fail",    "/echo"};
  live_through_bad_days<server>(200, [&](server& s, nen::testing::simulated_client& c) {
    auto& chance = s.network().chance;
    const auto body = std::string_view(letters()).substr(0, chance.below(6000));
    std::string sent;
    for (int n = 0; n < 2; ++n) {
      const auto path = paths[chance.below(std::size(paths))];
      sent += chance.chance(500) ? sized(path, body)
                                 : chunked(path, body, chance.between(1, 2000), "X-Sum: 1\r\n");
    }
    if (chance.chance(300)) sent.resize(chance.below(sent.size()));
    c.send(sent);
  });
}

TEST_CASE("each operation may fail while a coroutine takes a body", "[task]") {
  const auto day = [](const nen::testing::failure& one) {
    server s(1, {}, {}, one);
    s.network().window = 1500;
    auto c = s.connect();
    c.send(sized("/take/2", letters().substr(0, 7000)) + sized("/refuse/3", "bytes") +
           chunked("/take/0", letters().substr(0, 7000), 900, "X-Sum: 1\r\n"));
    s.pass(500);
    c.close();
    s.pass(60'000);
    check_all_back(s);
    return s.inside().io().history();
  };
  fail_at_each_operation(day, {ENOMEM, ECANCELED, ENOBUFS});
}
