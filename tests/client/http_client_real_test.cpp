// The client on the kernel's ring, against nen's own server and against sockets that misbehave.
#include <nen/client/blocking.hpp>
#include <nen/client/client_loop.hpp>
#include <nen/nen.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "support/catch.hpp"
#include "support/test_server.hpp"

namespace {

using namespace std::chrono_literals;
using nen::context;
using nen::task;
using nen::http::fetch_error;

nen::reply hello(nen::response& res) { return res.text("Hello"); }
nen::reply echo(const nen::request& asked, nen::response& res) { return res.text(asked.body()); }
nen::reply elsewhere(nen::response& res) { return res.redirect("/hello"); }

/// Asks the server that it belongs to, twice at the same time.
std::uint16_t own_port;
task<nen::reply> gateway(context& ctx, nen::response& res) {
  const std::string url = "http://127.0.0.1:" + std::to_string(own_port) + "/hello";
  const auto both =
      co_await nen::when_all(ctx.http().get(url), ctx.http().get(url, {.deadline = 1s}));
  const auto& [a, b] = both;
  co_return res.text(std::string(a.body()) + std::string(b.body()));
}
task<nen::reply> slow(context& ctx, nen::response& res) {
  co_await ctx.sleep(1h);
  co_return res.text("late");
}

using routes = nen::router<nen::get<"/hello", hello>, nen::post<"/echo", echo>,
                           nen::get<"/elsewhere", elsewhere>, nen::get<"/gateway", gateway>,
                           nen::get<"/slow", slow>>;

/// A server on a port of its own, while this lives.
struct running {
  running() {
    REQUIRE(server.start({.host = "127.0.0.1", .port = 0}));
    own_port = server.port();
    base = "http://127.0.0.1:" + std::to_string(own_port);
  }
  ~running() {
    server.abort();
    server.join();
  }
  static nen::server<routes> server;
  std::string base;
};
nen::server<routes> running::server;
nen::http::blocking_client<> web;
nen::client_loop<> loop;

}  // namespace

TEST_CASE("a program asks and waits", "[http_client][real]") {
  const running up;
  const auto accepted = [] { return running::server.counters().connections_accepted.value(); };
  const auto before = accepted();
  for (int i = 0; i < 100; ++i) {
    const auto got = web.get(up.base + "/hello");
    REQUIRE(to_string(got.error()) == "no error");
    CHECK(got.status() == nen::status::ok);
    CHECK(got.body() == "Hello");
  }
  CHECK(accepted() - before == 1);
  const std::string body(12'000, 'b');
  CHECK(web.post(up.base + "/echo", "text/plain", body).body().size() == body.size());
  CHECK(web.get(up.base + "/elsewhere").url() == up.base + "/hello");
  CHECK(web.get(up.base + "/gateway").body() == "HelloHello");
  CHECK(web.get(up.base + "/slow", {.deadline = 100ms}).error() == fetch_error::deadline_passed);
  CHECK(web.get("http://127.0.0.1:1/").error() == fetch_error::refused);
}

TEST_CASE("answers stay as long as they are held", "[http_client][real]") {
  const running up;
  const auto first = web.get(up.base + "/hello");
  const auto second = web.get(up.base + "/elsewhere", {.redirects_max = 0});
  CHECK(first.body() == "Hello");
  CHECK(second.code() / 100 == 3);
}

TEST_CASE("a loop runs a coroutine without a server of its own", "[http_client][real]") {
  const running up;
  const auto ran = loop.run([&](context& ctx) -> task<int> {
    int right = 0;
    for (int i = 0; i < 50; ++i) {
      const auto both = co_await nen::when_all(ctx.http().get(up.base + "/hello"),
                                               ctx.http().get(up.base + "/gateway"));
      right += std::get<0>(both).body() == "Hello" && std::get<1>(both).body() == "HelloHello";
    }
    auto opened = co_await ctx.http().open({.url = up.base + "/hello"});
    std::string all;
    while (const auto part = co_await opened.read()) all += part.bytes;
    co_return right + (all == "Hello");
  });
  REQUIRE(ran);
  CHECK(*ran == 51);
  CHECK(loop.inside().session().fetches().in_use() == 0);
  CHECK(loop.inside().session().streams().in_use() != 0);
  loop.close();
  CHECK(loop.inside().session().streams().in_use() == 0);
}

TEST_CASE("a loop tells what an exception or a lack of frames ended", "[http_client][real]") {
  CHECK_THROWS_AS(loop.run([](context&) -> task<int> {
    throw 7;
    co_return 0;
  }),
                  int);
  const auto ran = loop.run([](context& ctx) -> task<int> {
    volatile char wide[10'000] = {};
    co_await ctx.sleep(1);
    co_return wide[5000];
  });
  REQUIRE_FALSE(ran);
  CHECK(ran.error().message().find("task_frames") != std::string_view::npos);
}

TEST_CASE("what was asked an hour ago does not take time from what is asked now",
          "[http_client][real]") {
  const running up;
  CHECK(web.get(up.base + "/hello").ok());
  ::usleep(300'000);
  CHECK(web.get(up.base + "/hello", {.deadline = 200ms}).ok());
}
