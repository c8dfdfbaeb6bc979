// socket: real listening sockets on the loopback, every option and every error sentence.
#include <nen/net/socket.hpp>

#include <fcntl.h>
#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "support/catch.hpp"

using nen::endpoint;
using nen::socket_options;
using nen::test::ContainsSubstring;

namespace {

int option_of(const nen::socket& s, int level, int name) {
  int value = -1;
  socklen_t size = sizeof(value);
  REQUIRE(::getsockopt(s.native_handle(), level, name, &value, &size) == 0);
  return value;
}

bool is_open(int fd) { return ::fcntl(fd, F_GETFD) != -1; }

/// A connected client, or none.
nen::socket connect_to(const endpoint& where) {
  nen::socket s{::socket(where.family(), SOCK_STREAM | SOCK_CLOEXEC, 0)};
  if (::connect(s.native_handle(), where.data(), where.size()) != 0) {
    s.close();
  }
  return s;
}

/// Accepts a connection that has been made already.
nen::socket accept_from(const nen::socket& listener) {
  return nen::socket{::accept4(listener.native_handle(), nullptr, nullptr, SOCK_CLOEXEC)};
}

class temporary_directory {
 public:
  temporary_directory() { REQUIRE(::mkdtemp(path_.data()) != nullptr); }
  temporary_directory(const temporary_directory&) = delete;
  temporary_directory& operator=(const temporary_directory&) = delete;
  ~temporary_directory() {
    ::unlink(file("x.sock").c_str());
    ::rmdir(path_.c_str());
  }
  [[nodiscard]] std::string file(const char* name) const { return path_ + "/" + name; }

 private:
  std::string path_ = "/tmp/nen-socket-XXXXXX";
};

bool has_ipv6() { return nen::listen_on(*endpoint::parse("::1", 0)).has_value(); }

/// Runs a check in a child, whose limits and user may be changed.
/// @returns  the child's exit code
template <class F>
int in_child(F function) {
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child == 0) {
    ::_exit(function());
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

TEST_CASE("a socket closes its descriptor when it ends", "[socket]") {
  int fd = -1;
  {
    const nen::socket s{::socket(AF_INET, SOCK_STREAM, 0)};
    fd = s.native_handle();
    CHECK(static_cast<bool>(s));
    CHECK(is_open(fd));
  }
  CHECK_FALSE(is_open(fd));
}

TEST_CASE("a socket is moved, not copied", "[socket]") {
  STATIC_REQUIRE_FALSE(std::is_copy_constructible_v<nen::socket>);
  STATIC_REQUIRE_FALSE(std::is_copy_assignable_v<nen::socket>);
  nen::socket a{::socket(AF_INET, SOCK_STREAM, 0)};
  const int fd_a = a.native_handle();
  nen::socket b{std::move(a)};
  CHECK_FALSE(static_cast<bool>(a));
  CHECK(b.native_handle() == fd_a);
  nen::socket c{::socket(AF_INET, SOCK_STREAM, 0)};
  const int fd_c = c.native_handle();
  c = std::move(b);
  CHECK(c.native_handle() == fd_a);
  CHECK(is_open(fd_a));
  CHECK_FALSE(is_open(fd_c));
  nen::socket& same = c;
  c = std::move(same);
  CHECK(is_open(fd_a));
  c.close();
  CHECK_FALSE(is_open(fd_a));
  c.close();
}

TEST_CASE("a released descriptor stays open and belongs to the caller", "[socket]") {
  int fd = -1;
  {
    nen::socket s{::socket(AF_INET, SOCK_STREAM, 0)};
    fd = s.release();
    CHECK_FALSE(static_cast<bool>(s));
  }
  CHECK(is_open(fd));
  ::close(fd);
}

TEST_CASE("a listening socket has a port, accepts, and does not block", "[socket]") {
  const auto s = nen::listen_on(*endpoint::parse("127.0.0.1", 0));
  REQUIRE(s.has_value());
  CHECK((::fcntl(s->native_handle(), F_GETFL) & O_NONBLOCK) != 0);
  CHECK((::fcntl(s->native_handle(), F_GETFD) & FD_CLOEXEC) != 0);
  CHECK(option_of(*s, SOL_SOCKET, SO_ACCEPTCONN) == 1);
  CHECK_FALSE(static_cast<bool>(accept_from(*s)));
  CHECK(errno == EAGAIN);

  const auto local = nen::local_endpoint(*s);
  REQUIRE(local.has_value());
  CHECK(local->port() != 0);
  CHECK_THAT(std::string(local->to_string().view()), nen::test::StartsWith("127.0.0.1:"));
  const nen::socket client = connect_to(*local);
  REQUIRE(static_cast<bool>(client));
  CHECK(static_cast<bool>(accept_from(*s)));
}

TEST_CASE("each option is set when it is on and not when it is off", "[socket]") {
  const bool on = GENERATE(true, false);
  socket_options options;
  options.tcp_nodelay = options.reuse_port = options.reuse_address = on;
  const auto s = nen::listen_on(*endpoint::parse("127.0.0.1", 0), options);
  REQUIRE(s.has_value());
  CHECK(option_of(*s, IPPROTO_TCP, TCP_NODELAY) == (on ? 1 : 0));
  CHECK(option_of(*s, SOL_SOCKET, SO_REUSEPORT) == (on ? 1 : 0));
  CHECK(option_of(*s, SOL_SOCKET, SO_REUSEADDR) == (on ? 1 : 0));
  const nen::socket client = connect_to(*nen::local_endpoint(*s));
  REQUIRE(static_cast<bool>(client));
  CHECK(option_of(accept_from(*s), IPPROTO_TCP, TCP_NODELAY) == (on ? 1 : 0));
}

TEST_CASE("the backlog option bounds how many connections wait", "[socket]") {
  socket_options options;
  options.backlog = 2;
  const auto path = endpoint::unix_path("@nen-test-backlog-" + std::to_string(::getpid()));
  const auto s = nen::listen_on(*path, options);
  REQUIRE(s.has_value());
  nen::socket clients[8];
  int connected = 0;
  for (nen::socket& c : clients) {
    c = nen::socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
    connected += ::connect(c.native_handle(), path->data(), path->size()) == 0 ? 1 : 0;
  }
  CHECK(connected == 3);  // The kernel admits one more than the backlog.
}

TEST_CASE("several sockets share a port when all of them ask for it", "[socket]") {
  const auto first = nen::listen_on(*endpoint::parse("127.0.0.1", 0));
  REQUIRE(first.has_value());
  const auto where = *nen::local_endpoint(*first);
  const auto second = nen::listen_on(where);
  REQUIRE(second.has_value());
  CHECK(nen::local_endpoint(*second)->port() == where.port());
}

TEST_CASE("a port in use is an error that names it and the fix", "[socket]") {
  const socket_options alone{.reuse_port = false};
  const auto first = nen::listen_on(*endpoint::parse("127.0.0.1", 0), alone);
  REQUIRE(first.has_value());
  const auto where = *nen::local_endpoint(*first);
  const auto second = nen::listen_on(where, alone);
  REQUIRE_FALSE(second.has_value());
  CHECK(second.error().code() == std::errc::address_in_use);
  CHECK(std::string(second.error().message()) ==
        "cannot listen on " + std::string(where.to_string().view()) +
            ": address already in use; stop the other program or choose another port");
}

TEST_CASE("an address that no interface has is an error that says so", "[socket]") {
  const auto s = nen::listen_on(*endpoint::parse("192.0.2.1", 0));
  REQUIRE_FALSE(s.has_value());
  CHECK(s.error().code() == std::errc::address_not_available);
  CHECK_THAT(std::string(s.error().message()),
             nen::test::StartsWith("cannot listen on 192.0.2.1:0: no interface of this machine"));
}

TEST_CASE("an empty endpoint cannot be listened on", "[socket]") {
  const auto s = nen::listen_on(endpoint{});
  REQUIRE_FALSE(s.has_value());
  CHECK(s.error().code() == std::errc::invalid_argument);
}

TEST_CASE("an IPv6 address takes IPv6 only and :: takes both", "[socket]") {
  if (!has_ipv6()) {
    WARN("this machine has no IPv6");
    return;
  }
  const auto one = nen::listen_on(*endpoint::parse("::1", 0));
  REQUIRE(one.has_value());
  CHECK(option_of(*one, IPPROTO_IPV6, IPV6_V6ONLY) == 1);
  const auto any = nen::listen_on(*endpoint::parse("::", 0));
  REQUIRE(any.has_value());
  CHECK(option_of(*any, IPPROTO_IPV6, IPV6_V6ONLY) == 0);
  const auto port = nen::local_endpoint(*any)->port();
  CHECK(static_cast<bool>(connect_to(*endpoint::parse("127.0.0.1", port))));
  CHECK(static_cast<bool>(connect_to(*endpoint::parse("::1", port))));
}

TEST_CASE("a Unix socket is listened on by path and by abstract name", "[socket]") {
  const temporary_directory directory;
  const bool abstract = GENERATE(false, true);
  const std::string name =
      abstract ? "@nen-test-" + std::to_string(::getpid()) : directory.file("x.sock");
  const auto where = *endpoint::unix_path(name);
  const auto s = nen::listen_on(where);
  REQUIRE(s.has_value());
  CHECK(*nen::local_endpoint(*s) == where);
  CHECK(static_cast<bool>(connect_to(where)));
}

TEST_CASE("the file of a dead server is replaced", "[socket]") {
  const temporary_directory directory;
  const auto where = *endpoint::unix_path(directory.file("x.sock"));
  for (int run = 0; run < 3; ++run) {
    const auto s = nen::listen_on(where);
    REQUIRE(s.has_value());
    CHECK(static_cast<bool>(connect_to(where)));
  }
  CHECK(::access(directory.file("x.sock").c_str(), F_OK) == 0);
}

TEST_CASE("a Unix socket that somebody listens on is left alone", "[socket]") {
  const temporary_directory directory;
  const bool abstract = GENERATE(false, true);
  const std::string path =
      abstract ? "@nen-test-" + std::to_string(::getpid()) : directory.file("x.sock");
  const auto where = *endpoint::unix_path(path);
  const auto first = nen::listen_on(where);
  REQUIRE(first.has_value());
  const auto second = nen::listen_on(where);
  REQUIRE_FALSE(second.has_value());
  CHECK(second.error().code() == std::errc::address_in_use);
  CHECK(std::string(second.error().message()) ==
        "cannot listen on unix:" + path +
            ": address already in use; stop the other program or choose another path");
  CHECK(static_cast<bool>(connect_to(where)));
}

TEST_CASE("a Unix socket whose backlog is full is in use too", "[socket]") {
  const temporary_directory directory;
  const auto where = *endpoint::unix_path(directory.file("x.sock"));
  const auto first = nen::listen_on(where, {.backlog = 1});
  REQUIRE(first.has_value());
  const nen::socket a = connect_to(where);
  const nen::socket b = connect_to(where);
  REQUIRE(static_cast<bool>(b));
  const auto second = nen::listen_on(where);
  REQUIRE_FALSE(second.has_value());
  CHECK(second.error().code() == std::errc::address_in_use);
}

TEST_CASE("a file that is not a socket is never removed", "[socket]") {
  const temporary_directory directory;
  const std::string path = directory.file("x.sock");
  std::FILE* const file = std::fopen(path.c_str(), "w");
  REQUIRE(file != nullptr);
  std::fclose(file);
  const auto s = nen::listen_on(*endpoint::unix_path(path));
  REQUIRE_FALSE(s.has_value());
  CHECK_THAT(std::string(s.error().message()),
             ContainsSubstring("a file that is not a socket is in the way; remove it"));
  CHECK(::access(path.c_str(), F_OK) == 0);
}

TEST_CASE("a missing directory is an error that says so", "[socket]") {
  const auto s = nen::listen_on(*endpoint::unix_path("/tmp/nen-no-such-directory/x.sock"));
  REQUIRE_FALSE(s.has_value());
  CHECK(s.error().code() == std::errc::no_such_file_or_directory);
  CHECK_THAT(std::string(s.error().message()),
             ContainsSubstring("its directory does not exist; create it"));
}

TEST_CASE("a privileged port without the privilege is an error with the fix", "[socket]") {
  const int code = in_child([] {
    if (::geteuid() == 0 && ::setuid(65534) != 0) {
      return 2;
    }
    const auto s = nen::listen_on(*endpoint::parse("127.0.0.1", 1));
    if (s.has_value()) {
      return 2;  // Containers may allow all ports to everybody.
    }
    return s.error().message() ==
                   "cannot listen on 127.0.0.1:1: permission denied; use a port above 1023 or "
                   "grant CAP_NET_BIND_SERVICE"
               ? 0
               : 1;
  });
  if (code == 2) {
    WARN("this machine lets every user listen on port 1");
  } else {
    CHECK(code == 0);
  }
}

TEST_CASE("the address of no socket is an error", "[socket]") {
  const auto e = nen::local_endpoint(nen::socket{});
  REQUIRE_FALSE(e.has_value());
  CHECK(e.error().code() == std::errc::bad_file_descriptor);
}

TEST_CASE("the descriptor limit is raised up to the hard limit", "[socket]") {
  CHECK(in_child([] {
          const rlimit low = {64, 256};
          if (::setrlimit(RLIMIT_NOFILE, &low) != 0) {
            return 2;
          }
          rlimit after = {};
          if (!nen::raise_descriptor_limit(200)) {
            return 3;
          }
          ::getrlimit(RLIMIT_NOFILE, &after);
          if (after.rlim_cur != 200 || after.rlim_max != 256) {
            return 4;
          }
          // A limit that is high enough is not lowered.
          if (!nen::raise_descriptor_limit(100)) {
            return 5;
          }
          ::getrlimit(RLIMIT_NOFILE, &after);
          return after.rlim_cur == 200 ? 0 : 6;
        }) == 0);
}

TEST_CASE("a hard limit that is too low is named with the fix", "[socket]") {
  CHECK(in_child([] {
          const rlimit low = {64, 256};
          if (::setrlimit(RLIMIT_NOFILE, &low) != 0) {
            return 2;
          }
          const auto raised = nen::raise_descriptor_limit(100'000);
          if (raised) {
            return 3;
          }
          rlimit after = {};
          ::getrlimit(RLIMIT_NOFILE, &after);
          if (after.rlim_cur != 256) {
            return 4;
          }
          if (raised.error().code() != std::errc::too_many_files_open) {
            return 5;
          }
          return raised.error().message() ==
                         "100000 descriptors are needed but the hard limit RLIMIT_NOFILE is 256; "
                         "raise it with `ulimit -n 100000` as root or LimitNOFILE=100000 in "
                         "systemd, or configure fewer connections"
                     ? 0
                     : 6;
        }) == 0);
}
