// expect: a handler's parameter has a type that Nen Net cannot provide: take a state as State&
#include <nen/http/router.hpp>

struct app {};
nen::reply show(app, nen::response& res) { return res.text(""); }

using routes = nen::router<nen::get<"/", show>>;
constexpr auto count = routes::route_count;
