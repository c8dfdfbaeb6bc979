// expect: config::head_slots, config::body_slots and config::streams must be at least 1
#include <nen/nen.hpp>

nen::reply hello(nen::response& res) { return res.text("hello"); }

nen::server<nen::router<nen::get<"/", hello>>, nen::config{.streams = 0}> server;
