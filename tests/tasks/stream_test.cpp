// A connection to somebody, in the hands of a coroutine.
#include <nen/nen.hpp>
#include <nen/testing/simulated_server.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

#include "support/catch.hpp"
#include "tasks/bad_days.hpp"
#include "tasks/upstream.hpp"

namespace {

nen::task<nen::reply> proxy(nen::context& ctx, nen::response& res) {
  const auto where = *nen::endpoint::parse("127.0.0.1", 99);
  auto upstream = co_await ctx.connect(where, 1000);
  if (!upstream) co_return nen::test::no_answer(res, upstream.status);
  std::string line;
  const auto came_of_it = co_await nen::test::ask_for_line(upstream.connection, line);
  if (came_of_it != nen::tcp::outcome::ok) co_return nen::test::no_answer(res, came_of_it);
  co_return res.text(line);
}
using routes = nen::router<nen::get<"/", proxy>>;
constexpr std::string_view ask = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

/// Sends much to somebody else a moment later, in one write or in small ones.
struct progress {
  std::size_t written = 0;
};
nen::task<nen::reply> upload(nen::context& ctx, std::uint32_t at_once, progress& of,
                             nen::response& res) {
  const auto where = *nen::endpoint::parse("127.0.0.1", 99);
  auto upstream = co_await ctx.connect(where, 1000);
  if (!upstream) co_return nen::test::no_answer(res, upstream.status);
  co_await ctx.sleep(1);
  const std::string_view all = nen::test::letters();
  while (of.written != all.size()) {
    const auto part = all.substr(of.written, at_once);
    const auto sent = co_await upstream.connection.write(part);
    if (sent != nen::tcp::outcome::ok) co_return nen::test::no_answer(res, sent);
    of.written += part.size();
  }
  co_return res.text("all of it");
}
using uploads = nen::router<nen::get<"/upload/:part", upload>,
                            nen::get<"/now", [](nen::response& res) { return res.text("now"); }>>;
constexpr nen::config many_slots = {
    .send_slots = 64, .send_slot_bytes = 1024, .response_bytes_max = 2048};

}  // namespace

TEST_CASE("a coroutine connects, writes and reads, and is told of every way that fails", "[task]") {
  nen::testing::simulated_server<routes> s;
  auto c = s.connect();
  c.send(ask);
  s.settle();
  CHECK(c.take().find("502") != std::string::npos);  // nobody listens
  s.network().listeners[99] = nen::testing::connect_answer::silent;
  c.send(ask);
  s.settle();
  CHECK(c.take().empty());
  s.pass(1001);
  CHECK(c.take().find("504") != std::string::npos);
  s.network().listeners[99] = nen::testing::connect_answer::accepted;
  for (int i = 0; i < 4; ++i) {
    c.send(ask);
    s.settle();
    auto up = nen::testing::simulated_client(s.network().went_out.at(0).connected);
    s.network().went_out.pop_front();
    CHECK(up.received() == "question\n");
    if (i == 0) {
      up.send("ans");
      s.settle();
      up.send("wer\nmore");
      s.settle();
      CHECK(c.take().find("answer") != std::string::npos);
    }
    if (i == 1) {
      up.send("ans");
      s.settle();
      up.close();
      s.settle();
      CHECK(c.take().find("502") != std::string::npos);
    }
    if (i == 2) {
      s.pass(501);
      CHECK(c.take().find("504") != std::string::npos);
    }
    if (i == 3) {
      c.close();
      s.settle();
      CHECK((up.saw_end() || up.was_reset()));
    }
  }
  s.pass(1000);
  CHECK(s.inside().session().streams().in_use() == 0);
  CHECK(s.inside().session().frames().in_use() == 0);
}

TEST_CASE("a coroutine that writes to a peer that does not read holds its share of slots, no more",
          "[task]") {
  for (const std::string_view path : {"/upload/300000", "/upload/1500", "/upload/10"}) {
    INFO(path);
    nen::testing::simulated_server<uploads, many_slots, progress> s;
    using queue = std::remove_cvref_t<decltype(s.inside())>::send_queue;
    constexpr auto share = queue::slots_held_max + queue::slots_per_message;
    s.network().window = 1000;
    s.network().listeners[99] = nen::testing::connect_answer::accepted;
    auto c = s.connect();
    c.send(nen::test::get(path));
    s.settle();
    auto up = nen::testing::simulated_client(s.network().went_out.at(0).connected);
    up.stop_reading();
    s.pass(2);
    const auto got = up.received().size();
    const auto written = s.state<progress>().written;
    for (int i = 0; i < 20; ++i) {
      CHECK(s.inside().send_slots().in_use() > queue::slots_held_max);
      CHECK(s.inside().send_slots().in_use() <= share);
      CHECK(nen::test::says(s.answer_to(nen::test::get("/now")), "now"));
      s.pass(100);
    }
    CHECK(up.received().size() == got);
    CHECK(s.state<progress>().written == written);
    CHECK(written < got + share * many_slots.send_slot_bytes + 1000);
    CHECK(c.received().empty());
    up.start_reading();
    s.settle();
    CHECK((up.received() == nen::test::letters()));
    CHECK(nen::test::says(c.received(), "all of it"));
    CHECK(s.inside().send_slots().in_use() == 0);
  }
}
