// expect: a router or group holds nen::get, post, put, patch, del, head, options, any, route
#include <nen/http/router.hpp>

using routes = nen::router<int>;
constexpr auto count = routes::route_count;
