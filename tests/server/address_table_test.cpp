// Tests of server/address_table.hpp: what is remembered of clients, and for how long.
#include <nen/core/ip_text.hpp>
#include <nen/server/address_table.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "support/catch.hpp"

namespace {

using verdict = nen::client_verdict;

nen::client_address ip(std::string_view text) { return nen::parse_ip(text).value(); }
nen::client_address numbered(unsigned number) {
  return nen::client_address::ipv4(
      {10, 0, static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number & 0xff)});
}

/// A table with its counters, and a clock that is about to wrap.
template <std::uint32_t Slots>
struct world {
  explicit world(const nen::limit_options& options) { table->start(options, {1, 2}, counters); }

  verdict enter(const nen::client_address& who) {
    std::uint32_t slot = 0;
    const verdict said = table->enter(who, now, slot);
    CHECK((slot != 0) == (said == verdict::admitted && who.is_ip()));
    if (slot != 0) open[text(who)].push_back(slot);
    return said;
  }
  void leave(const nen::client_address& who) {
    auto& slots = open[text(who)];
    table->leave(slots.back(), now);
    slots.pop_back();
  }
  verdict ask(const nen::client_address& who) { return table->ask(who, now, wait_ms); }
  bool is_consistent() {
    std::uint64_t all = 0;
    for (const auto& [_, slots] : open) all += slots.size();
    return table->consistent(all);
  }
  static std::string text(const nen::client_address& who) {
    return std::string(who.to_text().view());
  }

  std::unique_ptr<nen::address_table<Slots>> table{new nen::address_table<Slots>()};
  nen::shard_counters counters{};
  nen::tick now = 0xffff'f000;
  std::uint32_t wait_ms = 0;
  std::map<std::string, std::vector<std::uint32_t>> open;
};

constexpr nen::tick day = 24 * 3'600'000;

}  // namespace

TEST_CASE("a client has as many connections at once as it may", "[address_table]") {
  world<16> w({.connections_per_client = 2});
  const auto one = ip("192.0.2.1");
  CHECK(w.enter(one) == verdict::admitted);
  CHECK(w.enter(one) == verdict::admitted);
  CHECK(w.enter(one) == verdict::too_many);
  CHECK(w.enter(ip("192.0.2.2")) == verdict::admitted);
  w.leave(one);
  CHECK(w.enter(one) == verdict::admitted);
  CHECK(w.enter(one) == verdict::too_many);
  CHECK(w.table->connections_of(one) == 2);
  CHECK(w.is_consistent());
}

TEST_CASE("an IPv6 client is its first 64 bits", "[address_table]") {
  world<16> w({.connections_per_client = 1});
  CHECK(w.enter(ip("2001:db8:0:1::1")) == verdict::admitted);
  CHECK(w.enter(ip("2001:db8:0:1:ffff::2")) == verdict::too_many);
  CHECK(w.enter(ip("2001:db8:0:2::1")) == verdict::admitted);
  // Neither is an IPv4 client one whose prefix has the same bits.
  CHECK(w.enter(ip("0:0:a00:1::1")) == verdict::admitted);
  CHECK(w.enter(ip("10.0.0.1")) == verdict::admitted);
  CHECK(w.is_consistent());
}

TEST_CASE("whoever has no IP address is not counted", "[address_table]") {
  world<4> w({.connections_per_client = 1, .requests_per_second = 1});
  nen::client_address local{};
  local.what = nen::client_address::kind::unix_socket;
  for (int i = 0; i < 10; ++i) {
    CHECK(w.enter(local) == verdict::admitted);
    CHECK(w.ask(local) == verdict::admitted);
    CHECK(w.table->ask(0, w.now, w.wait_ms) == verdict::admitted);
  }
  CHECK(w.table->slots().in_use() == 0);
}

TEST_CASE("requests have a rate and a burst, to the millisecond", "[address_table]") {
  world<4> w({.requests_per_second = 3, .request_burst = 5});
  const auto one = ip("192.0.2.1");
  for (int i = 0; i < 5; ++i) CHECK(w.ask(one) == verdict::admitted);
  CHECK(w.ask(one) == verdict::too_fast);
  CHECK(w.wait_ms == 334);
  CHECK(w.ask(ip("192.0.2.2")) == verdict::admitted);
  w.now += 333;
  CHECK(w.ask(one) == verdict::too_fast);
  CHECK(w.wait_ms == 1);
  w.now += 1;
  CHECK(w.ask(one) == verdict::admitted);
  CHECK(w.ask(one) == verdict::too_fast);
  w.now += 1000;  // 3.002 of them
  for (int i = 0; i < 3; ++i) CHECK(w.ask(one) == verdict::admitted);
  CHECK(w.ask(one) == verdict::too_fast);
  w.now += day;  // no more than the burst
  for (int i = 0; i < 5; ++i) CHECK(w.ask(one) == verdict::admitted);
  CHECK(w.ask(one) == verdict::too_fast);
}

TEST_CASE("a burst that is not given is a second's worth", "[address_table]") {
  world<4> w({.connections_per_second = 4, .requests_per_second = 2});
  const auto one = ip("192.0.2.1");
  for (int i = 0; i < 2; ++i) CHECK(w.ask(one) == verdict::admitted);
  CHECK(w.ask(one) == verdict::too_fast);
  const auto two = ip("192.0.2.2");
  for (int i = 0; i < 4; ++i) {
    CHECK(w.enter(two) == verdict::admitted);
    w.leave(two);
  }
  CHECK(w.enter(two) == verdict::too_fast);
  w.now += 250;
  CHECK(w.enter(two) == verdict::admitted);
}

TEST_CASE("a rate beyond what is counted is as good as none", "[address_table]") {
  world<4> w({.requests_per_second = 0xffff'ffff, .request_burst = 0xffff'ffff});
  for (int i = 0; i < 100'000; ++i) REQUIRE(w.ask(ip("192.0.2.1")) == verdict::admitted);
}

TEST_CASE("offences within their window put a client on the blacklist", "[address_table]") {
  world<8> w({.connections_per_client = 1,
              .requests_per_second = 1,
              .offences_max = 3,
              .offence_window = std::chrono::seconds(10),
              .blacklist_time = std::chrono::seconds(60)});
  const auto one = ip("192.0.2.1");
  REQUIRE(w.enter(one) == verdict::admitted);
  CHECK(w.enter(one) == verdict::too_many);  // an offence
  w.now += 10'000;                           // which is over
  CHECK(w.enter(one) == verdict::too_many);
  CHECK(w.ask(one) == verdict::admitted);
  CHECK(w.ask(one) == verdict::too_fast);
  CHECK_FALSE(w.table->is_blacklisted(one, w.now));
  w.now += 9'999;
  w.table->offend(w.open["192.0.2.1"].back(), w.now);
  CHECK(w.table->is_blacklisted(one, w.now));
  CHECK(w.counters.clients_blacklisted.value() == 1);
  CHECK(w.enter(one) == verdict::blacklisted);
  CHECK(w.ask(one) == verdict::blacklisted);
  CHECK(w.wait_ms == 60'000);
  CHECK(w.table->ask(w.open["192.0.2.1"].back(), w.now, w.wait_ms) == verdict::blacklisted);
  CHECK(w.enter(ip("192.0.2.2")) == verdict::admitted);
  w.leave(one);
  w.now += 59'999;
  CHECK(w.enter(one) == verdict::blacklisted);
  w.now += 1;
  CHECK(w.enter(one) == verdict::admitted);
  CHECK(w.counters.clients_blacklisted.value() == 1);
  CHECK(w.is_consistent());
}

TEST_CASE("a full table forgets whom it has not seen for longest, and counts it",
          "[address_table]") {
  world<4> w({.requests_per_second = 1});
  for (unsigned i = 0; i < 4; ++i) {
    CHECK(w.ask(numbered(i)) == verdict::admitted);
    ++w.now;
  }
  CHECK(w.ask(numbered(0)) == verdict::too_fast);  // seen again: 1 is the oldest now
  CHECK(w.counters.client_slots_evicted.value() == 0);
  CHECK(w.ask(numbered(4)) == verdict::admitted);
  CHECK(w.counters.client_slots_evicted.value() == 1);
  CHECK(w.ask(numbered(0)) == verdict::too_fast);
  CHECK(w.ask(numbered(2)) == verdict::too_fast);
  CHECK(w.ask(numbered(3)) == verdict::too_fast);
  CHECK(w.ask(numbered(1)) == verdict::admitted);  // as if it had never been there
  CHECK(w.counters.client_slots_evicted.value() == 2);
  CHECK(w.table->slots().in_use() == 4);
  CHECK(w.is_consistent());
}

TEST_CASE("a client with a connection keeps its place, whoever comes", "[address_table]") {
  world<4> w({.connections_per_client = 1});
  for (unsigned i = 0; i < 3; ++i) REQUIRE(w.enter(numbered(i)) == verdict::admitted);
  for (unsigned i = 100; i < 1100; ++i) CHECK(w.ask(numbered(i)) == verdict::admitted);
  for (unsigned i = 0; i < 3; ++i) {
    CHECK(w.table->connections_of(numbered(i)) == 1);
    CHECK(w.enter(numbered(i)) == verdict::too_many);
    w.leave(numbered(i));
  }
  CHECK(w.is_consistent());
}

TEST_CASE("whoever is on the blacklist is forgotten last", "[address_table]") {
  world<4> w({.requests_per_second = 1, .offences_max = 1});
  CHECK(w.ask(numbered(0)) == verdict::admitted);
  CHECK(w.ask(numbered(0)) == verdict::blacklisted);
  for (unsigned i = 100; i < 200; ++i) CHECK(w.ask(numbered(i)) == verdict::admitted);
  CHECK(w.ask(numbered(0)) == verdict::blacklisted);
  for (unsigned i = 200; i < 300; ++i) {  // until all are
    CHECK(w.ask(numbered(i)) == verdict::admitted);
    CHECK(w.ask(numbered(i)) == verdict::blacklisted);
  }
  CHECK(w.ask(numbered(0)) == verdict::admitted);
  CHECK(w.is_consistent());
}

TEST_CASE("clients of whom nothing is left to remember make room by themselves",
          "[address_table]") {
  world<64> w({.requests_per_second = 1, .offences_max = 10});
  for (unsigned i = 0; i < 1000; ++i) {
    CHECK(w.ask(numbered(i)) == verdict::admitted);
    w.now += 100;  // so that ten of them are in their last second
  }
  CHECK(w.table->slots().in_use() <= 12);
  CHECK(w.counters.client_slots_evicted.value() == 0);
  CHECK(w.is_consistent());
}

TEST_CASE("what is over does not come back when the clock wraps", "[address_table]") {
  for (const int days : {1, 24, 25, 26, 40, 49, 50, 60, 75}) {  // the clock wraps after 49.7
    INFO(days << " days");
    world<4> w(
        {.requests_per_second = 1, .offences_max = 2, .blacklist_time = std::chrono::minutes(1)});
    const auto one = ip("192.0.2.1");
    const auto two = ip("192.0.2.2");
    CHECK(w.ask(one) == verdict::admitted);
    CHECK(w.ask(one) == verdict::too_fast);
    CHECK(w.ask(one) == verdict::blacklisted);
    CHECK(w.enter(two) == verdict::admitted);  // and stays, silent
    w.table->offend(w.open["192.0.2.2"].back(), w.now);
    for (int i = 0; i < days; ++i) {
      w.now += day;
      w.table->sweep(w.now);
    }
    w.now += 49'000;
    CHECK(w.ask(one) == verdict::admitted);
    w.table->offend(w.open["192.0.2.2"].back(), w.now);  // the first one is long over
    CHECK_FALSE(w.table->is_blacklisted(two, w.now));
  }
}

TEST_CASE("the table agrees with one that forgets nothing", "[address_table]") {
  constexpr unsigned clients = 40;
  world<64> w({.connections_per_client = 3});  // room for all of them
  std::map<unsigned, unsigned> open;
  std::mt19937 chance(7);
  for (int i = 0; i < 20'000; ++i) {
    const unsigned who = static_cast<unsigned>(chance() % clients);
    w.now += static_cast<nen::tick>(chance() % 1000);
    switch (chance() % 3) {
      case 0:
        REQUIRE(w.enter(numbered(who)) == (open[who] < 3 ? verdict::admitted : verdict::too_many));
        if (open[who] < 3) ++open[who];
        break;
      case 1:
        if (open[who] == 0) break;
        w.leave(numbered(who));
        --open[who];
        break;
      case 2:
        REQUIRE(w.ask(numbered(static_cast<unsigned>(chance() % 1000))) == verdict::admitted);
        break;
    }
    if (i % 50 == 0) REQUIRE(w.is_consistent());
    REQUIRE(w.table->connections_of(numbered(who)) == open[who]);
  }
}
