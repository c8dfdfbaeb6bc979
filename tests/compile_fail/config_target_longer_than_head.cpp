// expect: config::target_bytes_max must be at least 1 and not above config::head_bytes_max
#include <nen/nen.hpp>

nen::reply hello(nen::response& res) { return res.text("hello"); }

nen::server<nen::router<nen::get<"/", hello>>,
            nen::config{.head_bytes_max = 64, .target_bytes_max = 65}>
    server;
