// The HTTP client asks, and takes every kind of answer, however it is cut.
#include <string>
#include <string_view>
#include <vector>

#include "client/asking.hpp"

namespace {

using namespace nen::test::asking;
using nen::context;
using nen::task;
using nen::http::fetch_error;

task<std::string> plain_get(context& ctx) {
  const auto got = co_await ctx.http().get(url);
  co_return describe(got);
}

struct answer_case {
  std::string_view name;
  nen::method method;
  std::string_view bytes;
  std::string_view told;
  bool kept;          // the connection can be used again
  bool ends = false;  // with the connection
};

using nen::method;
const answer_case answers[] = {
    {"sized", method::get, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "200 hello", true},
    {"empty", method::get, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "200 ", true},
    {"chunked", method::get,
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1;a=b\r\n!\r\n0\r\n\r\n",
     "200 hello!", true},
    {"trailers", method::get,
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX-Sum: 7\r\n\r\n",
     "200 hi (X-Sum 7)", true},
    {"until the end", method::get, "HTTP/1.1 200 OK\r\n\r\nhello", "200 hello", false, true},
    {"HTTP/1.0", method::get, "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi", "200 hi", false},
    {"HTTP/1.0 that is kept", method::get,
     "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nhi", "200 hi", true},
    {"the last one", method::get,
     "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi", "200 hi", false},
    {"no content", method::get, "HTTP/1.1 204 No Content\r\n\r\n", "204 ", true},
    {"not modified", method::get, "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", "304 ",
     true},
    {"a head", method::head, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "200 ", true},
    {"interim first", method::get,
     "HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"
     "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
     "200 hi", true},
    {"an error is an answer", method::delete_, "HTTP/1.1 500 Oh\r\nContent-Length: 2\r\n\r\nno",
     "500 no", true},
    {"a redirection to nowhere is one", method::get,
     "HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n", "302 ", true},
};

task<std::string> get_of_case(context& ctx, const answer_case& one) {
  const auto got = co_await ctx.http().fetch({.method = one.method, .url = url});
  std::string told = describe(got);
  for (const nen::field f : got.trailers())
    told += " (" + std::string(f.name) + " " + std::string(f.value) + ")";
  co_return told;
}

}  // namespace

TEST_CASE("every kind of answer is taken, wherever it is cut", "[http_client]") {
  for (const answer_case& one : answers) {
    for (std::size_t cut = 0; cut < one.bytes.size(); ++cut) {
      INFO(one.name << ", cut at " << cut);
      world<> w([&](context& ctx) { return get_of_case(ctx, one); });
      w.start();
      auto up = w.upstream();
      up.send(one.bytes.substr(0, cut));
      w.s.settle();
      CHECK(w.told().empty());
      up.send(one.bytes.substr(cut));
      if (one.ends) {
        CHECK(w.told().empty());
        up.finish();
      }
      REQUIRE(w.told() == one.told);
      CHECK(w.kept() == (one.kept ? 1 : 0));
      CHECK(w.is_clean());
    }
  }
}

TEST_CASE("an answer that ends too early is none, wherever it ends", "[http_client]") {
  for (const answer_case& one : answers) {
    if (one.ends) continue;
    for (const bool breaks : {false, true}) {
      for (std::size_t cut = 0; cut < one.bytes.size(); ++cut) {
        INFO(one.name << ", cut at " << cut);
        world<> w([&](context& ctx) { return get_of_case(ctx, one); });
        w.start();
        auto up = w.upstream();
        up.send(one.bytes.substr(0, cut));
        w.s.settle();
        breaks ? up.reset() : up.finish();
        REQUIRE(w.told() == describe(fetch_error::connection_lost));
        CHECK(w.kept() == 0);
        CHECK(w.is_clean());
      }
    }
  }
}

TEST_CASE("a body without a length ends with the connection, but not with its breaking",
          "[http_client]") {
  world<> w(plain_get);
  w.start();
  auto up = w.upstream();
  up.send("HTTP/1.1 200 OK\r\n\r\nhello");
  w.s.settle();
  up.reset();
  CHECK(w.told() == describe(fetch_error::connection_lost));
}

TEST_CASE("a request says what it has to, and what it was told to", "[http_client]") {
  world<> w([](context& ctx) -> task<std::string> {
    const nen::field fields[] = {{"Accept", "text/plain"}, {"Authorization", "secret"}};
    const auto got = co_await ctx.http().post("http://127.0.0.1:99/a/b?c=d#e", "text/plain",
                                              "the body", {.fields = fields});
    co_return describe(got);
  });
  w.start();
  auto up = w.upstream();
  CHECK(up.take() ==
        "POST /a/b?c=d HTTP/1.1\r\nHost: 127.0.0.1:99\r\nUser-Agent: nen\r\nAccept: text/plain\r\n"
        "Authorization: secret\r\nContent-Type: text/plain\r\nContent-Length: 8\r\n\r\nthe body");
  up.send("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n");
  CHECK(w.told() == "201 ");
}

TEST_CASE("each method has its name, and a body where it has one", "[http_client]") {
  struct {
    std::string_view begins;
    nen::test::asking::job ask;
  } const cases[] = {
      {"HEAD / HTTP/1.1\r\n",
       [](context& ctx) -> task<std::string> {
         co_return describe(co_await ctx.http().head(url));
       }},
      {"DELETE / HTTP/1.1\r\n",
       [](context& ctx) -> task<std::string> { co_return describe(co_await ctx.http().del(url)); }},
      {"PUT / HTTP/1.1\r\n",
       [](context& ctx) -> task<std::string> {
         co_return describe(co_await ctx.http().put(url, "a/b", "x"));
       }},
      {"PATCH / HTTP/1.1\r\n",
       [](context& ctx) -> task<std::string> {
         co_return describe(co_await ctx.http().patch(url, "a/b", "x"));
       }},
  };
  for (const auto& one : cases) {
    world<> w(one.ask);
    w.start();
    auto up = w.upstream();
    CHECK(up.received().substr(0, one.begins.size()) == one.begins);
    const bool has_body = up.received().find("Content-Length: 1\r\n\r\nx") != std::string::npos;
    CHECK(has_body == (one.begins[0] == 'P'));
    up.send("HTTP/1.1 204 No Content\r\n\r\n");
    CHECK(w.told() == "204 ");
  }
}

TEST_CASE("connections are kept and used again", "[http_client]") {
  world<> w(plain_get);
  w.start();
  auto up = w.upstream();
  for (int i = 0; i < 5; ++i) {
    CHECK(up.take().find("GET / HTTP/1.1\r\n") == 0);
    up.send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx");
    CHECK(w.told() == "200 x");
    w.start();
  }
  CHECK_FALSE(w.has_upstream());
}

TEST_CASE("bytes behind an answer are no answer to the next request", "[http_client]") {
  world<> w(plain_get);
  w.start();
  auto up = w.upstream();
  up.send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxHTTP/1.1 200 OK\r\n");
  CHECK(w.told() == "200 x");
  CHECK(w.kept() == 0);
  CHECK((up.saw_end() || up.was_reset()));
}

TEST_CASE("bytes that nobody asked for close a connection that is kept", "[http_client]") {
  world<> w(plain_get);
  w.start();
  auto up = w.upstream();
  up.send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx");
  CHECK(w.told() == "200 x");
  CHECK(w.kept() == 1);
  up.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil");
  w.s.settle();
  CHECK(w.kept() == 0);
}

TEST_CASE("two fetches of one handler run at the same time", "[http_client]") {
  world<> w([](context& ctx) -> task<std::string> {
    auto both = co_await nen::when_all(ctx.http().get(std::string(url) + "a"),
                                       ctx.http().get(std::string(url) + "b"));
    co_return describe(std::get<0>(both)) + ", " + describe(std::get<1>(both));
  });
  w.start();
  auto a = w.upstream();
  auto b = w.upstream();
  CHECK(a.received().find("GET /a ") == 0);
  CHECK(b.received().find("GET /b ") == 0);
  b.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nBB");
  CHECK(w.told().empty());
  a.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nAA");
  CHECK(w.told() == "200 AA, 200 BB");
  CHECK(w.kept() == 2);
  CHECK(w.is_clean());
}

TEST_CASE("a Unix socket can be connected to instead of the URL's host", "[http_client]") {
  const auto there = *nen::endpoint::unix_path("/run/app.sock");
  world<> w([&](context& ctx) -> task<std::string> {
    co_return describe(co_await ctx.http().get("http://app/status", {.connect_to = &there}));
  });
  w.listen(0);
  w.start();
  REQUIRE(w.has_upstream());
  CHECK(w.s.network().went_out.front().to == there);
  auto up = w.upstream();
  CHECK(up.received().find("GET /status HTTP/1.1\r\nHost: app\r\n") == 0);
  up.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  CHECK(w.told() == "200 ok");
}
