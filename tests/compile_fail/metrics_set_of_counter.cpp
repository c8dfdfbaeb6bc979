// expect: metric_set::set is for gauges: what a counter or a histogram has counted stays
#include <nen/metrics/metric_set.hpp>

struct orders : nen::counter_metric<"shop_orders_total", "Orders placed."> {};
struct wait : nen::histogram_metric<"shop_wait_seconds", "Time that customers wait."> {};

static nen::metric_set<1, orders, wait> metrics;

void place() { metrics.set<orders>(5); }
