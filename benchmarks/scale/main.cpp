// The server that scale.py holds 100,000 connections to: 8 shards, and pools that are no larger
// than mostly idle connections need.
#include <nen/nen.hpp>

#include <time.h>

#include <cstdint>
#include <cstdio>
#include <string_view>

#include "../../examples/common/arguments.hpp"

namespace {

nen::reply plaintext(nen::response& res) { return res.text("Hello, World!"); }
nen::reply counts(nen::response& res);  // looks at the server, whose type has to be known first

using routes = nen::router<nen::get<"/plaintext", plaintext>, nen::get<"/counts", counts>>;

constexpr nen::config sizes{
    // A shard has a table of direct descriptors, which RLIMIT_NOFILE limits; 20,000 is common.
    .shards = 8,
    // The kernel deals connections out by a hash: of 100,000 a shard gets 12,500, give or take
    // 105 (the standard deviation). This is ten times that above it, and a slot that nobody
    // needs is a page that nobody touches.
    .connections = 13'600,
    // Lent to whoever has sent something just now. The kernel goes round them all, so every one
    // of them is resident: 2 KiB hold a browser's request, longer heads come in pieces.
    .receive_buffers = 128,
    .receive_buffer_bytes = 2 * nen::KiB,
    // For answers on their way: of 1,000 active connections a shard has about 125, and each answer
    // fits into one. Those that were given back last are used first, so few are ever resident.
    .send_slots = 512,
    .send_slot_bytes = 1 * nen::KiB,
    .response_bytes_max = 1 * nen::KiB,
    // For heads that come in pieces.
    .head_slots = 64,
    .head_bytes_max = 4 * nen::KiB,
    // Neither route has a body or is streamed.
    .streams = 1,
    .body_slots = 1,
    .body_bytes_max = 1 * nen::KiB,
};

using server = nen::server<routes, sizes>;

server& instance() {
  static server one;
  return one;
}

struct sums {
  std::uint64_t accepted = 0;
  std::uint64_t closed = 0;
  std::uint64_t requests = 0;
  std::uint64_t failed = 0;  // what must not happen while there is room for everybody
};

sums sum_of_shards() {
  sums all;
  for (std::uint32_t i = 0; i < sizes.shards; ++i) {
    const nen::shard_counters& c = instance().counters(i);
    all.accepted += c.connections_accepted.value();
    all.closed += c.connections_closed.value();
    all.requests += c.requests.value();
    all.failed += c.accept_pauses.value() + c.accepts_failed.value() +
                  c.connections_evicted.value() + c.requests_rejected.value();
  }
  return all;
}

nen::reply counts(nen::response& res) {
  const sums all = sum_of_shards();
  return res.json({{"accepted", all.accepted},
                   {"closed", all.closed},
                   {"requests", all.requests},
                   {"failed", all.failed}});
}

double now_ms() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

double began_ms;

void say_address(std::string_view address) {
  std::printf("%u slots in %u shards, %zu bytes each, %zu bytes in all\n",
              sizes.shards * sizes.connections, sizes.shards, sizeof(server::shard::connection),
              sizeof(server));
  std::printf("listening after %.3f ms\n", now_ms() - began_ms);
  std::printf("listening on %.*s\n", static_cast<int>(address.size()), address.data());
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  began_ms = now_ms();
  std::string_view host = "127.0.0.1";
  std::uint16_t port = 8080;
  example::read_arguments(argc, argv,
                          {{"--host", "numeric address to listen on (127.0.0.1)", host},
                           {"--port", "0: the kernel chooses (8080)", port}});
  // Long enough that nobody is closed for being idle, or silent, while all are counted. They have
  // their timers nevertheless, as they would with shorter times.
  constexpr std::chrono::hours long_enough{1};
  const auto ended = instance().run({.host = host,
                                     .port = port,
                                     .header_timeout = long_enough,
                                     .idle_timeout = long_enough,
                                     .on_listening = say_address});
  const sums all = sum_of_shards();
  std::printf("%llu accepted, %llu closed\n", static_cast<unsigned long long>(all.accepted),
              static_cast<unsigned long long>(all.closed));
  return ended.exit_code() != 0 ? 1 : all.accepted == all.closed ? 0 : 3;
}
