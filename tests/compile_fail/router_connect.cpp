// expect: CONNECT names a host instead of a path, so that no route can answer it
#include <nen/http/router.hpp>

nen::reply plain(nen::response& res) { return res.text("plain"); }

using routes = nen::router<nen::route<nen::method::connect, "/", plain>>;
constexpr auto count = routes::route_count;
