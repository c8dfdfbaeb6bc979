// expect: an origin in nen::cors is written as browsers send it
#include <nen/http/cors.hpp>

nen::reply plain(nen::response& res) { return res.text("plain"); }

using routes = nen::router<nen::cors<nen::cors_options{.origins = "https://app.example/"}>,
                           nen::get<"/", plain>>;
constexpr auto count = routes::route_count;
