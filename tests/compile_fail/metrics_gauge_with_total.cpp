// expect: only a counter's name ends in _total: leave it out, or make it a nen::counter_metric
#include <nen/metrics/metric_set.hpp>

struct orders : nen::gauge_metric<"shop_orders_total", "Orders that are open."> {};

static nen::metric_set<1, orders> metrics;

void place() { metrics.add<orders>(); }
