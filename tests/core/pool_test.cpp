// pool: hand-out order, exhaustion, misuse, its size, and a random walk against a set.
#include <nen/core/pool.hpp>

#include <cstring>
#include <memory>
#include <random>
#include <set>
#include <vector>

#include "support/catch.hpp"
#include "support/death.hpp"

using nen::test::dies;

namespace {

struct slot {
  std::uint64_t value;
  char rest[40];
};

template <class T, std::uint32_t N>
bool all_zero(const nen::pool<T, N>& p) {
  unsigned char bytes[sizeof(p)];
  std::memcpy(bytes, static_cast<const void*>(&p), sizeof(p));
  for (const unsigned char b : bytes) {
    if (b != 0) {
      return false;
    }
  }
  return true;
}

}  // namespace

TEST_CASE("a pool's initial state is all zero and its constructor does nothing", "[pool]") {
  STATIC_REQUIRE(std::is_trivially_default_constructible_v<nen::pool<slot, 8>>);
  STATIC_REQUIRE(std::is_trivially_destructible_v<nen::pool<slot, 8>>);
  static nen::pool<slot, 8> in_bss;
  CHECK(all_zero(in_bss));
  CHECK(in_bss.in_use() == 0);
  CHECK(in_bss.available() == 8);
  CHECK(in_bss.high_water() == 0);
  for (std::uint32_t i = 0; i < 8; ++i) {
    CHECK_FALSE(in_bss.is_held(i));
  }
}

TEST_CASE("never-used slots are handed out in order until none is left", "[pool]") {
  nen::pool<slot, 4> p{};
  for (std::uint32_t i = 0; i < 4; ++i) {
    CHECK_FALSE(p.full());
    CHECK(p.try_acquire() == i);
    CHECK(p.is_held(i));
    CHECK(p.in_use() == i + 1);
    CHECK(p.available() == 3 - i);
  }
  CHECK(p.full());
  CHECK(p.try_acquire() == p.none);
  CHECK(p.try_acquire() == p.none);
  CHECK(p.in_use() == 4);
  CHECK(p.consistent());
}

TEST_CASE("a freed slot is the next one, before any never-used one", "[pool]") {
  nen::pool<slot, 8> p{};
  for (int i = 0; i < 4; ++i) {
    static_cast<void>(p.try_acquire());
  }
  p.release(1);
  p.release(3);
  p.release(0);
  CHECK(p.in_use() == 1);
  CHECK(p.try_acquire() == 0);
  CHECK(p.try_acquire() == 3);
  CHECK(p.try_acquire() == 1);
  CHECK(p.high_water() == 4);
  CHECK(p.try_acquire() == 4);
  CHECK(p.high_water() == 5);
}

TEST_CASE("a pool of one slot works", "[pool]") {
  nen::pool<char, 1> p{};
  for (int i = 0; i < 3; ++i) {
    CHECK(p.try_acquire() == 0);
    CHECK(p.try_acquire() == p.none);
    p.release(0);
  }
  CHECK(p.high_water() == 1);
}

TEST_CASE("the high water is the most that were held at once", "[pool]") {
  nen::pool<slot, 8> p{};
  for (int round = 0; round < 10; ++round) {
    const auto a = p.try_acquire();
    const auto b = p.try_acquire();
    p.release(a);
    p.release(b);
  }
  CHECK(p.in_use() == 0);
  CHECK(p.high_water() == 2);
}

TEST_CASE("a slot keeps its bytes when it is released and acquired again", "[pool]") {
  nen::pool<slot, 2> p{};
  const auto i = p.try_acquire();
  CHECK(p[i].value == 0);
  p[i].value = 42;  // A generation, for example.
  p.release(i);
  CHECK(p[i].value == 42);
  REQUIRE(p.try_acquire() == i);
  CHECK(p[i].value == 42);
}

TEST_CASE("the index of a slot is found by its address", "[pool]") {
  nen::pool<slot, 5> p{};
  const auto& constant = p;
  for (std::uint32_t i = 0; i < 5; ++i) {
    CHECK(p.index_of(p[i]) == i);
    CHECK(&constant[i] == &p[i]);
  }
}

TEST_CASE("indices out of range are not held", "[pool]") {
  nen::pool<slot, 2> p{};
  static_cast<void>(p.try_acquire());
  CHECK_FALSE(p.is_held(1));
  CHECK_FALSE(p.is_held(2));
  CHECK_FALSE(p.is_held(p.none));
}

TEST_CASE("the memory of a pool is its slots and less than 5 % for the books", "[pool]") {
  using big = nen::pool<char[256], 1000>;
  STATIC_REQUIRE(big::capacity() == 1000);
  STATIC_REQUIRE(big::slot_bytes() == 256'000);
  STATIC_REQUIRE(big::slot_bytes() + big::bookkeeping_bytes() == sizeof(big));
  STATIC_REQUIRE(big::bookkeeping_bytes() * 20 < sizeof(big));
}

TEST_CASE("misuse of a pool stops the program", "[pool]") {
  nen::pool<slot, 4> p{};
  const auto held = p.try_acquire();
  const auto freed = p.try_acquire();
  p.release(freed);
  slot elsewhere{};
  CHECK(dies([&] { p.release(freed); }).aborted);
  CHECK(dies([&] { p.release(3); }).aborted);
  CHECK(dies([&] { p.release(4); }).aborted);
  CHECK(dies([&] { p.release(p.none); }).aborted);
  CHECK(dies([&] { p[4].value = 1; }).aborted);
  CHECK(dies([&] { static_cast<void>(p.index_of(elsewhere)); }).aborted);
  CHECK(dies([&] {
          p.release(held);
          p.release(held);
        }).aborted);
}

TEST_CASE("a random walk never hands out a held slot and never loses one", "[pool]") {
  constexpr std::uint32_t capacity = 50;
  static nen::pool<slot, capacity> p;
  std::mt19937 random(7);
  std::vector<std::uint32_t> held;
  std::set<std::uint32_t> model;
  std::size_t most = 0;
  for (int step = 0; step < 50'000; ++step) {
    // The drift changes, so that the pool runs full and empty many times.
    const bool acquire = random() % 100 < (step / 500 % 2 == 0 ? 70U : 30U);
    if (acquire) {
      const auto i = p.try_acquire();
      if (model.size() == capacity) {
        REQUIRE(i == p.none);
      } else {
        REQUIRE(i < capacity);
        REQUIRE(model.insert(i).second);
        held.push_back(i);
      }
    } else if (!held.empty()) {
      std::swap(held[random() % held.size()], held.back());
      p.release(held.back());
      model.erase(held.back());
      held.pop_back();
    }
    most = std::max(most, model.size());
    REQUIRE(p.in_use() == model.size());
    REQUIRE(p.available() == capacity - model.size());
    REQUIRE(p.high_water() == most);
    REQUIRE(p.consistent());
  }
  REQUIRE(most == capacity);
}
