// expect: middleware takes a nen::next and calls it to go on: add the parameter
#include <nen/http/router.hpp>

nen::reply plain(nen::response& res) { return res.text("plain"); }

using routes = nen::router<nen::use<plain>, nen::get<"/", plain>>;
constexpr auto count = routes::route_count;
