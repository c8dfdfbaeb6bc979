// expect: nen::metric_set has cells for at least one shard: write config::shards of its server
#include <nen/metrics/metric_set.hpp>

struct orders : nen::counter_metric<"shop_orders_total", "Orders placed."> {};

static nen::metric_set<0, orders> metrics;

void place() { metrics.add<orders>(); }
