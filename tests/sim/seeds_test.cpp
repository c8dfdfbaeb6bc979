// The whole server against hundreds of small worlds, each made from a seed: which faults, which
// limits, which clients. A failure prints its seed; with NEN_SEED set only that one runs.
#include <nen/testing/simulated_server.hpp>

#include <chrono>
#include <cstdlib>
#include <deque>
#include <exception>

#include "sim/agent.hpp"
#include "sim/seed.hpp"
#include "support/catch.hpp"
#include "websocket/ws_app.hpp"

namespace {

using namespace nen::test::sim;
using nen::testing::random;
using namespace std::chrono_literals;
namespace talk = nen::test::talk;
using nen::test::ws_agent;
using nen::test::ws_plan;

using all_routes =
    routes_with<nen::websocket<"/echo", talk::echo>, nen::websocket<"/quick", talk::quick>,
                nen::websocket<"/stream", talk::streamer>, nen::websocket<"/room", talk::talker>>;

/// Pools so small that everything runs out all the time.
constexpr nen::config tiny = {.connections = 6,
                              .receive_buffers = 4,
                              .receive_buffer_bytes = 256,
                              .send_slots = 12,
                              .send_slot_bytes = 1024,
                              .response_bytes_max = 2048,
                              .head_slots = 2,
                              .head_bytes_max = 1024,
                              .fields_max = 16,
                              .target_bytes_max = 256,
                              .streams = 2,
                              .body_slots = 2,
                              .body_bytes_max = 2048,
                              .websockets = 3,
                              .ws_message_slots = 2,
                              .ws_message_bytes_max = 4096,
                              .ws_broadcast_slots = 2,
                              .ws_broadcast_bytes_max = 16};
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
                               .streams = 64,
                               .body_slots = 64,
                               .body_bytes_max = 8192,
                               .websockets = 64,
                               .ws_message_slots = 64,
                               .ws_message_bytes_max = 16'384,
                               .ws_broadcast_bytes_max = 1024};

nen::listen_options make_options(random& chance) {
  nen::listen_options made;
  const auto some = [&](std::chrono::milliseconds usual) {
    return chance.chance(700) ? usual : std::chrono::milliseconds(chance.between(1, 2000));
  };
  made.header_timeout = some(made.header_timeout);
  made.body_timeout = some(made.body_timeout);
  made.handler_timeout = some(made.handler_timeout);
  made.write_timeout = some(made.write_timeout);
  made.idle_timeout = some(made.idle_timeout);
  made.linger_timeout = some(made.linger_timeout);
  made.drain_timeout = some(made.drain_timeout);
  made.requests_per_connection_max =
      chance.chance(800) ? 0 : static_cast<std::uint32_t>(chance.between(1, 20));
  made.overload = chance.chance(500) ? nen::overload::wait : nen::overload::shed;
  made.on_exception = [](const nen::request&, const char*) {};
  return made;
}

/// One world, from its beginning to its end.
template <nen::config Config>
class world {
 public:
  explicit world(std::uint64_t seed)
      : chance_(seed),
        faults_(make_faults(chance_)),
        options_(make_options(chance_)),
        server_(chance_.next(), faults_, options_) {
    if (chance_.chance(300)) server_.network().window = chance_.between(1, 8192);
  }

  void run() {
    const auto agents = chance_.between(1, 16);
    for (std::uint64_t i = 0; i < agents; ++i) {
      chance_.chance(250) ? add_talker(i) : add_agent();
      if (chance_.chance(300)) live(chance_.below(50));
    }
    stops_in_the_middle_ = chance_.chance(200);
    live(stops_in_the_middle_ ? chance_.below(300) : 3000);
    if (stops_in_the_middle_) {
      server_.stop();
      live(chance_.below(200));
      if (chance_.chance(300)) server_.abort();
      for (int minutes = 10; minutes != 0 && !server_.is_over(); --minutes) server_.pass(60'000);
      if (!server_.is_over()) throw std::runtime_error("it does not stop");
      return account();
    }
    let_talkers_finish();
    for (agent& a : agents_) a.read_all();
    server_.pass(10 * 60'000);  // longer than anything may take
    account();
    for (agent& a : agents_) a.leave();
    server_.pass(10 * 60'000);
    check_nothing_held(server_.inside());
    still_serves();
  }

  /// What happened, in one number: every operation, every byte that was read, and the clock.
  std::uint64_t digest() {
    std::uint64_t sum = server_.network().now_ms();
    for (const nen::operation what : server_.inside().io().history())
      sum = sum * 31 + static_cast<std::uint64_t>(what);
    for (const agent& a : agents_) sum = sum * 31 + a.digest();
    for (const ws_agent& a : talkers_) sum = sum_of(a.received(), static_cast<std::uint32_t>(sum));
    return sum;
  }

 private:
  void add_agent() {
    std::vector<exchange> asks;
    for (auto count = chance_.between(1, 12); count != 0; --count)
      asks.push_back(make_exchange(chance_, Config.response_bytes_max, Config.body_bytes_max));
    agents_.emplace_back(chance_, server_.network().connect(), agent::make_character(chance_),
                         asks);
  }

  void add_talker(std::uint64_t number) {
    talkers_.emplace_back(
        chance_, server_.network().connect(), ws_agent::make_character(chance_),
        ws_plan::make(chance_, Config.ws_message_bytes_max, static_cast<unsigned>(number)));
  }
  /// They say what they still have to say, and leave: nobody can be kept waiting for ever.
  void let_talkers_finish() {
    for (int round = 0; round < 3000; ++round) {
      bool all_left = true;
      for (ws_agent& a : talkers_) {
        act(a, [&] { a.hurry(); });
        all_left = all_left && a.is_done();
      }
      if (all_left) break;
      server_.pass(round < 200 ? 1 : 100);
    }
    for (ws_agent& a : talkers_) act(a, [&] { a.leave(); });
  }

  /// Lets everybody do something, again and again.
  void live(std::uint64_t rounds) {
    for (; rounds != 0 && !server_.is_over(); --rounds) {
      bool all_done = true;
      for (agent& a : agents_) {
        act(a, [&] { a.step(); });
        all_done = all_done && a.is_done();
      }
      for (ws_agent& a : talkers_) {
        act(a, [&] { a.step(); });
        all_done = all_done && a.is_done();
      }
      server_.pass(chance_.chance(700) ? 0 : chance_.below(40));
      if (all_done) break;
    }
  }
  template <class Agent, class F>
  void act(Agent& a, F f) {
    try {
      f();
    } catch (const std::exception& problem) {
      throw std::runtime_error(problem.what() + std::string("\n") + a.describe());
    }
  }

  /// Whatever an agent did not get has its reason in the server's counters.
  void account() {
    deviations seen;
    for (agent& a : agents_) a.account(seen);
    nen::test::ws_deviations heard;
    for (const ws_agent& a : talkers_) heard += a.deviations();
    seen.unavailable += heard.unavailable;
    seen.timed_out += heard.timed_out;
    seen.cut += heard.cut;
    const auto& c = server_.counters();
    const auto sum = [](auto&... counters) { return (counters.value() + ... + 0); };
    const auto unavailable = sum(c.connections_shed, c.head_slots_empty, c.body_slots_empty,
                                 c.streams_empty, c.timeouts_handler, c.websockets_full);
    const auto timed_out = sum(c.timeouts_head, c.timeouts_body, c.head_slots_evicted);
    const auto cut = sum(c.connections_evicted, c.receive_buffers_evicted, c.send_slots_evicted,
                         c.head_slots_evicted, c.drain_aborts, c.timeouts_head, c.timeouts_body,
                         c.timeouts_write, c.timeouts_idle, c.timeouts_handler,
                         c.timeouts_websocket, c.receive_errors, c.send_errors);
    INFO("503 " << seen.unavailable << " of " << unavailable << ", 408 " << seen.timed_out << " of "
                << timed_out << ", cut " << seen.cut << " of " << cut);
    CHECK(seen.unavailable <= unavailable);
    CHECK(seen.timed_out <= timed_out);
    CHECK((seen.cut <= cut || stops_in_the_middle_));
    const auto& talked = server_.template state<talk::application>();
    CHECK(heard.late <= c.timeouts_message.value());
    CHECK(heard.overloaded <=
          sum(c.ws_message_slots_empty, c.ws_message_slots_evicted, c.ws_control_rooms_empty) +
              talked.refused);
    CHECK(c.websockets_opened.value() == talked.opened);
    CHECK((!talkers_.empty() || talked.opened == 0));
  }

  /// A new client is served as if nothing had happened.
  void still_serves() {
    server_.network().faults = {};
    server_.network().window = 64 * 1024;
    CHECK(server_.answer_to("GET /n/7 HTTP/1.1\r\nHost: sim\r\n\r\n").ends_with("{\"n\":7}"));
    const auto& talked = server_.template state<talk::application>();
    CHECK(talked.opened == talked.closed);
    CHECK(talked.room.size() == 0);
  }

  random chance_;
  nen::testing::faults faults_;
  nen::listen_options options_;
  nen::testing::simulated_server<all_routes, Config, app, talk::application> server_;
  std::deque<agent> agents_;
  std::deque<ws_agent> talkers_;
  bool stops_in_the_middle_ = false;
};

template <nen::config Config>
std::uint64_t run_world(std::uint64_t seed) {
  world<Config> w(seed);
  w.run();
  return w.digest();
}
std::uint64_t run_seed(std::uint64_t seed) {
  return seed % 2 == 0 ? run_world<tiny>(seed) : run_world<ample>(seed);
}

}  // namespace

/// NEN_SEED: that one alone. NEN_SEEDS: how many from NEN_FROM on. NEN_SECONDS: for how long, with
/// seeds that no run before had.
TEST_CASE("every seed's world ends with every answer right and every pool full", "[sim][seeds]") {
  const auto seconds = setting("NEN_SECONDS", 0);
  const auto now = std::chrono::system_clock::now().time_since_epoch().count();
  const auto first = seconds == 0 ? 1 : static_cast<std::uint64_t>(now);
  const auto from = setting("NEN_SEED", setting("NEN_FROM", first));
  const auto count = std::getenv("NEN_SEED") != nullptr ? 1 : setting("NEN_SEEDS", 2000);
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  std::uint64_t seed = from;
  for (; seconds != 0 ? std::chrono::steady_clock::now() < end : seed < from + count; ++seed) {
    INFO("NEN_SEED=" << seed << "; replay it with: NEN_SEED=" << seed
                     << " build/test/bin/sim_tests '[seeds]'");
    std::string problem;
    try {
      (void)run_seed(seed);
    } catch (const std::exception& thrown) {
      problem = thrown.what();
    }
    REQUIRE(problem == "");
  }
  WARN((seed - from) << " seeds");
}

TEST_CASE("a seed's run can be repeated exactly", "[sim]") {
  std::uint64_t all = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    const auto once = run_seed(seed);
    CHECK(run_seed(seed) == once);
    all = all * 31 + once;
  }
  INFO("all of them: " << all);
  CHECK(run_seed(1) != run_seed(3));
}
