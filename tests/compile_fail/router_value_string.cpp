// expect: a handler's parameter has a type that Nen Net cannot provide: take a state as State&, or
#include <nen/http/router.hpp>
#include <string>

nen::reply show(std::string, nen::response& res) { return res.text(""); }

using routes = nen::router<nen::get<"/:value", show>>;
constexpr auto count = routes::route_count;
