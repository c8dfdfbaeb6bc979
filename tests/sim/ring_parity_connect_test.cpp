// The simulated ring against the kernel's: connections that go out, and descriptors that are
// polled.
#include "sim/two_rings.hpp"
#include "support/catch.hpp"

using nen::operation;
using nen::readiness;
using nen::test::both_do;
using nen::test::who;

TEST_CASE("parity: a connection that goes out carries bytes both ways", "[sim]") {
  both_do({"connect 0", "send 4", "client 0 ping open", "receive 4 more lease", "receive 0",
           "close 0", "client 0  end"},
          [](auto& b) {
            b.dial(1, who::listener);
            b.step();
            b.answer_dialled();
            b.send(1, "ping");
            b.step();
            b.look(0);
            b.receive(1);
            b.client_sends(0, "pong");
            b.step();
            b.client_finishes(0);
            b.step();
            b.close(1);
            b.step();
            b.look(0);
            CHECK(b.received == "pong");
          });
}

TEST_CASE("parity: nobody listens: the place holds a socket all the same", "[sim]") {
  both_do({"connect ECONNREFUSED", "close 0"}, [](auto& b) {
    b.dial(0, who::nobody);
    b.step();
    b.close(0);
    b.step();
  });
}

TEST_CASE("parity: a connect that nobody answers is cancelled", "[sim]") {
  both_do({"cancel 0", "connect ECANCELED", "close 0"}, [](auto& b) {
    b.dial(0, who::silent);
    b.step();
    b.cancel(operation::connect, 0);
    b.step();
    b.close(0);
    b.step();
  });
}

TEST_CASE("parity: a descriptor is polled until it is ready, or cancelled", "[sim]") {
  both_do({"poll 1", "poll 1", "cancel ENOENT"}, [](auto& b) {
    b.poll(0, readiness::readable);
    b.step();
    b.make_ready();
    b.step();
    b.poll(0, readiness::readable);
    b.step();
    b.cancel(operation::poll, 0);
    b.step();
  });
  both_do({"cancel 0", "poll ECANCELED"}, [](auto& b) {
    b.poll(0, readiness::readable);
    b.step();
    b.cancel(operation::poll, 0);
    b.step();
  });
}
