// expect: only the handler in nen::on_error<...> takes nen::status
#include <nen/http/router.hpp>

nen::reply go(nen::status s, nen::response& res) { return res.status(s); }

using routes = nen::router<nen::get<"/", go>>;
constexpr auto count = routes::route_count;
