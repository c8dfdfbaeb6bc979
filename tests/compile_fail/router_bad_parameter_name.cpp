// expect: a parameter's name in a pattern has only letters, digits and '_'
#include <nen/http/router.hpp>

nen::reply plain(nen::response& res) { return res.text("plain"); }
nen::reply by_id(int, nen::response& res) { return res.text("id"); }

using routes = nen::router<nen::get<"/users/:id.json", by_id>>;
constexpr auto count = routes::route_count;
