// expect: a metric's name consists of letters, digits and '_' and begins with no digit
#include <nen/metrics/metric_set.hpp>

struct orders : nen::counter_metric<"shop-orders_total", "Orders placed."> {};

static nen::metric_set<1, orders> metrics;

void place() { metrics.add<orders>(); }
