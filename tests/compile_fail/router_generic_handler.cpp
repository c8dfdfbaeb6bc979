// expect: a handler has exactly one call operator, const and not a template: name the parameter
#include <nen/http/router.hpp>

using routes = nen::router<nen::get<"/", [](auto& res) { return res.text(""); }>>;
constexpr auto count = routes::route_count;
