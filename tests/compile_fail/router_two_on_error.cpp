// expect: a router has at most one nen::not_found and one nen::on_error: remove the others
#include <nen/http/router.hpp>

nen::reply plain(nen::response& res) { return res.text("plain"); }

using routes = nen::router<nen::on_error<plain>, nen::on_error<plain>>;
constexpr auto count = routes::route_count;
