// expect: the check in nen::basic_auth returns bool and takes the user and the password
#include <nen/http/authentication.hpp>

nen::reply plain(nen::response& res) { return res.text("plain"); }
bool check(std::string_view) { return true; }

using routes = nen::router<nen::basic_auth<"staff", check>, nen::get<"/", plain>>;
constexpr auto count = routes::route_count;
