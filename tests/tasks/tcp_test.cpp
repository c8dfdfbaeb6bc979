// Raw TCP with one coroutine for each connection.
#include <nen/nen.hpp>
#include <nen/testing/simulated_tcp_server.hpp>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/catch.hpp"
#include "support/client.hpp"
#include "support/test_server.hpp"
#include "tasks/bad_days.hpp"

namespace {

using nen::test::check_all_back;
using nen::test::fail_at_each_operation;
using nen::test::live_through_bad_days;
using nen::test::quiet;
using nen::test::witness;

struct diary {
  std::string ends;  ///< how each reading ended, by its number
  int destroyed = 0;

  std::string take() { return std::exchange(ends, {}); }
};
nen::task<> echo(nen::context&, nen::tcp::stream peer, diary& of) {
  const witness here{of.destroyed};
  while (true) {
    const auto got = co_await peer.read();
    if (!got) {
      of.ends += std::to_string(static_cast<int>(got.status));
      co_return;
    }
    const auto sent = co_await peer.write(got.bytes);
    if (sent != nen::tcp::outcome::ok) co_return;
  }
}
/// Says hello, waits for a line, says goodbye; none of it for long.
nen::task<> polite(nen::context& ctx, nen::tcp::stream peer, diary& of) {
  const witness here{of.destroyed};
  co_await peer.write("hello\n");
  const auto got = co_await peer.read(100);
  if (got.status == nen::tcp::outcome::timed_out) co_await peer.write("too late\n");
  if (got.status == nen::tcp::outcome::closed) co_await peer.write("we close\n");
  if (got) {
    const std::string line(got.bytes);
    if (line == "fail\n") throw std::runtime_error("this went wrong");
    co_await ctx.sleep(20);
    co_await peer.write(line);
  }
  co_await peer.write("goodbye\n");
}
/// Brings a connection and one to somebody else together, one question at a time.
nen::task<> proxy(nen::context& ctx, nen::tcp::stream peer) {
  const auto where = *nen::endpoint::parse("127.0.0.1", 99);
  auto other = co_await ctx.connect(where, 1000);
  if (!other) co_return;
  while (true) {
    const auto asked = co_await peer.read();
    if (!asked) co_return;
    const auto sent = co_await other.connection.write(asked.bytes);
    if (sent != nen::tcp::outcome::ok) co_return;
    const auto got = co_await other.connection.read(1000);
    if (!got) co_return;
    const auto answered = co_await peer.write(got.bytes);
    if (answered != nen::tcp::outcome::ok) co_return;
  }
}
/// Does not read for a while.
nen::task<> drowsy(nen::context& ctx, nen::tcp::stream peer, diary& of) {
  co_await ctx.sleep(50);
  const auto got = co_await peer.read();
  of.ends += std::to_string(static_cast<int>(got.status));
}
/// Stays when its peer has gone.
nen::task<> stays(nen::context& ctx, nen::tcp::stream peer, diary& of) {
  const witness here{of.destroyed};
  const auto got = co_await peer.read();
  of.ends += std::to_string(static_cast<int>(got.status));
  peer = {};
  co_await ctx.sleep(1'000'000);
}

constexpr nen::config small = {.connections = 8,
                               .receive_buffers = 16,
                               .receive_buffer_bytes = 1024,
                               .send_slots = 32,
                               .send_slot_bytes = 1024,
                               .response_bytes_max = 4096,
                               .tasks = 2,
                               .outgoing = 4};
template <auto Serve>
using server = nen::testing::simulated_tcp_server<nen::tcp::coroutine<Serve>, small, diary>;

constexpr auto finished = "1";
constexpr auto reset = "5";
constexpr auto closed = "8";
static_assert(static_cast<int>(nen::tcp::outcome::finished) == 1);
static_assert(static_cast<int>(nen::tcp::outcome::reset) == 5);
static_assert(static_cast<int>(nen::tcp::outcome::closed) == 8);

}  // namespace

TEST_CASE("a coroutine serves each connection", "[task]") {
  server<echo> s;
  std::vector<nen::testing::simulated_client> clients;
  for (int i = 0; i < 8; ++i) clients.push_back(s.connect());
  for (int round = 0; round < 3; ++round) {
    for (auto& c : clients) c.send("round " + std::to_string(round));
    s.settle();
    for (auto& c : clients) CHECK(c.take() == "round " + std::to_string(round));
  }
  const std::string large(100'000, 'x');
  clients[0].send(large);
  s.settle();
  CHECK(clients[0].take() == large);
  clients[0].finish();
  s.settle();
  CHECK(clients[0].saw_end());
  CHECK(s.state<diary>().take() == finished);
  clients[1].reset();
  s.settle();
  CHECK(s.state<diary>().take() == reset);
  CHECK(s.inside().session().spawned().in_use() == 6);
}

TEST_CASE("a client that does not read holds its coroutine up, and nobody else", "[task]") {
  server<echo> s;
  s.network().window = 2000;
  auto slow = s.connect();
  slow.stop_reading();
  slow.send(std::string(50'000, 'x'));
  s.settle();
  CHECK(slow.unsent() > 20'000);
  auto other = s.connect();
  other.send("hello");
  s.settle();
  CHECK(other.take() == "hello");
  slow.start_reading();
  s.settle();
  CHECK(slow.received().size() == 50'000);
}

TEST_CASE("a connection is closed when its coroutine ends and all is sent", "[task]") {
  server<polite> s(1, {}, quiet);
  auto c = s.connect();
  s.settle();
  CHECK(c.take() == "hello\n");
  c.send("a line\n");
  s.pass(20);
  CHECK(c.take() == "a line\ngoodbye\n");
  CHECK(c.saw_end());
  auto late = s.connect();
  s.pass(100);
  CHECK(late.take() == "hello\ntoo late\ngoodbye\n");
  CHECK(late.saw_end());
  auto failing = s.connect();
  failing.send("fail\n");
  s.settle();
  CHECK(failing.take() == "hello\n");
  CHECK(failing.saw_end());
  CHECK(s.counters().handler_exceptions.value() == 1);
  c.close();
  late.close();
  failing.close();
  s.settle();
  check_all_back(s);
}

TEST_CASE("a server that stops ends the reads of its coroutines", "[task]") {
  server<polite> s;
  auto c = s.connect();
  s.settle();
  s.stop();
  s.settle();
  CHECK(c.take() == "hello\nwe close\ngoodbye\n");
  CHECK(c.saw_end());
  c.close();
  s.run_to_end();
  check_all_back(s);
}

TEST_CASE("who reads when the server stops already does not wait", "[task]") {
  server<drowsy> s;
  auto c = s.connect();
  s.settle();
  s.stop();
  s.pass(49);
  CHECK(s.state<diary>().take().empty());
  s.pass(2);
  CHECK(s.state<diary>().take() == closed);
  CHECK(c.saw_end());
}

TEST_CASE("bytes that have come are read before a server that stops ends a read", "[task]") {
  server<echo> s;
  s.network().window = 3000;
  auto c = s.connect();
  c.stop_reading();
  c.send(std::string(9000, 'x'));
  s.settle();
  s.stop();
  s.pass(5);
  c.start_reading();
  s.pass(100);
  CHECK(c.received().size() >= 3000);
  CHECK(s.state<diary>().take() == closed);
  c.close();
  s.run_to_end();
  check_all_back(s);
}

TEST_CASE("a server that is aborted destroys its coroutines", "[task]") {
  server<echo> s;
  auto a = s.connect();
  auto b = s.connect();
  s.settle();
  s.abort();
  s.run_to_end();
  CHECK(s.state<diary>().destroyed == 2);
  CHECK(s.state<diary>().take().empty());
  check_all_back(s);
}

TEST_CASE("coroutines that stay longer than their connections end with the server", "[task]") {
  server<stays> s;
  for (int i = 0; i < 40; ++i) {
    auto c = s.connect();
    s.settle();
    c.close();
    s.settle();
  }
  CHECK(s.counters().spawned_tasks_empty.value() > 0);  // the later ones were closed
  CHECK(s.state<diary>().destroyed == 0);
  const auto alive = static_cast<int>(s.inside().session().spawned().in_use());
  CHECK(alive > 8);
  s.stop();
  s.run_to_end();
  CHECK(s.state<diary>().destroyed == alive);
  check_all_back(s);
}

TEST_CASE("who gets no frame is closed and counted", "[task]") {
  constexpr nen::config two = {.task_frames = {{{512, 1}, {1024, 1}, {2048, 1}, {8192, 1}}}};
  nen::testing::simulated_tcp_server<nen::tcp::coroutine<echo>, two, diary> s;
  std::vector<nen::testing::simulated_client> clients;
  int served = 0;
  for (int i = 0; i < 6; ++i) {
    clients.push_back(s.connect());
    clients.back().send("x");
    s.settle();
    served += clients.back().received() == "x";
  }
  CHECK(served >= 3);
  CHECK(served <= 4);
  CHECK(s.counters().task_frames_empty.value() == static_cast<std::uint64_t>(6 - served));
}

TEST_CASE("a coroutine brings two connections together", "[task]") {
  server<proxy> s;
  s.network().listeners[99] = nen::testing::connect_answer::accepted;
  auto c = s.connect();
  s.settle();
  auto up = nen::testing::simulated_client(s.network().went_out.at(0).connected);
  for (int i = 0; i < 3; ++i) {
    c.send("question");
    s.settle();
    CHECK(up.take() == "question");
    up.send("answer");
    s.settle();
    CHECK(c.take() == "answer");
  }
  c.close();
  s.settle();
  CHECK((up.saw_end() || up.was_reset()));
  check_all_back(s);
}

TEST_CASE("whatever happens to connections with coroutines, everything comes back", "[task]") {
  const auto act = [](auto& s, nen::testing::simulated_client& c) {
    auto& chance = s.network().chance;
    s.network().listeners[99] = nen::testing::connect_answer::accepted;
    c.send(chance.chance(100) ? "fail\n" : std::string(chance.below(9000), 'x'));
  };
  live_through_bad_days<server<echo>>(100, act);
  live_through_bad_days<server<polite>>(100, act);
  live_through_bad_days<server<proxy>>(100, act);
  live_through_bad_days<server<stays>>(100, act);
}

TEST_CASE("each operation may fail while a coroutine serves", "[task]") {
  const auto day = [](const nen::testing::failure& one) {
    server<polite> s(1, {}, quiet, one);
    auto c = s.connect();
    s.settle();
    c.send("a line\n");
    s.pass(30);
    auto d = s.connect();
    s.pass(200);
    c.close();
    d.close();
    s.pass(60'000);
    check_all_back(s);
    return s.inside().io().history();
  };
  fail_at_each_operation(day, {ENOMEM, ECANCELED});
}

TEST_CASE("a coroutine serves connections of the kernel's", "[task]") {
  static nen::tcp::server<nen::tcp::coroutine<polite>, small, diary> real;
  nen::test::running running(real, quiet);
  for (int i = 0; i < 20; ++i) {
    nen::test::client c(real.port());
    CHECK(c.read_bytes(6) == "hello\n");
    c.send("a line\n");
    CHECK(c.read_bytes(15) == "a line\ngoodbye\n");
    CHECK(c.is_closed_next());
  }
}
