// A server that is replaced by its next version without losing a connection or a request: its
// listener is somebody else's, who hands it to each process in turn. That is systemd
// (nen-restart.socket and nen-restart.service beside this file), systemd-socket-activate, or this
// program itself with --mode supervise, which replaces its server at SIGHUP. --help shows the
// options.
#include <nen/nen.hpp>
#include <nen/net/systemd.hpp>
#include <nen/server/systemd.hpp>

#include "../common/arguments.hpp"
#include "supervisor.hpp"

#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <string_view>

namespace {

nen::reply who(nen::response& res) {
  return res.json({{"pid", static_cast<std::int64_t>(::getpid())}});
}

/// A request that is in hand for a while.
nen::reply slow(std::uint16_t ms, nen::response& res) {
  res.defer().after(ms, [](const nen::request&, nen::response& later) { return who(later); });
  return res.later();
}

using routes = nen::router<nen::get<"/", who>, nen::get<"/slow/:ms", slow>,
                           nen::post<"/", [](const nen::request& asked, nen::response& res) {
                             return res.bytes(asked.body());
                           }>>;

void announce(std::string_view address) {
  std::printf("listening on %.*s\n", static_cast<int>(address.size()), address.data());
  std::fflush(stdout);
}

int serve(std::string_view host, std::uint16_t port) {
  static nen::server<routes, nen::config{.shards = 2}> server;
  static nen::systemd::notifier manager;
  const bool is_activated = nen::systemd::is_activated();  // else it listens itself
  return server
      .run({.host = host,
            .port = port,
            .socket_activation = is_activated ? nen::systemd::sockets : nullptr,
            .systemd_notify = &manager,  // if it wants to be told
            .on_listening = announce})
      .exit_code();
}

}  // namespace

int main(int argc, char** argv) {
  std::string_view mode = "serve", host = "127.0.0.1";
  std::uint16_t port = 8080;
  example::read_arguments(
      argc, argv,
      {{"--mode", "serve, or supervise: start servers, a new one at SIGHUP", mode},
       {"--host", "numeric address to listen at", host},
       {"--port", "port to listen at; 0: any", port}});
  if (mode == "serve") return serve(host, port);
  if (mode == "supervise") {
    const auto where = nen::endpoint::parse(host, port);
    if (where) return example::supervise(argv[0], *where);
    std::fprintf(stderr, "%s: %s\n", argv[0], where.error().c_str());
    return 1;
  }
  std::fprintf(stderr, "%s: --mode is serve or supervise\n", argv[0]);
  return 2;
}
