// expect: a handler has exactly one call operator, const and not a template
#include <nen/http/router.hpp>

using routes = nen::router<nen::get<"/", [](nen::response& res) mutable { return res.text(""); }>>;
constexpr auto count = routes::route_count;
