// expect: a pattern has at most 32 segments: write a shorter one
#include <nen/http/router.hpp>

nen::reply plain(nen::response& res) { return res.text("plain"); }

using routes = nen::router<
    nen::get<"/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a", plain>>;
constexpr auto count = routes::route_count;
