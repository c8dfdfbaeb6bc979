// expect: a coroutine takes values by value
#include <nen/nen.hpp>

nen::task<nen::reply> hello(const std::string_view& name, nen::response& res) {
  co_return res.text(name);
}

using routes = nen::router<nen::get<"/:name", hello>>;
static_assert(routes::route_count == 1);
