// expect: nen::cors cannot give everybody answers to requests with credentials: name the origins
#include <nen/http/cors.hpp>

nen::reply plain(nen::response& res) { return res.text("plain"); }

using routes = nen::router<nen::cors<nen::cors_options{.credentials = true}>, nen::get<"/", plain>>;
constexpr auto count = routes::route_count;
