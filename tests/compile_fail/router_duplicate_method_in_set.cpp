// expect: two routes have the same method and the same pattern
#include <nen/http/router.hpp>

nen::reply plain(nen::response& res) { return res.text("plain"); }

using routes =
    nen::router<nen::get<"/a", plain>,
                nen::route<nen::methods(nen::method::put, nen::method::get), "/a", plain>>;
constexpr auto count = routes::route_count;
