// expect: config::response_bytes_max must be at least 256
#include <nen/nen.hpp>

nen::reply hello(nen::response& res) { return res.text("hello"); }

nen::server<nen::router<nen::get<"/", hello>>, nen::config{.response_bytes_max = 255}> server;
