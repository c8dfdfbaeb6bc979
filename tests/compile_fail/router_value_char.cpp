// expect: a handler's parameter has a type that no path segment is read as: write std::string_view
#include <nen/http/router.hpp>

nen::reply show(char, nen::response& res) { return res.text(""); }

using routes = nen::router<nen::get<"/:value", show>>;
constexpr auto count = routes::route_count;
