// Coroutines that ask other shards.
#include <nen/nen.hpp>
#include <nen/testing/simulated_server.hpp>

#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "support/catch.hpp"
#include "support/client.hpp"
#include "support/test_server.hpp"
#include "tasks/bad_days.hpp"

namespace {

using nen::test::get;
using nen::test::quiet;

constexpr std::uint32_t shards = 3;

/// What belongs to each shard's thread.
thread_local std::uint64_t calls_here = 0;

struct gate {
  std::atomic<bool> is_open = true;
  std::atomic<int> waiting = 0;
};

std::string_view name_of(nen::shard_outcome what) {
  switch (what) {
    case nen::shard_outcome::ok:
      return "ok";
    case nen::shard_outcome::no_slot:
      return "no slot";
    case nen::shard_outcome::no_shard:
      return "no shard";
    case nen::shard_outcome::failed:
      return "failed";
  }
  return "?";
}

/// Adds up over all shards.
nen::task<nen::reply> add(nen::context& ctx, std::uint32_t amount, nen::response& res) {
  std::uint64_t sum = 0;
  for (std::uint32_t i = 0; i < shards; ++i) {
    const auto got = co_await ctx.on_shard(i, [amount] { return calls_here += amount; });
    if (!got) co_return res.set_status(nen::status::bad_gateway).text(name_of(got.status));
    sum += got.value;
  }
  co_return res.json(nen::json_value(sum));
}
nen::task<nen::reply> one(nen::context& ctx, std::uint32_t shard, nen::response& res) {
  const auto got = co_await ctx.on_shard(shard, [](nen::context& there) { return there.now_ms(); });
  co_return res.text(name_of(got.status));
}
nen::task<nen::reply> nothing(nen::context& ctx, std::uint32_t shard, nen::response& res) {
  const auto got = co_await ctx.on_shard(shard, [] { ++calls_here; });
  co_return res.text(name_of(got.status));
}
nen::task<nen::reply> fails(nen::context& ctx, std::uint32_t shard, nen::response& res) {
  const auto got =
      co_await ctx.on_shard(shard, []() -> int { throw std::runtime_error("this went wrong"); });
  co_return res.text(name_of(got.status));
}
/// Holds another shard up, until the gate opens.
nen::task<> ask_at(nen::context& ctx, gate& at, std::uint32_t shard, nen::shard_outcome& what) {
  const auto got = co_await ctx.on_shard(shard, [at = &at] {
    ++at->waiting;
    while (!at->is_open) ::usleep(1000);
  });
  what = got.status;
}
/// Asks more at once than there are slots for; gives some of it up.
nen::task<nen::reply> many(nen::context& ctx, std::uint32_t shard, gate& at, nen::response& res) {
  nen::shard_outcome of[3] = {};
  co_await nen::when_all(ask_at(ctx, at, shard, of[0]), ask_at(ctx, at, shard, of[1]),
                         ask_at(ctx, at, shard, of[2]));
  co_return res.text(name_of(of[2]));
}
nen::task<nen::reply> gives_up(nen::context& ctx, std::uint32_t shard, gate& at,
                               nen::response& res) {
  nen::shard_outcome what{};
  const bool in_time = co_await nen::with_deadline(ctx, 20, ask_at(ctx, at, shard, what));
  co_return res.text(in_time ? "in time" : "given up");
}

using routes = nen::router<nen::get<"/add/:amount", add>, nen::get<"/one/:shard", one>,
                           nen::get<"/nothing/:shard", nothing>, nen::get<"/fails/:shard", fails>,
                           nen::get<"/many/:shard", many>, nen::get<"/gives-up/:shard", gives_up>>;
constexpr nen::config three = {.shards = shards, .shard_calls = 2};
constexpr nen::config alone = {};

}  // namespace

TEST_CASE("a shard that is alone answers its own questions", "[task]") {
  nen::testing::simulated_server<routes, alone, gate> s(1, {}, quiet);
  CHECK(s.answer_to(get("/one/0")).ends_with("\r\n\r\nok"));
  CHECK(s.answer_to(get("/nothing/0")).ends_with("\r\n\r\nok"));
  CHECK(s.answer_to(get("/one/1")).ends_with("no shard"));
  CHECK(s.answer_to(get("/fails/0")).ends_with("failed"));
  CHECK(s.counters().handler_exceptions.value() == 1);
}

TEST_CASE("coroutines ask the other shards, from all of them at once", "[task]") {
  static nen::server<routes, three, gate> server;
  nen::test::running running(server, quiet, shards);
  std::vector<nen::test::client> clients;  // the kernel spreads them over the shards
  for (int i = 0; i < 24; ++i) clients.emplace_back(server.port());
  std::uint64_t answered = 0;
  constexpr std::uint64_t rounds = 50;
  for (std::uint64_t round = 0; round < rounds; ++round) {
    for (auto& c : clients) c.send(get("/add/1"));
    for (auto& c : clients) {
      const auto got = c.read_answer();
      // Each shard has two slots, so that some are told so; how many, the scheduler decides.
      if (got.status == 200) {
        ++answered;
      } else {
        CHECK(got.body == "no slot");
      }
    }
  }
  // Who was told so may have added to some shards; who was answered has added to each.
  const std::uint64_t sum = std::stoull(clients[0].ask(get("/add/0")).body);
  CHECK(answered >= rounds);
  CHECK(sum >= shards * answered);
  CHECK(sum <= shards * 24 * rounds);
  for (const std::string_view to : {"0", "1", "2"}) {
    for (auto& c : clients) {
      CHECK(c.ask(get("/one/" + std::string(to))).body == "ok");
      CHECK(c.ask(get("/nothing/" + std::string(to))).body == "ok");
      CHECK(c.ask(get("/fails/" + std::string(to))).body == "failed");
    }
  }
  CHECK(clients[0].ask(get("/one/3")).body == "no shard");
  CHECK(clients[0].ask(get("/one/4000000000")).body == "no shard");
}

TEST_CASE("a shard that is slow to answer holds nobody else up, and no slot is lost", "[task]") {
  static nen::server<routes, three, gate> server;
  for (int run = 0; run < 2; ++run) {
    nen::test::running running(server, quiet, shards);
    gate& at = server.state<gate>();
    std::vector<nen::test::client> clients;
    for (int i = 0; i < 24; ++i) clients.emplace_back(server.port());
    at.waiting = 0;
    at.is_open = false;
    // Shard 2 is held up by whoever asks it first.
    for (auto& c : clients) c.send(get("/gives-up/2"));
    std::size_t given_up = 0;
    ::usleep(100'000);
    at.is_open = true;
    for (auto& c : clients) given_up += c.read_answer().body == "given up";
    CHECK(given_up >= 1);
    for (auto& c : clients) {
      c.send(get("/many/1"));
      const std::string body = c.read_answer().body;
      CHECK((body == "no slot" || body == "ok"));  // "ok": it is on shard 1 itself
    }
    for (auto& c : clients) CHECK(c.ask(get("/one/0")).body == "ok");
  }
  for (std::uint32_t i = 0; i < shards; ++i)
    CHECK(server.shard_at(i).session().calls().in_use() == 0);
}

TEST_CASE("a server stops while its shards ask each other", "[task]") {
  static nen::server<routes, three, gate> server;
  for (int run = 0; run < 5; ++run) {
    nen::test::running running(server, quiet, shards);
    std::vector<nen::test::client> clients;
    for (int i = 0; i < 12; ++i) clients.emplace_back(server.port());
    for (auto& c : clients)
      for (int n = 0; n < 20; ++n) c.send(get("/add/1"));
    for (auto& c : clients) static_cast<void>(c.read_answer());
    server.stop();
    ::usleep(1000);
  }
}
