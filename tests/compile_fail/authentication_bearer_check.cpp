// expect: the check in nen::bearer_auth returns bool and takes the token as std::string_view
#include <nen/http/authentication.hpp>

nen::reply plain(nen::response& res) { return res.text("plain"); }
int check(std::string_view) { return 1; }

using routes = nen::router<nen::bearer_auth<"keys", check>, nen::get<"/", plain>>;
constexpr auto count = routes::route_count;
