// expect: a handler returns nen::reply: write "return res.text(...)"
#include <nen/http/router.hpp>

void forgetful(nen::response& res) { res.set_status(nen::status::ok); }

using routes = nen::router<nen::get<"/", forgetful>>;
constexpr auto count = routes::route_count;
