// The load generator's histogram: what it says of a value is at most 0.4 % too much.
#include "../../benchmarks/load/histogram.hpp"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "support/catch.hpp"

namespace {

TEST_CASE("A histogram's percentiles are exact up to 0.4 %, and never too low") {
  std::uint64_t state = 7;
  std::vector<std::uint64_t> values;
  load::histogram h;
  for (int i = 0; i < 100'000; ++i) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    values.push_back((state >> 33) >> (state % 31));  // of all magnitudes
    h.record(values.back());
  }
  std::sort(values.begin(), values.end());
  for (const double share : {0.0, 0.1, 0.5, 0.9, 0.99, 0.999, 0.9999, 1.0}) {
    const auto rank = static_cast<std::size_t>(std::ceil(share * 100'000));
    const auto exact = values[rank == 0 ? 0 : rank - 1];
    CAPTURE(share, exact);
    CHECK(h.percentile(share) >= exact);
    CHECK(static_cast<double>(h.percentile(share)) <= static_cast<double>(exact) * 1.004);
  }
  CHECK(h.count() == 100'000);
  CHECK(h.max() == values.back());
}

TEST_CASE("Each single value is found again, small ones exactly") {
  for (unsigned bit = 0; bit < 42; ++bit) {
    for (const std::uint64_t below : {std::uint64_t{0}, std::uint64_t{1}}) {
      const std::uint64_t value = (std::uint64_t{1} << bit) - below;
      load::histogram h;
      h.record(value);
      h.record(value + value / 2);  // so that the largest value does not bound the bucket's end
      const auto found = h.percentile(0.5);
      CAPTURE(value);
      CHECK(found >= value);
      CHECK(static_cast<double>(found - value) <= static_cast<double>(value) * 0.004);
      if (value < 512) CHECK(found == value);
    }
  }
}

TEST_CASE("Histograms of several threads add up") {
  load::histogram a;
  load::histogram b;
  for (std::uint64_t i = 1; i <= 100; ++i) (i <= 50 ? a : b).record(i);
  a.add(b);
  CHECK(a.count() == 100);
  CHECK(a.percentile(0.5) == 50);
  CHECK(a.percentile(0.99) == 99);
  CHECK(a.max() == 100);
  CHECK(a.mean() == 50.5);
}

TEST_CASE("What takes longer than an hour is counted, and an empty histogram says 0") {
  load::histogram h;
  CHECK(h.percentile(0.5) == 0);
  CHECK(h.mean() == 0.0);
  h.record(UINT64_MAX / 2);
  CHECK(h.count() == 1);
  CHECK(h.max() == UINT64_MAX / 2);
}

}  // namespace
