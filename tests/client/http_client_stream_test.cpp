// Bodies that don't fit into memory: answers that are read part by part, and requests that are sent
// so.
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client/asking.hpp"

namespace {

using namespace nen::test::asking;
using namespace std::chrono_literals;
using nen::context;
using nen::method;
using nen::task;
using nen::http::fetch_error;

/// The test says when the handler reads on.
struct reading {
  bool may_go_on = true;
  std::vector<std::string> parts;
};

job read_all(reading& r) {
  return [&r](context& ctx) -> task<std::string> {
    auto got = co_await ctx.http().open({.url = url, .options = {.deadline = 0s}});
    if (!got) co_return describe(got);
    while (true) {
      while (!r.may_go_on) co_await ctx.sleep(1ms);
      const auto part = co_await got.read();
      if (!part) break;
      r.parts.emplace_back(part.bytes);
    }
    std::string told = describe(got);
    for (const nen::field f : got.trailers()) told += std::string(f.name);
    co_return told;
  };
}

std::string all_of(const reading& r) {
  std::string all;
  for (const std::string& part : r.parts) all += part;
  return all;
}

/// Gives parts of a text, with a pause before each.
struct pieces {
  context* ctx;
  std::vector<std::string> parts;
  bool gives_up = false;
  std::size_t next_part = 0;

  task<std::optional<std::string_view>> next() {
    co_await ctx->sleep(10ms);
    if (next_part < parts.size()) co_return std::string_view(parts[next_part++]);
    if (gives_up) co_return std::nullopt;
    co_return std::string_view{};
  }
};

constexpr nen::config little_room = {.send_slots = 8};

constexpr std::string_view fine = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx";

/// Has a connection made and kept that reads nothing, before the job's own request is sent.
job on_stalled(job then) {
  return [then = std::move(then)](context& ctx) -> task<std::string> {
    static_cast<void>(co_await ctx.http().get(url));
    co_await ctx.sleep(10ms);
    co_return co_await then(ctx);
  };
}
template <class World>
nen::testing::simulated_client stalled(World& w) {
  w.start();
  auto up = w.upstream();
  up.send(fine);
  w.s.settle();
  up.take();
  up.stop_reading();
  w.s.pass(100);
  return up;
}

}  // namespace

TEST_CASE("an answer is read part by part, and its connection kept at the end", "[http_client]") {
  const struct {
    std::string_view bytes;
    std::string_view body;
    bool ends;
  } cases[] = {
      {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789", "0123456789", false},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n012\r\n7\r\n3456789\r\n0\r\n\r\n",
       "0123456789", false},
      {"HTTP/1.1 200 OK\r\n\r\n0123456789", "0123456789", true},
      {"HTTP/1.1 204 No\r\n\r\n", "", false},
  };
  for (const bool slowly : {false, true}) {
    for (const auto& one : cases) {
      for (std::size_t cut = 0; cut <= one.bytes.size(); ++cut) {
        INFO(one.bytes << " cut at " << cut << (slowly ? ", slowly" : ""));
        reading r;
        r.may_go_on = !slowly;
        world<> w(read_all(r));
        w.start();
        auto up = w.upstream();
        up.send(one.bytes.substr(0, cut));
        w.s.pass(5);
        up.send(one.bytes.substr(cut));
        if (one.ends) up.finish();
        w.s.pass(5);
        if (slowly) CHECK(r.parts.empty());
        r.may_go_on = true;
        w.s.pass(5);
        CHECK(all_of(r) == one.body);
        CHECK(w.told().substr(0, 2) == "20");
        CHECK(w.kept() == (one.ends ? 0 : 1));
        CHECK(w.is_clean());
        if (one.ends || cut % 8 != 0) continue;
        up.take();
        w.start();  // and the connection is in order
        CHECK(up.received().find("GET / ") == 0);
      }
    }
  }
}

TEST_CASE("trailers are there behind the last part", "[http_client]") {
  reading r;
  world<> w(read_all(r));
  w.start();
  auto up = w.upstream();
  up.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nSum: 1\r\n\r\n");
  CHECK(w.told() == "200 Sum");
}

TEST_CASE("who does not read is not sent more than fits on the way", "[http_client]") {
  reading r;
  r.may_go_on = false;
  world<> w(read_all(r));
  w.start();
  auto up = w.upstream();
  constexpr std::size_t much = 10'000'000;
  up.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(much) + "\r\n\r\n");
  up.send(std::string(much, 'x'));
  w.s.pass(1000);
  CHECK(up.unsent() > much / 2);
  r.may_go_on = true;
  w.s.pass(20'000);
  CHECK(up.unsent() == 0);
  CHECK(all_of(r).size() == much);
  CHECK(w.told() == "200 ");
  CHECK(w.kept() == 1);
}

TEST_CASE("a deadline holds for who reads slowly, too", "[http_client]") {
  world<> w([](context& ctx) -> task<std::string> {
    auto got = co_await ctx.http().open({.url = url, .options = {.deadline = 300ms}});
    while (co_await got.read()) co_await ctx.sleep(50ms);
    co_return describe(got);
  });
  w.start();
  auto up = w.upstream();
  up.send("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + std::string(1'000'000, 'x'));
  w.s.pass(290);
  CHECK(w.told().empty());
  w.s.pass(100);
  CHECK(w.told() == describe(fetch_error::deadline_passed));
  CHECK((w.kept() == 0 && w.is_clean()));
}

TEST_CASE("an answer that is not read to its end closes its connection", "[http_client]") {
  world<> w([](context& ctx) -> task<std::string> {
    auto got = co_await ctx.http().open({.url = url});
    co_return std::string((co_await got.read()).bytes);
  });
  w.start();
  auto up = w.upstream();
  up.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n01234");
  CHECK(w.told() == "01234");
  CHECK((up.saw_end() || up.was_reset()));
  CHECK((w.kept() == 0 && w.is_clean()));
}

TEST_CASE("what breaks behind the head is told by the answer", "[http_client]") {
  const struct {
    std::string_view then;
    fetch_error error;
  } cases[] = {{"", fetch_error::connection_lost}, {"zz\r\n", fetch_error::bad_answer}};
  for (const auto& one : cases) {
    reading r;
    world<> w(read_all(r));
    w.start();
    auto up = w.upstream();
    up.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n");
    w.s.settle();
    up.send(one.then);
    if (one.then.empty()) up.finish();
    CHECK(w.told() == describe(one.error));
    CHECK(all_of(r) == "hi");
    CHECK((w.kept() == 0 && w.is_clean()));
  }
}

TEST_CASE("a large body is sent while the answer is awaited", "[http_client]") {
  const std::string large(1'000'000, 'b');
  world<> w([&](context& ctx) -> task<std::string> {
    co_return describe(co_await ctx.http().put(url, "a/b", large));
  });
  w.start();
  auto up = w.upstream();
  w.s.pass(100);
  const auto head = up.received().find("\r\n\r\n");
  REQUIRE(head != std::string::npos);
  CHECK(up.received().size() == head + 4 + large.size());
  up.send(fine);
  CHECK(w.told() == "200 x");
  CHECK(w.kept() == 1);
  CHECK(w.is_clean());
}

TEST_CASE("a server that does not want a body says so before it has come", "[http_client]") {
  const std::string large(1'000'000, 'b');
  for (const bool opens : {false, true}) {
    world<little_room> w(on_stalled([&](context& ctx) -> task<std::string> {
      const nen::http::request asked = {.method = method::put, .url = url, .body = large};
      if (opens) co_return describe(co_await ctx.http().open(asked));
      co_return describe(co_await ctx.http().fetch(asked));
    }));
    auto up = stalled(w);
    CHECK(w.told().empty());
    up.send("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno");
    CHECK(w.told() == (opens ? "413 " : "413 no"));
    CHECK((w.kept() == 0 && w.is_clean()));
  }
}

TEST_CASE("an opened answer comes when the request is sent", "[http_client]") {
  const std::string large(1'000'000, 'b');
  world<little_room> w(on_stalled([&](context& ctx) -> task<std::string> {
    auto got = co_await ctx.http().open({.method = method::put, .url = url, .body = large});
    std::string told = describe(got);
    while (const auto part = co_await got.read()) told += part.bytes;
    co_return told;
  }));
  auto up = stalled(w);
  up.send(fine);  // an echo, for example, begins to answer early
  w.s.pass(100);
  CHECK(w.told().empty());
  up.start_reading();
  w.s.pass(100);
  CHECK(up.received().size() > large.size());
  CHECK(w.told() == "200 x");
  CHECK(w.kept() == 1);
}

TEST_CASE("a server that takes nothing is given up", "[http_client]") {
  const std::string large(1'000'000, 'b');
  world<little_room> w(on_stalled([&](context& ctx) -> task<std::string> {
    co_return describe(co_await ctx.http().put(url, "", large, {.bytes_timeout = 300ms}));
  }));
  auto up = stalled(w);
  w.s.pass(1000);
  CHECK(w.told() == describe(fetch_error::bytes_timed_out));
  CHECK((w.kept() == 0 && w.is_clean()));
}

TEST_CASE("a source gives a body in chunks, or as long as it said", "[http_client]") {
  const struct {
    std::vector<std::string> parts;
    std::optional<std::uint64_t> bytes;
    bool gives_up;
    std::string_view sent;  // behind the head; empty: it fails
  } cases[] = {
      {{"hello", "0123456789abcdef0"},
       {},
       false,
       "5\r\nhello\r\n11\r\n0123456789abcdef0\r\n0\r\n\r\n"},
      {{}, {}, false, "0\r\n\r\n"},
      {{"a", "b"}, 2, false, "ab"},
      {{"a", "b"}, 1, false, ""},
      {{"a", "b"}, 3, false, ""},
      {{"a"}, {}, true, ""},
  };
  for (const auto& one : cases) {
    INFO(one.sent << " of " << one.parts.size());
    world<> w([&](context& ctx) -> task<std::string> {
      pieces from{&ctx, one.parts, one.gives_up};
      const auto got = co_await ctx.http().fetch({.method = method::post,
                                                  .url = url,
                                                  .source = nen::http::body_source(from),
                                                  .source_bytes = one.bytes});
      co_return describe(got);
    });
    w.start();
    auto up = w.upstream();
    w.s.pass(100);
    if (one.sent.empty()) {
      CHECK(w.told() == describe(fetch_error::source_failed));
      CHECK((up.saw_end() || up.was_reset()));
      CHECK((w.kept() == 0 && w.is_clean()));
      continue;
    }
    const auto head = up.received().find("\r\n\r\n");
    CHECK(up.received().substr(head + 4) == one.sent);
    CHECK((up.received().find("Transfer-Encoding: chunked") != std::string::npos) == !one.bytes);
    up.send(fine);
    CHECK(w.told() == "200 x");
    CHECK((w.kept() == 1 && w.is_clean()));
  }
}

TEST_CASE("a source that hangs is given up at the deadline", "[http_client]") {
  struct hanging {
    context* ctx;
    task<std::optional<std::string_view>> next() {
      co_await ctx->sleep(1h);
      co_return std::nullopt;
    }
  };
  world<> w([&](context& ctx) -> task<std::string> {
    hanging from{&ctx};
    const auto got = co_await ctx.http().fetch({.method = method::post,
                                                .url = url,
                                                .source = nen::http::body_source(from),
                                                .options = {.deadline = 1s}});
    co_return describe(got);
  });
  w.start();
  w.s.pass(1001);
  CHECK(w.told() == describe(fetch_error::deadline_passed));
  CHECK((w.kept() == 0 && w.is_clean()));
}

TEST_CASE("the time for the head begins when a body is sent", "[http_client]") {
  world<> w([&](context& ctx) -> task<std::string> {
    pieces from{&ctx, std::vector<std::string>(100, "x"), false};
    const auto got = co_await ctx.http().fetch({.method = method::post,
                                                .url = url,
                                                .source = nen::http::body_source(from),
                                                .options = {.head_timeout = 200ms}});
    co_return describe(got);
  });
  w.start();
  w.s.pass(1150);
  CHECK(w.told().empty());
  w.s.pass(150);
  CHECK(w.told() == describe(fetch_error::head_timed_out));
}

TEST_CASE("a body waits for the server to want it, but not for ever", "[http_client]") {
  const job sends = [](context& ctx) -> task<std::string> {
    co_return describe(co_await ctx.http().put(url, "", "the body", {.expect_continue = 500ms}));
  };
  SECTION("it wants it") {
    world<> w(sends);
    w.start();
    auto up = w.upstream();
    CHECK(up.received().find("\r\nExpect: 100-continue\r\n") != std::string::npos);
    w.s.pass(400);
    CHECK(up.take().find("the body") == std::string::npos);
    up.send("HTTP/1.1 100 Continue\r\n\r\n");
    w.s.settle();
    CHECK(up.take() == "the body");
    up.send(fine);
    CHECK(w.told() == "200 x");
    CHECK(w.kept() == 1);
  }
  SECTION("it says nothing") {
    world<> w(sends);
    w.start();
    auto up = w.upstream();
    up.take();
    w.s.pass(501);
    CHECK(up.take() == "the body");
    up.send(fine);
    CHECK(w.told() == "200 x");
  }
  SECTION("it does not want it") {
    world<> w(sends);
    w.start();
    auto up = w.upstream();
    up.take();
    up.send("HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n");
    CHECK(w.told() == "417 ");
    CHECK(up.take().empty());
    CHECK((w.kept() == 0 && w.is_clean()));
  }
}

TEST_CASE("a body from a source is not sent to where a redirection leads", "[http_client]") {
  for (const int status : {303, 307}) {
    world<> w([&](context& ctx) -> task<std::string> {
      pieces from{&ctx, {"x"}, false};
      co_return describe(co_await ctx.http().fetch(
          {.method = method::post, .url = url, .source = nen::http::body_source(from)}));
    });
    w.start();
    auto up = w.upstream();
    w.s.pass(100);
    up.take();
    up.send("HTTP/1.1 " + std::to_string(status) +
            " Go\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n");
    w.s.settle();
    if (status == 307) {
      CHECK(w.told() == describe(fetch_error::body_not_repeatable));
      continue;
    }
    CHECK(up.take().find("GET /b ") == 0);
    up.send(fine);
    CHECK(w.told() == "200 x");
  }
}
