// The target with all on that shows a server and guards it: metrics, dashboard, access log, health,
// and limits for each client, which nobody reaches. With --answers public each answer also says its
// request's id and tells browsers to be strict, which is 370 bytes more of it. What that costs is
// the difference to the target.
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

using watched = nen::group<"", nen::metrics_route<"/metrics">, nen::dashboard<"/_nen">,
                           nen::livez<"/livez">, nen::readyz<"/readyz">, target::items>;

constexpr nen::config sizes(bool request_ids) {
  nen::config all = target::many_at_once();
  all.client_limits = 2 * all.connections;
  all.log_bytes = nen::MiB;
  all.request_ids = request_ids;
  return all;
}

int run(const nen::listen_options& options) {
  static nen::server<nen::router<watched>, sizes(false), target::room> server;
  return server.run(options).exit_code();
}

int run_public(const nen::listen_options& options) {
  static nen::server<nen::router<nen::security_headers<>, watched>, sizes(true), target::room>
      server;
  return server.run(options).exit_code();
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
  std::string_view answers = "plain";
  example::read_arguments(argc, argv,
                          {{"--host", "numeric address to listen on (127.0.0.1)", host},
                           {"--port", "0: the kernel chooses (8080)", port},
                           {"--log", "where the access log is written to (/dev/null)", log},
                           {"--sample", "one request of so many is logged (100)", sample},
                           {"--answers", "plain, or public (plain)", answers}});
  target::fill_alphabet();
  const nen::listen_options options{.host = host,
                                    .port = port,
                                    .limits = {.connections_per_client = sizes(false).connections,
                                               .connections_per_second = 1'000'000,
                                               .requests_per_second = 100'000'000,
                                               .offences_max = 100},
                                    .access_log = {.path = log, .sample = sample},
                                    .on_listening = say_address};
  return answers == "public" ? run_public(options) : run(options);
}
