// expect: two routes have the same method and the same pattern
#include <nen/http/router.hpp>

nen::reply plain(nen::response& res) { return res.text("plain"); }

using routes = nen::router<nen::any<"/a", plain>, nen::any<"/a", plain>>;
constexpr auto count = routes::route_count;
