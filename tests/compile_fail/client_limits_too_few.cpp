// expect: config::client_limits must be 0 or more than config::connections + 8
#include <nen/nen.hpp>
#include <nen/server/client_gate.hpp>

nen::reply hello(nen::response& res) { return res.text("hello"); }

nen::server<nen::router<nen::get<"/", hello>>,
            nen::config{.connections = 100, .client_limits = 108}>
    server;
