// expect: config::receive_buffer_bytes must be at least 1
#include <nen/nen.hpp>

nen::reply hello(nen::response& res) { return res.text("hello"); }

nen::server<nen::router<nen::get<"/", hello>>, nen::config{.receive_buffer_bytes = 0}> server;
