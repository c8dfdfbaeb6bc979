// A server of WebSockets against hundreds of small worlds, each made from a seed: which faults,
// which limits, which clients. A failure prints its seed; with NEN_SEED set only that one runs.
#include <nen/testing/simulated_server.hpp>

#include <chrono>
#include <cstdlib>
#include <deque>
#include <exception>
#include <string>

#include "sim/seed.hpp"
#include "support/catch.hpp"
#include "websocket/ws_agent.hpp"
#include "websocket/ws_app.hpp"

namespace {

using namespace nen::test;
using nen::testing::random;

using namespace nen::test::talk;
using routes = nen::router<nen::websocket<"/echo", echo>, nen::websocket<"/quick", quick>,
                           nen::websocket<"/stream", streamer>, nen::websocket<"/room", talker>>;

/// Pools so small that everything runs out all the time.
constexpr nen::config tiny = {.connections = 6,
                              .receive_buffers = 4,
                              .receive_buffer_bytes = 256,
                              .send_slots = 12,
                              .send_slot_bytes = 1024,
                              .response_bytes_max = 1024,
                              .head_slots = 2,
                              .head_bytes_max = 1024,
                              .fields_max = 16,
                              .target_bytes_max = 256,
                              .streams = 1,
                              .body_slots = 1,
                              .body_bytes_max = 256,
                              .websockets = 4,
                              .ws_message_slots = 2,
                              .ws_message_bytes_max = 4096,
                              .ws_broadcast_slots = 2,
                              .ws_broadcast_bytes_max = 16,
                              .ws_views = 3};
/// Enough for everybody.
constexpr nen::config ample = {.connections = 64,
                               .receive_buffers = 64,
                               .receive_buffer_bytes = 2048,
                               .send_slots = 256,
                               .send_slot_bytes = 4096,
                               .response_bytes_max = 8192,
                               .head_slots = 64,
                               .head_bytes_max = 2048,
                               .fields_max = 32,
                               .target_bytes_max = 512,
                               .streams = 1,
                               .body_slots = 1,
                               .body_bytes_max = 256,
                               .websockets = 64,
                               .ws_message_slots = 64,
                               .ws_message_bytes_max = 16'384,
                               .ws_broadcast_slots = 64,
                               .ws_broadcast_bytes_max = 1024,
                               .ws_views = 4096};

using nen::test::sim::make_faults;
using nen::test::sim::setting;

nen::listen_options make_options(random& chance) {
  nen::listen_options made;
  const auto some = [&](std::chrono::milliseconds usual) {
    return chance.chance(800) ? usual : std::chrono::milliseconds(chance.between(1, 2000));
  };
  made.header_timeout = some(made.header_timeout);
  made.write_timeout = some(made.write_timeout);
  made.idle_timeout = some(made.idle_timeout);
  made.linger_timeout = some(made.linger_timeout);
  made.drain_timeout = some(made.drain_timeout);
  made.overload = chance.chance(500) ? nen::overload::wait : nen::overload::shed;
  return made;
}

/// One world, from its beginning to its end.
template <nen::config Config>
class world {
 public:
  explicit world(std::uint64_t seed)
      : chance_(seed), server_(chance_.next(), make_faults(chance_), make_options(chance_)) {
    if (chance_.chance(400)) server_.network().window = chance_.between(1, 4096);
  }

  void run() {
    const auto agents = chance_.between(1, 16);
    for (std::uint64_t i = 0; i < agents; ++i) {
      agents_.emplace_back(
          chance_, server_.network().connect(), ws_agent::make_character(chance_),
          ws_plan::make(chance_, Config.ws_message_bytes_max, static_cast<unsigned>(i)));
      if (chance_.chance(300)) live(chance_.below(50));
    }
    const bool stops = chance_.chance(200);
    live(chance_.below(300));
    if (stops) return stop();
    // Everybody hurries now, and nobody can be kept waiting for ever.
    for (int round = 0; round < 3000; ++round) {
      bool all_left = true;
      for (ws_agent& a : agents_) {
        act(a, [&] { a.hurry(); });
        all_left = all_left && a.is_done();
      }
      server_.pass(round < 200 ? 1 : 100);
      if (all_left) break;
    }
    for (ws_agent& a : agents_) act(a, [&] { a.leave(); });
    server_.pass(10 * 60'000);  // longer than anything may take
    check_nothing_held(server_.inside());
    account();
    still_serves();
  }

  /// What happened, in one number: every operation, every byte that was heard, and the clock.
  std::uint64_t digest() {
    std::uint64_t sum = server_.network().now_ms();
    const auto add = [&](std::uint64_t what) { sum = sum * 31 + what; };
    for (const auto what : server_.inside().io().history()) add(static_cast<std::uint64_t>(what));
    for (const ws_agent& a : agents_)
      for (const char c : a.received()) add(static_cast<unsigned char>(c));
    return sum;
  }
  std::uint64_t messages() const { return server_.counters().ws_messages.value(); }

 private:
  /// Lets everybody do something, again and again.
  void live(std::uint64_t rounds) {
    for (; rounds != 0 && !server_.is_over(); --rounds) {
      for (ws_agent& a : agents_) act(a, [&] { a.step(); });
      server_.pass(chance_.chance(700) ? 0 : chance_.below(40));
    }
  }
  template <class F>
  void act(ws_agent& a, F f) {
    try {
      f();
    } catch (const std::exception& problem) {
      throw std::runtime_error(problem.what() + std::string("\n") + a.describe());
    }
  }

  void stop() {
    server_.stop();
    live(chance_.below(200));
    if (chance_.chance(300)) server_.abort();
    for (int minutes = 10; minutes != 0 && !server_.is_over(); --minutes) server_.pass(60'000);
    if (!server_.is_over()) throw std::runtime_error("it does not stop");
    account_for_sessions();
  }

  void account_for_sessions() {
    const auto& app = server_.template state<application>();
    CHECK(app.opened == app.closed);
    CHECK(server_.counters().websockets_opened.value() == app.opened);
    CHECK(server_.counters().websockets_closed.value() == app.closed);
    CHECK(server_.template state<application>().room.size() == 0);
  }

  /// Whatever an agent did not get has its reason in the server's counters.
  void account() {
    account_for_sessions();
    ws_deviations seen;
    for (const ws_agent& a : agents_) seen += a.deviations();
    const auto& c = server_.counters();
    const auto sum = [](auto&... counters) { return (counters.value() + ... + 0); };
    CHECK(seen.unavailable <= sum(c.connections_shed, c.head_slots_empty, c.websockets_full));
    CHECK(seen.timed_out <= sum(c.timeouts_head, c.head_slots_evicted));
    CHECK(seen.late <= c.timeouts_message.value());
    CHECK(seen.overloaded <=
          sum(c.ws_message_slots_empty, c.ws_message_slots_evicted, c.ws_control_rooms_empty) +
              server_.template state<application>().refused);
    CHECK(seen.cut <= sum(c.connections_evicted, c.receive_buffers_evicted, c.send_slots_evicted,
                          c.head_slots_evicted, c.timeouts_head, c.timeouts_write, c.timeouts_idle,
                          c.timeouts_websocket, c.receive_errors, c.send_errors));
  }

  /// A new client is served as if nothing had happened.
  void still_serves() {
    server_.network().faults = {};
    server_.network().window = 64 * 1024;
    ws_visitor<decltype(server_)> v(server_, "/echo");
    v.send(frame(text_begins, "still ") + frame(ends, "here"));
    CHECK(v.hears() == "text(still here) ");
  }

  random chance_;
  nen::testing::simulated_server<routes, Config, application> server_;
  std::deque<ws_agent> agents_;
};

struct outcome {
  std::uint64_t digest;
  std::uint64_t messages;
};

template <nen::config Config>
outcome run_world(std::uint64_t seed) {
  world<Config> w(seed);
  w.run();
  return {w.digest(), w.messages()};
}
outcome run_seed(std::uint64_t seed) {
  return seed % 2 == 0 ? run_world<tiny>(seed) : run_world<ample>(seed);
}

}  // namespace

/// NEN_SEED: that one alone. NEN_SEEDS: how many from NEN_FROM on. NEN_SECONDS: for how long, with
/// seeds that no run before had.
TEST_CASE("every seed's WebSockets hear what they have to, and every pool is full at the end",
          "[websocket][seeds]") {
  const auto seconds = setting("NEN_SECONDS", 0);
  const auto now = std::chrono::system_clock::now().time_since_epoch().count();
  const auto first = seconds == 0 ? 1 : static_cast<std::uint64_t>(now);
  const auto from = setting("NEN_SEED", setting("NEN_FROM", first));
  const auto count = std::getenv("NEN_SEED") != nullptr ? 1 : setting("NEN_SEEDS", 600);
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  std::uint64_t seed = from;
  std::uint64_t messages = 0;
  for (; seconds != 0 ? std::chrono::steady_clock::now() < end : seed < from + count; ++seed) {
    INFO("NEN_SEED=" << seed << "; replay it with: NEN_SEED=" << seed
                     << " build/test/bin/websocket_tests '[seeds]'");
    std::string problem;
    try {
      messages += run_seed(seed).messages;
    } catch (const std::exception& thrown) {
      problem = thrown.what();
    }
    REQUIRE(problem == "");
  }
  CHECK((messages > 10 * count || count < 100));  // it is no use if nobody says anything
  WARN((seed - from) << " seeds, " << messages << " messages");
}

TEST_CASE("a seed's WebSockets can be repeated exactly", "[websocket]") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const auto once = run_seed(seed).digest;
    CHECK(run_seed(seed).digest == once);
  }
  CHECK(run_seed(1).digest != run_seed(3).digest);
}
