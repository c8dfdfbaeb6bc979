// expect: config::client_rules, client_limits, proxy_protocol need <nen/server/client_gate.hpp>
#include <nen/nen.hpp>

nen::reply hello(nen::response& res) { return res.text("hello"); }

nen::server<nen::router<nen::get<"/", hello>>, nen::config{.client_rules = true}> server;
