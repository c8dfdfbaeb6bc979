// expect: a handler takes the request as const nen::request&
#include <nen/http/router.hpp>

nen::reply show(nen::request&, nen::response& res) { return res.text(""); }

using routes = nen::router<nen::get<"/", show>>;
constexpr auto count = routes::route_count;
