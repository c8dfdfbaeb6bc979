// expect: a route needs a method: write nen::methods(nen::method::get)
#include <nen/http/router.hpp>

nen::reply plain(nen::response& res) { return res.text("plain"); }

using routes = nen::router<nen::route<nen::methods(), "/", plain>>;
constexpr auto count = routes::route_count;
