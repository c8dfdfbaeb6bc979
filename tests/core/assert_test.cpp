// NEN_ASSERT: says where and what, and stops the process, in every build.
#include <nen/core/assert.hpp>

#include "support/catch.hpp"
#include "support/death.hpp"

using nen::test::dies;

TEST_CASE("a true assertion does nothing and evaluates its condition once", "[assert]") {
  int evaluated = 0;
  NEN_ASSERT(++evaluated == 1);
  CHECK(evaluated == 1);
}

TEST_CASE("a false assertion names file, line and condition and aborts", "[assert]") {
  int one = 1;
  const auto death = dies([&] {
#line 1000
    NEN_ASSERT(one == 2);
  });
  CHECK(death.aborted);
  CHECK_THAT(death.output,
             nen::test::EndsWith("assert_test.cpp:1000: assertion failed: one == 2\n"));
}

TEST_CASE("the condition of an assertion may contain commas and per cent signs", "[assert]") {
  const auto death = dies([] {
    const auto rest = [](int a, int b) { return a % b; };
    NEN_ASSERT(rest(7, 3) % 2 == 0);
  });
  CHECK(death.aborted);
  CHECK_THAT(death.output, nen::test::EndsWith("assertion failed: rest(7, 3) % 2 == 0\n"));
}

TEST_CASE("an assertion is an expression that a constant expression can hold", "[assert]") {
  constexpr auto checked = [](int value) { return NEN_ASSERT(value > 0), value; };
  STATIC_REQUIRE(checked(3) == 3);
}

TEST_CASE("a slow assertion is checked in debug builds and not evaluated otherwise", "[assert]") {
  int evaluated = 0;
  NEN_ASSERT_SLOW(++evaluated == 1);
#if !defined(NDEBUG) || defined(NEN_SLOW_ASSERTS)
  CHECK(evaluated == 1);
  CHECK(dies([] { NEN_ASSERT_SLOW(false); }).aborted);
#else
  CHECK(evaluated == 0);
  CHECK_FALSE(dies([] { NEN_ASSERT_SLOW(false); }).aborted);
#endif
}
