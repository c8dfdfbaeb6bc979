// Everything that can go wrong with a fetch is a value, comes in time, and leaves nothing behind.
#include <array>
#include <chrono>
#include <string>
#include <string_view>

#include "client/asking.hpp"

namespace {

using namespace nen::test::asking;
using namespace std::chrono_literals;
using nen::context;
using nen::task;
using nen::http::fetch_error;
using nen::testing::connect_answer;

constexpr nen::http::options in_a_hurry = {
    .deadline = 10s, .connect_timeout = 1s, .head_timeout = 2s, .bytes_timeout = 500ms};

task<std::string> hurried_get(context& ctx) {
  co_return describe(co_await ctx.http().get(url, in_a_hurry));
}
task<std::string> plain_post(context& ctx) {
  co_return describe(co_await ctx.http().post(url, "", "body", in_a_hurry));
}
constexpr std::string_view fine = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx";

}  // namespace

TEST_CASE("what no URL is, is not asked for", "[http_client]") {
  const std::string long_url = std::string(url) + std::string(3000, 'x');
  const struct {
    std::string_view url;
    fetch_error error;
  } cases[] = {
      {"", fetch_error::bad_url},
      {"/path", fetch_error::bad_url},
      {"http://", fetch_error::bad_url},
      {"http://user@host/", fetch_error::bad_url},
      {"http://a b/", fetch_error::bad_url},
      {long_url, fetch_error::bad_url},
      {"https://127.0.0.1:99/", fetch_error::unsupported_scheme},
      {"ftp://127.0.0.1:99/", fetch_error::unsupported_scheme},
      {"http://no-such-name/", fetch_error::unknown_host},
      {"http://127.0.0.1:98/", fetch_error::refused},
  };
  for (const auto& one : cases) {
    INFO(one.url);
    world<> w([&](context& ctx) -> task<std::string> {
      co_return describe(co_await ctx.http().get(one.url));
    });
    w.start();
    CHECK(w.told() == describe(one.error));
    CHECK(w.is_clean());
  }
}

TEST_CASE("a field that would make another request is not sent", "[http_client]") {
  const nen::field bad[] = {{"X", "a\r\nHost: b"}, {"Host", "b"}, {"Transfer-Encoding", "chunked"}};
  for (const nen::field& f : bad) {
    INFO(f.name);
    world<> w([&](context& ctx) -> task<std::string> {
      co_return describe(co_await ctx.http().get(url, {.fields = {&f, 1}}));
    });
    w.start();
    CHECK(w.told() == describe(fetch_error::bad_request));
    CHECK_FALSE(w.has_upstream());
  }
}

TEST_CASE("an endpoint that is not there is told as it is", "[http_client]") {
  world<> w(hurried_get);
  w.listen(port, connect_answer::unreachable);
  w.start();
  CHECK(w.told() == describe(fetch_error::unreachable));
  w.s.pass(10'000);
  w.listen(port, connect_answer::silent);
  w.start();
  w.s.pass(999);
  CHECK(w.told().empty());
  w.s.pass(2);
  CHECK(w.told() == describe(fetch_error::connect_timed_out));
  CHECK(w.is_clean());
}

TEST_CASE("answers that are no HTTP, or too much of it, are refused", "[http_client]") {
  const std::string head = "HTTP/1.1 200 OK\r\n";
  std::string interim;
  for (int i = 0; i < 17; ++i) interim += "HTTP/1.1 102 Processing\r\n\r\n";
  std::string many;
  for (int i = 0; i < 100; ++i) many += "A: b\r\n";
  const struct {
    std::string bytes;
    fetch_error error;
  } cases[] = {
      {"SSH-2.0-OpenSSH\r\n", fetch_error::bad_answer},
      {"HTTP/2.0 200 OK\r\n\r\n", fetch_error::bad_answer},
      {head + "Content-Length: 1\r\nContent-Length: 2\r\n\r\n", fetch_error::bad_answer},
      {head + "Transfer-Encoding: chunked\r\n\r\nz\r\n", fetch_error::bad_answer},
      {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
       fetch_error::bad_answer},
      {head + "X: " + std::string(9000, 'x'), fetch_error::head_too_large},
      {head + many + "\r\n", fetch_error::head_too_large},
      {head + "Content-Length: 65537\r\n\r\n", fetch_error::body_too_large},
      {head + "Transfer-Encoding: chunked\r\n\r\n10001\r\n", fetch_error::body_too_large},
      {head + "\r\n" + std::string(65537, 'x'), fetch_error::body_too_large},
      {interim, fetch_error::too_many_interim},
  };
  for (const auto& one : cases) {
    INFO(one.bytes.substr(0, 80));
    world<> w(hurried_get);
    w.start();
    auto up = w.upstream();
    up.send(one.bytes);
    CHECK(w.told() == describe(one.error));
    CHECK(w.kept() == 0);
    CHECK(w.is_clean());
  }
}

TEST_CASE("a body of just the size that is gathered is gathered", "[http_client]") {
  world<> w([](context& ctx) -> task<std::string> {
    const auto got = co_await ctx.http().get(url);
    co_return describe(got.error()) + " " + std::to_string(got.body().size());
  });
  w.start();
  auto up = w.upstream();
  up.send("HTTP/1.1 200 OK\r\nContent-Length: 65536\r\n\r\n" + std::string(65536, 'x'));
  CHECK(w.told() == "no error 65536");
}

TEST_CASE("each phase has its time, and all together have theirs", "[http_client]") {
  const std::string head = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n";
  SECTION("nothing comes") {
    world<> w(hurried_get);
    w.start();
    w.s.pass(1990);
    CHECK(w.told().empty());
    w.s.pass(20);
    CHECK(w.told() == describe(fetch_error::head_timed_out));
    CHECK((w.is_clean() && w.kept() == 0));
  }
  SECTION("the head comes too slowly as a whole") {
    world<> w(hurried_get);
    w.start();
    auto up = w.upstream();
    for (std::size_t i = 0; i < 5; ++i) {
      up.send(head.substr(i, 1));
      w.s.pass(390);
    }
    CHECK(w.told().empty());
    w.s.pass(60);
    CHECK(w.told() == describe(fetch_error::head_timed_out));
  }
  SECTION("the body stops") {
    world<> w(hurried_get);
    w.start();
    auto up = w.upstream();
    up.send(head + "x");
    for (int i = 0; i < 10; ++i) {
      w.s.pass(400);
      up.send("x");
    }
    w.s.pass(490);
    CHECK(w.told().empty());
    w.s.pass(20);
    CHECK(w.told() == describe(fetch_error::bytes_timed_out));
    CHECK((w.is_clean() && w.kept() == 0));
  }
  SECTION("the body never ends") {
    world<> w(hurried_get);
    w.start();
    auto up = w.upstream();
    up.send(head);
    for (int i = 0; i < 40 && w.told().empty(); ++i) {
      w.s.pass(249);
      up.send("x");
    }
    w.s.pass(30);
    CHECK(w.told().empty());
    w.s.pass(20);
    CHECK(w.told() == describe(fetch_error::deadline_passed));
    CHECK((w.is_clean() && w.kept() == 0));
  }
}

TEST_CASE("a connection that was closed meanwhile is replaced once, for what may be repeated",
          "[http_client]") {
  for (const bool posts : {false, true}) {
    world<> w(posts ? plain_post : hurried_get);
    w.start();
    auto first = w.upstream();
    first.send(fine);
    CHECK(w.told() == "200 x");
    // The next request goes out before the end of the connection is seen.
    w.client.send(ask);
    first.finish();
    w.s.settle();
    if (w.has_upstream()) {
      auto second = w.upstream();
      CHECK_FALSE(second.received().empty());
      second.send(fine);
      CHECK(w.told() == "200 x");
      CHECK((!posts || first.received().find("POST", 1) == std::string::npos));
    } else {
      CHECK(posts);
      CHECK(w.told() == describe(fetch_error::connection_lost));
    }
  }
}

TEST_CASE("a server that closes what it was asked on is asked once more, and not again",
          "[http_client]") {
  struct {
    nen::test::asking::job what;
    bool again;
  } const cases[] = {{hurried_get, true}, {plain_post, false}};
  for (const auto& one : cases) {
    world<> w(one.what);
    w.start();
    auto first = w.upstream();
    first.send(fine);
    CHECK(w.told() == "200 x");
    w.start();
    CHECK_FALSE(w.has_upstream());  // the same one, which now closes without an answer
    first.finish();
    w.s.settle();
    CHECK(w.has_upstream() == one.again);
    if (one.again) w.upstream().finish();
    CHECK(w.told() == describe(fetch_error::connection_lost));
    CHECK_FALSE(w.has_upstream());
    CHECK((w.is_clean() && w.kept() == 0));
  }
}

TEST_CASE("what was partly answered is not asked again", "[http_client]") {
  for (const std::string_view begin : {"H", "HTTP/1.1 102 Processing\r\n\r\n"}) {
    world<> w(hurried_get);
    w.start();
    auto first = w.upstream();
    first.send(fine);
    CHECK(w.told() == "200 x");
    w.start();
    first.send(begin);
    w.s.settle();
    first.finish();
    CHECK(w.told() == describe(fetch_error::connection_lost));
    CHECK_FALSE(w.has_upstream());
  }
}

TEST_CASE("a client that leaves takes its handler's fetch with it", "[http_client]") {
  for (const std::string_view so_far :
       {"", "HTTP/1.1 200", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx"}) {
    world<> w(hurried_get);
    w.start();
    auto up = w.upstream();
    up.send(so_far);
    w.s.settle();
    CHECK_FALSE(w.is_clean());
    w.client.close();
    w.s.settle();
    CHECK((up.saw_end() || up.was_reset()));
    CHECK((w.is_clean() && w.kept() == 0));
  }
}

TEST_CASE("more fetches than there are slots are told so", "[http_client]") {
  world<nen::config{.fetches = 2}> w([](context& ctx) -> task<std::string> {
    auto all =
        co_await nen::when_all(ctx.http().get(url), ctx.http().get(url), ctx.http().get(url));
    const auto after = co_await ctx.http().get(url);
    co_return describe(std::get<0>(all)) + ", " + describe(std::get<2>(all)) + ", " +
        describe(after);
  });
  w.start();
  auto a = w.upstream();
  auto b = w.upstream();
  CHECK_FALSE(w.has_upstream());
  a.send(fine);
  b.send(fine);
  const std::string no_slot = describe(fetch_error::no_slot);
  // The answers that are still in hand hold their slots.
  CHECK(w.told() == "200 x, " + no_slot + ", " + no_slot);
  CHECK(w.is_clean());
  CHECK(w.s.inside().session().fetches().in_use() == 0);
}

TEST_CASE("wherever frames run out, nothing stays behind", "[http_client]") {
  // The more of the frames others hold, the later this handler runs out of them.
  constexpr nen::config tight = {.task_frames = {{{512, 2}, {1024, 2}, {2048, 2}, {8192, 2}}}};
  bool was_refused = false;
  bool was_answered = false;
  for (int held = 0; held < 8; ++held) {
    world<tight> w([&](context& ctx) -> task<std::string> {
      co_return describe(co_await ctx.http().get(url));
    });
    nen::testing::simulated_client others[8] = {w.s.connect(), w.s.connect(), w.s.connect(),
                                                w.s.connect(), w.s.connect(), w.s.connect(),
                                                w.s.connect(), w.s.connect()};
    for (int i = 0; i < held; ++i) others[i].send(ask);
    w.start();
    while (w.has_upstream()) {
      w.upstream().send(fine);
      w.s.settle();
    }
    const std::string told = w.told();
    was_refused = was_refused || told == "503";
    was_answered = was_answered || told == "200 x";
    for (auto& other : others) other.close();
    w.s.pass(60'000);
    CHECK(w.is_clean());
  }
  CHECK(was_refused);
  CHECK(was_answered);
}
