// expect: config::fetch_head_bytes is 64 to 65,535, and fetch_body_bytes not less
#include <nen/nen.hpp>

nen::task<nen::reply> hello(nen::response& res) { co_return res.text("hello"); }

nen::server<nen::router<nen::get<"/", hello>>, nen::config{.fetch_body_bytes = 4096}> server;
