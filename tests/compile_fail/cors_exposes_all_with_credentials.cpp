// expect: browsers take "*" in exposed for a name where requests have credentials: name the fields
#include <nen/http/cors.hpp>

nen::reply plain(nen::response& res) { return res.text("plain"); }

using routes =
    nen::router<nen::cors<nen::cors_options{
                    .origins = "https://app.example", .exposed = "*", .credentials = true}>,
                nen::get<"/", plain>>;
constexpr auto count = routes::route_count;
