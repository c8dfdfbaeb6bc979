// expect: nen::not_found and nen::on_error are for the whole router: move them out of the group
#include <nen/http/router.hpp>

nen::reply plain(nen::response& res) { return res.text("plain"); }

using routes = nen::router<nen::group<"/a", nen::not_found<plain>>>;
constexpr auto count = routes::route_count;
