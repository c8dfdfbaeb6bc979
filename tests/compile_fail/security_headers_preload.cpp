// expect: browsers take a host into their list only with hsts_subdomains and a
#include <nen/http/security_headers.hpp>

nen::reply plain(nen::response& res) { return res.text("plain"); }

using routes = nen::router<nen::security_headers<nen::security_options{
                               .hsts_max_age_seconds = 31'536'000, .hsts_preload = true}>,
                           nen::get<"/", plain>>;
constexpr auto count = routes::route_count;
