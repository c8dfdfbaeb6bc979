// What the simulated ring does not forgive, because the kernel would not tell: each mistake aborts
// with the line of its assertion.
#include <nen/testing/simulated_ring.hpp>

#include <memory>
#include <string>
#include <string_view>

#include "support/catch.hpp"
#include "support/death.hpp"

namespace {

using nen::completion;
using nen::operation;
using nen::token;
using nen::testing::network;

using ring_type = nen::testing::simulated_ring<nen::ring_sizes{4, 4, 64}>;

constexpr token name(operation what, std::uint32_t place) { return {what, 1, place}; }

/// A ring with one connection, whose client sent "hello" to a receive in flight.
struct bench {
  bench() {
    if (!ring->open().has_value()) ::_exit(1);
    client = net.connect();
    ring->accept(name(operation::accept, 0), 0, 0);
    step();
    ring->receive(name(operation::receive, 0), 0);
    client->client_sends("hello");
    step();
  }

  void step() {
    const auto now = ring->now_ms();
    do {
      ring->wait(&now, [this](const completion& c) {
        if (c.lease != completion::no_lease) lease = c.lease;
      });
    } while (!ring->is_quiet());
  }
  /// To where everything may end.
  void let_go() {
    ring->give_back(lease);
    ring->cancel(name(operation::cancel, 0), name(operation::receive, 0));
    step();
  }
  void close() {
    ring->close(name(operation::close, 0), 0);
    step();
  }

  network net{1};
  std::unique_ptr<ring_type> ring = std::make_unique<ring_type>();
  std::shared_ptr<nen::testing::wire> client;
  std::uint16_t lease = completion::no_lease;
};

/// Runs a mistake in a process of its own.
template <class F>
nen::test::death dies_of(F mistake) {
  return nen::test::dies([&] {
    bench b;
    mistake(b);
  });
}

}  // namespace

TEST_CASE("who makes no mistake lives", "[testing]") {
  const auto end = dies_of([](bench& b) {
    b.let_go();
    b.close();
    b.ring->shut();
  });
  CHECK_FALSE(end.aborted);
  CHECK(end.output.empty());
}

TEST_CASE("a lease that is given back twice aborts", "[testing]") {
  const auto end = dies_of([](bench& b) {
    b.ring->give_back(b.lease);
    b.ring->give_back(b.lease);
  });
  CHECK(end.aborted);
  CHECK(end.output.find("assertion failed: lease <") != std::string::npos);
}

TEST_CASE("looking at a lease that was given back aborts", "[testing]") {
  const auto end = dies_of([](bench& b) {
    b.ring->give_back(b.lease);
    (void)b.ring->lease_bytes(b.lease);
  });
  CHECK(end.aborted);
  CHECK(end.output.find("is_leased(lease)") != std::string::npos);
}

TEST_CASE("bytes that change while they are sent abort", "[testing]") {
  const auto end = dies_of([](bench& b) {
    b.client->client_reads(false);
    std::string much(1 << 20, 'x');
    b.ring->send(name(operation::send, 0), 0, much);
    b.step();
    much.back() = 'y';
    b.client->client_reads(true);
    for (int i = 0; i < 100; ++i) b.step();
  });
  CHECK(end.aborted);
  CHECK(end.output.find("r.hash") != std::string::npos);
}

TEST_CASE("a send of nothing aborts", "[testing]") {
  const auto end = dies_of([](bench& b) { b.ring->send(name(operation::send, 0), 0, ""); });
  CHECK(end.aborted);
  CHECK(end.output.find("r.size() != 0") != std::string::npos);
}

TEST_CASE("two receives at once on one place abort", "[testing]") {
  const auto end = dies_of([](bench& b) {
    b.ring->receive(name(operation::receive, 0), 0);
    b.step();
  });
  CHECK(end.aborted);
  CHECK(end.output.find("other.name != r.name") != std::string::npos);
}

TEST_CASE("a close with an operation in flight aborts", "[testing]") {
  const auto end = dies_of([](bench& b) { b.close(); });
  CHECK(end.aborted);
  CHECK(end.output.find("other.place != r.place") != std::string::npos);
}

TEST_CASE("an accept into a used place aborts", "[testing]") {
  const auto end = dies_of([](bench& b) { b.ring->accept(name(operation::accept, 0), 0, 0); });
  CHECK(end.aborted);
  CHECK(end.output.find("places_[place] == nullptr") != std::string::npos);
}

TEST_CASE("an operation on an empty place aborts", "[testing]") {
  const auto end = dies_of([](bench& b) {
    b.ring->receive(name(operation::receive, 1), 1);
    b.step();
  });
  CHECK(end.aborted);
  CHECK(end.output.find("places_[r.place] != nullptr") != std::string::npos);
}

TEST_CASE("taking a ring down with a socket open aborts", "[testing]") {
  const auto end = dies_of([](bench& b) {
    b.let_go();
    b.ring->shut();
  });
  CHECK(end.aborted);
  CHECK(end.output.find("place == nullptr") != std::string::npos);
}

TEST_CASE("taking a ring down with a lease out aborts", "[testing]") {
  const auto end = dies_of([](bench& b) {
    b.ring->cancel(name(operation::cancel, 0), name(operation::receive, 0));
    b.step();
    b.close();
    b.ring->shut();
  });
  CHECK(end.aborted);
  CHECK(end.output.find("leases_out_ == 0") != std::string::npos);
}

TEST_CASE("taking a ring down with an operation outstanding aborts", "[testing]") {
  const auto end = dies_of([](bench& b) {
    b.let_go();
    b.close();
    b.ring->accept(name(operation::accept, 1), 0, 1);
    b.ring->shut();
  });
  CHECK(end.aborted);
  CHECK(end.output.find("outstanding() == 0") != std::string::npos);
}

TEST_CASE("a ring that is not taken down aborts", "[testing]") {
  const auto end = dies_of([](bench& b) {
    b.let_go();
    b.close();
    b.ring.reset();
  });
  CHECK(end.aborted);
  CHECK(end.output.find("network_ == nullptr") != std::string::npos);
}

TEST_CASE("waiting for ever aborts", "[testing]") {
  const auto end = dies_of([](bench& b) { b.ring->wait(nullptr, [](const completion&) {}); });
  CHECK(end.aborted);
  CHECK(end.output.find("until !=") != std::string::npos);
}

TEST_CASE("a ring without a network aborts", "[testing]") {
  const auto end = nen::test::dies([] {
    ring_type ring;
    (void)ring.open();
  });
  CHECK(end.aborted);
  CHECK(end.output.find("current_ != nullptr") != std::string::npos);
}
