// The simulated ring against the kernel's, verb by verb: the same steps have the same completions.
// Each expectation is what Linux does; a simulation that differs from it would prove nothing.
#include <string>

#include "sim/two_rings.hpp"
#include "support/catch.hpp"

namespace {

using nen::operation;
using nen::test::both_do;

/// More than lies between two ends.
const std::string much(nen::test::much_bytes, 'x');

}  // namespace

TEST_CASE("parity: a reset is told once, and is an end from then on", "[sim]") {
  both_do(
      {"accept 0", "receive ECONNRESET", "receive 0", "send EPIPE", "shutdown ENOTCONN", "close 0"},
      [](auto& b) {
        b.connect(0);
        b.client_resets(0);
        b.receive(0);
        b.step();
        b.receive(0);
        b.step();
        b.send(0, "x");
        b.step();
        b.shutdown(0);
        b.step();
        b.close(0);
        b.step();
      });
}

TEST_CASE("parity: a send may be who is told of the reset", "[sim]") {
  both_do({"accept 0", "send ECONNRESET", "send EPIPE", "receive 0", "close 0"}, [](auto& b) {
    b.connect(0);
    b.client_resets(0);
    b.send(0, "x");
    b.step();
    b.send(0, "x");
    b.step();
    b.receive(0);
    b.step();
    b.close(0);
    b.step();
  });
}

TEST_CASE("parity: a reset behind the end is a broken pipe", "[sim]") {
  both_do({"accept 0", "receive 5 more lease", "receive 0", "send EPIPE", "close 0"}, [](auto& b) {
    b.connect(0);
    b.client_sends(0, "hello");
    b.client_finishes(0);
    b.client_resets(0);
    b.receive(0);
    b.step();
    b.send(0, "x");
    b.step();
    b.close(0);
    b.step();
  });
}

TEST_CASE("parity: the first send to a peer who closed goes through, the second fails", "[sim]") {
  both_do({"accept 0", "receive 0", "send 3", "send EPIPE", "shutdown ENOTCONN", "close 0"},
          [](auto& b) {
            b.connect(0);
            b.client_closes(0);
            b.receive(0);
            b.step();
            b.send(0, "one");
            b.step();
            b.send(0, "two");
            b.step();
            b.shutdown(0);
            b.step();
            b.close(0);
            b.step();
          });
}

TEST_CASE("parity: a client who closes with something unread resets", "[sim]") {
  both_do({"accept 0", "send 6", "receive ECONNRESET", "close 0"}, [](auto& b) {
    b.connect(0);
    b.client_reads(0, false);
    b.send(0, "unread");
    b.step();
    b.client_closes(0);
    b.receive(0);
    b.step();
    b.close(0);
    b.step();
  });
}

TEST_CASE("parity: a connection that is broken off resets its peer", "[sim]") {
  both_do({"accept 0", "send 5", "disconnect 0", "close 0", "client 0  reset"}, [](auto& b) {
    b.connect(0);
    b.client_reads(0, false);
    b.send(0, "hello");
    b.step();
    b.look(0);
    b.log.pop_back();  // what it read before
    b.disconnect(0);
    b.step();
    b.close(0);
    b.step();
    b.look(0);
  });
}

TEST_CASE("parity: the watch for the peer's end tells an end, whatever is unread", "[sim]") {
  constexpr int pollrdhup = 0x2000;
  both_do({"accept 0", "end " + std::to_string(pollrdhup), "close 0", "client 0  reset"},
          [](auto& b) {
            b.connect(0);
            b.watch_end(0);
            b.client_sends(0, "hello");
            b.step();
            b.client_finishes(0);
            b.step();
            b.close(0);
            b.step();
            b.look(0);
          });
}

TEST_CASE("parity: the watch for the peer's end tells a reset", "[sim]") {
  constexpr int rdhup_hup_err = 0x2018;
  both_do({"accept 0", "end " + std::to_string(rdhup_hup_err), "receive ECONNRESET", "close 0"},
          [](auto& b) {
            b.connect(0);
            b.watch_end(0);
            b.client_resets(0);
            b.step();
            b.receive(0);
            b.step();
            b.close(0);
            b.step();
          });
}

TEST_CASE("parity: a watch for an end that is there already completes", "[sim]") {
  both_do({"accept 0", "end 8192", "close 0"}, [](auto& b) {
    b.connect(0);
    b.client_finishes(0);
    b.watch_end(0);
    b.step();
    b.close(0);
    b.step();
  });
}

TEST_CASE("parity: accepts end with EINVAL when the listener is shut", "[sim]") {
  both_do({"accept EINVAL", "accept EINVAL"}, [](auto& b) {
    b.ring().accept(nen::test::name_of(operation::accept, 1), b.listener(), 1);
    b.step();
    b.stop_listening();
    b.step();
    b.ring().accept(nen::test::name_of(operation::accept, 2), b.listener(), 2);
    b.step();
  });
}

TEST_CASE("parity: operations that can be done at once are done when submitted", "[sim]") {
  // The send, the accept and the single receive are over when the cancels come, although all of
  // them went to the ring together.
  both_do({"accept 0", "send 3", "receive 2 lease", "accept 0", "cancel ENOENT", "cancel ENOENT",
           "cancel ENOENT", "close 0", "close 0", "client 0 abc end"},
          [](auto& b) {
            b.connect(0);
            b.client_sends(0, "xy");
            b.connect_client();
            b.send(0, "abc");
            b.receive_once(0);
            b.ring().accept(nen::test::name_of(operation::accept, 1), b.listener(), 1);
            b.cancel(operation::send, 0);
            b.cancel(operation::receive, 0);
            b.cancel(operation::accept, 1);
            b.step();
            b.close(0);
            b.close(1);
            b.step();
            b.look(0);
          });
}

TEST_CASE("parity: of several who wait, the last one is told of a reset", "[sim]") {
  // A send that was through in part has the error taken all the same.
  both_do({"accept 0", "send part", "receive 0", "close 0"}, [](auto& b) {
    b.connect(0);
    b.client_reads(0, false);
    b.receive(0);
    b.send(0, much);
    b.step();
    b.client_resets(0);
    b.step();
    b.close(0);
    b.step();
  });
  both_do({"accept 0", "end 8216", "receive ECONNRESET", "send part", "close 0"}, [](auto& b) {
    b.connect(0);
    b.client_reads(0, false);
    b.send(0, much);
    b.step();
    b.receive(0);
    b.step();
    b.watch_end(0);
    b.step();
    b.client_resets(0);
    b.step();
    b.close(0);
    b.step();
  });
}

TEST_CASE("parity: a send goes on as the client reads, and completes with all of it", "[sim]") {
  both_do({"accept 0", "send all", "close 0"}, [](auto& b) {
    b.connect(0);
    b.client_reads(0, false);
    b.send(0, much);
    b.step();
    std::size_t read = 0;
    for (int i = 0; i < 1000 && read < much.size(); ++i) {
      read += b.bytes_read_of(0);
      b.step_briefly();
    }
    CHECK(read == much.size());
    b.step();
    b.close(0);
    b.step();
  });
}

TEST_CASE("parity: a shut connection goes on receiving, and its end is the client's end", "[sim]") {
  both_do(
      {"accept 0", "shutdown 0", "receive 3 more lease", "receive 0", "close 0", "client 0  end"},
      [](auto& b) {
        b.connect(0);
        b.receive(0);
        b.shutdown(0);
        b.step();
        b.client_sends(0, "abc");
        b.step();
        b.client_finishes(0);
        b.step();
        b.close(0);
        b.step();
        b.look(0);
      });
}

TEST_CASE("parity: a close with unread bytes resets, and what was sent before it is read",
          "[sim]") {
  both_do({"accept 0", "send 6", "close 0", "client 0 answer reset"}, [](auto& b) {
    b.connect(0);
    b.client_sends(0, "unread");
    b.send(0, "answer");
    b.step();
    b.close(0);
    b.step();
    b.look(0);
  });
}

TEST_CASE("parity: who sends to a closed connection is reset behind its end", "[sim]") {
  both_do({"accept 0", "send 6", "close 0", "client 0 answer end", "client 0  end"}, [](auto& b) {
    b.connect(0);
    b.send(0, "answer");
    b.step();
    b.close(0);
    b.step();
    b.client_sends(0, "too late");
    b.step();
    b.look(0);
    b.step();
    b.look(0);
  });
}

TEST_CASE("parity: a connection that is closed after a reset is closed", "[sim]") {
  both_do({"accept 0", "close 0"}, [](auto& b) {
    b.connect(0);
    b.client_resets(0);
    b.step();
    b.close(0);
    b.step();
  });
}

TEST_CASE("parity: a shutdown after both sides are over", "[sim]") {
  both_do({"accept 0", "receive 0", "shutdown 0", "shutdown ENOTCONN", "close 0"}, [](auto& b) {
    b.connect(0);
    b.client_closes(0);
    b.receive(0);
    b.step();
    b.shutdown(0);
    b.step();
    b.shutdown(0);
    b.step();
    b.close(0);
    b.step();
  });
}

TEST_CASE("parity: who waits in the backlog and resets is accepted all the same", "[sim]") {
  both_do({"accept 0", "receive ECONNRESET", "close 0"}, [](auto& b) {
    b.connect_client();
    b.client_resets(0);
    b.ring().accept(nen::test::name_of(operation::accept, 0), b.listener(), 0);
    b.step();
    b.receive(0);
    b.step();
    b.close(0);
    b.step();
  });
}

TEST_CASE("parity: the waker's count is read whole and begins anew", "[sim]") {
  both_do({"wake 8", "wake 8"}, [](auto& b) {
    b.watch();
    b.step();
    b.wake(3);
    b.wake(4);
    b.step();
    CHECK(b.ring().watched() == 7);
    b.wake(1);
    b.watch();
    b.step();
    CHECK(b.ring().watched() == 1);
  });
}
