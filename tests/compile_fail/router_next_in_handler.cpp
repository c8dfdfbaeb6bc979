// expect: only middleware takes nen::next
#include <nen/http/router.hpp>

nen::reply go(nen::next next) { return next(); }

using routes = nen::router<nen::get<"/", go>>;
constexpr auto count = routes::route_count;
