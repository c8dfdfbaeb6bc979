// A load like wrk's, made by nen's HTTP client on one thread: as many coroutines as connections,
// each of which asks for the same URL again and again.
//
//   client_load --url http://127.0.0.1:8080/plaintext --connections 64 --seconds 5
#include <nen/client/client_loop.hpp>
#include <nen/nen.hpp>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string_view>

#include "../../examples/common/arguments.hpp"

namespace {

constexpr std::uint32_t connections_max = 256;
constexpr nen::config sizes = {
    .connections = 1,
    .receive_buffers = 256,
    .send_slots = 512,
    .send_slot_bytes = 2 * nen::KiB,
    .response_bytes_max = 2 * nen::KiB,
    .outgoing = connections_max,
    .fetches = connections_max,
    .fetch_body_bytes = 16 * nen::KiB,
    .task_frames = {{{512, 1024}, {1024, 1024}, {2048, 512}, {8192, 8}}}};

struct load {
  std::string_view url;
  nen::tick until;
  std::uint64_t answers = 0;
  std::uint64_t failures = 0;
};

nen::task<void> ask(nen::context& ctx, load& all) {
  while (nen::tick_before(ctx.now_ms(), all.until)) {
    const auto got = co_await ctx.http().get(all.url);
    got.is_successful() ? ++all.answers : ++all.failures;
  }
}

/// As many at once as are wanted, by halves.
nen::task<void> ask_in_parallel(nen::context& ctx, load& all, std::uint32_t count) {
  if (count == 1) {
    co_await ask(ctx, all);
  } else {
    co_await nen::when_all(ask_in_parallel(ctx, all, count / 2),
                           ask_in_parallel(ctx, all, count - count / 2));
  }
}

nen::client_loop<sizes> loop;

}  // namespace

int main(int argc, char** argv) {
  std::string_view url = "http://127.0.0.1:8080/plaintext";
  std::uint16_t connections = 64;
  std::uint16_t seconds = 5;
  example::read_arguments(argc, argv,
                          {{"--url", "what is asked for", url},
                           {"--connections", "1 to 256 (64)", connections},
                           {"--seconds", "how long (5)", seconds}});
  if (connections < 1 || connections > connections_max) {
    std::fputs("--connections has to be 1 to 256\n", stderr);
    return 2;
  }
  const nen::client_options options{.connections_per_endpoint = connections};
  if (const auto opened = loop.open(options); !opened) {
    std::fprintf(stderr, "%s\n", opened.error().message().data());
    return 1;
  }
  return nen::exit_code(loop.run([&](nen::context& ctx) -> nen::task<int> {
    load all{url, ctx.now_ms() + seconds * 1000U};
    const auto began = std::chrono::steady_clock::now();
    co_await ask_in_parallel(ctx, all, connections);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    std::printf("%.0f requests/s, %llu failed\n", static_cast<double>(all.answers) / took.count(),
                static_cast<unsigned long long>(all.failures));
    co_return all.failures == 0 && all.answers != 0 ? 0 : 1;
  }));
}
