// expect: a route's pattern starts with '/': write "/users" instead of "users"
#include <nen/http/router.hpp>

nen::reply plain(nen::response& res) { return res.text("plain"); }

using routes = nen::router<nen::get<"users", plain>>;
constexpr auto count = routes::route_count;
