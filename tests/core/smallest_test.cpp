#include <nen/core/smallest.hpp>

#include <cstddef>
#include <cstdint>

#include "support/catch.hpp"

using nen::detail::largest;
using nen::detail::smallest;

// Constants, because sizes of memory are computed by them.
static_assert(smallest(2, 3) == 2 && smallest(3, 2) == 2);
static_assert(largest(2, 3) == 3 && largest(3, 2) == 3);

TEST_CASE("the smallest and the largest of equal numbers are that number") {
  CHECK(smallest(7, 7) == 7);
  CHECK(largest(7, 7) == 7);
}

TEST_CASE("numbers below zero are smaller than zero") {
  CHECK(smallest(-1, 0) == -1);
  CHECK(largest(-1, 0) == 0);
  CHECK(smallest<std::int64_t>(-1, INT64_MAX) == -1);
}

TEST_CASE("the largest is found wherever it stands, and alone") {
  CHECK(largest(4) == 4);
  CHECK(largest(9, 1, 4) == 9);
  CHECK(largest(1, 9, 4) == 9);
  CHECK(largest(1, 4, 9) == 9);
  CHECK(largest(std::size_t{1}, sizeof(char), sizeof(std::uint64_t)) == 8);
}
