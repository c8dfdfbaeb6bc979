// expect: a metric says in a sentence what it counts: write one
#include <nen/metrics/metric_set.hpp>

struct orders : nen::counter_metric<"shop_orders_total", ""> {};

static nen::metric_set<1, orders> metrics;

void place() { metrics.add<orders>(); }
