// expect: "*rest" is text with slashes in it: take it as std::string_view
#include <nen/http/router.hpp>

nen::reply plain(nen::response& res) { return res.text("plain"); }
nen::reply by_id(int, nen::response& res) { return res.text("id"); }

using routes = nen::router<nen::get<"/files/*path", by_id>>;
constexpr auto count = routes::route_count;
