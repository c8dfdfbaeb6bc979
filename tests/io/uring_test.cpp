// Each verb of the ring, on the kernel's own ring and real sockets.
#include <sys/eventfd.h>

#include <algorithm>
#include <csignal>

#include "io/ring_driver.hpp"
#include "support/catch.hpp"

namespace {

using nen::completion;
using nen::operation;
using nen::test::client;
using nen::test::name;
using nen::test::ring_driver;
using nen::test::stream_end;

using test_ring = nen::uring<nen::ring_sizes{4, 4, 256}>;
static_assert(nen::ring<test_ring>);
test_ring r;

const nen::token receiving = name(operation::receive, 0);
const nen::token sending = name(operation::send, 0);
const nen::token cancelling = name(operation::cancel, 0);
const nen::token closing = name(operation::close, 0);
const nen::token accepting = name(operation::accept, 0);

std::string noise(std::size_t size) {
  std::string s(size, 0);
  std::uint32_t state = 1;
  for (char& c : s) c = static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
  return s;
}

}  // namespace

TEST_CASE("accept puts a connection into its place, close empties it", "[io]") {
  ring_driver d(r);
  for (int round = 0; round < 10; ++round) {
    client first = d.connect(0);
    client last = d.connect(3);
    r.send(sending, 0, "to the first");
    r.send(name(operation::send, 3), 3, "to the last");
    CHECK(d.next(sending).result == 12);
    CHECK(d.next(name(operation::send, 3)).result == 11);
    CHECK(first.read_bytes(12) == "to the first");
    CHECK(last.read_bytes(11) == "to the last");
    r.close(closing, 0);
    r.close(name(operation::close, 3), 3);
    CHECK(d.next(closing).result == 0);
    CHECK(d.next(name(operation::close, 3)).result == 0);
    CHECK(first.is_closed_next());
    CHECK(last.is_closed_next());
  }
}

TEST_CASE("several accepts wait at once, each for its own place", "[io]") {
  ring_driver d(r);
  for (std::uint32_t place = 0; place < 4; ++place)
    r.accept(name(operation::accept, place), d.listener(), place);
  CHECK(d.idle(10) == 0);
  std::vector<client> clients;
  for (int i = 0; i < 4; ++i) clients.emplace_back(d.port());
  for (std::uint32_t place = 0; place < 4; ++place)
    CHECK(d.next(name(operation::accept, place)).result == 0);
}

TEST_CASE("an operation on an empty place fails in its completion", "[io]") {
  ring_driver d(r);
  r.send(sending, 0, "x");
  CHECK(d.next(sending).result == -EBADF);
  r.receive(receiving, 0);
  const completion done = d.next(receiving);
  CHECK(done.result == -EBADF);
  CHECK_FALSE(done.more);
  CHECK(done.lease == completion::no_lease);
  r.close(closing, 0);
  CHECK(d.next(closing).result == -EBADF);
}

TEST_CASE("receive goes on until the peer's end", "[io]") {
  ring_driver d(r);
  client c = d.connect(0);
  r.receive(receiving, 0);
  for (int i = 0; i < 20; ++i) {
    const auto text = "message " + std::to_string(i);
    c.send(text);
    const completion done = d.next(receiving);
    CHECK(done.more);
    CHECK(done.lease != completion::no_lease);
    CHECK(d.bytes_of(done) == text);
  }
  c.finish_sending();
  const completion end = d.next(receiving);
  CHECK(end.result == 0);
  CHECK_FALSE(end.more);
}

TEST_CASE("a reset ends a receive with an error", "[io]") {
  ring_driver d(r);
  client c = d.connect(0);
  r.receive(receiving, 0);
  CHECK(d.idle(5) == 0);
  c.reset();
  const completion done = d.next(receiving);
  CHECK(done.result == -ECONNRESET);
  CHECK_FALSE(done.more);
}

TEST_CASE("receive ends with ENOBUFS when every buffer is leased, and finds them when given back",
          "[io]") {
  ring_driver d(r);
  client c = d.connect(0);
  const auto sent = noise(4 * 256 + 100);
  c.send(sent);
  r.receive(receiving, 0);
  std::string got;
  std::vector<completion> leases;
  while (true) {
    const completion done = d.next(receiving);
    if (done.result == -ENOBUFS) {
      CHECK_FALSE(done.more);
      CHECK(done.lease == completion::no_lease);
      break;
    }
    CHECK(done.result == 256);
    leases.push_back(done);
  }
  REQUIRE(leases.size() == 4);
  for (std::size_t i = 0; i < 4; ++i)
    for (std::size_t k = 0; k < i; ++k) CHECK(leases[i].lease != leases[k].lease);
  r.receive(receiving, 0);  // bytes wait, still no buffer
  CHECK(d.next(receiving).result == -ENOBUFS);
  for (const completion& done : leases) got += d.bytes_of(done);
  r.receive(receiving, 0);
  got += d.gather(receiving, 100);
  CHECK(got == sent);
}

TEST_CASE("a receive that waits for bytes does not need a buffer yet", "[io]") {
  ring_driver d(r);
  client holder = d.connect(0);
  holder.send(noise(4 * 256));
  r.receive(receiving, 0);
  std::vector<completion> leases;
  while (leases.size() < 4) leases.push_back(d.next(receiving));
  client c = d.connect(1);
  r.receive(name(operation::receive, 1), 1);
  CHECK(d.idle(20) == 0);  // no ENOBUFS: nothing has come for it
  for (const completion& done : leases) r.give_back(done.lease);
  c.send("now");
  CHECK(d.gather(name(operation::receive, 1), 3) == "now");
}

TEST_CASE("a cancelled receive completes with ECANCELED, and can be begun again", "[io]") {
  ring_driver d(r);
  client c = d.connect(0);
  for (int i = 0; i < 20; ++i) {
    r.receive(receiving, 0);
    if (i % 2 == 0) CHECK(d.idle(1) == 0);  // else both are submitted together
    r.cancel(cancelling, receiving);
    CHECK(d.next(cancelling).result == 0);
    const completion done = d.next(receiving);
    CHECK(done.result == -ECANCELED);
    CHECK_FALSE(done.more);
    CHECK(done.lease == completion::no_lease);
  }
  c.send("still connected");
  r.receive(receiving, 0);
  CHECK(d.gather(receiving, 15) == "still connected");
}

TEST_CASE("cancelling what is over says so", "[io]") {
  ring_driver d(r);
  r.cancel(cancelling, receiving);
  CHECK(d.next(cancelling).result == -ENOENT);
}

TEST_CASE("an accept can be cancelled", "[io]") {
  ring_driver d(r);
  r.accept(accepting, d.listener(), 0);
  CHECK(d.idle(1) == 0);
  r.cancel(cancelling, accepting);
  CHECK(d.next(cancelling).result == 0);
  CHECK(d.next(accepting).result == -ECANCELED);
  client c = d.connect(0);
  r.send(sending, 0, "x");
  CHECK(d.next(sending).result == 1);
}

TEST_CASE("has_backlog tells whether somebody waits to be accepted", "[io]") {
  ring_driver d(r);
  CHECK_FALSE(r.has_backlog(d.listener()));
  client c(d.port());
  CHECK(r.has_backlog(d.listener()));
  r.accept(accepting, d.listener(), 0);
  CHECK(d.next(accepting).result == 0);
  CHECK_FALSE(r.has_backlog(d.listener()));
  r.close(name(operation::close, 0), 0);
  (void)d.next(name(operation::close, 0));
}

TEST_CASE("receive_once receives once", "[io]") {
  ring_driver d(r);
  client c = d.connect(0);
  r.receive_once(receiving, 0);
  CHECK(d.idle(5) == 0);
  c.send("first");
  const completion done = d.next(receiving);
  CHECK_FALSE(done.more);
  CHECK(d.bytes_of(done) == "first");
  c.send("second");
  CHECK(d.idle(20) == 0);
  r.receive_once(receiving, 0);
  CHECK(d.gather(receiving, 6) == "second");
  c.finish_sending();
  r.receive_once(receiving, 0);
  const completion end = d.next(receiving);
  CHECK(end.result == 0);
  if (end.lease != completion::no_lease) r.give_back(end.lease);
}

TEST_CASE("send sends all of it, however slowly the peer reads", "[io]") {
  ring_driver d(r);
  client c = d.connect(0, 4096);
  const auto bytes = noise(8 * 1024 * 1024);
  r.send(sending, 0, bytes);
  CHECK(d.idle(50) == 0);  // more than the kernel holds
  std::string got;
  bool is_done = false;
  while (got.size() < bytes.size()) {
    got += c.read_bytes(std::min<std::size_t>(256 * 1024, bytes.size() - got.size()));
    const auto at_once = r.now_ms();
    r.wait(&at_once, [&](const completion& done) {
      is_done = done.token == sending && done.result == static_cast<std::int32_t>(bytes.size());
    });
  }
  CHECK(got == bytes);
  if (!is_done) CHECK(d.next(sending).result == static_cast<std::int32_t>(bytes.size()));
}

TEST_CASE("a send whose peer resets ends with an error, not with a signal", "[io]") {
  ring_driver d(r);
  client c = d.connect(0, 4096);
  const auto bytes = noise(8 * 1024 * 1024);
  r.send(sending, 0, bytes);
  CHECK(d.idle(20) == 0);
  c.reset();
  const auto first = d.next(sending).result;
  CHECK(first < static_cast<std::int32_t>(bytes.size()));
  r.send(sending, 0, "more");
  const auto second = d.next(sending).result;
  CHECK((second == -EPIPE || second == -ECONNRESET));
}

TEST_CASE("a send in flight can be cancelled", "[io]") {
  ring_driver d(r);
  client c = d.connect(0, 4096);
  const auto bytes = noise(8 * 1024 * 1024);
  r.send(sending, 0, bytes);
  CHECK(d.idle(20) == 0);
  r.cancel(cancelling, sending);
  CHECK(d.next(cancelling).result >= -EALREADY);
  CHECK(d.next(sending).result < static_cast<std::int32_t>(bytes.size()));
}

TEST_CASE("send_vector sends its parts in order, up to as many as it takes", "[io]") {
  ring_driver d(r);
  client c = d.connect(0);
  for (std::size_t count = 1; count <= test_ring::vector_parts_max; ++count) {
    std::vector<std::string> texts;
    std::string all;
    for (std::size_t i = 0; i < count; ++i) all += texts.emplace_back(noise(i * 1000 + 1));
    std::vector<std::string_view> parts(texts.begin(), texts.end());
    r.send_vector(sending, 0, parts);
    std::fill(parts.begin(), parts.end(), "gone");  // the vector is needed during the call only
    CHECK(d.next(sending).result == static_cast<std::int32_t>(all.size()));
    CHECK(c.read_bytes(all.size()) == all);
  }
}

TEST_CASE("shutdown ends sending, receiving goes on", "[io]") {
  ring_driver d(r);
  client c = d.connect(0);
  r.receive(receiving, 0);
  const auto shutting = name(operation::shutdown, 0);
  r.shutdown(shutting, 0);
  CHECK(d.next(shutting).result == 0);
  CHECK(c.is_closed_next());
  c.send("I still talk");
  CHECK(d.gather(receiving, 12) == "I still talk");
}

TEST_CASE("watch tells what a counter was counted up to", "[io]") {
  ring_driver d(r);
  const int counter = ::eventfd(0, EFD_CLOEXEC);
  const auto watching = name(operation::wake, 0);
  for (std::uint64_t amount : {std::uint64_t{1}, std::uint64_t{7}, (std::uint64_t{1} << 32) + 2}) {
    r.watch(watching, counter);
    CHECK(d.idle(5) == 0);
    CHECK(::write(counter, &amount, sizeof amount) == sizeof amount);
    CHECK(d.next(watching).result == sizeof amount);
    CHECK(r.watched() == amount);
  }
  ::close(counter);
}

TEST_CASE("wait sleeps until the deadline, not longer and not shorter", "[io]") {
  ring_driver d(r);
  const auto none = [](const completion&) { FAIL("nothing was asked for"); };
  for (const std::uint32_t milliseconds : {0u, 1u, 10u, 50u, 200u}) {
    const auto before = r.now_ms();
    const auto until = before + milliseconds;
    r.wait(&until, none);
    INFO(milliseconds);
    CHECK(r.now_ms() - before + 1 >= milliseconds);
    CHECK(r.now_ms() - before < milliseconds + 500);
  }
  const auto past = r.now_ms() - 1000;
  const auto before = r.now_ms();
  r.wait(&past, none);
  CHECK(r.now_ms() - before < 500);
}

TEST_CASE("wait without a deadline sleeps until something completes", "[io]") {
  ring_driver d(r);
  const int counter = ::eventfd(1, EFD_CLOEXEC);
  r.watch(name(operation::wake, 0), counter);
  int completions = 0;
  r.wait(nullptr, [&](const completion&) { ++completions; });
  CHECK(completions == 1);
  ::close(counter);
}

TEST_CASE("the wall clock is that of the system", "[io]") {
  ring_driver d(r);
  (void)d.idle(1);
  CHECK(std::abs(r.unix_seconds() - static_cast<std::int64_t>(::time(nullptr))) <= 1);
}
