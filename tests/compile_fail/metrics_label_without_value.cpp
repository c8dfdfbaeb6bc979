// expect: this metric has a label: name one of its values, m.add<payments, card>()
#include <nen/metrics/metric_set.hpp>

struct payments : nen::counter_metric<"shop_payments_total", "Payments.",
                                      nen::labelled<"way", "card", "cash">> {};
struct orders : nen::counter_metric<"shop_orders_total", "Orders placed."> {};

static nen::metric_set<1, payments, orders> metrics;

void pay() { metrics.add<payments>(); }
