// expect: a metric's name ends in none of _bucket, _count, _sum and _created
#include <nen/metrics/metric_set.hpp>

struct orders : nen::gauge_metric<"shop_orders_count", "Orders that are open."> {};

static nen::metric_set<1, orders> metrics;

void place() { metrics.add<orders>(); }
