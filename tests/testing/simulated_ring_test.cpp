// The simulated ring alone: what its seed decides, what its faults do, and how its time passes.
// That it completes what it is asked for as the kernel does is what tests/sim compares.
#include <nen/testing/simulated_ring.hpp>

#include <cerrno>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/catch.hpp"
#include "support/death.hpp"

namespace {

using nen::completion;
using nen::operation;
using nen::token;
using nen::testing::faults;
using nen::testing::network;
using nen::testing::wire;

using ring_type = nen::testing::simulated_ring<nen::ring_sizes{4, 4, 64}>;

constexpr token name(operation what, std::uint32_t place) { return {what, 1, place}; }

/// A ring and its network; completions are kept, and their leases given back at the end.
struct bench {
  explicit bench(std::uint64_t seed = 1, const faults& which = {}) : net(seed, which) {
    if (!ring->open().has_value()) std::abort();
  }
  ~bench() {
    net.faults = {};
    give_back_all();
    for (std::uint32_t place = 0; place < 4; ++place) {
      if (!connected[place]) continue;
      for (const operation what : {operation::receive, operation::send, operation::end})
        ring->cancel(name(operation::cancel, place), name(what, place));
    }
    while (run() != 0) continue;
    for (std::uint32_t place = 0; place < 4; ++place)
      if (connected[place]) ring->close(name(operation::close, place), place);
    while (run() != 0) continue;
    give_back_all();
    ring->shut();
  }
  bench(const bench&) = delete;
  bench& operator=(const bench&) = delete;

  /// One wait that lets no time pass. @returns  how many completions came
  std::size_t run() {
    const auto now = ring->now_ms();
    return run_until(now);
  }
  std::size_t run_until(std::uint32_t deadline) {
    const auto before = done.size();
    ring->wait(&deadline, [this](const completion& c) { take(c); });
    return done.size() - before;
  }
  /// Waits until nothing more happens, however long it takes.
  void settle() {
    do {
      const auto due = ring->next_due_ms();
      run_until(due == ~std::uint64_t{0} ? ring->now_ms() : static_cast<std::uint32_t>(due));
    } while (!ring->is_quiet());
  }
  void take(const completion& c) {
    done.push_back(c);
    if (c.token.operation() == operation::accept && c.result >= 0) connected[c.token.slot()] = true;
    if (c.lease == completion::no_lease) return;
    received.append(ring->lease_bytes(c.lease), static_cast<std::size_t>(c.result));
    leases.push_back(c.lease);
  }
  void give_back_all() {
    for (const std::uint16_t lease : std::exchange(leases, {})) ring->give_back(lease);
  }
  std::shared_ptr<wire> connect(std::uint32_t place) {
    auto made = net.connect();
    ring->accept(name(operation::accept, place), 0, place);
    settle();
    return made;
  }
  void receive(std::uint32_t place) { ring->receive(name(operation::receive, place), place); }
  void send(std::uint32_t place, std::string_view bytes) {
    ring->send(name(operation::send, place), place, bytes);
  }
  const completion& last() const { return done.back(); }

  network net;
  std::unique_ptr<ring_type> ring = std::make_unique<ring_type>();
  std::vector<completion> done;
  std::vector<std::uint16_t> leases;
  std::string received;
  bool connected[4] = {};
};

constexpr faults with(std::uint16_t faults::*which) {
  faults made;
  made.*which = 1000;
  return made;
}

/// What a bad day does to a few clients, put down completion by completion.
std::vector<std::uint64_t> play(std::uint64_t seed) {
  faults bad = faults::bad_day();
  bad.reset = 0;
  bad.refused_accept = 0;
  bench b(seed, bad);
  std::vector<std::shared_ptr<wire>> wires;
  for (std::uint32_t place = 0; place < 4; ++place) wires.push_back(b.connect(place));
  const std::string much(300, 'm');
  for (int round = 0; round < 20; ++round) {
    std::vector<bool> receives(4, round != 0);
    for (const completion& c : b.done)
      if (c.token.operation() == operation::receive) receives[c.token.slot()] = c.more;
    for (std::uint32_t place = 0; place < 4; ++place) {
      wires[place]->client_sends("hello, world");
      if (!receives[place]) b.receive(place);
      b.send(place, much);
    }
    b.settle();
    b.give_back_all();
  }
  std::vector<std::uint64_t> put_down;
  for (const completion& c : b.done) {
    put_down.push_back(c.token.value);
    put_down.push_back(static_cast<std::uint32_t>(c.result));
    put_down.push_back(c.lease + (c.more ? 0x10000u : 0u));
  }
  put_down.push_back(b.net.now_ms());
  return put_down;
}

}  // namespace

// ---- what it does ----

TEST_CASE("bytes go both ways over a simulated connection", "[testing]") {
  bench b;
  auto client = b.connect(2);
  CHECK(b.last().token == name(operation::accept, 2));
  CHECK(b.last().result == 0);
  b.receive(2);
  client->client_sends("question");
  b.settle();
  CHECK(b.last().result == 8);
  CHECK(b.last().more);
  CHECK(b.received == "question");
  const std::string_view parts[] = {"an", "", "swer"};
  b.ring->send_vector(name(operation::send, 2), 2, parts);
  b.settle();
  CHECK(b.last().result == 6);
  CHECK(client->received() == "answer");
  b.ring->shutdown(name(operation::shutdown, 2), 2);
  b.settle();
  CHECK(b.last().result == 0);
  CHECK(client->client_saw_end());
  CHECK_FALSE(client->server_is_gone());
}

TEST_CASE("what was submitted is told, and what is outstanding is counted", "[testing]") {
  bench b;
  auto client = b.connect(0);
  b.receive(0);
  b.ring->watch_end(name(operation::end, 0), 0);
  CHECK(b.ring->outstanding() == 2);
  CHECK_FALSE(b.ring->is_quiet());
  b.settle();
  CHECK(b.ring->is_quiet());
  CHECK(b.ring->outstanding() == 2);
  CHECK(b.ring->history() == std::vector{operation::accept, operation::receive, operation::end});
  client->client_finishes();
  CHECK_FALSE(b.ring->is_quiet());
  b.settle();
  CHECK(b.ring->outstanding() == 0);
}

TEST_CASE("leased buffers are counted until they are given back", "[testing]") {
  bench b;
  auto client = b.connect(0);
  b.receive(0);
  client->client_sends(std::string(130, 'x'));
  b.settle();
  CHECK(b.ring->leases_out() == 3);
  CHECK(b.ring->leases_undelivered() == 0);
  b.give_back_all();
  CHECK(b.ring->leases_out() == 0);
}

TEST_CASE("a ring that is to fail to open says why", "[testing]") {
  network net(1);
  net.open_errno = EPERM;
  ring_type ring;
  const auto opened = ring.open();
  REQUIRE_FALSE(opened.has_value());
  CHECK(opened.error().code().value() == EPERM);
  net.open_errno = 0;
  CHECK(ring.open().has_value());
  ring.shut();
}

TEST_CASE("the operation with a given number fails, and no other one", "[testing]") {
  bench b;
  b.net.failure = {2, ETIMEDOUT};
  auto client = b.connect(0);
  b.receive(0);
  b.settle();
  CHECK(b.last().result == -ETIMEDOUT);
  CHECK_FALSE(b.last().more);
  b.receive(0);
  client->client_sends("x");
  b.settle();
  CHECK(b.last().result == 1);
}

// ---- what its seed decides ----

TEST_CASE("the same seed gives the same completions, another one others", "[testing]") {
  CHECK(play(7) == play(7));
  CHECK(play(8) == play(8));
  CHECK(play(7) != play(8));
}

// ---- faults ----

TEST_CASE("fault: a receive gets fewer bytes than there are, and loses none", "[testing]") {
  bench b(3, with(&faults::short_receive));
  auto client = b.connect(0);
  b.receive(0);
  for (int i = 0; i < 20; ++i) {
    client->client_sends("0123456789");
    do {
      b.run();
      b.give_back_all();
      if (!b.last().more) b.receive(0);
    } while (!b.ring->is_quiet());
  }
  std::string wanted;
  for (int i = 0; i < 20; ++i) wanted += "0123456789";
  CHECK(b.received == wanted);
  CHECK(b.done.size() > 30);
}

TEST_CASE("fault: a send is short, and what it tells was sent", "[testing]") {
  bench b(1, with(&faults::short_send));
  b.net.window = 100;
  auto client = b.connect(0);
  client->client_reads(false);
  const std::string much(150, 'x');
  b.send(0, much);
  b.settle();
  CHECK(b.last().result == 100);
  client->client_reads(true);
  CHECK(client->received() == much.substr(0, 100));
}

TEST_CASE("fault: no buffer although one is free", "[testing]") {
  bench b(1, with(&faults::no_buffer));
  auto client = b.connect(0);
  b.receive(0);
  client->client_sends("x");
  b.settle();
  CHECK(b.last().result == -ENOBUFS);
  CHECK(b.last().lease == completion::no_lease);
  CHECK_FALSE(b.last().more);
  b.net.faults = {};
  b.receive(0);
  b.settle();
  CHECK(b.received == "x");
}

TEST_CASE("fault: a receive stops with its bytes", "[testing]") {
  bench b(1, with(&faults::multishot_stops));
  auto client = b.connect(0);
  b.receive(0);
  client->client_sends("x");
  b.settle();
  CHECK(b.last().result == 1);
  CHECK_FALSE(b.last().more);
}

TEST_CASE("fault: the end uses up a buffer", "[testing]") {
  bench b(1, with(&faults::end_with_lease));
  auto client = b.connect(0);
  b.receive(0);
  client->client_finishes();
  b.settle();
  CHECK(b.last().result == 0);
  CHECK(b.last().lease != completion::no_lease);
}

TEST_CASE("fault: a reset instead of a receive or a send", "[testing]") {
  bench b;
  auto first = b.connect(0);
  auto second = b.connect(1);
  b.net.faults = with(&faults::reset);
  b.send(0, "x");
  b.settle();
  CHECK(b.last().result == -ECONNRESET);
  CHECK(first->was_reset());
  b.receive(1);
  second->client_sends("x");
  b.settle();
  CHECK(b.last().result == -ECONNRESET);
  CHECK(second->was_reset());
}

TEST_CASE("fault: a reset that comes along with bytes is not heard", "[testing]") {
  bench b(1, with(&faults::unheard_reset));
  auto client = b.connect(0);
  b.receive(0);
  client->client_sends("x");
  client->client_resets();
  b.settle();
  CHECK(b.last().result == 1);
  CHECK(b.ring->outstanding() == 1);
  b.send(0, "y");
  b.settle();
  CHECK(b.last().result == -ECONNRESET);
}

TEST_CASE("fault: an errno instead of a connection, which waits", "[testing]") {
  std::vector<int> seen;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    bench b(seed, with(&faults::refused_accept));
    auto client = b.connect(0);
    const int result = b.last().result;
    if (std::find(seen.begin(), seen.end(), result) == seen.end()) seen.push_back(result);
    CHECK(client->was_reset() == (result == -ECONNABORTED));
    CHECK(b.net.has_backlog() == (result != -ECONNABORTED));
  }
  std::sort(seen.begin(), seen.end());
  std::vector<int> wanted = {-ECONNABORTED, -EMFILE, -ENFILE, -ENOMEM};
  std::sort(wanted.begin(), wanted.end());
  CHECK(seen == wanted);
}

TEST_CASE("fault: completions come later, but not later than said", "[testing]") {
  faults late = with(&faults::late);
  late.late_ms_max = 3;
  bench b(1, late);
  auto client = b.connect(0);
  for (int i = 0; i < 50; ++i) {
    const auto began = b.net.now_ms();
    b.send(0, "x");
    CHECK(b.run() == 0);
    CHECK(b.net.now_ms() == began);
    b.settle();
    const auto took = b.net.now_ms() - began;
    CHECK(took >= 1);
    CHECK(took <= 3);
  }
  CHECK(client->received() == std::string(50, 'x'));
}

TEST_CASE("fault: a cancel misses what can complete", "[testing]") {
  for (const bool misses : {false, true}) {
    bench b;
    auto client = b.connect(0);
    b.receive(0);
    b.settle();
    b.net.faults = misses ? with(&faults::cancel_misses) : faults{};
    client->client_sends("x");
    b.ring->cancel(name(operation::cancel, 0), name(operation::receive, 0));
    b.done.clear();
    b.settle();
    // A receive that goes on is cancelled behind its bytes.
    REQUIRE(b.done.size() == (misses ? 3 : 2));
    CHECK(b.done[0].result == (misses ? 1 : 0));
    CHECK(b.last().token == name(operation::receive, 0));
    CHECK(b.last().result == -ECANCELED);
  }
}

TEST_CASE("fault: a single receive that a cancel misses completes, and is not found", "[testing]") {
  bench b;
  auto client = b.connect(0);
  b.ring->receive_once(name(operation::receive, 0), 0);
  b.settle();
  b.net.faults = with(&faults::cancel_misses);
  client->client_sends("x");
  b.ring->cancel(name(operation::cancel, 0), name(operation::receive, 0));
  b.done.clear();
  b.settle();
  REQUIRE(b.done.size() == 2);
  CHECK(b.done[0].result == 1);
  CHECK(b.done[1].result == -ENOENT);
}

TEST_CASE("fault: completions come in any order, but each operation's in theirs", "[testing]") {
  faults reordered;
  reordered.reordered = true;
  std::vector<std::vector<std::uint32_t>> orders;
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    bench b(seed, reordered);
    std::vector<std::shared_ptr<wire>> wires;
    for (std::uint32_t place = 0; place < 2; ++place) wires.push_back(b.connect(place));
    b.done.clear();
    for (std::uint32_t place = 0; place < 2; ++place) {
      b.receive(place);
      wires[place]->client_sends(std::string(64, 'a'));
      wires[place]->client_sends(std::string(place == 0 ? 10 : 20, 'b'));
    }
    b.settle();
    REQUIRE(b.done.size() == 4);
    std::vector<std::uint32_t> order;
    int first[2] = {};
    for (const completion& c : b.done) {
      order.push_back(c.token.slot());
      int& of_place = first[c.token.slot()];
      if (of_place == 0) of_place = c.result;
    }
    CHECK(first[0] == 64);
    CHECK(first[1] == 64);
    orders.push_back(order);
  }
  std::sort(orders.begin(), orders.end());
  orders.erase(std::unique(orders.begin(), orders.end()), orders.end());
  CHECK(orders.size() == 6);  // all there are
}

TEST_CASE("fault: a full submission queue is flushed early", "[testing]") {
  for (const bool small : {false, true}) {
    faults which;
    which.small_submission_queue = small;
    bench b(1, which);
    for (std::uint32_t i = 0; i < 100; ++i)
      b.ring->cancel(name(operation::cancel, i), name(operation::receive, i));
    CHECK((b.ring->history().size() > 0) == small);
    b.settle();
    CHECK(b.done.size() == 100);
  }
}

// ---- time ----

TEST_CASE("time stands still while something completes", "[testing]") {
  bench b;
  const auto began = b.net.now_ms();
  auto client = b.connect(0);
  b.send(0, "x");
  const std::uint32_t far = b.ring->now_ms() + 1000;
  CHECK(b.run_until(far) == 1);
  CHECK(b.net.now_ms() == began);
}

TEST_CASE("time passes to the deadline, and no further", "[testing]") {
  bench b;
  const auto began = b.net.now_ms();
  CHECK(b.run_until(b.ring->now_ms() + 1000) == 0);
  CHECK(b.net.now_ms() == began + 1000);
  CHECK(b.run_until(b.ring->now_ms() - 10) == 0);
  CHECK(b.net.now_ms() == began + 1000);
}

TEST_CASE("time passes to the horizon where that comes first", "[testing]") {
  bench b;
  const auto began = b.net.now_ms();
  b.net.horizon_ms = began + 300;
  CHECK(b.run_until(b.ring->now_ms() + 1000) == 0);
  CHECK(b.net.now_ms() == began + 300);
  b.ring->wait(nullptr, [](const completion&) {});
  CHECK(b.net.now_ms() == began + 300);
}

TEST_CASE("time passes to what is due where that comes first", "[testing]") {
  faults late = with(&faults::late);
  late.late_ms_max = 1;
  bench b(1, late);
  const auto began = b.net.now_ms();
  auto client = b.net.connect();
  b.ring->accept(name(operation::accept, 0), 0, 0);
  CHECK(b.run_until(b.ring->now_ms() + 1000) == 1);
  CHECK(b.net.now_ms() == began + 1);
}

TEST_CASE("the clocks show the same time", "[testing]") {
  bench b;
  const auto ticks = b.ring->now_ms();
  const auto seconds = b.ring->unix_seconds();
  b.run_until(ticks + 5000);
  CHECK(b.ring->now_ms() - ticks == 5000);
  CHECK(b.ring->unix_seconds() - seconds == 5);
  CHECK(b.ring->now_ms() == static_cast<std::uint32_t>(b.net.now_ms()));
}
