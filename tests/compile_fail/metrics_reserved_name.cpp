// expect: names that begin with nen_ or process_ are those of nen's own metrics
#include <nen/metrics/metric_set.hpp>

struct orders : nen::counter_metric<"nen_orders_total", "Orders placed."> {};

static nen::metric_set<1, orders> metrics;

void place() { metrics.add<orders>(); }
