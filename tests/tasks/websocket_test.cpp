// WebSocket sessions that are coroutines.
#include <nen/nen.hpp>
#include <nen/testing/simulated_server.hpp>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "support/catch.hpp"
#include "tasks/bad_days.hpp"
#include "websocket/ws_client.hpp"

namespace {

using nen::test::check_all_back;
using nen::test::closing;
using nen::test::fail_at_each_operation;
using nen::test::frame;
using nen::test::journal;
using nen::test::live_through_bad_days;
using nen::test::quiet;
using nen::test::text_frame;
using nen::test::upgrade_of;

struct farewell {
  journal& notes;
  ~farewell() { notes += "destroyed"; }
};

/// Sends back what comes, after a rest; looks at it before and behind.
template <std::uint32_t RestMs>
struct echo {
  nen::task<> on_run(nen::ws::channel& me, nen::context& ctx, journal& notes) {
    const farewell here{notes};
    while (const auto m = co_await me.receive()) {
      const std::string before(m->bytes);
      if (RestMs != 0) co_await ctx.sleep(RestMs);
      CHECK(before == m->bytes);
      const auto result = co_await me.send(*m);
      if (result != nen::ws::send_result::sent) notes += "not sent";
    }
    notes += "ended(" + std::to_string(static_cast<int>(me.ended_with())) + ")";
  }
};
/// Says so many numbers, and is done.
struct count {
  nen::task<> on_run(nen::ws::channel& me, nen::context&, journal& notes) {
    const farewell here{notes};
    const auto m = co_await me.receive();
    if (!m) co_return;
    const int until = std::stoi(std::string(m->bytes));
    for (int i = 0; i < until; ++i) {
      const std::string text = std::to_string(i) + std::string(100, '.');
      if (co_await me.send(text) != nen::ws::send_result::sent) co_return;
      notes.text = std::to_string(i);
    }
  }
};
struct fails {
  nen::task<> on_run(nen::ws::channel& me, nen::context&, journal& notes) {
    const farewell here{notes};
    static_cast<void>(co_await me.receive());
    throw std::runtime_error("this went wrong");
  }
};
struct wide {
  nen::task<> on_run(nen::ws::channel& me, nen::context&) {
    char room[7000];
    for (char& c : room) c = 'x';
    while (const auto m = co_await me.receive()) co_await me.send(std::string_view(room, 5));
  }
};
/// Closes while it has a message in its hands.
struct closes {
  nen::task<> on_run(nen::ws::channel& me, nen::context& ctx, journal& notes) {
    const farewell here{notes};
    const auto m = co_await me.receive();
    me.close(nen::ws::close_code::policy_violation, "enough");
    co_await ctx.sleep(10);
    if (m) notes += m->bytes;
    notes += co_await me.receive() ? "more" : "no more";
  }
};
/// Receives and ticks at the same time.
struct both {
  static nen::task<> tick(nen::ws::channel& me, nen::context& ctx) {
    // GCC 12 loses the body of a coroutine without variables that awaits in a condition.
    const std::string_view text = "tick";
    while (co_await me.send(text) == nen::ws::send_result::sent) co_await ctx.sleep(10);
  }
  static nen::task<> hear(nen::ws::channel& me, journal& notes) {
    while (const auto m = co_await me.receive()) notes += m->bytes;
  }
  nen::task<> on_run(nen::ws::channel& me, nen::context& ctx, journal& notes) {
    const farewell here{notes};
    co_await nen::when_any(tick(me, ctx), hear(me, notes));
  }
};
nen::task<nen::reply> hello(nen::context& ctx, nen::response& res) {
  co_await ctx.sleep(1);
  co_return res.text("hello");
}

using routes =
    nen::router<nen::websocket<"/echo", echo<0>>, nen::websocket<"/slow", echo<50>>,
                nen::websocket<"/count", count>, nen::websocket<"/fails", fails>,
                nen::websocket<"/wide", wide>, nen::websocket<"/closes", closes>,
                nen::websocket<"/both", both>, nen::websocket<"/plain", nen::test::noting_echo>,
                nen::get<"/hello", hello>>;
constexpr nen::config small = [] {
  nen::config c = nen::test::small;
  c.task_frames = {{{512, 64}, {1024, 64}, {2048, 8}, {8192, 1}}};
  return c;
}();
using server = nen::testing::simulated_server<routes, small, journal>;
using visitor = nen::test::ws_visitor<server>;

}  // namespace

TEST_CASE("a session that is a coroutine receives, waits and sends", "[task]") {
  server s;
  visitor c(s, "/slow");
  c.say("one");
  c.say("two");
  CHECK(c.hears().empty());
  s.pass(50);
  CHECK(c.hears() == "text(one) ");
  s.pass(50);
  CHECK(c.hears() == "text(two) ");
  c.send(closing(1000, "bye"));
  CHECK(c.hears() == "close(1000) end");
  CHECK(s.state<journal>().take() == "ended(1000) destroyed ");
  check_all_back(s);
}

TEST_CASE("messages of every length stay where they are while the coroutine waits", "[task]") {
  for (const std::string_view path : {"/slow", "/echo"}) {
    for (const std::size_t size : {0U, 1U, 900U, 2000U, 4096U}) {
      for (const std::size_t piece : {1'000'000U, 700U, 1U}) {
        INFO(path << ", " << size << " bytes, " << piece << " at once");
        server s;
        visitor c(s, path);
        const std::string text(size, 'x');
        const std::string half = text.substr(size / 2);
        std::string sent = frame(text_frame, text) +
                           frame(nen::test::text_begins, text.substr(0, size / 2)) +
                           frame(nen::test::ping_frame, "in between") +
                           frame(nen::test::ends, half) + frame(text_frame, "last");
        for (std::size_t at = 0; at < sent.size(); at += piece) {
          c.client().send(std::string_view(sent).substr(at, piece));
          s.settle();
        }
        s.pass(1000);
        const std::string one = "text(" + text + ") ";
        CHECK(c.hears() == one + "pong(in between) " + one + "text(last) ");
        c.client().close();
        s.pass(1000);
        check_all_back(s);
      }
    }
  }
}

TEST_CASE("a peer is held back while nobody receives", "[task]") {
  server s;
  s.network().window = 1000;
  visitor c(s, "/slow");
  std::string sent;
  for (int i = 0; i < 500; ++i) sent += frame(text_frame, std::string(90, 'x'));
  c.client().send(sent);
  s.settle();
  const auto unsent = c.client().unsent();
  CHECK(unsent > 10'000);
  s.pass(40);
  CHECK(c.client().unsent() == unsent);
  s.pass(500 * 51);
  CHECK(c.client().unsent() == 0);
  CHECK(c.hears().size() == 500 * std::string("text() ").size() + 500 * 90);
}

TEST_CASE("a coroutine waits for room when its peer does not read", "[task]") {
  server s;
  s.network().window = 1000;
  visitor c(s, "/count");
  c.client().stop_reading();
  c.say("2000");
  s.pass(100);
  const std::string stuck_at = s.state<journal>().text;
  CHECK(std::stoi(stuck_at) < 200);
  s.pass(100);
  CHECK(s.state<journal>().text == stuck_at);
  c.client().start_reading();
  s.settle();
  const std::string heard = c.hears();
  CHECK(heard.find("text(1999" + std::string(100, '.') + ") close(1000) ") != std::string::npos);
  c.send(closing(1000));
  CHECK(c.hears() == "end");
  check_all_back(s);
}

TEST_CASE("how a coroutine ends is told to its peer", "[task]") {
  server s(1, {}, quiet);
  visitor failing(s, "/fails");
  failing.say("now");
  CHECK(failing.hears() == "close(1011) ");
  CHECK(s.counters().handler_exceptions.value() == 1);
  CHECK(s.state<journal>().take() == "destroyed ");
  visitor ending(s, "/count");
  ending.say("0");
  CHECK(ending.hears() == "close(1000) ");
  visitor first(s, "/wide");
  visitor second(s, "/wide");
  first.say("x");
  CHECK(first.hears() == "text(xxxxx) ");
  CHECK(second.hears() == "close(1013) ");
  CHECK(s.counters().task_frames_empty.value() == 1);
}

TEST_CASE("a peer that vanishes takes the coroutine along", "[task]") {
  for (const bool in_order : {false, true}) {
    server s;
    visitor c(s, "/slow");
    c.say("one");
    in_order ? c.client().close() : c.client().reset();
    s.settle();
    CHECK(s.state<journal>().take() == "destroyed ");  // it was asleep
    check_all_back(s);
    visitor other(s, "/slow");
    in_order ? other.client().close() : other.client().reset();
    s.settle();
    CHECK(s.state<journal>().take() == "ended(1006) destroyed ");  // it was listening
    check_all_back(s);
  }
}

TEST_CASE("a coroutine closes with a message in its hands", "[task]") {
  server s;
  visitor c(s, "/closes");
  c.send(frame(text_frame, "one") + frame(text_frame, "two") + closing(1008));
  CHECK(c.hears() == "close(1008 enough) ");
  s.pass(10);
  CHECK(s.state<journal>().take() == "one no more destroyed ");
  CHECK(c.hears() == "end");
  check_all_back(s);
}

TEST_CASE("a server that stops says so to sessions that are coroutines", "[task]") {
  for (const std::string_view path : {"/slow", "/both"}) {
    server s;
    visitor c(s, path);
    c.say("one");
    s.stop();
    s.pass(1);
    CHECK(c.hears().ends_with("close(1001) "));
    c.send(closing(1001));
    s.run_to_end();
    CHECK(s.state<journal>().take().ends_with("destroyed "));
    check_all_back(s);
  }
}

TEST_CASE("a coroutine receives and sends at the same time", "[task]") {
  server s;
  visitor c(s, "/both");
  s.pass(15);
  c.say("heard");
  CHECK(s.state<journal>().take() == "heard ");
  CHECK(c.hears() == "text(tick) text(tick) ");
  c.send(closing(1000));
  CHECK(s.state<journal>().take() == "destroyed ");
  check_all_back(s);
}

TEST_CASE("sessions and handlers of all kinds live side by side", "[task]") {
  server s;
  visitor plain(s, "/plain");
  visitor c(s, "/echo");
  plain.say("a");
  c.say("b");
  CHECK(plain.hears() == "text(a) ");
  CHECK(c.hears() == "text(b) ");
  auto http = s.connect();
  http.send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
  s.pass(2);
  CHECK(http.received().ends_with("\r\n\r\nhello"));
}

TEST_CASE("whatever happens to sessions that are coroutines, everything comes back", "[task]") {
  constexpr std::string_view paths[] = {"/echo", "/slow",   "/count", "/fails",
                                        "/wide", "/closes", "/both",  "/plain"};
  live_through_bad_days<server>(200, [&](server& s, nen::testing::simulated_client& c) {
    auto& chance = s.network().chance;
    std::string sent = upgrade_of(paths[chance.below(std::size(paths))]);
    for (std::size_t n = chance.below(8); n > 0; --n)
      sent += frame(text_frame, std::string(chance.below(300), '1'));
    if (chance.chance(300)) sent += frame(nen::test::text_begins, "begun");
    if (chance.chance(500)) sent += closing(1000);
    c.send(sent);
  });
}

TEST_CASE("each operation may fail while a session is a coroutine", "[task]") {
  const auto day = [](const nen::testing::failure& one) {
    server s(1, {}, quiet, one);
    s.network().window = 1500;
    auto c = s.connect();
    c.send(upgrade_of("/slow") + frame(text_frame, std::string(2000, 'x')) +
           frame(text_frame, "two"));
    s.pass(120);
    c.send(closing(1000));
    s.pass(100);
    c.close();
    s.pass(100'000);
    check_all_back(s);
    return s.inside().io().history();
  };
  fail_at_each_operation(day, {ENOMEM, ECANCELED});
}
