// Metrics as text: both formats to the byte, values without loss, and the same text in pieces of
// whatever size.
#include <nen/metrics/exposition.hpp>

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "support/catch.hpp"

using nen::exposition;
using nen::metric_kind;
using nen::metric_value;
using nen::metrics_format;

namespace {

std::string written(metric_value value) {
  char text[metric_value::bytes_max];
  return {text, value.write(text)};
}

/// All pieces of what `write(exposition&)` writes.
template <class F>
std::vector<std::string> pieces(metrics_format format, std::size_t size, F write) {
  std::vector<std::string> result;
  nen::exposition_position at;
  bool done = false;
  while (!done) {
    std::string room(size, '\0');
    exposition to(room, format, at);
    write(to);
    done = to.finish();
    at = to.next();
    if (to.blocked()) at = to.skip();
    if (result.size() > 100'000) FAIL("it does not end");
    result.emplace_back(to.text());
  }
  return result;
}

template <class F>
std::string whole(metrics_format format, F write) {
  const auto all = pieces(format, 1 << 20, write);
  CHECK(all.size() == 1);
  return all.front();
}

void write_some(exposition& to, const nen::histogram& waits) {
  if (to.family(metric_kind::counter, "shop_orders_total", "Orders placed.")) {
    to.sample({{"kind", "new"}, {"shard", "0"}}, metric_value::of(3));
    to.sample({{"kind", ""}}, metric_value::of(18'446'744'073'709'551'615U));
  }
  if (to.family(metric_kind::gauge, "shop_temperature", "Degrees.")) {
    to.sample({}, metric_value::signed_of(-12));
  }
  if (to.family(metric_kind::counter, "shop_cpu_seconds_total", "Time spent.")) {
    to.sample({}, metric_value::nanoseconds(1'500'000'000));
  }
  if (to.family(metric_kind::histogram, "shop_wait_seconds", "Time that customers wait.")) {
    const nen::histogram* const both[] = {&waits, &waits};
    to.histogram({{"till", "1"}}, both);
  }
  if (to.family(metric_kind::gauge, "shop_stock_bytes", "On disk.")) {
    to.sample({}, metric_value::signed_of(1));
  }
}

std::unique_ptr<nen::histogram> some_waits() {
  auto waits = std::make_unique<nen::histogram>();
  waits->record(1'000);           // exactly 1 us
  waits->record(700'000);         // 0.7 ms
  waits->record(20'000'000'000);  // 20 s
  return waits;
}

}  // namespace

TEST_CASE("values are written without loss") {
  CHECK(written(metric_value::of(0)) == "0");
  CHECK(written(metric_value::of(~std::uint64_t{0})) == "18446744073709551615");
  CHECK(written(metric_value::signed_of(-5)) == "-5");
  CHECK(written(metric_value::signed_of(std::numeric_limits<std::int64_t>::min())) ==
        "-9223372036854775808");
  CHECK(written(metric_value::nanoseconds(0)) == "0");
  CHECK(written(metric_value::nanoseconds(1)) == "0.000000001");
  CHECK(written(metric_value::nanoseconds(2'000'000'000)) == "2");
  CHECK(written(metric_value::nanoseconds(1'020'300'000)) == "1.0203");
  CHECK(written(metric_value::nanoseconds(~std::uint64_t{0})) == "18446744073.709551615");
  CHECK(written(metric_value::signed_nanoseconds(-1'500'000'000)) == "-1.5");
}

TEST_CASE("Prometheus' text has a header for each metric and a line for each series") {
  const auto waits = some_waits();
  const std::string text =
      whole(metrics_format::prometheus, [&](exposition& to) { write_some(to, *waits); });
  CHECK(text ==
        "# HELP shop_orders_total Orders placed.\n"
        "# TYPE shop_orders_total counter\n"
        "shop_orders_total{kind=\"new\",shard=\"0\"} 3\n"
        "shop_orders_total 18446744073709551615\n"
        "# HELP shop_temperature Degrees.\n"
        "# TYPE shop_temperature gauge\n"
        "shop_temperature -12\n"
        "# HELP shop_cpu_seconds_total Time spent.\n"
        "# TYPE shop_cpu_seconds_total counter\n"
        "shop_cpu_seconds_total 1.5\n"
        "# HELP shop_wait_seconds Time that customers wait.\n"
        "# TYPE shop_wait_seconds histogram\n"
        "shop_wait_seconds_bucket{till=\"1\",le=\"1e-06\"} 2\n"
        "shop_wait_seconds_bucket{till=\"1\",le=\"5e-06\"} 2\n"
        "shop_wait_seconds_bucket{till=\"1\",le=\"1e-05\"} 2\n"
        "shop_wait_seconds_bucket{till=\"1\",le=\"2.5e-05\"} 2\n"
        "shop_wait_seconds_bucket{till=\"1\",le=\"5e-05\"} 2\n"
        "shop_wait_seconds_bucket{till=\"1\",le=\"0.0001\"} 2\n"
        "shop_wait_seconds_bucket{till=\"1\",le=\"0.00025\"} 2\n"
        "shop_wait_seconds_bucket{till=\"1\",le=\"0.0005\"} 2\n"
        "shop_wait_seconds_bucket{till=\"1\",le=\"0.001\"} 4\n"
        "shop_wait_seconds_bucket{till=\"1\",le=\"0.0025\"} 4\n"
        "shop_wait_seconds_bucket{till=\"1\",le=\"0.005\"} 4\n"
        "shop_wait_seconds_bucket{till=\"1\",le=\"0.01\"} 4\n"
        "shop_wait_seconds_bucket{till=\"1\",le=\"0.025\"} 4\n"
        "shop_wait_seconds_bucket{till=\"1\",le=\"0.05\"} 4\n"
        "shop_wait_seconds_bucket{till=\"1\",le=\"0.1\"} 4\n"
        "shop_wait_seconds_bucket{till=\"1\",le=\"0.25\"} 4\n"
        "shop_wait_seconds_bucket{till=\"1\",le=\"0.5\"} 4\n"
        "shop_wait_seconds_bucket{till=\"1\",le=\"1.0\"} 4\n"
        "shop_wait_seconds_bucket{till=\"1\",le=\"2.5\"} 4\n"
        "shop_wait_seconds_bucket{till=\"1\",le=\"5.0\"} 4\n"
        "shop_wait_seconds_bucket{till=\"1\",le=\"10.0\"} 4\n"
        "shop_wait_seconds_bucket{till=\"1\",le=\"+Inf\"} 6\n"
        "shop_wait_seconds_sum{till=\"1\"} 40.001402\n"
        "shop_wait_seconds_count{till=\"1\"} 6\n"
        "# HELP shop_stock_bytes On disk.\n"
        "# TYPE shop_stock_bytes gauge\n"
        "shop_stock_bytes 1\n");
}

TEST_CASE("OpenMetrics names a counter without its suffix, says units, and has an end") {
  const auto waits = some_waits();
  const std::string text =
      whole(metrics_format::openmetrics, [&](exposition& to) { write_some(to, *waits); });
  using nen::test::ContainsSubstring;
  using nen::test::EndsWith;
  CHECK_THAT(text, ContainsSubstring("# HELP shop_orders Orders placed.\n"
                                     "# TYPE shop_orders counter\n"
                                     "shop_orders_total{kind=\"new\",shard=\"0\"} 3\n"));
  CHECK_THAT(text, ContainsSubstring("# TYPE shop_cpu_seconds counter\n"
                                     "# UNIT shop_cpu_seconds seconds\n"
                                     "shop_cpu_seconds_total 1.5\n"));
  CHECK_THAT(text, ContainsSubstring("# TYPE shop_wait_seconds histogram\n"
                                     "# UNIT shop_wait_seconds seconds\n"));
  CHECK_THAT(text, ContainsSubstring("# UNIT shop_stock_bytes bytes\n"));
  CHECK_THAT(text, EndsWith("\nshop_stock_bytes 1\n# EOF\n"));
}

TEST_CASE("what would end a label or a line is escaped") {
  const auto write = [](exposition& to) {
    if (to.family(metric_kind::gauge, "x", "a\\b\nc\"d"))
      to.sample({{"route", "/\"q\\\n\xc3\xa4"}}, metric_value::of(1));
  };
  CHECK(whole(metrics_format::prometheus, write) ==
        "# HELP x a\\\\b\\nc\"d\n# TYPE x gauge\nx{route=\"/\\\"q\\\\\\n\xc3\xa4\"} 1\n");
  CHECK(whole(metrics_format::openmetrics, write) ==
        "# HELP x a\\\\b\\nc\\\"d\n# TYPE x gauge\nx{route=\"/\\\"q\\\\\\n\xc3\xa4\"} 1\n# EOF\n");
}

TEST_CASE("pieces of any size that holds the longest unit are together the whole text") {
  const auto waits = some_waits();
  for (const auto format : {metrics_format::prometheus, metrics_format::openmetrics}) {
    const auto write = [&](exposition& to) { write_some(to, *waits); };
    const std::string text = whole(format, write);
    for (std::size_t size = 130; size < text.size() + 2; ++size) {
      std::string together;
      for (const std::string& piece : pieces(format, size, write)) {
        if (piece.empty() ? size < text.size() : piece.back() != '\n') FAIL("size " << size);
        together += piece;
      }
      if (together != text) FAIL("pieces of " << size << " bytes make " << together);
    }
  }
}

TEST_CASE("a line that no piece can hold is passed over, and the others are written") {
  const std::string name(300, 'x');
  const auto write = [&](exposition& to) {
    if (to.family(metric_kind::gauge, "g", "h")) {
      to.sample({{"a", "first"}}, metric_value::of(1));
      to.sample({{"a", name}}, metric_value::of(2));
      to.sample({{"a", "last"}}, metric_value::of(3));
    }
  };
  std::string together;
  for (const std::string& piece : pieces(metrics_format::prometheus, 100, write)) together += piece;
  CHECK(together == "# HELP g h\n# TYPE g gauge\ng{a=\"first\"} 1\ng{a=\"last\"} 3\n");
}

TEST_CASE("a histogram stays consistent when values are recorded between its pieces") {
  auto waits = std::make_unique<nen::histogram>();
  waits->record(600'000);
  std::vector<std::uint64_t> buckets;
  std::uint64_t count = 0;
  std::string together;
  for (const std::string& piece : pieces(metrics_format::prometheus, 170, [&](exposition& to) {
         if (to.family(metric_kind::histogram, "t_seconds", "h")) {
           const nen::histogram* const one[] = {waits.get()};
           to.histogram({}, one);
         }
         waits->record(2'000);  // below what was shown already
         waits->record(30'000'000'000);
       }))
    together += piece;
  for (std::size_t at = together.find("t_seconds_"); at != std::string::npos;
       at = together.find("t_seconds_", at + 1)) {
    const std::string line = together.substr(at, together.find('\n', at) - at);
    const auto number = std::stod(line.substr(line.rfind(' ')));
    if (line.find("bucket") != std::string::npos) {
      buckets.push_back(static_cast<std::uint64_t>(number));
    } else if (line.find("count") != std::string::npos) {
      count = static_cast<std::uint64_t>(number);
    }
  }
  REQUIRE(buckets.size() == 22);
  for (std::size_t i = 1; i < buckets.size(); ++i) CHECK(buckets[i - 1] <= buckets[i]);
  CHECK(buckets.front() == 0);
  CHECK(count == buckets.back());
  CHECK(count > 5);
}

TEST_CASE("a bound counts every value up to it, and none that is 1/64 above it") {
  auto waits = std::make_unique<nen::histogram>();
  for (const std::uint64_t bound : {1'000ULL, 25'000ULL, 1'000'000ULL, 10'000'000'000ULL}) {
    *waits = nen::histogram{};
    waits->record(bound);
    waits->record(bound - 1);
    waits->record(bound + bound / 64 + 1);
    const std::string text = whole(metrics_format::prometheus, [&](exposition& to) {
      if (to.family(metric_kind::histogram, "t_seconds", "h")) {
        const nen::histogram* const one[] = {waits.get()};
        to.histogram({}, one);
      }
    });
    INFO(bound << "\n" << text);
    const std::string le = bound == 1'000       ? "1e-06"
                           : bound == 25'000    ? "2.5e-05"
                           : bound == 1'000'000 ? "0.001"
                                                : "10.0";
    CHECK(text.find("le=\"" + le + "\"} 2\n") != std::string::npos);
  }
}

TEST_CASE("a histogram of something else than time has bounds that are powers of four") {
  auto sizes = std::make_unique<nen::histogram>();
  sizes->record(1'024);
  sizes->record(1'500, 2);
  const std::string text = whole(metrics_format::prometheus, [&](exposition& to) {
    if (to.family(metric_kind::histogram, "t_bytes", "h")) {
      const nen::histogram* const one[] = {sizes.get()};
      to.histogram({}, one);
    }
  });
  using nen::test::ContainsSubstring;
  CHECK_THAT(text, ContainsSubstring("t_bytes_bucket{le=\"256.0\"} 0\n"));
  CHECK_THAT(text, ContainsSubstring("t_bytes_bucket{le=\"1024.0\"} 1\n"));
  CHECK_THAT(text, ContainsSubstring("t_bytes_bucket{le=\"4096.0\"} 3\n"));
  CHECK_THAT(text, ContainsSubstring("t_bytes_sum 4024\nt_bytes_count 3\n"));
}
