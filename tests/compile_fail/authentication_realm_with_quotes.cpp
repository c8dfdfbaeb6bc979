// expect: a realm is printable ASCII without quotes and backslashes
#include <nen/http/authentication.hpp>

nen::reply plain(nen::response& res) { return res.text("plain"); }
bool check(std::string_view, std::string_view) { return true; }

using routes = nen::router<nen::basic_auth<"the \"staff\"", check>, nen::get<"/", plain>>;
constexpr auto count = routes::route_count;
