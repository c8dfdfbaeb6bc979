// expect: config::receive_buffers must be a power of two, at most 32768
#include <nen/nen.hpp>

nen::reply hello(nen::response& res) { return res.text("hello"); }

nen::server<nen::router<nen::get<"/", hello>>, nen::config{.receive_buffers = 65536}> server;
