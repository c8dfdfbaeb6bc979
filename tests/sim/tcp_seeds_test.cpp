// Raw TCP against hundreds of small worlds, each made from a seed: which faults, which limits,
// which clients. A failure prints its seed; with NEN_SEED set only that one runs.
#include <nen/testing/simulated_tcp_server.hpp>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "server/tcp_sessions.hpp"
#include "sim/seed.hpp"
#include "support/catch.hpp"

namespace {

using nen::test::sim::make_faults;
using nen::test::sim::setting;
using nen::testing::random;
using nen::testing::simulated_client;
using reason = nen::tcp::close_reason;
using peer = nen::tcp::peer;
using namespace std::chrono_literals;

/// What all sessions of a world share.
struct chance_of_world {
  random chance{0};
  std::uint64_t opened = 0;
  std::uint64_t closed = 0;
};

/// Sends back what it was sent, in its own time: it pauses, takes part of what is offered, wakes
/// itself by a timeout, and now and then ends the connection in one of its ways.
struct moody_echo {
  bool has_end = false;

  void on_open(peer& me, chance_of_world& w) {
    ++w.opened;
    if (w.chance.chance(100)) me.set_timeout(static_cast<std::uint32_t>(w.chance.below(200)));
  }
  std::size_t on_data(peer& me, std::span<const std::byte> bytes, chance_of_world& w) {
    if (w.chance.chance(10)) {
      end(me, w);
      return 0;
    }
    if (w.chance.chance(200)) {
      me.pause();
      me.set_timeout(static_cast<std::uint32_t>(w.chance.between(1, 100)));
    }
    return me.send(bytes.first(w.chance.between(1, bytes.size())));
  }
  void on_writable(peer& me, chance_of_world& w) {
    if (w.chance.chance(300)) me.resume();
  }
  void on_timeout(peer& me, chance_of_world& w) {
    me.resume();
    if (w.chance.chance(50)) end(me, w);
    if (!has_end || w.chance.chance(500)) return me.set_timeout(60'000);
    me.close();
  }
  void on_end(peer& me, chance_of_world& w) {
    has_end = true;
    w.chance.chance(300) ? me.finish() : me.close();
  }
  void on_close(peer&, reason, chance_of_world& w) { ++w.closed; }

 private:
  static void end(peer& me, chance_of_world& w) {
    switch (w.chance.below(3)) {
      case 0:
        return me.abort();
      case 1:
        return me.finish();
      default:
        return me.close();
    }
  }
};

constexpr nen::config tiny = {.connections = 5,
                              .receive_buffers = 4,
                              .receive_buffer_bytes = 64,
                              .send_slots = 9,
                              .send_slot_bytes = 1024,
                              .response_bytes_max = 1024};

/// A client who sends what he knows by heart, and whom nothing else may be sent.
struct speaker {
  simulated_client client;
  std::size_t sent = 0;
  std::size_t read = 0;
  bool is_gone = false;

  static std::string text(std::size_t from, std::size_t size) {
    std::string made(size, '\0');
    for (std::size_t i = 0; i < size; ++i) made[i] = static_cast<char>('!' + (from + i) * 31 % 89);
    return made;
  }
  void speak(std::size_t size) {
    client.send(text(sent, size));
    sent += size;
  }
  /// @returns  false when something was read that was never sent
  bool listens() {
    const std::string came = client.take();
    const bool is_right = read + came.size() <= sent && came == text(read, came.size());
    read += came.size();
    return is_right;
  }
};

nen::listen_options make_options(random& chance) {
  nen::listen_options made;
  const auto some = [&](std::chrono::milliseconds usual) {
    return chance.chance(700) ? usual : std::chrono::milliseconds(chance.between(1, 2000));
  };
  made.write_timeout = some(made.write_timeout);
  made.idle_timeout = some(made.idle_timeout);
  made.linger_timeout = some(made.linger_timeout);
  made.drain_timeout = some(made.drain_timeout);
  made.overload = chance.chance(500) ? nen::overload::wait : nen::overload::shed;
  return made;
}

/// One world, from its beginning to its end. @returns  false when an echo was not exact
template <class Session>
bool play(std::uint64_t seed) {
  random chance(seed);
  const auto faults = make_faults(chance);
  const auto options = make_options(chance);
  nen::testing::simulated_tcp_server<Session, tiny, chance_of_world> server(chance.next(), faults,
                                                                            options);
  server.template state<chance_of_world>().chance = random(chance.next());
  if (chance.chance(500)) server.network().window = chance.between(1, 4096);
  std::deque<speaker> speakers;
  bool is_right = true;
  for (auto steps = chance.between(20, 150); steps != 0; --steps) {
    if (speakers.size() < 12 && chance.chance(200)) speakers.push_back({server.connect()});
    if (!speakers.empty()) {
      speaker& s = speakers[chance.below(speakers.size())];
      if (!s.is_gone) {
        switch (chance.below(12)) {
          case 0:
            s.client.finish();
            break;
          case 1:
            s.client.stop_reading();
            break;
          case 2:
          case 3:
            s.client.start_reading();
            break;
          case 4:
            s.is_gone = chance.chance(300);
            if (s.is_gone) chance.chance(500) ? s.client.close() : s.client.reset();
            break;
          default:
            s.speak(chance.between(1, chance.chance(100) ? 20'000 : 300));
        }
      }
    }
    chance.chance(500) ? server.settle()
                       : server.pass(chance.below(chance.chance(50) ? 90'000 : 90));
    for (auto& s : speakers) is_right = is_right && s.listens();
  }
  chance.chance(800) ? server.stop() : server.abort();
  server.run_to_end();
  for (auto& s : speakers) is_right = is_right && s.listens();
  const auto& counters = server.counters();
  std::uint64_t ends = 0;
  for (std::size_t i = 1; i <= nen::tcp::close_reasons; ++i)
    ends += counters.closes[static_cast<reason>(i)].value();
  is_right = is_right && ends == counters.connections_closed.value();
  nen::testing::check_nothing_held(server.inside());
  return is_right;
}

struct counted_echo : nen::test::echo_session {
  void on_open(peer&, chance_of_world& w) { ++w.opened; }
};

template <class Session>
void play_all() {
  const auto only = setting("NEN_SEED", 0);
  const auto worlds = only != 0 ? only : setting("NEN_SEEDS", 400);
  for (std::uint64_t seed = only != 0 ? only : 1; seed <= worlds; ++seed) {
    INFO("NEN_SEED=" << seed);
    REQUIRE(play<Session>(seed));
  }
}

}  // namespace

TEST_CASE("sim: an echo is exact and everything comes back free in every world of raw TCP",
          "[sim]") {
  play_all<counted_echo>();
}

TEST_CASE("sim: sessions that do as they like are told of their ends in every world of raw TCP",
          "[sim]") {
  play_all<moody_echo>();
}

TEST_CASE("sim: each operation of an echo fails in turn", "[sim]") {
  for (const int errno_value : {ECONNRESET, ENOBUFS, EPIPE, ECANCELED, EINTR}) {
    for (std::uint64_t at = 1; at < 80; ++at) {
      CAPTURE(at, errno_value);
      nen::testing::simulated_tcp_server<nen::test::scripted_session, nen::test::small_tcp,
                                         nen::test::script>
          server(1, {}, {}, {at, errno_value});
      auto& script = server.state<nen::test::script>();
      script.data = [](peer& me, std::string_view bytes) {
        if (bytes == "finish") me.finish();
        if (bytes == "abort") me.abort();
        return me.is_open() ? me.send(bytes) : bytes.size();
      };
      for (const std::string_view last : {"close", "finish", "abort", "pause"}) {
        auto c = server.connect();
        server.settle();
        c.send("hello");
        server.settle();
        if (last == "pause" && !script.peers.empty()) script.peers.back().pause();
        c.send(last);
        server.settle();
        c.finish();
        server.pass(100);
        if (last == "pause" && !script.peers.empty()) script.peers.back().resume();
        server.pass(100);
      }
      server.stop();
      server.run_to_end();
      CHECK(server.is_over());
      nen::testing::check_nothing_held(server.inside());
    }
  }
}
