// expect: a group's prefix does not end with '/': write "/api" instead of "/api/"
#include <nen/http/router.hpp>

nen::reply plain(nen::response& res) { return res.text("plain"); }

using routes = nen::router<nen::group<"/api/", nen::get<"/x", plain>>>;
constexpr auto count = routes::route_count;
