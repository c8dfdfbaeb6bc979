// expect: a label has values, of which none is empty and no two are the same
#include <nen/metrics/metric_set.hpp>

struct payments : nen::counter_metric<"shop_payments_total", "Payments.",
                                      nen::labelled<"way", "card", "card">> {};

static nen::metric_set<1, payments> metrics;

void pay() { metrics.add<payments, "card">(); }
