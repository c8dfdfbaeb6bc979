// expect: this metric has no label: leave the value out, or give it a nen::labelled
#include <nen/metrics/metric_set.hpp>

struct payments : nen::counter_metric<"shop_payments_total", "Payments.",
                                      nen::labelled<"way", "card", "cash">> {};
struct orders : nen::counter_metric<"shop_orders_total", "Orders placed."> {};

static nen::metric_set<1, payments, orders> metrics;

void pay() { metrics.add<orders, "new">(); }
