// expect: nen::context is for coroutines
#include <nen/nen.hpp>

nen::reply hello(nen::context&, nen::response& res) { return res.text("hello"); }

using routes = nen::router<nen::get<"/", hello>>;
static_assert(routes::route_count == 1);
