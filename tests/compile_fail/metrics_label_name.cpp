// expect: begins with neither a digit nor "__", and is not "le", which is a histogram's
#include <nen/metrics/metric_set.hpp>

struct payments
    : nen::counter_metric<"shop_payments_total", "Payments.", nen::labelled<"le", "card">> {};

static nen::metric_set<1, payments> metrics;

void pay() { metrics.add<payments, "card">(); }
