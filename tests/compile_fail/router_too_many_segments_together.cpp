// expect: a router's patterns have at most 65,534 segments together: serve some of them from one
#include <nen/http/router.hpp>

// Writing as many routes would take the compiler minutes; this is what the router makes of them.
nen::detail::route_draft<65'535, 1, 1> draft({});
