// small_callback: what it holds, that it is bytes, and what it refuses when it runs.
#include <nen/core/small_callback.hpp>

#include <array>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "support/catch.hpp"
#include "support/death.hpp"

namespace {

using callback = nen::small_callback<int(int)>;

int twice(int n) { return 2 * n; }

/// As much as fits, with the strictest alignment that is allowed.
struct alignas(alignof(std::max_align_t)) largest {
  std::array<unsigned char, callback::capture_bytes_max> bytes;
};

}  // namespace

TEST_CASE("a callback that is zero is empty", "[small_callback]") {
  callback zero{};
  CHECK(!zero);
  static callback in_bss;
  CHECK(!in_bss);
}

TEST_CASE("a callback calls what it was set to last", "[small_callback]") {
  callback c{};
  c.set([](int n) { return n + 1; });
  CHECK(c);
  CHECK(c(4) == 5);
  c.set(twice);
  CHECK(c(4) == 8);
  c.clear();
  CHECK(!c);
  c.set(&twice);
  CHECK(c(5) == 10);
}

TEST_CASE("a callback keeps its own copy of what was captured", "[small_callback]") {
  callback c{};
  int number = 7;
  c.set([number](int n) { return number + n; });
  number = 100;
  CHECK(c(1) == 8);
  c.set([&number](int n) { return number + n; });
  number = 200;
  CHECK(c(1) == 201);
}

TEST_CASE("what a callback captured may change from call to call", "[small_callback]") {
  callback c{};
  c.set([sum = 0](int n) mutable { return sum += n; });
  CHECK(c(2) == 2);
  CHECK(c(3) == 5);
  callback copy = c;  // goes its own way from here
  CHECK(copy(10) == 15);
  CHECK(c(1) == 6);
}

TEST_CASE("a callback is bytes that may lie anywhere", "[small_callback]") {
  STATIC_REQUIRE(std::is_trivially_copyable_v<callback>);
  STATIC_REQUIRE(std::is_trivially_default_constructible_v<callback>);
  STATIC_REQUIRE(std::is_trivially_destructible_v<callback>);
  callback from{};
  from.set([a = 1, b = 2](int n) { return 100 * a + 10 * b + n; });
  alignas(callback) unsigned char bytes[sizeof(callback)];
  std::memcpy(bytes, &from, sizeof bytes);
  from.clear();
  callback to{};
  std::memcpy(static_cast<void*>(&to), bytes, sizeof bytes);
  CHECK(to(3) == 123);
}

TEST_CASE("a callback holds 48 bytes at the strictest alignment", "[small_callback]") {
  STATIC_REQUIRE(callback::capture_bytes_max == 48);
  largest l{};
  for (std::size_t i = 0; i < l.bytes.size(); ++i) l.bytes[i] = static_cast<unsigned char>(i + 1);
  const auto sum = [l](int n) {
    int total = n;
    for (const unsigned char b : l.bytes) total += b;
    return reinterpret_cast<std::uintptr_t>(&l) % alignof(std::max_align_t) == 0 ? total : -1;
  };
  STATIC_REQUIRE(sizeof sum == 48);
  struct {
    char offset;
    callback c;
    unsigned char behind[8];
  } place{};
  std::memset(place.behind, 0x5a, sizeof place.behind);
  place.c.set(sum);
  CHECK(place.c(1000) == 1000 + 48 * 49 / 2);
  for (const unsigned char b : place.behind) CHECK(b == 0x5a);
}

TEST_CASE("references are handed through to what is called", "[small_callback]") {
  nen::small_callback<int&(int&, const int&)> c{};
  c.set([](int& a, const int& b) -> int& { return a += b; });
  int a = 1;
  const int b = 2;
  CHECK(&c(a, b) == &a);
  CHECK(a == 3);
}

TEST_CASE("calling an empty callback is a programmer's error", "[small_callback]") {
  const auto death = nen::test::dies([] {
    callback empty{};
    (void)empty(1);
  });
  CHECK(death.aborted);
  CHECK_THAT(death.output, nen::test::ContainsSubstring("assertion failed: call_ != nullptr"));
}
