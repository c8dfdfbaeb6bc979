// expect: a group's prefix cannot have a "*rest", which hides every route behind it
#include <nen/http/router.hpp>

nen::reply plain(nen::response& res) { return res.text("plain"); }

using routes = nen::router<nen::group<"/*all", nen::get<"/x", plain>>>;
constexpr auto count = routes::route_count;
