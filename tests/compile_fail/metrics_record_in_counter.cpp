// expect: metric_set::record is for histograms: write add for a counter or a gauge
#include <nen/metrics/metric_set.hpp>

struct orders : nen::counter_metric<"shop_orders_total", "Orders placed."> {};
struct wait : nen::histogram_metric<"shop_wait_seconds", "Time that customers wait."> {};

static nen::metric_set<1, orders, wait> metrics;

void place() { metrics.record<orders>(5); }
