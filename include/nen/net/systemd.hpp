// What systemd gives a service and wants to be told: inherited listeners (socket activation), the
// notify socket, the watchdog. The documented protocol, without libsystemd.
// net, L1
#pragma once

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <span>
#include <string_view>

#include <nen/core/ascii.hpp>
#include <nen/core/result.hpp>
#include <nen/net/socket.hpp>

namespace nen::systemd {

/// A listening stream socket that this process was started with.
struct listener {
  int descriptor;
  std::string_view name;  ///< FileDescriptorName= of its .socket unit; "unknown" without one
};

/// How many listeners are taken over at most, and the bytes of all their names.
inline constexpr std::size_t listeners_max = 64;
inline constexpr std::size_t names_bytes_max = 4096;

/// True when LISTEN_PID names this process: it was started by a .socket unit, by
/// systemd-socket-activate, or by whoever speaks that protocol.
[[nodiscard]] inline bool is_activated() noexcept;

/// Takes over the inherited listeners, sd_listen_fds(3): checks that each is what a server can
/// accept from, keeps them from programs that this one starts, and takes the variables out of the
/// environment. Later calls give the same. Called before other threads look at the environment.
/// @returns  in the order of the unit's ListenStream= lines; or ENOENT when there are none, EINVAL
///           and others with a sentence when something is not as it has to be
[[nodiscard]] inline result<std::span<const listener>> listeners() noexcept;

/// The same for listen_options::socket_activation: those with this name, or all if it is empty.
/// @returns  ENOENT too when none has the name. Valid until the next call
[[nodiscard]] inline result<std::span<const int>> sockets(std::string_view name) noexcept;

/// Tells the service manager something, sd_notify(3): "READY=1", or several such lines.
/// @param descriptors  go along, for FDSTORE=1
/// @returns  false when nobody wants to be told (NOTIFY_SOCKET is not set); or why it failed
inline result<bool> notify(std::string_view state, std::span<const int> descriptors = {}) noexcept;

/// RELOADING=1 with the time that Type=notify-reload asks for. READY=1 says that it is over.
inline result<bool> notify_reloading() noexcept;

/// Has the service manager keep a descriptor for the next start (FileDescriptorStoreMax=), which
/// then finds it among those that it inherits.
/// @param name  1 to 255 visible ASCII characters without ':'
inline result<bool> store_descriptor(int descriptor, std::string_view name) noexcept;

/// How often the service manager wants to hear WATCHDOG=1, in microseconds; half of that is asked
/// for. 0: not at all, or from another process.
/// @returns  EINVAL with a sentence when WATCHDOG_USEC or WATCHDOG_PID is not a number
[[nodiscard]] inline result<std::uint64_t> watchdog_microseconds() noexcept;

namespace detail {

/// What of a variable is shown in a sentence.
struct shown {
  char text[33] = {};
  explicit shown(std::string_view value) noexcept {
    const std::size_t size = value.size() < sizeof text ? value.size() : sizeof text - 1;
    for (std::size_t i = 0; i < size; ++i)
      text[i] = value[i] >= ' ' && value[i] <= '~' ? value[i] : '?';
  }
};

[[gnu::cold]] inline error not_a_number(const char* variable, std::string_view value) noexcept {
  return make_error(EINVAL, "%s is \"%s\", which is not a number that it can be", variable,
                    shown(value).text);
}

inline std::string_view variable(const char* name) noexcept {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string_view{} : std::string_view(value);
}

/// Listeners and the memory of their names.
struct inherited {
  std::array<listener, listeners_max> each;
  std::size_t count;
  char names[names_bytes_max];
};

/// Gives each listener its name. @returns  false when there are not as many names
[[gnu::cold]] inline bool name_listeners(inherited& into, std::string_view names) noexcept {
  std::memcpy(into.names, names.data(), names.size());
  std::string_view left(into.names, names.size());
  for (std::size_t i = 0; i < into.count; ++i) {
    const auto end = left.find(':');
    into.each[i].name = left.substr(0, end);
    const bool is_last = end == std::string_view::npos;
    if (is_last != (i + 1 == into.count)) return false;
    if (!is_last) left.remove_prefix(end + 1);
  }
  return true;
}

/// How many descriptors the variables promise this process.
[[gnu::cold]] inline result<std::size_t> count_listeners() noexcept {
  const auto pid = variable("LISTEN_PID");
  const auto count = variable("LISTEN_FDS");
  if (pid.empty() || count.empty())
    return make_error(ENOENT,
                      "no listener was inherited: LISTEN_PID and LISTEN_FDS are not set; start the "
                      "program by its .socket unit or systemd-socket-activate");
  const auto whose = parse_decimal<std::uint32_t>(pid);
  if (!whose) return not_a_number("LISTEN_PID", pid);
  if (*whose != static_cast<std::uint32_t>(::getpid()))
    return make_error(ENOENT,
                      "the inherited listeners are process %u's and this is process %u; a script "
                      "in between has to start the program with exec",
                      static_cast<unsigned>(*whose), static_cast<unsigned>(::getpid()));
  const auto wanted = parse_decimal<std::uint32_t>(count);
  if (!wanted) return not_a_number("LISTEN_FDS", count);
  if (*wanted == 0 || *wanted > listeners_max)
    return make_error(EINVAL, "LISTEN_FDS is %u, and 1 to %zu listeners can be inherited",
                      static_cast<unsigned>(*wanted), listeners_max);
  return std::size_t{*wanted};
}

/// All of listeners() but to remember them.
[[gnu::cold]] inline result<void> take_listeners(inherited& into) noexcept {
  constexpr int first = 3;  // SD_LISTEN_FDS_START
  const auto count = count_listeners();
  if (!count) return count.error();
  into.count = *count;
  for (std::size_t i = 0; i < into.count; ++i) {
    const int descriptor = first + static_cast<int>(i);
    if (auto checked = nen::check_listener(descriptor); !checked) return checked;
    const int flags = ::fcntl(descriptor, F_GETFD);
    if (flags < 0 || ::fcntl(descriptor, F_SETFD, flags | FD_CLOEXEC) < 0)
      return make_error(errno, "cannot set close-on-exec for the inherited descriptor %d: %s",
                        descriptor, std::strerror(errno));
    into.each[i] = {descriptor, "unknown"};
  }
  if (const char* const names = std::getenv("LISTEN_FDNAMES")) {
    if (std::strlen(names) > names_bytes_max)
      return make_error(E2BIG, "LISTEN_FDNAMES is longer than %zu bytes", names_bytes_max);
    if (!name_listeners(into, names))
      return make_error(EINVAL, "LISTEN_FDNAMES does not have one name for each of %zu listeners",
                        into.count);
  }
  for (const char* const name : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PIDFDID"})
    ::unsetenv(name);
  return {};
}

/// The socket that a service manager listens at. Zero: nobody wants to be told anything.
class notify_socket {
 public:
  /// @returns  false when NOTIFY_SOCKET is not set, or why it can't be used
  [[gnu::cold]] result<bool> open() noexcept {
    const auto path = variable("NOTIFY_SOCKET");
    if (path.empty()) return false;
    if ((path[0] != '/' && path[0] != '@') || path.size() < 2 ||
        path.size() >= sizeof(sockaddr_un::sun_path))
      return make_error(EINVAL,
                        "cannot use NOTIFY_SOCKET=%s: it has to be a path from / or an abstract "
                        "name from @, of 2 to %zu bytes",
                        shown(path).text, sizeof(sockaddr_un::sun_path) - 1);
    address_ = {};
    address_.sun_family = AF_UNIX;
    path.copy(address_.sun_path, path.size());
    if (path[0] == '@') address_.sun_path[0] = '\0';
    // Behind a path there is a NUL; an abstract name is all the bytes that there are.
    size_ = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() +
                                   (path[0] == '/' ? 1 : 0));
    descriptor_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (descriptor_ < 0)
      return make_error(errno, "cannot make a socket for NOTIFY_SOCKET: %s", std::strerror(errno));
    is_open_ = true;
    const timeval longest = {1, 0};  // a manager that does not listen holds nobody up for longer
    (void)::setsockopt(descriptor_, SOL_SOCKET, SO_SNDTIMEO, &longest, sizeof longest);
    return true;
  }
  void close() noexcept {
    if (is_open_) ::close(descriptor_);
    is_open_ = false;
  }
  bool is_open() const noexcept { return is_open_; }

  /// One message, also from a signal handler. @returns  0 or the errno
  int send(std::string_view state, std::span<const int> descriptors = {}) const noexcept {
    iovec part = {const_cast<char*>(state.data()), state.size()};
    alignas(cmsghdr) char control[CMSG_SPACE(descriptors_max * sizeof(int))] = {};
    msghdr message = {};
    message.msg_name = const_cast<sockaddr_un*>(&address_);
    message.msg_namelen = size_;
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    if (descriptors.size() > descriptors_max) return E2BIG;
    if (!descriptors.empty()) {
      message.msg_control = control;
      message.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
      cmsghdr* const header = CMSG_FIRSTHDR(&message);
      header->cmsg_level = SOL_SOCKET;
      header->cmsg_type = SCM_RIGHTS;
      header->cmsg_len = CMSG_LEN(descriptors.size_bytes());
      std::memcpy(CMSG_DATA(header), descriptors.data(), descriptors.size_bytes());
    }
    while (::sendmsg(descriptor_, &message, MSG_NOSIGNAL) < 0)
      if (errno != EINTR) return errno;
    return 0;
  }

 private:
  static constexpr std::size_t descriptors_max = listeners_max;

  sockaddr_un address_;
  socklen_t size_;
  int descriptor_;
  bool is_open_;
};

}  // namespace detail

inline bool is_activated() noexcept {
  const auto whose = parse_decimal<std::uint32_t>(detail::variable("LISTEN_PID"));
  return whose && *whose == static_cast<std::uint32_t>(::getpid());
}

[[gnu::cold]] inline result<std::span<const listener>> listeners() noexcept {
  static constinit detail::inherited taken{};
  static constinit bool are_taken = false;
  if (!are_taken) {
    if (auto outcome = detail::take_listeners(taken); !outcome) return outcome.error();
    are_taken = true;
  }
  return std::span<const listener>(taken.each.data(), taken.count);
}

[[gnu::cold]] inline result<std::span<const int>> sockets(std::string_view name) noexcept {
  static constinit std::array<int, listeners_max> chosen{};
  const auto given = listeners();
  if (!given) return given.error();
  std::size_t count = 0;
  for (const listener& l : *given)
    if (name.empty() || l.name == name) chosen[count++] = l.descriptor;
  if (count == 0)
    return make_error(ENOENT, "no inherited listener has the name %s; see FileDescriptorName=",
                      detail::shown(name).text);
  return std::span<const int>(chosen.data(), count);
}

[[gnu::cold]] inline result<bool> notify(std::string_view state,
                                         std::span<const int> descriptors) noexcept {
  detail::notify_socket to{};
  const auto opened = to.open();
  if (!opened || !*opened) return opened;
  const int problem = to.send(state, descriptors);
  to.close();
  if (problem == 0) return true;
  return make_error(problem, "cannot send to NOTIFY_SOCKET: %s", std::strerror(problem));
}

[[gnu::cold]] inline result<bool> notify_reloading() noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  const auto microseconds = static_cast<unsigned long long>(now.tv_sec) * 1'000'000 +
                            static_cast<unsigned long long>(now.tv_nsec) / 1000;
  char text[64];
  const int size =
      std::snprintf(text, sizeof text, "RELOADING=1\nMONOTONIC_USEC=%llu", microseconds);
  return notify({text, static_cast<std::size_t>(size)});
}

[[gnu::cold]] inline result<bool> store_descriptor(int descriptor, std::string_view name) noexcept {
  bool is_name = !name.empty() && name.size() <= 255;
  for (const char c : name) is_name = is_name && c >= ' ' && c <= '~' && c != ':';
  if (!is_name)
    return make_error(EINVAL, "a stored descriptor's name is 1 to 255 visible characters, no ':'");
  char text[300];
  const int size = std::snprintf(text, sizeof text, "FDSTORE=1\nFDNAME=%.*s",
                                 static_cast<int>(name.size()), name.data());
  return notify({text, static_cast<std::size_t>(size)}, {&descriptor, 1});
}

[[gnu::cold]] inline result<std::uint64_t> watchdog_microseconds() noexcept {
  const auto interval = detail::variable("WATCHDOG_USEC");
  const auto pid = detail::variable("WATCHDOG_PID");
  if (interval.empty()) return std::uint64_t{0};
  if (!pid.empty()) {
    const auto whose = parse_decimal<std::uint32_t>(pid);
    if (!whose) return detail::not_a_number("WATCHDOG_PID", pid);
    if (*whose != static_cast<std::uint32_t>(::getpid())) return std::uint64_t{0};
  }
  const auto wanted = parse_decimal<std::uint64_t>(interval);
  if (!wanted || *wanted == 0) return detail::not_a_number("WATCHDOG_USEC", interval);
  return *wanted;
}

}  // namespace nen::systemd
