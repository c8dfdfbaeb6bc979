// expect: this metric is not in the nen::metric_set: add it to the set's list
#include <nen/metrics/metric_set.hpp>

struct orders : nen::counter_metric<"shop_orders_total", "Orders placed."> {};
struct wait : nen::histogram_metric<"shop_wait_seconds", "Time that customers wait."> {};

static nen::metric_set<1, orders, wait> metrics;

struct returns : nen::counter_metric<"shop_returns_total", "Orders sent back."> {};

void place() { metrics.add<returns>(); }
