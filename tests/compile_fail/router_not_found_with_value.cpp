// expect: the handlers in nen::not_found and nen::on_error take no value from the path
#include <nen/http/router.hpp>

nen::reply plain(nen::response& res) { return res.text("plain"); }
nen::reply by_id(int, nen::response& res) { return res.text("id"); }

using routes = nen::router<nen::not_found<by_id>>;
constexpr auto count = routes::route_count;
