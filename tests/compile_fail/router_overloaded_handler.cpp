// expect: a handler has exactly one call operator, const and not a template
#include <nen/http/router.hpp>

struct both {
  nen::reply operator()(nen::response& res) const { return res.text(""); }
  nen::reply operator()(int, nen::response& res) const { return res.text(""); }
};

using routes = nen::router<nen::get<"/", both{}>>;
constexpr auto count = routes::route_count;
