// The target with all on that shows a server and keeps it safe in public: metrics, dashboard,
// access log, request ids, health, security headers and limits for each client, which nobody
// reaches. What that costs is the difference to the target.
#include <nen/http/security_headers.hpp>
#include <nen/nen.hpp>
#include <nen/server/client_gate.hpp>
#include <nen/server/dashboard.hpp>
#include <nen/server/health.hpp>
#include <nen/server/metrics_route.hpp>

#include <cstdio>
#include <string_view>

#include "../../examples/common/arguments.hpp"
#include "../target/routes.hpp"

namespace {

using routes =
    nen::router<nen::security_headers<>, nen::metrics_route<"/metrics">, nen::dashboard<"/_nen">,
                nen::livez<"/livez">, nen::readyz<"/readyz">, target::items>;

constexpr nen::config sizes() {
  nen::config all = target::many_at_once();
  all.client_limits = 2 * all.connections;
  all.log_bytes = nen::MiB;
  all.request_ids = true;
  return all;
}

void say_address(std::string_view address) {
  std::printf("listening on %.*s\n", static_cast<int>(address.size()), address.data());
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  std::string_view host = "127.0.0.1";
  std::uint16_t port = 8080;
  std::string_view log = "/dev/null";
  std::uint16_t sample = 100;
  example::read_arguments(argc, argv,
                          {{"--host", "numeric address to listen on (127.0.0.1)", host},
                           {"--port", "0: the kernel chooses (8080)", port},
                           {"--log", "where the access log is written to (/dev/null)", log},
                           {"--sample", "one request of so many is logged (100)", sample}});
  target::fill_alphabet();
  static nen::server<routes, sizes(), target::room> server;
  return server
      .run({.host = host,
            .port = port,
            .limits = {.connections_per_client = sizes().connections,
                       .connections_per_second = 1'000'000,
                       .requests_per_second = 100'000'000,
                       .offences_max = 100},
            .access_log = {.path = log, .sample = sample},
            .on_listening = say_address})
      .exit_code();
}
