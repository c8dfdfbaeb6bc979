// The right way to write what the other metrics_*.cpp files write wrong.
#include <nen/metrics/metric_set.hpp>

struct orders : nen::counter_metric<"shop_orders_total", "Orders placed."> {};
struct open_carts : nen::gauge_metric<"shop_open_carts", "Carts that nobody has paid for yet."> {};
struct wait : nen::histogram_metric<"shop_wait_seconds", "Time that customers wait."> {};

struct payments : nen::counter_metric<"shop_payments_total", "Payments.",
                                      nen::labelled<"way", "card", "cash">> {};

static nen::metric_set<1, orders, open_carts, wait, payments> metrics;

auto place() {
  metrics.add<orders>();
  metrics.add<payments, "card">(2);
  metrics.add_at<payments>(1);
  metrics.add<open_carts>(-1);
  metrics.set<open_carts>(5);
  metrics.record<wait>(1'000'000);
  return metrics.value<orders>() + metrics.snapshot<wait>().count();
}
