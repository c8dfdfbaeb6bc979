// expect: nen::any is never reached, because the other routes of its pattern name every method
#include <nen/http/router.hpp>

nen::reply plain(nen::response& res) { return res.text("plain"); }

using enum nen::method;
using routes =
    nen::router<nen::any<"/a", plain>, nen::get<"/a", plain>,
                nen::route<nen::methods(post, put, delete_, options, trace, patch), "/a", plain>>;
constexpr auto count = routes::route_count;
