// run(): signals end it in order, and what keeps a server from starting is said in one sentence,
// with exit code 1. Everything here happens in child processes.
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <cstddef>
#include <fstream>

#include "support/test_server.hpp"

namespace {

using nen::test::child;
using nen::test::client;
using nen::test::ContainsSubstring;
using nen::test::running;
using nen::test::StartsWith;
using nen::test::stopwatch;

constexpr nen::config small = nen::test::little;
constexpr nen::config changed(std::uint32_t shards, std::uint32_t connections) {
  nen::config c = small;
  c.shards = shards;
  c.connections = connections;
  return c;
}

using routes = nen::router<nen::get<"/", [](nen::response& res) { return res.text("hello"); }>>;
nen::server<routes, small> server;
nen::server<routes, changed(2, 16)> two;
nen::server<routes, changed(1, 3000)> wide;

const std::string hello = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

void say_address(std::string_view address) {
  const std::string line = std::string(address) + "\n";
  (void)!::write(STDERR_FILENO, line.data(), line.size());
}
constexpr nen::listen_options on_loopback = {
    .host = "127.0.0.1", .port = 0, .on_listening = say_address};

/// What run() says of these options.
std::string refusal(const nen::listen_options& options) {
  child c([&] { return server.run(options).exit_code(); });
  CHECK(c.wait() == 1);
  CHECK(std::count(c.output.begin(), c.output.end(), '\n') == 1);
  CHECK_THAT(c.output, StartsWith("nen: "));
  return c.output;
}

std::uint16_t port_of(const std::string& address) {
  return static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
}

/// From now on this system call of this process fails with that errno.
bool forbid(long call, int errno_value) {
  const sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(call), 0, 1),
      BPF_STMT(BPF_RET | BPF_K,
               SECCOMP_RET_ERRNO | (static_cast<std::uint32_t>(errno_value) & SECCOMP_RET_DATA)),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
  const sock_fprog whole = {sizeof program / sizeof *program, const_cast<sock_filter*>(program)};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &whole) == 0;
}

}  // namespace

TEST_CASE("SIGINT and SIGTERM end run in order", "[server]") {
  for (const int number : {SIGINT, SIGTERM}) {
    for (const bool sharded : {false, true}) {
      child c(
          [&] { return (sharded ? two.run(on_loopback) : server.run(on_loopback)).exit_code(); });
      client idle(port_of(c.read_line()));
      CHECK(idle.ask(hello).status == 200);
      c.signal(number);
      CHECK(idle.is_closed_next());
      CHECK(c.wait() == 0);
      CHECK(c.output.empty());
    }
  }
}

TEST_CASE("a signal that comes as soon as the server says that it listens ends it in order",
          "[server]") {
  nen::listen_options o = on_loopback;
  o.on_listening = [](std::string_view) { ::raise(SIGTERM); };
  child c([&] { return server.run(o).exit_code(); });
  CHECK(c.wait() == 0);
}

TEST_CASE("the first signal lets requests in hand finish, the second cuts them off", "[server]") {
  nen::listen_options o = on_loopback;
  o.drain_timeout = o.header_timeout = nen::test::milliseconds(60'000);
  for (const bool sharded : {false, true}) {
    child c([&] { return (sharded ? two.run(o) : server.run(o)).exit_code(); });
    const auto port = port_of(c.read_line());
    client idle(port);
    CHECK(idle.ask(hello).status == 200);
    client in_head(port);
    CHECK(in_head.ask(hello).status == 200);
    in_head.send("GET / HT");
    ::usleep(20'000);  // nothing tells that half a head has been read
    c.signal(SIGTERM);
    CHECK(idle.is_closed_next());
    CHECK(in_head.is_quiet_for(100));
    c.signal(SIGTERM);
    stopwatch watch;
    (void)in_head.read_end();
    CHECK(in_head.rest().empty());
    CHECK(c.wait() == 0);
    CHECK(watch.milliseconds() < 5000);
  }
}

TEST_CASE("run can be followed by another, and gives signals back", "[server]") {
  child c([] {
    for (int i = 0; i < 3; ++i)
      if (server.run(on_loopback).exit_code() != 0) return 2;
    say_address("back");
    ::pause();  // the default action ends the process
    return 3;
  });
  for (int i = 0; i < 3; ++i) {
    client idle(port_of(c.read_line()));
    CHECK(idle.ask(hello).status == 200);
    ::usleep(20'000);
    c.signal(SIGTERM);
    CHECK(idle.is_closed_next());
  }
  CHECK(c.read_line() == "back");
  c.signal(SIGTERM);
  CHECK(c.wait() == -SIGTERM);
}

TEST_CASE("a port in use is said, with what to do", "[server]") {
  running other(two, {}, 2);  // shares its port among its own shards only
  const auto said = refusal({.host = "127.0.0.1", .port = other.port()});
  CHECK_THAT(said, ContainsSubstring("127.0.0.1:" + std::to_string(other.port())));
  CHECK_THAT(said, ContainsSubstring("already in use"));
  CHECK_THAT(said, ContainsSubstring("another port"));
}

TEST_CASE("a bad address is said, with what to do", "[server]") {
  for (const char* host : {"example.com", "", "1.2.3", "1.2.3.4.5", "::g", "256.0.0.1"}) {
    const auto said = refusal({.host = host, .port = 0});
    INFO(said);
    CHECK(said.size() > 30);
  }
  CHECK_THAT(refusal({.host = "198.51.100.7", .port = 0}), ContainsSubstring("198.51.100.7"));
}

TEST_CASE("a Unix path that can't be is said, with what to do", "[server]") {
  CHECK_THAT(refusal({.unix_path = "/nowhere/at/all"}), ContainsSubstring("directory"));
  CHECK_THAT(refusal({.unix_path = "/etc/passwd"}), ContainsSubstring("not a socket"));
  const std::string long_path = "/tmp/" + std::string(200, 'x');
  CHECK(refusal({.unix_path = long_path}).size() > 30);
}

TEST_CASE("a port that needs a privilege is said, with what to do", "[server]") {
  int first_free = 0;
  std::ifstream("/proc/sys/net/ipv4/ip_unprivileged_port_start") >> first_free;
  if (first_free <= 1 || ::geteuid() != 0) {
    SUCCEED("every port is free here, or this is not root's to try");
    return;
  }
  child c([] {
    constexpr unsigned nobody = 65534;
    if (::setgid(nobody) != 0 || ::setuid(nobody) != 0) return 77;
    return server.run({.host = "127.0.0.1", .port = 1}).exit_code();
  });
  CHECK(c.wait() == 1);
  CHECK_THAT(c.output, ContainsSubstring("cannot listen on 127.0.0.1:1: permission denied"));
  CHECK_THAT(c.output, ContainsSubstring("CAP_NET_BIND_SERVICE"));
}

TEST_CASE("too few descriptors are said, with both numbers", "[server]") {
  child c([] {
    const rlimit low = {200, 200};
    if (::setrlimit(RLIMIT_NOFILE, &low) != 0) return 77;
    return wide.run(on_loopback).exit_code();
  });
  CHECK(c.wait() == 1);
  CHECK_THAT(c.output, ContainsSubstring("RLIMIT_NOFILE"));
  CHECK_THAT(c.output, ContainsSubstring("200"));
  CHECK_THAT(c.output, ContainsSubstring("3008"));
}

TEST_CASE("a soft limit of descriptors is raised", "[server]") {
  child c([] {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = 200;
    if (limit.rlim_max < 4000 || ::setrlimit(RLIMIT_NOFILE, &limit) != 0) return 77;
    return wide.run(on_loopback).exit_code();
  });
  client idle(port_of(c.read_line()));
  CHECK(idle.ask(hello).status == 200);
  c.signal(SIGTERM);
  CHECK(c.wait() == 0);
}

TEST_CASE("running out of descriptors at any point of the start is an error, not a crash",
          "[server]") {
  bool failed = false;
  bool succeeded = false;
  for (int left = 0; left < 12; ++left) {
    child c([&] {
      rlimit limit = {64, 64};  // enough for the places of this server, so that nothing is raised
      if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) return 77;
      while (::dup(STDERR_FILENO) >= 0) {
      }
      for (int i = 0; i < left; ++i) ::close(63 - i);
      const auto started = server.start({.host = "127.0.0.1", .port = 0});
      if (!started) return started.exit_code();
      server.stop();
      server.join();
      return 0;
    });
    const int code = c.wait();
    INFO(left << ": " << c.output);
    CHECK((code == 0 || code == 1));
    CHECK((code == 0 || c.output.substr(0, 5) == "nen: "));
    failed |= code == 1;
    succeeded |= code == 0;
  }
  CHECK(failed);
  CHECK(succeeded);
}

TEST_CASE("where io_uring is forbidden, that is said, with what to do", "[server]") {
  struct row {
    long call;
    int errno_value;
    const char* cause;
    const char* fix;
  };
  for (const row& each : {
           row{SYS_io_uring_setup, EPERM, "forbidden", "io_uring_disabled"},
           row{SYS_io_uring_setup, EACCES, "forbidden", "seccomp"},
           row{SYS_io_uring_setup, ENOSYS, "this kernel has none", "Linux 6.0"},
           row{SYS_io_uring_setup, ENOMEM, "memory", "ulimit -l"},
           row{SYS_io_uring_register, EPERM, "cannot register", "seccomp"},
           row{SYS_io_uring_register, EINVAL, "cannot register", "Linux 6.0"},
       }) {
    for (const bool sharded : {false, true}) {
      INFO(each.call << " " << each.errno_value << " " << sharded);
      child c([&] {
        if (!forbid(each.call, each.errno_value)) return 77;
        const int before = nen::test::open_descriptors();
        const int code = (sharded ? two.run(on_loopback) : server.run(on_loopback)).exit_code();
        return nen::test::open_descriptors() == before ? code : 78;
      });
      CHECK(c.wait() == 1);
      CHECK(std::count(c.output.begin(), c.output.end(), '\n') == 1);
      CHECK_THAT(c.output, StartsWith("nen: ") && ContainsSubstring(each.cause) &&
                               ContainsSubstring(each.fix));
    }
  }
}

TEST_CASE("a server whose ring could not be set up may be tried again", "[server]") {
  child c([] {
    if (!forbid(SYS_io_uring_register, EPERM)) return 77;
    for (int i = 0; i < 3; ++i)
      if (server.start({.host = "127.0.0.1", .port = 0})) return 78;
    return 5;
  });
  CHECK(c.wait() == 5);
  CHECK(c.output.empty());
}
