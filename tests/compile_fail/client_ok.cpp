// The right way to write what the other client_*.cpp files write wrong.
#include <nen/core/access.hpp>
#include <nen/nen.hpp>
#include <nen/server/client_gate.hpp>

nen::reply hello(nen::response& res) { return res.text("hello"); }

nen::server<nen::router<nen::get<"/", hello>>,
            nen::config{.connections = 100, .client_limits = 109, .proxy_protocol = true}>
    server;

constexpr auto inner = nen::cidrs<"10.0.0.0/8", "fd00::/8">;
constexpr nen::access_rules rules{.allow = inner, .deny = {}};
nen::access_control control(rules);

auto run() {
  return server.run({.limits = {.connections_per_client = 10, .requests_per_second = 50},
                     .access = &control,
                     .trusted_proxies = inner,
                     .proxy_protocol = nen::proxy_protocol::from_trusted,
                     .forwarded = nen::forwarded_field::x_forwarded_for});
}
