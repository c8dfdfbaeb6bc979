// What tests of coroutines on simulated servers share: a witness of their end, bytes to send, and
// the worst days that a server can have, after which everything must have come back.
#pragma once

#include <nen/config.hpp>
#include <nen/io/completion.hpp>
#include <nen/testing/faults.hpp>
#include <nen/testing/simulated_shard.hpp>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/catch.hpp"

namespace nen::test {

/// Lies in a coroutine's frame and counts its end, whatever that was.
struct witness {
  int& destroyed;
  ~witness() { ++destroyed; }
};

/// Letters in an order in which no stretch is like its neighbours.
inline const std::string& letters() {
  static const std::string made = [] {
    std::string all;
    for (std::size_t i = 0; i < 300'000; ++i)
      all += static_cast<char>('a' + (i * i + i / 26 + i / 676) % 26);
    return all;
  }();
  return made;
}

inline std::string get(std::string_view path) {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: x\r\n\r\n";
}
inline bool says(const std::string& answer, std::string_view body) {
  return answer.ends_with("\r\n\r\n" + std::string(body));
}

/// For servers that are expected to meet exceptions.
inline constexpr listen_options quiet = {.on_exception = [](const request&, const char*) {}};

/// Nothing of what the server's session has is in use.
template <class Server>
void check_all_back(Server& s) {
  const auto& session = std::as_const(s.inside().session());
  CHECK(session.frames().in_use() == 0);
  CHECK(session.spawned().in_use() == 0);
  CHECK(session.streams().in_use() == 0);
  CHECK(session.polls().in_use() == 0);
  CHECK(session.operations() == 0);
  if constexpr (requires { session.inner().tasks(); }) CHECK(session.inner().tasks().in_use() == 0);
  if constexpr (requires { session.head_slots(); }) {
    CHECK(session.head_slots().in_use() == 0);
    CHECK(session.body_slots().in_use() == 0);
    CHECK(session.stream_slots().in_use() == 0);
  }
  if constexpr (requires { session.websockets(); }) {
    CHECK(session.websockets().in_use() == 0);
    CHECK(session.messages().in_use() == 0);
    CHECK(session.control_rooms().in_use() == 0);
  }
}

/// Runs a server to its end with so many seeds: everything goes wrong that can, and clients stop
/// reading, leave and come back.
/// @param act  act(server, client): what one client does first
/// @param at_the_end  at_the_end(server): looks at what else must be true then
template <class Server>
void live_through_bad_days(std::uint64_t seeds, auto act, auto at_the_end) {
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    INFO("seed " << seed);
    Server s(seed, testing::faults::bad_day(), quiet);
    auto& chance = s.network().chance;
    s.network().window = chance.between(100, 20'000);
    std::vector<testing::simulated_client> clients;
    for (int i = 0; i < 15; ++i) {
      clients.push_back(s.connect());
      if (chance.chance(300)) clients.back().stop_reading();
      act(s, clients.back());
      s.pass(chance.below(i % 2 == 0 ? 5 : 20));
      auto& other = clients[chance.below(clients.size())];
      if (chance.chance(200)) other.reset();
      if (chance.chance(150)) other.close();
      if (chance.chance(200)) other.finish();
      if (chance.chance(300)) other.start_reading();
    }
    chance.chance(700) ? s.stop() : s.abort();
    s.run_to_end();
    check_all_back(s);
    at_the_end(s);
  }
}
template <class Server>
void live_through_bad_days(std::uint64_t seeds, auto act) {
  live_through_bad_days<Server>(seeds, act, [](Server&) {});
}

/// Lives through the same day again and again; each time another operation fails.
/// @param day  day(failure) runs a server on which that happens, and gives its ring's history
/// @returns    the history of the day on which nothing fails
template <class Day>
auto fail_at_each_operation(Day day, std::initializer_list<int> problems) {
  const auto usual = day(testing::failure{});
  for (std::uint64_t at = 1; at <= usual.size(); ++at) {
    if (usual[at - 1] == operation::cancel) continue;  // one never fails
    for (const int problem : problems) {
      INFO("operation " << at << " fails with " << problem);
      (void)day(testing::failure{at, problem});
    }
  }
  return usual;
}

}  // namespace nen::test
