// expect: a '%' in a pattern is followed by two hexadecimal digits
#include <nen/http/router.hpp>

nen::reply plain(nen::response& res) { return res.text("plain"); }

using routes = nen::router<nen::get<"/100%", plain>>;
constexpr auto count = routes::route_count;
