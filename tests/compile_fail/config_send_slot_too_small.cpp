// expect: config::send_slot_bytes must be at least 1024
#include <nen/nen.hpp>

nen::reply hello(nen::response& res) { return res.text("hello"); }

nen::server<nen::router<nen::get<"/", hello>>, nen::config{.send_slot_bytes = 1023}> server;
