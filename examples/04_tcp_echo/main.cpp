// An echo over raw TCP, or over a Unix socket: `nc localhost 9000`. What is not accepted for
// sending is not used either, so that a client who does not read is not read from.
#include <nen/nen.hpp>

#include <cstdio>
#include <string_view>

#include "../common/arguments.hpp"

namespace {

struct echo {
  std::size_t on_data(nen::tcp::peer& peer, std::span<const std::byte> bytes) {
    return peer.send(bytes);
  }
};

using echo_server = nen::tcp::server<echo>;
static_assert(sizeof(echo_server) <= 8 * nen::MiB, "memory budget");

}  // namespace

int main(int argc, char** argv) {
  std::string_view host = "127.0.0.1";
  nen::listen_options options{.port = 9000,
                              .tcp_keepalive = {.idle = std::chrono::seconds(60)},
                              .idle_timeout = std::chrono::minutes(10),
                              .on_listening = [](std::string_view address) {
                                std::fprintf(stderr, "listening on %.*s\n",
                                             static_cast<int>(address.size()), address.data());
                              }};
  example::read_arguments(argc, argv,
                          {{"--host", "0.0.0.0: the whole network may come (127.0.0.1)", host},
                           {"--port", "0: the kernel chooses (9000)", options.port},
                           {"--unix", "a Unix socket's path instead", options.unix_path}});
  options.host = host;
  static echo_server server;
  return server.run(options).exit_code();
}
