// The server that load generators and client tests are pointed at. The number of shards comes from
// the command line.
#include <nen/nen.hpp>

#include <cstdio>
#include <string_view>

#include "../../examples/common/arguments.hpp"
#include "routes.hpp"

namespace {

void say_address(std::string_view address) {
  std::printf("listening on %.*s\n", static_cast<int>(address.size()), address.data());
  std::fflush(stdout);
}

/// The number of shards shapes memory and so is part of the type: each has a server of its own. All
/// of them together stay below the 2 GiB that a program's static data may have.
template <std::uint32_t Shards>
int run(const nen::listen_options& options) {
  static nen::server<target::routes, target::with_shards(Shards), target::room> server;
  return server.run(options).exit_code();
}

int run_many_at_once(const nen::listen_options& options) {
  static nen::server<target::routes, target::many_at_once(), target::room> server;
  return server.run(options).exit_code();
}

}  // namespace

int main(int argc, char** argv) {
  std::string_view host = "127.0.0.1";
  std::uint16_t port = 8080;
  std::uint16_t shards = 1;
  std::string_view unix_path;
  std::string_view sizes = "large";
  example::read_arguments(
      argc, argv,
      {{"--host", "numeric address to listen on (127.0.0.1)", host},
       {"--port", "0: the kernel chooses (8080)", port},
       {"--unix", "a Unix socket's path instead", unix_path},
       {"--sizes", "large, or many: 256 bodies or messages of 128 KiB (large)", sizes},
       {"--shards", "1, 2 or 4 threads (1)", shards}});
  target::fill_alphabet();
  const nen::listen_options options{
      .host = host, .port = port, .unix_path = unix_path, .on_listening = say_address};
  if (sizes == "many" && shards == 1) return run_many_at_once(options);
  if (sizes != "large") {
    std::fprintf(stderr, "%s: --sizes must be large, or many with one shard\n", argv[0]);
    return 2;
  }
  switch (shards) {
    case 1:
      return run<1>(options);
    case 2:
      return run<2>(options);
    case 4:
      return run<4>(options);
  }
  std::fprintf(stderr, "%s: --shards must be 1, 2 or 4\n", argv[0]);
  return 2;
}
