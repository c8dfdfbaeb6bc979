// The memory bill: what a server costs is known when it is compiled, and hardly any of it is for
// the library's own use.
#include "support/catch.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <nen/nen.hpp>
#include <set>
#include <string>
#include <string_view>

namespace {

nen::reply hello(nen::response& res) { return res.text("Hello, World!"); }

struct app {
  std::uint32_t hits[16'384];
};
nen::reply count(app& a, nen::response& res) { return res.json(++a.hits[0]); }

using routes = nen::router<nen::get<"/", hello>>;
using routes_with_state = nen::router<nen::get<"/", count>>;

using default_server = nen::server<routes>;
using big_server = nen::server<routes, nen::config{.connections = 10'000}>;
using sharded_server = nen::server<routes, nen::config{.shards = 4}>;
using small_server = nen::server<routes, nen::config{.connections = 1,
                                                     .receive_buffers = 1,
                                                     .receive_buffer_bytes = 512,
                                                     .send_slots = 8,
                                                     .send_slot_bytes = 1024,
                                                     .response_bytes_max = 1024,
                                                     .head_slots = 1,
                                                     .head_bytes_max = 512,
                                                     .fields_max = 8,
                                                     .target_bytes_max = 256,
                                                     .body_slots = 1,
                                                     .body_bytes_max = 512}>;
using state_server = nen::server<routes_with_state, nen::config{}, app>;

// The bill is a constant, so that an application can have its budget checked by the compiler.
static_assert(default_server::memory().total == sizeof(default_server));
static_assert(sizeof(default_server) <= 16 * nen::MiB);
static_assert(default_server::memory().bookkeeping() * 20 < sizeof(default_server));

constexpr std::size_t connection_bytes = sizeof(default_server::shard::connection);
static_assert(connection_bytes <= 256, "an idle connection must not cost more than 256 bytes");

constexpr nen::memory_bill bills[] = {
    default_server::memory(), big_server::memory(),   sharded_server::memory(),
    small_server::memory(),   state_server::memory(),
};

void print(const char* title, const nen::memory_bill& bill) {
  std::printf("%s: %zu bytes\n", title, bill.total);
  for (const nen::memory_item& item : bill.items)
    std::printf("  %-18.*s %6zu %10zu %6.2f %%\n", static_cast<int>(item.name.size()),
                item.name.data(), item.count, item.bytes,
                100.0 * static_cast<double>(item.bytes) / static_cast<double>(bill.total));
}

std::size_t bytes_of(const nen::memory_bill& bill, std::string_view name) {
  for (const nen::memory_item& item : bill.items)
    if (item.name == name) return item.bytes;
  FAIL("the bill has no item " << name);
  return 0;
}

}  // namespace

TEST_CASE("The items of the memory bill add up to sizeof(server)") {
  const std::size_t sizes[] = {sizeof(default_server), sizeof(big_server), sizeof(sharded_server),
                               sizeof(small_server), sizeof(state_server)};
  static_assert(std::size(sizes) == std::size(bills));
  for (std::size_t i = 0; i < std::size(bills); ++i) {
    CAPTURE(i);
    std::size_t sum = 0;
    std::set<std::string_view> names;
    for (const nen::memory_item& item : bills[i].items) {
      sum += item.bytes;
      names.insert(item.name);
      CHECK(item.bytes <= bills[i].total);  // the rest is a difference, and must not wrap
      CHECK_FALSE(item.name.empty());
    }
    CHECK(sum == sizes[i]);
    CHECK(bills[i].total == sizes[i]);
    CHECK(names.size() == bills[i].items.size());
  }
}

TEST_CASE("Bookkeeping is less than 5 % of a server of the default sizes") {
  print("default", default_server::memory());
  for (const nen::memory_bill& bill :
       {default_server::memory(), sharded_server::memory(), state_server::memory()}) {
    const double share =
        100.0 * static_cast<double>(bill.bookkeeping()) / static_cast<double>(bill.total);
    CAPTURE(share);
    CHECK(bill.bookkeeping() > 0);
    CHECK(share < 5.0);
  }
}

TEST_CASE("The bill names what the configuration asks for") {
  constexpr nen::config sizes{};
  constexpr nen::memory_bill bill = default_server::memory();
  CHECK(bytes_of(bill, "receive buffers") == sizes.receive_buffers * sizes.receive_buffer_bytes);
  CHECK(bytes_of(bill, "send slots") == sizes.send_slots * sizes.send_slot_bytes);
  CHECK(bytes_of(bill, "head slots") == sizes.head_slots * sizes.head_bytes_max);
  CHECK(bytes_of(bill, "body slots") == sizes.body_slots * sizes.body_bytes_max);
  CHECK(bytes_of(bill, "connections") ==
        (sizes.connections + default_server::shard::shed_slots) * connection_bytes);
  CHECK(bytes_of(bill, "application state") == 0);
  CHECK(bytes_of(state_server::memory(), "application state") == sizeof(app));
  // The object ends at a multiple of its alignment, which may have room for a part of the state.
  CHECK(state_server::memory().total + alignof(state_server) >=
        sizeof(default_server) + sizeof(app));
}

TEST_CASE("Four shards cost four times as much as one") {
  for (std::size_t i = 0; i + 1 < bills[0].items.size(); ++i) {
    CAPTURE(bills[0].items[i].name);
    CHECK(sharded_server::memory().items[i].bytes == 4 * bills[0].items[i].bytes);
    CHECK(sharded_server::memory().items[i].count == 4 * bills[0].items[i].count);
  }
}

TEST_CASE("A connection that is idle owns its slot, of at most 256 bytes, and nothing else") {
  std::printf("connection slot: %zu bytes; 100,000 idle: %.1f MB\n", connection_bytes,
              static_cast<double>(connection_bytes) * 0.1);
  CHECK(connection_bytes <= 256);
  // What 8,976 more connections cost beside their slots: the pool's link of 4 bytes, and alignment.
  constexpr std::size_t more = 10'000 - 1024;
  const std::size_t cost = sizeof(big_server) - sizeof(default_server);
  const double each = static_cast<double>(cost) / static_cast<double>(more);
  std::printf("one more connection: %.2f bytes\n", each);
  constexpr double padding = static_cast<double>(alignof(big_server)) / static_cast<double>(more);
  CHECK(each >= static_cast<double>(connection_bytes));
  CHECK(each <= static_cast<double>(connection_bytes) + 4.0 + padding);
  CHECK(each <= 256);
}

TEST_CASE("Memory is zero until a server starts") {
  static small_server server;
  const auto* const bytes = reinterpret_cast<const unsigned char*>(&server);
  std::size_t others = 0;
  for (std::size_t i = 0; i < sizeof server; ++i) others += bytes[i] != 0;
  CHECK(others == 0);
}

TEST_CASE("The README says what a server really takes") {
  const char* const source = std::getenv("NEN_SOURCE_DIR");
  REQUIRE(source != nullptr);  // ctest sets it
  std::ifstream file(std::string(source) + "/README.md");
  const std::string readme{std::istreambuf_iterator<char>(file), {}};
  std::string size = std::to_string(sizeof(default_server));
  for (auto i = static_cast<std::ptrdiff_t>(size.size()) - 3; i > 0; i -= 3)
    size.insert(static_cast<std::size_t>(i), ",");
  CHECK_THAT(readme, nen::test::ContainsSubstring("`sizeof(server)` is " + size + " bytes"));
  CHECK_THAT(readme, nen::test::ContainsSubstring(
                         "a slot of " + std::to_string(sizeof(default_server::shard::connection)) +
                         " bytes"));
}
