// expect: two metrics of a nen::metric_set have the same name
#include <nen/metrics/metric_set.hpp>

struct orders : nen::counter_metric<"shop_orders_total", "Orders placed."> {};
struct open_orders : nen::gauge_metric<"shop_orders", "Orders that are open."> {};

static nen::metric_set<1, orders, open_orders> metrics;

void place() { metrics.add<orders>(); }
