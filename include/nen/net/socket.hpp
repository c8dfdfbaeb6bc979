// A descriptor that closes itself, and the start-up calls that make a listening one.
// net, L1
#pragma once

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

#include <nen/core/result.hpp>
#include <nen/net/address.hpp>

namespace nen {

/// Owns a socket's descriptor and closes it.
class socket {
 public:
  socket() noexcept = default;
  explicit socket(int fd) noexcept : fd_(fd) {}
  socket(const socket&) = delete;
  socket& operator=(const socket&) = delete;
  socket(socket&& other) noexcept : fd_(other.release()) {}
  socket& operator=(socket&& other) noexcept {
    if (this != &other) {
      close();
      fd_ = other.release();
    }
    return *this;
  }
  ~socket() { close(); }

  [[nodiscard]] explicit operator bool() const noexcept { return fd_ >= 0; }

  /// The descriptor, which stays owned; -1 when there is none.
  [[nodiscard]] int native_handle() const noexcept { return fd_; }

  /// Gives the descriptor away; the caller closes it.
  [[nodiscard]] int release() noexcept {
    const int fd = fd_;
    fd_ = -1;
    return fd;
  }

  /// Closes the descriptor now; nothing happens when there is none.
  void close() noexcept {
    if (fd_ >= 0) {
      // Linux frees the descriptor even when close reports an error, so there is no second try.
      static_cast<void>(::close(release()));
    }
  }

 private:
  int fd_ = -1;
};

/// How a listening socket behaves. A Unix socket knows the backlog only.
struct socket_options {
  int backlog = 1024;         ///< connections that wait for accept; the kernel's somaxconn caps it
  bool tcp_nodelay = true;    ///< small answers leave at once; accepted sockets inherit it
  bool reuse_port = true;     ///< several sockets of this user may listen on the port and share it
  bool reuse_address = true;  ///< a restart need not wait for old connections in TIME_WAIT

  // Accepted sockets inherit these as well. Seconds, tcp(7).
  int keepalive_idle = 0;  ///< 0: no keep-alive, and the others don't count
  int keepalive_interval = 0;
  int keepalive_count = 0;
};

/// Makes a non-blocking socket that listens on the endpoint. "::" takes IPv4 connections too, any
/// other IPv6 address does not. The file of a Unix socket that nobody listens on any more is
/// replaced; the file stays when the socket is closed.
/// @returns  the socket, or the errno and a sentence with the cause and what to do about it
[[nodiscard]] inline result<socket> listen_on(const endpoint& where,
                                              const socket_options& options = {}) noexcept;

/// The address that a socket is bound to; after port 0 this tells the port that the kernel chose.
[[nodiscard]] inline result<endpoint> local_endpoint(const socket& s) noexcept;

/// Whether a server can accept from a descriptor that somebody else has made.
/// @returns  EINVAL, EBADF or ENOTSOCK with a sentence when it is no stream socket that listens
[[nodiscard]] inline result<void> check_listener(int descriptor) noexcept;

/// Raises this process's soft limit of open descriptors (RLIMIT_NOFILE) to at least `wanted`.
/// @returns  EMFILE with both numbers and the fix when the hard limit is lower; the soft limit is
///           then as high as the hard one
[[nodiscard]] inline result<void> raise_descriptor_limit(std::uint64_t wanted) noexcept;

namespace detail {

/// What an errno of socket, bind or listen means to the one who chose the endpoint, and the fix.
[[gnu::cold]] inline const char* listen_advice(int errno_value, const endpoint& where) noexcept {
  switch (errno_value) {
    case EACCES:
    case EPERM:
      return where.is_unix()
                 ? "permission denied; make its directory writable for this user or choose another "
                   "path"
                 : "permission denied; use a port above 1023 or grant CAP_NET_BIND_SERVICE";
    case EADDRINUSE:
      return where.is_unix()
                 ? "address already in use; stop the other program or choose another path"
                 : "address already in use; stop the other program or choose another port";
    case EADDRNOTAVAIL:
      return "no interface of this machine has the address; use one that `ip address` lists, or "
             "0.0.0.0 or :: for all";
    case EAFNOSUPPORT:
      return "the system does not support this kind of address; use an IPv4 address such as "
             "0.0.0.0";
    case ENOENT:
    case ENOTDIR:
      return "its directory does not exist; create it or choose another path";
    case EROFS:
      return "its file system is read-only; choose another path";
    case EMFILE:
      return "this process has no descriptor left; raise its limit with `ulimit -n` or "
             "LimitNOFILE= in systemd";
    case ENFILE:
      return "the system has no descriptor left; raise fs.file-max";
    case ENOTSOCK:
      return "a file that is not a socket is in the way; remove it or choose another path";
    default:
      return nullptr;
  }
}

[[gnu::cold]] inline error listen_error(int errno_value, const endpoint& where,
                                        const char* call) noexcept {
  const endpoint_text text = where.to_string();
  if (const char* const advice = listen_advice(errno_value, where)) {
    return make_error(errno_value, "cannot listen on %s: %s", text.c_str(), advice);
  }
  return make_error(errno_value, "cannot listen on %s: %s (errno %d); see %s(2)", text.c_str(),
                    std::strerror(errno_value), errno_value, call);
}

[[gnu::cold]] inline bool set_option(const socket& s, int level, int name, int value) noexcept {
  return ::setsockopt(s.native_handle(), level, name, &value, sizeof(value)) == 0;
}

/// Sets what has to be set before bind.
/// @returns  the errno, 0 when all went well
[[gnu::cold]] inline int set_listen_options(const socket& s, const endpoint& where,
                                            const socket_options& options) noexcept {
  if (where.is_unix()) {
    return 0;
  }
  if (options.keepalive_idle != 0 &&
      (!set_option(s, SOL_SOCKET, SO_KEEPALIVE, true) ||
       !set_option(s, IPPROTO_TCP, TCP_KEEPIDLE, options.keepalive_idle) ||
       !set_option(s, IPPROTO_TCP, TCP_KEEPINTVL, options.keepalive_interval) ||
       !set_option(s, IPPROTO_TCP, TCP_KEEPCNT, options.keepalive_count))) {
    return errno;
  }
  // Only the options that are wanted are set: off is what a new socket has.
  if ((options.reuse_address && !set_option(s, SOL_SOCKET, SO_REUSEADDR, true)) ||
      (options.reuse_port && !set_option(s, SOL_SOCKET, SO_REUSEPORT, true)) ||
      (options.tcp_nodelay && !set_option(s, IPPROTO_TCP, TCP_NODELAY, true))) {
    return errno;
  }
  // The default of this one is a sysctl, so it is always set.
  if (where.family() == AF_INET6 && !set_option(s, IPPROTO_IPV6, IPV6_V6ONLY, !where.is_any())) {
    return errno;
  }
  return 0;
}

/// Removes the file that a dead server left at the path; bind would fail on it. Two servers that
/// start at the same moment can take the path from each other; the kernel offers no lock for this.
/// @returns  0 when nothing is in the way any more, EADDRINUSE when somebody listens there
[[gnu::cold]] inline int remove_stale_file(const endpoint& where) noexcept {
  if (!where.is_unix() || where.is_abstract()) {
    return 0;
  }
  char path[endpoint::path_bytes_max + 1] = {};
  where.unix_name().copy(path, endpoint::path_bytes_max);
  struct stat status = {};
  if (::lstat(path, &status) != 0) {
    return errno == ENOENT ? 0 : errno;
  }
  if (!S_ISSOCK(status.st_mode)) {
    return ENOTSOCK;
  }
  const socket probe{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  if (!probe) {
    return errno;
  }
  if (::connect(probe.native_handle(), where.data(), where.size()) == 0) {
    return EADDRINUSE;
  }
  switch (errno) {
    case ECONNREFUSED:
      return ::unlink(path) == 0 || errno == ENOENT ? 0 : errno;
    case ENOENT:
      return 0;
    case EAGAIN:      // Its backlog is full.
    case EPROTOTYPE:  // A datagram socket's owner is alive.
      return EADDRINUSE;
    default:
      return errno;
  }
}

}  // namespace detail

[[gnu::cold]] inline result<socket> listen_on(const endpoint& where,
                                              const socket_options& options) noexcept {
  if (where.family() == AF_UNSPEC) {
    return make_error(EINVAL, "cannot listen on an empty endpoint; make one with endpoint::parse");
  }
  socket s{::socket(where.family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  if (!s) {
    return detail::listen_error(errno, where, "socket");
  }
  if (const int problem = detail::set_listen_options(s, where, options)) {
    return detail::listen_error(problem, where, "setsockopt");
  }
  if (const int problem = detail::remove_stale_file(where)) {
    return detail::listen_error(problem, where, "unlink");
  }
  if (::bind(s.native_handle(), where.data(), where.size()) != 0) {
    return detail::listen_error(errno, where, "bind");
  }
  if (::listen(s.native_handle(), options.backlog) != 0) {
    return detail::listen_error(errno, where, "listen");
  }
  return s;
}

[[gnu::cold]] inline result<endpoint> local_endpoint(const socket& s) noexcept {
  sockaddr_storage storage = {};
  socklen_t size = sizeof(storage);
  if (::getsockname(s.native_handle(), reinterpret_cast<sockaddr*>(&storage), &size) != 0) {
    const int problem = errno;
    return make_error(problem, "cannot read the address of descriptor %d: %s", s.native_handle(),
                      std::strerror(problem));
  }
  return endpoint::from_native(reinterpret_cast<const sockaddr*>(&storage), size);
}

[[gnu::cold]] inline result<void> check_listener(int descriptor) noexcept {
  const auto option = [&](int name, int& value) {
    socklen_t size = sizeof value;
    return ::getsockopt(descriptor, SOL_SOCKET, name, &value, &size) == 0;
  };
  int type = 0, listens = 0, family = 0;
  if (!option(SO_TYPE, type) || !option(SO_ACCEPTCONN, listens) || !option(SO_DOMAIN, family)) {
    const int problem = errno;
    return make_error(problem, "cannot accept from the inherited descriptor %d: %s", descriptor,
                      problem == EBADF      ? "it is not open"
                      : problem == ENOTSOCK ? "it is not a socket"
                                            : std::strerror(problem));
  }
  const char* const wrong = type != SOCK_STREAM ? "it is not a stream socket; use ListenStream="
                            : listens == 0      ? "it does not listen; use Accept=no"
                            : family != AF_INET && family != AF_INET6 && family != AF_UNIX
                                ? "it is neither IPv4, IPv6 nor Unix"
                                : nullptr;
  if (wrong == nullptr) return {};
  return make_error(EINVAL, "cannot accept from the inherited descriptor %d: %s", descriptor,
                    wrong);
}

[[gnu::cold]] inline result<void> raise_descriptor_limit(std::uint64_t wanted) noexcept {
  rlimit limit = {};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return make_error(errno, "cannot read RLIMIT_NOFILE; see getrlimit(2)");
  }
  const bool enough = limit.rlim_max >= wanted;
  const rlim_t target = enough ? wanted : limit.rlim_max;
  if (limit.rlim_cur < target) {
    limit.rlim_cur = target;
    if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) {
      const int problem = errno;
      return make_error(problem, "cannot raise RLIMIT_NOFILE to %llu: %s; see setrlimit(2)",
                        static_cast<unsigned long long>(target), std::strerror(problem));
    }
  }
  if (!enough) {
    const auto number = static_cast<unsigned long long>(wanted);
    return make_error(
        EMFILE,
        "%llu descriptors are needed but the hard limit RLIMIT_NOFILE is %llu; raise "
        "it with `ulimit -n %llu` as root or LimitNOFILE=%llu in systemd, or configure "
        "fewer connections",
        number, static_cast<unsigned long long>(limit.rlim_max), number, number);
  }
  return {};
}

}  // namespace nen
