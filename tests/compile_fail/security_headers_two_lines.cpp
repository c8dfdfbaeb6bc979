// expect: the texts in nen::security_headers are values of fields: printable ASCII
#include <nen/http/security_headers.hpp>

nen::reply plain(nen::response& res) { return res.text("plain"); }

using routes =
    nen::router<nen::security_headers<nen::security_options{.referrer_policy = "a\r\nX-Other: b"}>,
                nen::get<"/", plain>>;
constexpr auto count = routes::route_count;
