// expect: config::send_slots must hold more than two answers of config::response_bytes_max
#include <nen/nen.hpp>

nen::reply hello(nen::response& res) { return res.text("hello"); }

nen::server<nen::router<nen::get<"/", hello>>, nen::config{.response_bytes_max = 0xffff'ffff}>
    server;
