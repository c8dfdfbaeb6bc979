// expect: config::head_bytes_max must be 64 to 65535
#include <nen/nen.hpp>

nen::reply hello(nen::response& res) { return res.text("hello"); }

nen::server<nen::router<nen::get<"/", hello>>,
            nen::config{.head_bytes_max = 63, .target_bytes_max = 63}>
    server;
