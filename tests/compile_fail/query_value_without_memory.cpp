// expect: a query's value can be read as a number, a bool or, for text, as a nen::query_value<Size>
#include <nen/http/query.hpp>

bool has_word(const nen::request& req) {
  return nen::query_of(req).get<std::string_view>("word").has_value();
}
