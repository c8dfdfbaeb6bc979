// expect: "*rest" takes everything to the end of the path: write it as the last segment
#include <nen/http/router.hpp>

nen::reply plain(nen::response& res) { return res.text("plain"); }
nen::reply file(std::string_view path, nen::response& res) { return res.text(path); }

using routes = nen::router<nen::get<"/*path/edit", file>>;
constexpr auto count = routes::route_count;
