// expect: two routes have the same method and the same pattern (parameter names do not tell
#include <nen/http/router.hpp>

nen::reply plain(nen::response& res) { return res.text("plain"); }
nen::reply by_id(int, nen::response& res) { return res.text("id"); }

using routes =
    nen::router<nen::get<"/a/:id", by_id>, nen::get<"/b", plain>, nen::get<"/a/:name", by_id>>;
constexpr auto count = routes::route_count;
