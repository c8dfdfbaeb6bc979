// The log-linear histogram: against exact sorted samples, over the whole range, merged, and read
// while another thread records.
#include <nen/metrics/histogram.hpp>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <memory>
#include <random>
#include <thread>
#include <type_traits>
#include <vector>

#include "support/catch.hpp"

using buckets = nen::histogram_buckets;

namespace {

std::unique_ptr<nen::histogram> empty_histogram() { return std::make_unique<nen::histogram>(); }

std::uint64_t exact_percentile(const std::vector<std::uint64_t>& sorted, double q) {
  const double rank = std::ceil(q * static_cast<double>(sorted.size()));
  const auto index = static_cast<std::size_t>(std::max(rank, 1.0)) - 1;
  return sorted[std::min(index, sorted.size() - 1)];
}

bool within_one_percent(std::uint64_t got, std::uint64_t exact) {
  const auto difference = static_cast<double>(got > exact ? got - exact : exact - got);
  return difference <= 0.01 * static_cast<double>(exact);
}

}  // namespace

TEST_CASE("a histogram can lie in .bss: it is trivial and zero is empty") {
  static_assert(std::is_trivially_default_constructible_v<nen::histogram>);
  static_assert(std::is_trivially_destructible_v<nen::histogram>);
  static nen::histogram from_bss;
  CHECK(from_bss.count() == 0);
  CHECK(from_bss.sum() == 0);
  CHECK(from_bss.clamped() == 0);
  nen::histogram_snapshot taken;
  taken.add(from_bss);
  CHECK(taken.count() == 0);
  CHECK(taken.percentile(0.5) == 0);
}

TEST_CASE("buckets follow each other without a gap from zero to the greatest value") {
  CHECK(buckets::lowest(0) == 0);
  for (std::size_t i = 0; i + 1 < buckets::count; ++i) {
    if (buckets::highest(i) + 1 != buckets::lowest(i + 1)) FAIL("a gap behind bucket " << i);
  }
  CHECK(buckets::highest(buckets::count - 1) == buckets::value_max);
  CHECK(buckets::value_max >= 100'000'000'000);  // 100 s
}

TEST_CASE("every bucket is found by its first, its middle and its last value") {
  for (std::size_t i = 0; i < buckets::count; ++i) {
    const bool found = buckets::index_of(buckets::lowest(i)) == i &&
                       buckets::index_of(buckets::middle(i)) == i &&
                       buckets::index_of(buckets::highest(i)) == i;
    CAPTURE(i);
    CHECK(found);
  }
}

TEST_CASE("no value is further than 1 % from the middle of its bucket") {
  for (std::size_t i = 1; i < buckets::count; ++i) {
    const bool close = within_one_percent(buckets::middle(i), buckets::lowest(i)) &&
                       within_one_percent(buckets::middle(i), buckets::highest(i));
    CAPTURE(i);
    CHECK(close);
  }
}

TEST_CASE("percentiles are within 1 % of those of the sorted samples, from 1 ns to 130 s") {
  std::mt19937_64 random{20'260'101};
  const auto uniform_exponent = [&] {
    return std::uniform_real_distribution<double>(0.0, std::log(1.3e11))(random);
  };
  const auto lognormal = [&] { return std::lognormal_distribution<double>(11.0, 1.5)(random); };
  for (const bool heavy_tail : {false, true}) {
    const auto seen = empty_histogram();
    std::vector<std::uint64_t> samples;
    std::uint64_t sum = 0;
    for (int i = 0; i < 50'000; ++i) {
      const double value = heavy_tail ? lognormal() : std::exp(uniform_exponent());
      samples.push_back(static_cast<std::uint64_t>(value));
      seen->record(samples.back());
      sum += samples.back();
    }
    std::sort(samples.begin(), samples.end());
    nen::histogram_snapshot taken;
    taken.add(*seen);
    CHECK(taken.count() == samples.size());
    CHECK(taken.sum() == sum);
    const nen::histogram* const one[] = {seen.get()};
    for (const double q : {0.0, 0.001, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999, 0.9999, 1.0}) {
      INFO("q = " << q << ", exact " << exact_percentile(samples, q));
      CHECK(within_one_percent(taken.percentile(q), exact_percentile(samples, q)));
      CHECK(nen::percentile(one, q) == taken.percentile(q));
    }
  }
}

TEST_CASE("a percentile outside of 0 to 1 is that of the nearer end") {
  const auto seen = empty_histogram();
  seen->record(3);
  seen->record(100);
  nen::histogram_snapshot taken;
  taken.add(*seen);
  CHECK(taken.percentile(-1) == 3);
  CHECK(taken.percentile(std::nan("")) == 3);
  CHECK(taken.percentile(0.5) == 3);
  CHECK(taken.percentile(0.51) == 100);
  CHECK(taken.percentile(7) == 100);
}

TEST_CASE("a value beyond the range lands in the last bucket and is counted as clamped") {
  const auto seen = empty_histogram();
  seen->record(buckets::value_max);
  CHECK(seen->clamped() == 0);
  seen->record(buckets::value_max + 1);
  seen->record(std::uint64_t{1} << 63, 2);
  CHECK(seen->clamped() == 3);
  CHECK(seen->bucket(buckets::count - 1) == 4);
  CHECK(seen->count() == 4);
}

TEST_CASE("a value may be recorded many times at once") {
  const auto seen = empty_histogram();
  seen->record(0, 2);
  seen->record(1'000, 5);
  CHECK(seen->count() == 7);
  CHECK(seen->sum() == 5'000);
  CHECK(seen->bucket(0) == 2);
  CHECK(seen->bucket(buckets::index_of(1'000)) == 5);
}

TEST_CASE("merged histograms hold what one would hold that saw everything") {
  std::mt19937_64 random{7};
  const auto all = empty_histogram();
  const auto first = empty_histogram();
  const auto second = empty_histogram();
  for (int i = 0; i < 10'000; ++i) {
    const std::uint64_t value = random() >> (random() % 64);
    all->record(value);
    (i % 3 == 0 ? first : second)->record(value);
  }
  nen::histogram_snapshot whole;
  whole.add(*all);
  nen::histogram_snapshot merged;
  merged.add(*first);
  nen::histogram_snapshot other;
  other.add(*second);
  merged.add(other);
  CHECK(merged.count() == whole.count());
  CHECK(merged.sum() == whole.sum());
  CHECK(merged.clamped() == whole.clamped());
  CHECK(whole.clamped() > 0);
  bool equal = true;
  for (std::size_t i = 0; i < buckets::count; ++i) equal &= merged.bucket(i) == whole.bucket(i);
  CHECK(equal);
  const nen::histogram* const both[] = {first.get(), second.get()};
  for (const double q : {0.0, 0.3, 0.99, 1.0}) {
    CHECK(nen::percentile(both, q) == whole.percentile(q));
  }
}

TEST_CASE("only buckets that hold something are walked, from the least on") {
  const auto seen = empty_histogram();
  seen->record(130, 4);
  seen->record(5);
  nen::histogram_snapshot taken;
  taken.add(*seen);
  std::vector<std::array<std::uint64_t, 3>> walked;
  taken.for_each_bucket([&](std::uint64_t lowest, std::uint64_t highest, std::uint64_t count) {
    walked.push_back({lowest, highest, count});
  });
  REQUIRE(walked.size() == 2);
  CHECK(walked[0] == std::array<std::uint64_t, 3>{5, 5, 1});
  CHECK(walked[1] == std::array<std::uint64_t, 3>{130, 131, 4});
}

TEST_CASE("a reader on another thread sees counts that only grow, and in the end all of them") {
  const auto seen = empty_histogram();
  constexpr std::uint64_t total = 300'000;
  std::atomic<bool> done{false};
  std::thread writer([&] {
    for (std::uint64_t i = 0; i < total; ++i) seen->record(i);
    done = true;
  });
  std::uint64_t last = 0;
  bool grows = true;
  while (!done) {
    nen::histogram_snapshot taken;
    taken.add(*seen);
    grows &= taken.count() >= last;
    last = taken.count();
  }
  writer.join();
  CHECK(grows);
  nen::histogram_snapshot taken;
  taken.add(*seen);
  CHECK(taken.count() == total);
  CHECK(seen->count() == total);
  CHECK(taken.sum() == total * (total - 1) / 2);
}

TEST_CASE("several threads lose nothing when they record into a shared histogram") {
  const auto seen = empty_histogram();
  constexpr std::uint64_t each = 100'000;
  std::vector<std::thread> writers;
  for (int i = 0; i < 3; ++i) {
    writers.emplace_back([&] {
      for (std::uint64_t n = 0; n < each; ++n) seen->record_shared(1'000);
    });
  }
  for (std::thread& writer : writers) writer.join();
  CHECK(seen->count() == 3 * each);
  CHECK(seen->bucket(buckets::index_of(1'000)) == 3 * each);
  CHECK(seen->sum() == 3'000 * each);
}
