// expect: config::connections must be 1 to 1,000,000 a shard
#include <nen/nen.hpp>

nen::reply hello(nen::response& res) { return res.text("hello"); }

nen::server<nen::router<nen::get<"/", hello>>, nen::config{.connections = 1'000'001}> server;
