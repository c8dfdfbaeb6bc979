// Who asks, and how much he may: a server behind proxies or in front of everybody, with limits for
// each client, lists of who may come in, and the address of the client instead of the proxy's.
//
//   08_clients --deny 203.0.113.0/24 --requests 5 --connections 10
//   08_clients --trusted 127.0.0.1,10.0.0.0/8 --forwarded x-forwarded-for
//   08_clients --trusted 127.0.0.1 --proxy-protocol trusted   (haproxy: send-proxy, send-proxy-v2)
#include <nen/core/access.hpp>
#include <nen/core/cidr.hpp>
#include <nen/nen.hpp>
#include <nen/server/client_gate.hpp>

#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "../common/arguments.hpp"

namespace {

/// Says whom the server takes the client for.
nen::reply whoami(const nen::request& req, nen::response& res) {
  return res.text(req.client().to_text());
}

using routes = nen::router<nen::get<"/", whoami>>;
using guarded = nen::server<routes, nen::config{.client_limits = 4096, .proxy_protocol = true}>;
static_assert(sizeof(guarded) <= 10 * nen::MiB, "memory budget");

[[noreturn]] void fail(std::string_view sentence) {
  std::fprintf(stderr, "%.*s\n", static_cast<int>(sentence.size()), sentence.data());
  std::exit(2);
}

/// Prefixes with commas between them.
template <std::size_t Capacity>
void read_list(std::string_view text, nen::cidr_set<Capacity>& into) {
  while (!text.empty()) {
    const auto comma = text.find(',');
    if (const auto added = into.add(text.substr(0, comma)); !added) fail(added.error().message());
    text.remove_prefix(comma == text.npos ? text.size() : comma + 1);
  }
}

nen::forwarded_field field_of(std::string_view name) {
  if (name == "none") return nen::forwarded_field::none;
  if (name == "x-forwarded-for") return nen::forwarded_field::x_forwarded_for;
  if (name == "forwarded") return nen::forwarded_field::forwarded;
  fail("--forwarded is none, x-forwarded-for or forwarded");
}
nen::proxy_protocol protocol_of(std::string_view name) {
  if (name == "off") return nen::proxy_protocol::off;
  if (name == "trusted") return nen::proxy_protocol::from_trusted;
  if (name == "all") return nen::proxy_protocol::from_all;
  fail("--proxy-protocol is off, trusted or all");
}

}  // namespace

int main(int argc, char** argv) {
  static guarded server;
  static nen::cidr_set<64> trusted, allow, deny;
  std::string_view host = "127.0.0.1", trusts, allows, denies;
  std::string_view forwarded = "none", protocol = "off";
  std::uint16_t port = 8080, connections = 0, requests = 0, offences = 0;
  example::read_arguments(
      argc, argv,
      {{"--host", "0.0.0.0: the whole network may come (127.0.0.1)", host},
       {"--port", "0: the kernel chooses (8080)", port},
       {"--trusted", "proxies that are believed: 10.0.0.0/8,192.0.2.1", trusts},
       {"--forwarded", "what they write: none, x-forwarded-for or forwarded (none)", forwarded},
       {"--proxy-protocol", "who sends PROXY headers: off, trusted or all (off)", protocol},
       {"--allow", "who may connect, others may not", allows},
       {"--deny", "who may not", denies},
       {"--connections", "of one client at once (no limit)", connections},
       {"--requests", "of one client in a second (no limit)", requests},
       {"--offences", "before a client is on the blacklist (never)", offences}});
  read_list(trusts, trusted);
  read_list(allows, allow);
  read_list(denies, deny);
  static const nen::access_rules rules{.allow = allow, .deny = deny};
  static nen::access_control control(rules);  // control.replace(others) while the server runs
  return server
      .run({.host = host,
            .port = port,
            .limits = {.connections_per_client = connections,
                       .requests_per_second = requests,
                       .offences_max = offences},
            .access = &control,
            .trusted_proxies = trusted,
            .proxy_protocol = protocol_of(protocol),
            .forwarded = field_of(forwarded),
            .on_listening =
                [](std::string_view address) {
                  std::fprintf(stderr, "listening on %.*s\n", static_cast<int>(address.size()),
                               address.data());
                }})
      .exit_code();
}
