// expect: config::fields_max must be 1 to 65535
#include <nen/nen.hpp>

nen::reply hello(nen::response& res) { return res.text("hello"); }

nen::server<nen::router<nen::get<"/", hello>>, nen::config{.fields_max = 65536}> server;
