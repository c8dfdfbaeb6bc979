// expect: a pattern is matched against the path as it is sent, without the query
#include <nen/http/router.hpp>

nen::reply plain(nen::response& res) { return res.text("plain"); }

using routes = nen::router<nen::get<"/search?q", plain>>;
constexpr auto count = routes::route_count;
