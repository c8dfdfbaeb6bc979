// expect: a route has none of the methods in the nen::allow_methods around it
#include <nen/http/limits.hpp>

nen::reply plain(nen::response& res) { return res.text("plain"); }

using routes = nen::router<nen::allow_methods<nen::method::get>, nen::post<"/", plain>>;
constexpr auto count = routes::route_count;
