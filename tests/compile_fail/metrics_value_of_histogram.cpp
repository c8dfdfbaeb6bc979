// expect: metric_set::value is for counters and gauges: write snapshot for a histogram
#include <nen/metrics/metric_set.hpp>

struct orders : nen::counter_metric<"shop_orders_total", "Orders placed."> {};
struct wait : nen::histogram_metric<"shop_wait_seconds", "Time that customers wait."> {};

static nen::metric_set<1, orders, wait> metrics;

void place() { metrics.value<wait>(); }
