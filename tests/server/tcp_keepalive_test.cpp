// listen_options::tcp_keepalive: accepted connections have the kernel's keep-alive timer.
#include <nen/nen.hpp>

#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>

#include "server/tcp_sessions.hpp"
#include "support/catch.hpp"
#include "support/test_server.hpp"

namespace {

using nen::test::client;
using nen::test::echo_session;
using nen::test::running;
using nen::test::small_tcp;
using std::chrono::seconds;

nen::tcp::server<echo_session, small_tcp> server;

/// The timer of the connection from a local port, as /proc/net/tcp tells it.
struct kernel_timer {
  int kind = -1;       ///< 0: none; 2: keep-alive
  double seconds = 0;  ///< until it goes off
};
kernel_timer timer_of(std::uint16_t local_port, std::uint16_t peer_port) {
  std::ifstream table("/proc/net/tcp");
  std::string line;
  std::getline(table, line);
  while (std::getline(table, line)) {
    unsigned local = 0, remote = 0, state = 0, kind = 0;
    unsigned long when = 0;
    if (std::sscanf(line.c_str(), " %*d: %*8x:%x %*8x:%x %x %*x:%*x %x:%lx", &local, &remote,
                    &state, &kind, &when) != 5)
      continue;
    constexpr unsigned established = 1;
    if (local != local_port || remote != peer_port || state != established) continue;
    return {static_cast<int>(kind), static_cast<double>(when) / 100};
  }
  return {};
}

std::uint16_t port_of(const client& c) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  ::getsockname(c.descriptor(), reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

kernel_timer timer_with(const nen::listen_options& options) {
  const running run(server, options);
  client c = run.connect();
  c.send("x");
  CHECK(c.read_bytes(1) == "x");
  ::usleep(100'000);  // the retransmission timer of the answer is over when it is acknowledged
  return timer_of(run.port(), port_of(c));
}

}  // namespace

TEST_CASE("tcp_keepalive is off unless it is asked for") { CHECK(timer_with({}).kind == 0); }

TEST_CASE("tcp_keepalive has the kernel ask silent peers after the time that it says") {
  const auto timer = timer_with({.tcp_keepalive = {.idle = seconds(77)}});
  CHECK(timer.kind == 2);
  CHECK(timer.seconds > 60);
  CHECK(timer.seconds <= 78);
}

TEST_CASE("tcp_keepalive's idle, interval and count all reach the socket") {
  auto where = nen::endpoint::parse("127.0.0.1", 0);
  const auto listener = nen::listen_on(
      *where, {.keepalive_idle = 11, .keepalive_interval = 12, .keepalive_count = 13});
  REQUIRE(listener);
  const client c(nen::local_endpoint(*listener)->port());
  const nen::socket accepted(::accept(listener->native_handle(), nullptr, nullptr));
  REQUIRE(accepted);
  const auto option = [&](int level, int name) {
    int value = 0;
    socklen_t size = sizeof value;
    ::getsockopt(accepted.native_handle(), level, name, &value, &size);
    return value;
  };
  CHECK(option(SOL_SOCKET, SO_KEEPALIVE) == 1);
  CHECK(option(IPPROTO_TCP, TCP_KEEPIDLE) == 11);
  CHECK(option(IPPROTO_TCP, TCP_KEEPINTVL) == 12);
  CHECK(option(IPPROTO_TCP, TCP_KEEPCNT) == 13);
}

TEST_CASE("tcp_keepalive does not matter to a Unix socket") {
  const running run(server, {.unix_path = "@nen-keepalive", .tcp_keepalive = {.idle = seconds(5)}});
  client c = client::over_unix("@nen-keepalive");
  c.send("x");
  CHECK(c.read_bytes(1) == "x");
}

TEST_CASE("A tcp_keepalive that the kernel would not take is refused with a sentence") {
  const nen::tcp_keepalive wrong[] = {
      {.idle = seconds(-1)},
      {.idle = seconds(32'768)},
      {.idle = seconds(1), .interval = seconds(0)},
      {.idle = seconds(1), .interval = seconds(40'000)},
      {.idle = seconds(1), .count = 0},
      {.idle = seconds(1), .count = 128},
  };
  for (const auto& asked : wrong) {
    const auto started = server.start({.port = 0, .tcp_keepalive = asked});
    REQUIRE_FALSE(started);
    CHECK(started.error().message().starts_with("cannot use this tcp_keepalive: "));
  }
}
