// The kernel's ring at its limits: more submissions than it holds, more completions than fit,
// opened again and again.
#include <sys/resource.h>

#include "io/ring_driver.hpp"
#include "support/catch.hpp"
#include "support/test_server.hpp"

namespace {

using nen::completion;
using nen::operation;
using nen::test::client;
using nen::test::name;
using nen::test::ring_driver;

using small_ring = nen::uring<nen::ring_sizes{4, 4, 256}>;
small_ring r;
nen::uring<nen::ring_sizes{300, 64, 128}> wide;
nen::uring<nen::ring_sizes{3000, 4, 128}> very_wide;

}  // namespace

TEST_CASE("more submissions than the queue holds are all carried out", "[io]") {
  ring_driver d(r);
  client c = d.connect(0);
  constexpr std::uint32_t many = 2000;  // the queue has 64 entries
  for (std::uint32_t i = 0; i < many; ++i)
    r.cancel(name(operation::cancel, i), name(operation::receive, i));
  std::vector<bool> seen(many);
  std::uint32_t count = 0;
  const auto until = r.now_ms() + 5000;
  while (count<many&& static_cast<std::int32_t>(until - r.now_ms())> 0) {
    r.wait(&until, [&](const completion& done) {
      if (seen[done.token.slot()]) FAIL("completed twice");
      if (done.result != -ENOENT) FAIL("wrong result " << done.result);
      seen[done.token.slot()] = true;
      ++count;
    });
  }
  CHECK(count == many);  // 256 fit the completion queue: the kernel keeps the others
}

TEST_CASE("completions that the kernel had to keep are counted", "[io]") {
  ring_driver d(r);
  const auto before = r.counters().overflows.value();
  for (std::uint32_t i = 0; i < 1000; ++i)
    r.cancel(name(operation::cancel, i), name(operation::receive, i));
  (void)d.idle(50);
  CHECK(r.counters().overflows.value() > before);
}

TEST_CASE("the ring works on after an overflow", "[io]") {
  ring_driver d(r);
  client c = d.connect(0);
  for (std::uint32_t i = 0; i < 1000; ++i)
    r.cancel(name(operation::cancel, i), name(operation::receive, i));
  CHECK(d.idle(50) == 1000);
  r.receive(name(operation::receive, 0), 0);
  c.send("hello");
  CHECK(d.gather(name(operation::receive, 0), 5) == "hello");
  r.send(name(operation::send, 0), 0, "world");
  CHECK(d.next(name(operation::send, 0)).result == 5);
  CHECK(c.read_bytes(5) == "world");
}

TEST_CASE("more vectors than the ring keeps are all sent, whole and in order", "[io]") {
  ring_driver d(wide);
  std::vector<client> clients;
  for (std::uint32_t place = 0; place < 200; ++place) clients.push_back(d.connect(place));
  for (std::uint32_t place = 0; place < 200; ++place) {
    static const std::string texts[3] = {"one,", "two,", "three;"};
    const std::string_view parts[] = {texts[place % 3], texts[(place + 1) % 3], texts[2]};
    wide.send_vector(name(operation::send, place), place, parts);
  }
  for (std::uint32_t place = 0; place < 200; ++place)
    CHECK(d.next(name(operation::send, place)).result > 0);
  const char* expected[] = {"one,two,three;", "two,three;three;", "three;one,three;"};
  for (std::uint32_t place = 0; place < 200; ++place) {
    const std::string_view wanted = expected[place % 3];
    CHECK(clients[place].read_bytes(wanted.size()) == wanted);
  }
}

TEST_CASE("all places are in use at once", "[io]") {
  ring_driver d(wide);
  std::vector<client> clients;
  for (std::uint32_t place = 0; place < 300; ++place) {
    clients.push_back(d.connect(place));
    wide.receive(name(operation::receive, place), place);
  }
  for (std::uint32_t place = 0; place < 300; ++place) {
    clients[place].send(std::to_string(place));
    CHECK(d.gather(name(operation::receive, place), std::to_string(place).size()) ==
          std::to_string(place));
  }
}

TEST_CASE("a ring can be opened and shut again and again, and leaves nothing behind", "[io]") {
  const int before = nen::test::open_descriptors();
  for (int i = 0; i < 20; ++i) {
    {
      ring_driver d(r);
      client c = d.connect(0);
      r.receive(name(operation::receive, 0), 0);
      c.send("hello");
      CHECK(d.gather(name(operation::receive, 0), 5) == "hello");
    }  // shut with a receive in flight and a socket in its place
    CHECK(nen::test::open_descriptors() == before);
  }
}

TEST_CASE("shutting a ring closes the sockets in it", "[io]") {
  client c = [] {
    ring_driver d(r);
    client inside = d.connect(0);
    r.receive(name(operation::receive, 0), 0);
    CHECK(d.idle(1) == 0);
    return inside;
  }();
  CHECK(c.read_end() != nen::test::stream_end::still_open);
}

TEST_CASE("shutting a ring that is not open does nothing", "[io]") {
  r.shut();
  r.shut();
  ring_driver d(r);
  CHECK(d.idle(1) == 0);
}

TEST_CASE("too few descriptors are said when a ring is opened", "[io]") {
  nen::test::child c([] {
    const rlimit low = {500, 500};  // liburing would raise a soft limit by itself
    if (::setrlimit(RLIMIT_NOFILE, &low) != 0) return 77;
    if (::geteuid() == 0 && (::setgid(65534) != 0 || ::setuid(65534) != 0)) return 76;
    const auto refused = very_wide.open();
    if (refused || refused.error().code() != std::errc::too_many_files_open) return 78;
    const std::string said(refused.error().message());
    return said.find("RLIMIT_NOFILE") != said.npos && said.find("ulimit -n") != said.npos ? 5 : 79;
  });
  CHECK(c.wait() == 5);
  CHECK(c.output == "");
}
