// expect: config::polls, config::endpoints and config::shard_calls must be at least 1
#include <nen/nen.hpp>

nen::task<nen::reply> hello(nen::response& res) { co_return res.text("hello"); }

nen::server<nen::router<nen::get<"/", hello>>, nen::config{.polls = 0}> server;
