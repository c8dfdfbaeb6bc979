// What all threads of one run share: what is sent, where to, what must come back, and when.
#pragma once

#include <sys/socket.h>

#include <atomic>
#include <cstdint>
#include <deque>
#include <string>

#include "clock.hpp"
#include "options.hpp"
#include "requests.hpp"

namespace load {

/// Where connections go.
struct endpoint {
  sockaddr_storage address{};
  socklen_t size = 0;
};

/// The address of the options. Ends the program with 2 when it is none.
endpoint resolve(const options& o);

/// What the answers to one request have to be. The first answer of all threads sets the length.
struct expectation {
  std::atomic<std::int64_t> length{-1};

  bool fits(std::int64_t found) {
    std::int64_t expected = length.load(std::memory_order_relaxed);
    if (expected < 0 && length.compare_exchange_strong(expected, found)) return true;
    return expected == found;
  }
};

struct plan {
  explicit plan(const options& o)
      : chosen(o),
        where(resolve(o)),
        cycle(make_requests(o), o.pipeline),
        payload(make_payload(o.message_bytes)),
        handshake(make_handshake(o)),
        expectations(cycle.size()) {
    for (auto& e : expectations) e.length = o.length;
  }

  bool is_open_loop() const { return chosen.rate > 0; }

  /// Called once, when every connection of every thread is there.
  void start() {
    begin = now();
    measure_begin = begin + nanoseconds(chosen.warmup_seconds);
    measure_end = chosen.requests != 0 ? UINT64_MAX : measure_begin + nanoseconds(chosen.seconds);
  }

  const options chosen;
  const endpoint where;
  const request_cycle cycle;
  const std::string payload;
  const std::string handshake;
  std::deque<expectation> expectations;  // of each request of the cycle

  std::uint64_t begin = 0;
  std::uint64_t measure_begin = 0;
  std::uint64_t measure_end = 0;  // nothing is sent from here on
};

}  // namespace load
