// Redirections: which are followed, with which method, and what is not told to others.
#include <string>
#include <string_view>

#include "client/asking.hpp"

namespace {

using namespace nen::test::asking;
using nen::context;
using nen::method;
using nen::task;
using nen::http::fetch_error;

std::string redirect(int code, std::string_view to, std::string_view body = "") {
  return "HTTP/1.1 " + std::to_string(code) + " Go\r\nLocation: " + std::string(to) +
         "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}
constexpr std::string_view fine = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx";

}  // namespace

TEST_CASE("each status makes of each method what it has to", "[http_client]") {
  const struct {
    int status;
    method sent;
    std::string_view then;  // empty: it is not followed
    bool with_body;
  } cases[] = {
      {301, method::get, "GET", false},        {301, method::post, "GET", false},
      {301, method::put, "PUT", true},         {301, method::head, "HEAD", false},
      {302, method::post, "GET", false},       {302, method::put, "PUT", true},
      {303, method::post, "GET", false},       {303, method::put, "GET", false},
      {303, method::head, "HEAD", false},      {307, method::post, "POST", true},
      {307, method::get, "GET", false},        {308, method::post, "POST", true},
      {308, method::delete_, "DELETE", false}, {300, method::get, "", false},
      {304, method::get, "", false},           {305, method::get, "", false},
  };
  for (const auto& one : cases) {
    INFO(one.status << " " << to_string(one.sent));
    const bool sends = one.sent == method::post || one.sent == method::put;
    world<> w([&](context& ctx) -> task<std::string> {
      const nen::field about[] = {{"Content-Language", "en"}};
      const auto got = co_await ctx.http().fetch({.method = one.sent,
                                                  .url = url,
                                                  .body = sends ? "body" : "",
                                                  .content_type = "a/b",
                                                  .options = {.fields = about}});
      co_return std::to_string(got.code()) + " " + std::string(got.url());
    });
    w.start();
    auto up = w.upstream();
    up.take();
    up.send(one.sent == method::head || one.status == 304
                ? "HTTP/1.1 " + std::to_string(one.status) + " Go\r\nLocation: there?a=b#c\r\n\r\n"
                : redirect(one.status, "there?a=b#c", "moved"));
    w.s.settle();
    if (one.then.empty()) {
      CHECK(w.told() == std::to_string(one.status) + " http://127.0.0.1:99/");
      continue;
    }
    const std::string asked = up.take();  // the same connection is used again
    CHECK(asked.find(std::string(one.then) + " /there?a=b HTTP/1.1\r\n") == 0);
    CHECK((asked.find("\r\n\r\nbody") != asked.npos) == one.with_body);
    CHECK((asked.find("Content-Type: a/b") != asked.npos) == one.with_body);
    if (sends) CHECK((asked.find("Content-Language") != asked.npos) == one.with_body);
    up.send(one.then == "HEAD" ? "HTTP/1.1 200 OK\r\n\r\n" : fine);
    CHECK(w.told() == "200 http://127.0.0.1:99/there?a=b");
    CHECK(w.kept() == 1);
    CHECK(w.is_clean());
  }
}

TEST_CASE("redirections end", "[http_client]") {
  for (const std::uint32_t most : {0U, 1U, 5U}) {
    world<> w([&](context& ctx) -> task<std::string> {
      co_return describe(co_await ctx.http().get(url, {.redirects_max = most}));
    });
    w.start();
    auto up = w.upstream();
    std::uint32_t asked = 0;
    while (!up.take().empty()) {
      ++asked;
      up.send(redirect(302, "/"));
      w.s.settle();
    }
    CHECK(asked == most + 1);
    CHECK(w.told() == (most == 0 ? "302 " : describe(fetch_error::too_many_redirects)));
    CHECK(w.is_clean());
  }
}

TEST_CASE("a redirection to what cannot be asked for is an error", "[http_client]") {
  const struct {
    std::string_view to;
    fetch_error error;
  } cases[] = {
      {"http://", fetch_error::bad_redirect},
      {"http://a b/", fetch_error::bad_redirect},
      {"https://127.0.0.1:99/", fetch_error::unsupported_scheme},
      {"ftp://127.0.0.1:99/", fetch_error::unsupported_scheme},
      {"http://nobody/", fetch_error::unknown_host},
      {"http://127.0.0.1:98/", fetch_error::refused},
  };
  for (const auto& one : cases) {
    INFO(one.to);
    world<> w([](context& ctx) -> task<std::string> {
      co_return describe(co_await ctx.http().get(url));
    });
    w.start();
    auto up = w.upstream();
    up.send(redirect(301, one.to));
    CHECK(w.told() == describe(one.error));
    CHECK(w.is_clean());
  }
}

TEST_CASE("another origin is not told what was meant for the first", "[http_client]") {
  const nen::field secrets[] = {
      {"Authorization", "secret"}, {"cookie", "secret"}, {"Accept", "text/plain"}};
  world<> w([&](context& ctx) -> task<std::string> {
    co_return describe(co_await ctx.http().get(url, {.fields = secrets}));
  });
  w.listen(100);
  w.start();
  auto up = w.upstream();
  CHECK(up.take().find("secret") != std::string::npos);
  up.send(redirect(302, "/same"));
  w.s.settle();
  CHECK(up.take().find("secret") != std::string::npos);
  up.send(redirect(302, "http://127.0.0.1:100/"));
  w.s.settle();
  auto other = w.upstream();
  CHECK(other.received().find("GET / HTTP/1.1\r\nHost: 127.0.0.1:100\r\n") == 0);
  CHECK(other.received().find("Accept: text/plain") != std::string::npos);
  CHECK(other.take().find("secret") == std::string::npos);
  other.send(redirect(302, "/again"));
  w.s.settle();
  CHECK(other.received().find("GET /again ") == 0);
  CHECK(other.take().find("secret") == std::string::npos);
  // Nor is the first one, when it is reached through another.
  other.send(redirect(302, std::string(url) + "back"));
  w.s.settle();
  CHECK(up.received().find("GET /back ") == 0);
  CHECK(up.take().find("secret") == std::string::npos);
  up.send(fine);
  CHECK(w.told() == "200 x");
}

TEST_CASE("a place that stands for a host does not stand for another", "[http_client]") {
  const auto there = *nen::endpoint::parse("127.0.0.1", 98);
  world<> w([&](context& ctx) -> task<std::string> {
    co_return describe(co_await ctx.http().get("http://app/", {.connect_to = &there}));
  });
  w.listen(98);
  w.start();
  auto up = w.upstream();
  up.send(redirect(302, "/more"));
  w.s.settle();
  CHECK(up.received().find("GET /more ") != std::string::npos);
  up.send(redirect(302, "http://127.0.0.1:99/"));
  w.s.settle();
  auto other = w.upstream();
  other.send(fine);
  CHECK(w.told() == "200 x");
}

TEST_CASE("what a redirection says besides is passed over, as long as it is not much",
          "[http_client]") {
  const struct {
    std::string answer;
    bool same;  // connection
  } cases[] = {
      {redirect(302, "/next", std::string(60'000, 'x')), true},
      {redirect(302, "/next", std::string(70'000, 'x')), false},
      {"HTTP/1.1 302 Go\r\nLocation: /next\r\nTransfer-Encoding: chunked\r\n\r\nz", false},
      {"HTTP/1.1 302 Go\r\nLocation: /next\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
       false},
  };
  for (std::size_t i = 0; i < 2 * std::size(cases); ++i) {
    const auto& one = cases[i / 2];
    const bool opens = i % 2 == 1;
    INFO(one.answer.substr(0, 100) << (opens ? "opened" : ""));
    world<> w([opens](context& ctx) -> task<std::string> {
      if (!opens) co_return describe(co_await ctx.http().get(url));
      auto got = co_await ctx.http().open({.url = url});
      std::string told = describe(got);
      while (const auto part = co_await got.read()) told += part.bytes;
      co_return told;
    });
    w.start();
    auto up = w.upstream();
    up.take();
    up.send(one.answer);
    w.s.settle();
    CHECK(w.has_upstream() != one.same);
    if (one.same) {
      CHECK(up.take().find("GET /next ") == 0);
      up.send(fine);
    } else {
      auto other = w.upstream();
      CHECK(other.take().find("GET /next ") == 0);
      other.send(fine);
      w.s.settle();
    }
    CHECK(w.told() == "200 x");
  }
}
