// expect: config::body_bytes_max must be at least 1
#include <nen/nen.hpp>

nen::reply hello(nen::response& res) { return res.text("hello"); }

nen::server<nen::router<nen::get<"/", hello>>, nen::config{.body_bytes_max = 0}> server;
