// expect: config::outgoing and config::tasks must be at least 1 where handlers are coroutines
#include <nen/nen.hpp>

nen::task<nen::reply> hello(nen::response& res) { co_return res.text("hello"); }

nen::server<nen::router<nen::get<"/", hello>>, nen::config{.tasks = 0}> server;
