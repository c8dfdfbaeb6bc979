// Counts visits in Redis: GET /hits/:name adds one and tells the sum. hiredis' sockets live on
// nen's loop (redis.hpp), so that thousands of visitors wait for Redis on one thread.
#include <nen/nen.hpp>

#include <cstdio>
#include <string_view>

#include "../common/arguments.hpp"
#include "redis.hpp"

namespace {

nen::task<nen::reply> hit(nen::context& ctx, std::string_view name, example::redis_pool& redis,
                          nen::response& res) {
  constexpr std::uint32_t patience_ms = 1'000;
  const auto hits = co_await redis.increment(ctx, name, patience_ms);
  if (!hits) co_return res.status(nen::status::bad_gateway);
  co_return res.json({{"name", name}, {"hits", *hits}});
}

using routes = nen::router<nen::get<"/hits/:name", hit>>;
using counter = nen::server<routes, nen::config{.tasks = 256, .polls = 256}, example::redis_pool>;

}  // namespace

int main(int argc, char** argv) {
  static counter server;
  std::string_view host = "127.0.0.1";
  std::uint16_t redis_port = 6379;
  nen::listen_options options{.port = 8080, .on_listening = [](std::string_view address) {
                                std::fprintf(stderr, "listening on %.*s\n",
                                             static_cast<int>(address.size()), address.data());
                              }};
  example::read_arguments(argc, argv,
                          {{"--host", "0.0.0.0: the whole network may come (127.0.0.1)", host},
                           {"--port", "0: the kernel chooses (8080)", options.port},
                           {"--redis-port", "Redis' port on this machine (6379)", redis_port}});
  options.host = host;
  server.state<example::redis_pool>().set_address("127.0.0.1", redis_port);
  return server.run(options).exit_code();
}
