// expect: a handler takes fewer values than its pattern has parameters: add a std::string_view or
#include <nen/http/router.hpp>

nen::reply plain(nen::response& res) { return res.text("plain"); }

using routes = nen::router<nen::get<"/users/:id", plain>>;
constexpr auto count = routes::route_count;
