// expect: headers and exposed in nen::cors are names of fields with commas between them
#include <nen/http/cors.hpp>

nen::reply plain(nen::response& res) { return res.text("plain"); }

using routes =
    nen::router<nen::cors<nen::cors_options{.headers = "X-Token X-Other"}>, nen::get<"/", plain>>;
constexpr auto count = routes::route_count;
