// expect: a pattern's parameter needs a name: write ":id" or "*path"
#include <nen/http/router.hpp>

nen::reply plain(nen::response& res) { return res.text("plain"); }
nen::reply by_id(int, nen::response& res) { return res.text("id"); }

using routes = nen::router<nen::get<"/users/:", by_id>>;
constexpr auto count = routes::route_count;
