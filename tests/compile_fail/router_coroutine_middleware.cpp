// expect: only the handler of a route is a coroutine
#include <nen/nen.hpp>

nen::task<nen::reply> slow(nen::next go_on) { co_return go_on(); }
nen::reply hello(nen::response& res) { return res.text("hello"); }

using routes = nen::router<nen::use<slow>, nen::get<"/", hello>>;
static_assert(routes::route_count == 1);
