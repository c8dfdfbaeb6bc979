// A counter: what it adds up to, and that other threads may look on.
#include "support/catch.hpp"

#include <cstdint>
#include <limits>
#include <nen/metrics/counter.hpp>
#include <thread>
#include <type_traits>

TEST_CASE("A counter begins at zero and adds up") {
  nen::counter c{};
  CHECK(c.value() == 0);
  c.add();
  CHECK(c.value() == 1);
  c.add(41);
  CHECK(c.value() == 42);
  c.add(0);
  CHECK(c.value() == 42);
}

TEST_CASE("A counter holds 64 bits and wraps without harm") {
  nen::counter c{};
  c.add(std::numeric_limits<std::uint32_t>::max());
  c.add();
  CHECK(c.value() == std::uint64_t{1} << 32);
  c.add(std::numeric_limits<std::uint64_t>::max() - (std::uint64_t{1} << 32));
  CHECK(c.value() == std::numeric_limits<std::uint64_t>::max());
  c.add(2);
  CHECK(c.value() == 1);
}

TEST_CASE("Another thread sees a counter only grow, and its last value in the end") {
  static nen::counter c;
  constexpr std::uint64_t last = 200'000;
  bool only_grew = true;
  std::thread reader([&only_grew] {
    for (std::uint64_t seen = 0; seen != last;) {
      const std::uint64_t now = c.value();
      if (now < seen || now > last) only_grew = false;
      seen = now;
    }
  });
  for (std::uint64_t i = 0; i < last; ++i) c.add();
  reader.join();
  CHECK(only_grew);
  CHECK(c.value() == last);
}

TEST_CASE("A counter is eight bytes of zeroed memory") {
  STATIC_REQUIRE(sizeof(nen::counter) == 8);
  STATIC_REQUIRE(std::is_trivially_default_constructible_v<nen::counter>);
  STATIC_REQUIRE(std::is_trivially_destructible_v<nen::counter>);
}
