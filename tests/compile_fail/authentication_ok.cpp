// The right way to write what the other files of authentication_, cors_, security_headers_ and
// router_methods_ write wrong.
#include <nen/http/authentication.hpp>
#include <nen/http/cors.hpp>
#include <nen/http/limits.hpp>
#include <nen/http/security_headers.hpp>

struct app {};
nen::reply plain(nen::response& res) { return res.text("plain"); }
bool check(std::string_view, std::string_view, const nen::request&, app&) { return true; }

using routes = nen::router<
    nen::security_headers<nen::security_options{
        .hsts_max_age_seconds = 31'536'000, .hsts_subdomains = true, .hsts_preload = true}>,
    nen::cors<nen::cors_options{.origins = "https://app.example:8443 http://[::1]:5173 "
                                           "https://*.example.org",
                                .methods = nen::methods(nen::method::get),
                                .headers = "*",
                                .exposed = "ETag,X-Total",
                                .credentials = true}>,
    nen::group<"/staff", nen::basic_auth<"the staff", check>, nen::get<"", plain>>,
    nen::group<"/keys", nen::bearer_auth<"", [](std::string_view) { return true; }>,
               nen::body_limit<0>, nen::allow_methods<nen::method::get, nen::method::put>,
               nen::any<"", plain>>>;
static_assert(routes::route_count == 2 && routes::decorates && routes::limits_bodies);

nen::reply serve(const nen::request& req, nen::response& res, app& state, std::span<char> scratch) {
  return routes::dispatch(req, res, nen::state_refs<app>{state}, scratch);
}
