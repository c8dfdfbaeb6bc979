// expect: a handler takes the response as nen::response&
#include <nen/http/router.hpp>

nen::reply show(const nen::response&);

using routes = nen::router<nen::get<"/", show>>;
constexpr auto count = routes::route_count;
