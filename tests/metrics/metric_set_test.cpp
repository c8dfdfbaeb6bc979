// An application's own metrics: counted by shards in cells of their own and by other threads in a
// common one, added up when they are read, and shown with names and units.
#include <nen/metrics/metric_set.hpp>

#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include "support/catch.hpp"
#include "support/death.hpp"

namespace {

struct orders : nen::counter_metric<"shop_orders_total", "Orders placed."> {};
struct busy : nen::counter_metric<"shop_busy_seconds_total", "Time spent on orders."> {};
struct open_carts : nen::gauge_metric<"shop_open_carts", "Carts not paid for."> {};
struct lag : nen::gauge_metric<"shop_lag_seconds", "How late the shop is."> {};
struct waits : nen::histogram_metric<"shop_wait_seconds", "Time that customers wait."> {};

using set = nen::metric_set<2, orders, busy, open_carts, lag, waits>;

/// A server that has the set among its states, and another one.
struct stage {
  set metrics;
};
stage shop;
stage other;

/// What a server's shard does on its thread.
void serve(const stage& server, std::uint32_t shard) {
  nen::detail::this_shard = {&server, sizeof server, shard};
}

std::string text_of(const set& metrics) {
  std::string room(1 << 16, '\0');
  nen::exposition to(room, nen::metrics_format::prometheus, {});
  metrics.expose(to);
  CHECK(to.finish());
  return std::string(to.text());
}

}  // namespace

TEST_CASE("a metric set can be the state of a server: zero is empty") {
  static_assert(std::is_trivially_default_constructible_v<set>);
  static set from_bss;
  CHECK(from_bss.value<orders>() == 0);
  CHECK(from_bss.value<open_carts>() == 0);
  CHECK(from_bss.snapshot<waits>().count() == 0);
}

TEST_CASE("cells of different shards share no cache line") {
  CHECK(alignof(set) >= 64);
  CHECK(sizeof(nen::detail::metric_cells<orders>) == 64);
}

TEST_CASE("what shards and other threads count is added up, and nothing of it is lost") {
  shop.metrics = set{};
  constexpr std::uint64_t each = 50'000;
  std::vector<std::thread> threads;
  for (std::uint32_t i = 0; i < 6; ++i) {
    threads.emplace_back([i] {
      // Two shards of the shop, two threads that serve nobody, one that serves another server, and
      // a shard that the set was not made for.
      if (i < 2) serve(shop, i);
      if (i == 4) serve(other, 0);
      if (i == 5) serve(shop, 2);
      for (std::uint64_t n = 0; n < each; ++n) {
        shop.metrics.add<orders>();
        shop.metrics.add<busy>(3);
        shop.metrics.add<open_carts>(n % 2 == 0 ? 2 : -1);
        shop.metrics.record<waits>(1'000, 2);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(shop.metrics.value<orders>() == 6 * each);
  CHECK(shop.metrics.value<busy>() == 18 * each);
  CHECK(shop.metrics.value<open_carts>() == static_cast<std::int64_t>(3 * each));
  const nen::histogram_snapshot taken = shop.metrics.snapshot<waits>();
  CHECK(taken.count() == 12 * each);
  CHECK(taken.sum() == 12'000 * each);
  CHECK(taken.percentile(0.5) >= 990);
  CHECK(taken.percentile(0.5) <= 1'010);
}

TEST_CASE("a shard counts in its own cell, without the cell that all others share") {
  static stage quiet;
  std::thread([&] {
    serve(quiet, 1);
    quiet.metrics.add<orders>(7);
  }).join();
  // The first cell of each shard is the counter's: one cell line apart from the next shard's.
  const auto* cells =
      reinterpret_cast<const nen::detail::metric_cells<orders, busy, open_carts, lag, waits>*>(
          &quiet.metrics);
  const auto cell = [&](int i) {
    return static_cast<const nen::detail::metric_cell<orders>&>(cells[i]).series[0];
  };
  CHECK(cell(0) == 0);
  CHECK(cell(1) == 7);
  CHECK(cell(2) == 0);
}

TEST_CASE("a gauge keeps what was set last") {
  static set metrics;
  metrics.set<open_carts>(40);
  metrics.add<open_carts>(-41);
  CHECK(metrics.value<open_carts>() == -1);
}

TEST_CASE("a set is shown with its names, kinds and helps, and durations in seconds") {
  static set metrics;
  metrics.add<orders>(5);
  metrics.add<busy>(1'500'000'000);
  metrics.set<open_carts>(-3);
  metrics.set<lag>(-250'000'000);
  metrics.record<waits>(2'000'000'000);
  const std::string text = text_of(metrics);
  using nen::test::ContainsSubstring;
  CHECK_THAT(text, ContainsSubstring("# HELP shop_orders_total Orders placed.\n"
                                     "# TYPE shop_orders_total counter\n"
                                     "shop_orders_total 5\n"));
  CHECK_THAT(text, ContainsSubstring("\nshop_busy_seconds_total 1.5\n"));
  CHECK_THAT(text, ContainsSubstring("# TYPE shop_open_carts gauge\nshop_open_carts -3\n"));
  CHECK_THAT(text, ContainsSubstring("\nshop_lag_seconds -0.25\n"));
  CHECK_THAT(text, ContainsSubstring("shop_wait_seconds_bucket{le=\"1.0\"} 0\n"
                                     "shop_wait_seconds_bucket{le=\"2.5\"} 1\n"));
  CHECK_THAT(text, ContainsSubstring("shop_wait_seconds_sum 2\nshop_wait_seconds_count 1\n"));
}

namespace {

struct payments : nen::counter_metric<"shop_payments_total", "Payments, by their way.",
                                      nen::labelled<"way", "card", "cash", "a \"voucher\"">> {};
struct tills : nen::gauge_metric<"shop_tills", "Tills.", nen::labelled<"state", "open", "shut">> {};
struct queue : nen::histogram_metric<"shop_queue_seconds", "Time in a queue.",
                                     nen::labelled<"till", "1", "2">> {};
using labelled_set = nen::metric_set<1, payments, tills, queue>;

}  // namespace

TEST_CASE("each value of a label is a series of its own") {
  static labelled_set metrics;
  metrics.add<payments, "card">(2);
  metrics.add<payments, "a \"voucher\"">();
  metrics.add_at<payments>(1, 5);
  metrics.set<tills, "open">(3);
  metrics.add<tills, "shut">(-1);
  metrics.record<queue, "2">(1'000'000'000);
  metrics.record_at<queue>(1, 2'000'000'000, 2);
  CHECK(metrics.value<payments, "card">() == 2);
  CHECK(metrics.value<payments, "cash">() == 5);
  CHECK(metrics.value_at<payments>(2) == 1);
  CHECK(metrics.value<tills, "open">() == 3);
  CHECK(metrics.value_at<tills>(1) == -1);
  CHECK(metrics.snapshot<queue, "1">().count() == 0);
  CHECK(metrics.snapshot_at<queue>(1).count() == 3);
  std::string room(1 << 16, '\0');
  nen::exposition to(room, nen::metrics_format::prometheus, {});
  metrics.expose(to);
  REQUIRE(to.finish());
  const std::string text(to.text());
  using nen::test::ContainsSubstring;
  CHECK_THAT(text, ContainsSubstring("# TYPE shop_payments_total counter\n"
                                     "shop_payments_total{way=\"card\"} 2\n"
                                     "shop_payments_total{way=\"cash\"} 5\n"
                                     "shop_payments_total{way=\"a \\\"voucher\\\"\"} 1\n"));
  CHECK_THAT(text, ContainsSubstring("shop_tills{state=\"open\"} 3\n"
                                     "shop_tills{state=\"shut\"} -1\n"));
  CHECK_THAT(text, ContainsSubstring("shop_queue_seconds_count{till=\"1\"} 0\n"));
  CHECK_THAT(text, ContainsSubstring("shop_queue_seconds_sum{till=\"2\"} 5\n"
                                     "shop_queue_seconds_count{till=\"2\"} 3\n"));
}

TEST_CASE("a series that a metric does not have is an error of the program's") {
  static labelled_set metrics;
  CHECK(nen::test::dies([] { metrics.add_at<payments>(3); }).aborted);
  CHECK(nen::test::dies([] { metrics.set_at<tills>(2, 1); }).aborted);
  CHECK(nen::test::dies([] { metrics.record_at<queue>(2, 1); }).aborted);
}
