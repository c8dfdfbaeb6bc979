// What a query's value can be read as.
#include <nen/http/query.hpp>

bool has_all(const nen::request& req) {
  const auto query = nen::query_of(req);
  return query.get<int>("page") && query.get<double>("ratio") && query.get<bool>("all") &&
         query.get<nen::query_value<16>>("word");
}
