// expect: config::log_bytes must be 0, or a power of two and at least 8 KiB
#include <nen/nen.hpp>

nen::reply hello(nen::response& res) { return res.text("hello"); }
nen::server<nen::router<nen::get<"/", hello>>, nen::config{.log_bytes = 100'000}> server;
