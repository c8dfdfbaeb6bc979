// expect: a counter's name ends in _total: write shop_orders_total
#include <nen/metrics/metric_set.hpp>

struct orders : nen::counter_metric<"shop_orders", "Orders placed."> {};

static nen::metric_set<1, orders> metrics;

void place() { metrics.add<orders>(); }
