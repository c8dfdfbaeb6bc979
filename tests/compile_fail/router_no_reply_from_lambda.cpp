// expect: a handler returns nen::reply: write "return res.text(...)"
#include <nen/http/router.hpp>

using routes = nen::router<nen::get<"/", [](nen::response& res) { (void)res.text("forgotten"); }>>;
constexpr auto count = routes::route_count;
