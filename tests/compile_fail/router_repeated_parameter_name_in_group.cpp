// expect: two parameters of a pattern have the same name: give each its own
#include <nen/http/router.hpp>

nen::reply plain(nen::response& res) { return res.text("plain"); }
nen::reply two(int, int, nen::response& res) { return res.text("two"); }

using routes = nen::router<nen::group<"/:id", nen::get<"/:id", two>>>;
constexpr auto count = routes::route_count;
