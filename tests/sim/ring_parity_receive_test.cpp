// The simulated ring against the kernel's: receives, their buffers, and what cancels them.
#include <string>

#include "sim/two_rings.hpp"
#include "support/catch.hpp"

namespace {

using nen::operation;
using nen::test::both_do;
using nen::test::kernel_bench;
using nen::test::log_lines;
using nen::test::simulated_bench;

/// More than lies between two ends.
const std::string much(nen::test::much_bytes, 'x');

}  // namespace

TEST_CASE("parity: the peer's end completes a receive without a lease", "[sim]") {
  both_do({"accept 0", "receive 5 more lease", "receive 0", "close 0"}, [](auto& b) {
    b.connect(0);
    b.receive(0);
    b.client_sends(0, "hello");
    b.step();
    b.client_finishes(0);
    b.step();
    b.close(0);
    b.step();
  });
}

TEST_CASE("parity: an end behind data comes in a completion of its own", "[sim]") {
  both_do({"accept 0", "receive 5 more lease", "receive 0", "close 0"}, [](auto& b) {
    b.connect(0);
    b.client_sends(0, "hello");
    b.client_finishes(0);
    b.receive(0);
    b.step();
    b.close(0);
    b.step();
  });
}

TEST_CASE("parity: a reset behind data may go unheard", "[sim]") {
  const auto script = [](auto& b) {
    b.connect(0);
    b.receive(0);
    b.client_sends(0, "hello");
    b.client_resets(0);
    b.step();
    b.cancel(operation::receive, 0);
    b.step();
    b.close(0);
    b.step();
  };
  // A kernel that sees that it received all there was waits for the next event then, and the reset
  // was the last one. Others try again, and are told.
  const log_lines told = {"accept 0", "receive 5 more lease", "receive ECONNRESET", "cancel ENOENT",
                          "close 0"};
  const log_lines unheard = {"accept 0", "receive 5 more lease", "cancel 0", "receive ECANCELED",
                             "close 0"};
  {
    kernel_bench kernel;
    script(kernel);
    CHECK((kernel.log == told || kernel.log == unheard));
  }
  {
    simulated_bench simulated;
    script(simulated);
    CHECK(simulated.log == told);
  }
  simulated_bench simulated;
  simulated.network.faults.unheard_reset = 1000;
  script(simulated);
  CHECK(simulated.log == unheard);
}

TEST_CASE("parity: a single receive gets what arrived before a reset, then the reset", "[sim]") {
  both_do({"accept 0", "receive 5 lease", "receive ECONNRESET", "receive 0", "close 0"},
          [](auto& b) {
            b.connect(0);
            b.client_sends(0, "hello");
            b.client_resets(0);
            b.receive_once(0);
            b.step();
            b.receive_once(0);
            b.step();
            b.receive_once(0);
            b.step();
            b.close(0);
            b.step();
          });
}

TEST_CASE("parity: a cancelled receive ends with ECANCELED, and so does a watch", "[sim]") {
  both_do({"accept 0", "cancel 0", "receive ECANCELED", "cancel 0", "end ECANCELED",
           "cancel ENOENT", "close 0"},
          [](auto& b) {
            b.connect(0);
            b.receive(0);
            b.step();
            b.cancel(operation::receive, 0);
            b.step();
            b.watch_end(0);
            b.step();
            b.cancel(operation::end, 0);
            b.step();
            b.cancel(operation::receive, 0);
            b.step();
            b.close(0);
            b.step();
          });
}

TEST_CASE("parity: a cancelled accept ends with ECANCELED", "[sim]") {
  both_do({"cancel 0", "accept ECANCELED"}, [](auto& b) {
    b.ring().accept(nen::test::name_of(operation::accept, 1), b.listener(), 1);
    b.step();
    b.cancel(operation::accept, 1);
    b.step();
  });
}

TEST_CASE("parity: a receive that finds no buffer ends with ENOBUFS and loses nothing", "[sim]") {
  both_do({"accept 0", "receive 64 more lease", "receive 64 more lease", "receive 64 more lease",
           "receive 64 more lease", "receive ENOBUFS", "receive ENOBUFS", "receive 44 more lease",
           "receive 0", "close 0"},
          [](auto& b) {
            b.gives_back = false;
            b.connect(0);
            b.receive(0);
            b.step();
            b.client_sends(0, std::string(300, 'x'));
            b.step();
            b.receive(0);  // as there are bytes
            b.step();
            b.give_all_back();
            b.receive(0);
            b.step();
            b.client_finishes(0);
            b.step();
            b.give_all_back();
            b.close(0);
            b.step();
            CHECK(b.received == std::string(300, 'x'));
          });
}

TEST_CASE("parity: a receive may wait without a free buffer as long as nothing comes", "[sim]") {
  both_do({"accept 0", "accept 0", "receive 64 more lease", "receive 64 more lease",
           "receive 64 more lease", "receive 64 more lease", "receive 2 more lease", "receive 0",
           "receive 0", "close 0", "close 0"},
          [](auto& b) {
            b.gives_back = false;
            b.connect(0);
            b.connect(1);
            b.receive(0);
            b.client_sends(0, std::string(256, 'x'));
            b.step();
            b.receive(1);
            b.step();
            b.give_all_back();
            b.client_sends(1, "ab");
            b.step();
            b.client_finishes(1);
            b.step();
            b.client_finishes(0);
            b.step();
            b.give_all_back();
            b.close(0);
            b.close(1);
            b.step();
          });
}

TEST_CASE("parity: an end or a reset without a free buffer", "[sim]") {
  both_do({"accept 0", "accept 0", "receive 64 more lease", "receive 64 more lease",
           "receive 64 more lease", "receive 64 more lease", "receive ENOBUFS", "receive ENOBUFS",
           "receive 0", "close 0", "close 0"},
          [](auto& b) {
            b.gives_back = false;
            b.connect(0);
            b.connect(1);
            b.receive(0);
            b.client_sends(0, std::string(256, 'x'));
            b.step();
            b.receive(1);
            b.client_finishes(1);
            b.step();
            b.client_resets(0);
            b.step();
            b.give_all_back();
            b.receive(1);
            b.step();
            b.close(0);
            b.close(1);
            b.step();
          });
}

TEST_CASE("parity: a single receive takes one buffer and ends", "[sim]") {
  both_do({"accept 0", "receive 64 lease", "receive 6 lease", "receive 0", "close 0"}, [](auto& b) {
    b.connect(0);
    b.client_sends(0, std::string(70, 'x'));
    b.receive_once(0);
    b.step();
    b.receive_once(0);
    b.step();
    b.receive_once(0);
    b.step();
    b.client_finishes(0);
    b.step();
    b.close(0);
    b.step();
  });
}

TEST_CASE("parity: a single receive without a free buffer", "[sim]") {
  both_do({"accept 0", "accept 0", "receive 64 more lease", "receive 64 more lease",
           "receive 64 more lease", "receive 64 more lease", "receive ENOBUFS", "cancel 0",
           "receive ECANCELED", "close 0", "close 0"},
          [](auto& b) {
            b.gives_back = false;
            b.connect(0);
            b.connect(1);
            b.receive(0);
            b.client_sends(0, std::string(256, 'x'));
            b.step();
            b.receive_once(1);
            b.step();
            b.give_all_back();
            b.cancel(operation::receive, 0);
            b.step();
            b.close(0);
            b.close(1);
            b.step();
          });
}

TEST_CASE("parity: a cancel is quicker than data that waits", "[sim]") {
  both_do(
      {"accept 0", "cancel 0", "receive ECANCELED", "receive 5 more lease", "receive 0", "close 0"},
      [](auto& b) {
        b.connect(0);
        b.receive(0);
        b.step();
        b.client_sends(0, "hello");
        b.cancel(operation::receive, 0);
        b.step();
        b.receive(0);
        b.step();
        b.client_finishes(0);
        b.step();
        b.close(0);
        b.step();
      });
}

TEST_CASE("parity: a send that waits for the reader is cancelled half way", "[sim]") {
  both_do({"accept 0", "cancel 0", "send part", "close 0"}, [](auto& b) {
    b.connect(0);
    b.client_reads(0, false);
    b.send(0, much);
    b.step();
    b.cancel(operation::send, 0);
    b.step();
    b.close(0);
    b.step();
  });
}
