// expect: middleware takes more values than the pattern of a route behind it has parameters
#include <nen/http/router.hpp>

nen::reply plain(nen::response& res) { return res.text("plain"); }
nen::reply tenant(int, nen::next next) { return next(); }

using routes = nen::router<nen::use<tenant>, nen::get<"/", plain>>;
constexpr auto count = routes::route_count;
