// Writes to somebody else's descriptor: the simulated ring against the kernel's.
#include <nen/io/uring.hpp>
#include <nen/testing/simulated_ring.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <memory>
#include <string>
#include <vector>

#include "sim/two_rings.hpp"
#include "support/catch.hpp"

namespace {

using nen::operation;
using nen::token;
using nen::test::log_lines;
using nen::test::name_of;

constexpr token writes = name_of(operation::write, 0);
constexpr token cancels = name_of(operation::cancel, 1);

/// What completes until nothing more does.
template <class Ring>
log_lines settle(Ring& ring) {
  log_lines done;
  for (std::size_t before = 1; before != done.size();) {
    before = done.size();
    const auto until = ring.now_ms() + 25;
    ring.wait(&until, [&](const nen::completion& c) { done.push_back(nen::test::to_text(c)); });
  }
  return done;
}

struct kernel {
  nen::uring<nen::test::two_rings_sizes>& ring = nen::test::kernel_side::ring();
  std::array<int, 2> ends{};
  kernel() {
    std::signal(SIGPIPE, SIG_IGN);  // shards' threads block all signals
    REQUIRE(ring.open().has_value());
    REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
  }
  ~kernel() {
    ring.shut();
    for (const int end : ends) ::close(end);
  }
  int descriptor() const { return ends[1]; }
  std::string read() const {
    char bytes[64];
    const auto got = ::read(ends[0], bytes, sizeof bytes);
    return std::string(bytes, static_cast<std::size_t>(got));
  }
  void stop_reading() const {
    ::fcntl(ends[1], F_SETFL, O_NONBLOCK);
    const std::string much(4096, 'x');
    while (::write(ends[1], much.data(), much.size()) > 0) {
    }
    ::fcntl(ends[1], F_SETFL, 0);
  }
  void leave() const { ::dup2(STDIN_FILENO, ends[0]); }
};

struct simulation {
  nen::testing::network network{1};
  std::unique_ptr<nen::testing::simulated_ring<nen::test::two_rings_sizes>> owned =
      std::make_unique<nen::testing::simulated_ring<nen::test::two_rings_sizes>>();
  nen::testing::simulated_ring<nen::test::two_rings_sizes>& ring = *owned;
  simulation() { REQUIRE(ring.open().has_value()); }
  ~simulation() { ring.shut(); }
  static int descriptor() { return 5; }
  std::string read() { return network.sink_of(5).text(); }
  void stop_reading() { network.sink_of(5).is_stuck = true; }
  void leave() { network.sink_of(5).errno_value = EPIPE; }
};

template <class Side>
std::vector<log_lines> script() {
  std::vector<log_lines> steps;
  Side side;
  side.ring.write(writes, side.descriptor(), "hello");
  steps.push_back(settle(side.ring));
  steps.push_back({side.read()});
  side.leave();
  side.ring.write(writes, side.descriptor(), "nobody");
  steps.push_back(settle(side.ring));
  return steps;
}

template <class Side>
std::vector<log_lines> stuck_script() {
  std::vector<log_lines> steps;
  Side side;
  side.stop_reading();
  side.ring.write(writes, side.descriptor(), "waits");
  steps.push_back(settle(side.ring));
  side.ring.cancel(cancels, writes);
  auto ended = settle(side.ring);
  // Either may be told first: a worker of the kernel's may have to be woken.
  std::sort(ended.begin(), ended.end());
  steps.push_back(ended);
  return steps;
}

}  // namespace

TEST_CASE("parity: a write is done, and fails when nobody can read it", "[sim]") {
  const std::vector<log_lines> wanted = {{"write 5"}, {"hello"}, {"write EPIPE"}};
  CHECK(script<simulation>() == wanted);
  CHECK(script<kernel>() == wanted);
}

TEST_CASE("parity: a write that waits for room can be cancelled", "[sim]") {
  CHECK(stuck_script<simulation>() == std::vector<log_lines>{{}, {"cancel 0", "write ECANCELED"}});
  const auto kernels = stuck_script<kernel>();
  REQUIRE(kernels.size() == 2);
  CHECK(kernels[0].empty());
  // What a worker has begun is interrupted, and the cancel says that it was too late to prevent it.
  const bool at_once = kernels[1] == log_lines{"cancel 0", "write ECANCELED"};
  const bool interrupted = kernels[1] == log_lines{"cancel EALREADY", "write EINTR"} ||
                           kernels[1] == log_lines{"cancel EALREADY", "write ECANCELED"};
  UNSCOPED_INFO(kernels[1][0] << ", " << kernels[1].back());
  CHECK((at_once || interrupted));
}
