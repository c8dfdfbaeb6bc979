// Where a server listens and a client connects: IPv4, IPv6 or a Unix socket; numeric, no resolver.
// net, L1
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include <nen/core/ascii.hpp>
#include <nen/core/assert.hpp>
#include <nen/core/result.hpp>

namespace nen {

/// An endpoint as people write it, in an inline buffer: "127.0.0.1:8080", "[::1]:80",
/// "unix:/run/x.sock", "unix:@abstract".
class endpoint_text {
 public:
  [[nodiscard]] std::string_view view() const noexcept { return {text_, size_}; }
  [[nodiscard]] const char* c_str() const noexcept { return text_; }
  operator std::string_view() const noexcept { return view(); }

 private:
  friend class endpoint;

  void append(std::string_view more) noexcept {
    NEN_ASSERT(size_ + more.size() < sizeof(text_));
    std::memcpy(text_ + size_, more.data(), more.size());
    size_ = static_cast<std::uint8_t>(size_ + more.size());
  }

  std::uint8_t size_ = 0;
  char text_[127] = {};  // The longest is "unix:" and 108 bytes of name; a NUL closes it.
};

/// A socket address of one of the three families, with its size.
class endpoint {
 public:
  /// The longest path of a Unix socket; the kernel's field has one byte more, for the NUL.
  static constexpr std::size_t path_bytes_max = sizeof(sockaddr_un::sun_path) - 1;

  /// No address: family() is AF_UNSPEC.
  endpoint() noexcept { std::memset(&storage_, 0, sizeof(storage_)); }

  /// Reads a numeric address.
  /// @param host  "127.0.0.1", "::1" or "[::1]"; "localhost" stands for 127.0.0.1
  /// @returns     EINVAL with a sentence when the host is something else
  [[nodiscard]] static result<endpoint> parse(std::string_view host, std::uint16_t port) noexcept;

  /// Names a Unix socket.
  /// @param path  a file's path, or '@' and a name in the abstract namespace, see unix(7); at most
  ///              path_bytes_max bytes
  /// @returns     EINVAL or ENAMETOOLONG with a sentence when the kernel could not take it
  [[nodiscard]] static result<endpoint> unix_path(std::string_view path) noexcept;

  /// Takes over what accept, getsockname or getpeername filled in.
  /// @returns  EAFNOSUPPORT for a fourth family, EINVAL when the size does not fit the family
  [[nodiscard]] static result<endpoint> from_native(const sockaddr* address,
                                                    socklen_t size) noexcept;

  [[nodiscard]] const sockaddr* data() const noexcept { return &storage_.any; }
  [[nodiscard]] socklen_t size() const noexcept { return size_; }

  /// AF_INET, AF_INET6 or AF_UNIX.
  [[nodiscard]] int family() const noexcept { return storage_.any.sa_family; }
  [[nodiscard]] bool is_unix() const noexcept { return family() == AF_UNIX; }

  /// In the host's byte order; 0 for a Unix socket.
  [[nodiscard]] std::uint16_t port() const noexcept {
    switch (family()) {
      case AF_INET:
        return ntohs(storage_.v4.sin_port);
      case AF_INET6:
        return ntohs(storage_.v6.sin6_port);
      default:
        return 0;
    }
  }

  /// The same address with another port; a Unix socket has none to change.
  [[nodiscard]] endpoint with_port(std::uint16_t port) const noexcept {
    endpoint other = *this;
    if (family() == AF_INET) other.storage_.v4.sin_port = htons(port);
    if (family() == AF_INET6) other.storage_.v6.sin6_port = htons(port);
    return other;
  }

  /// True for "0.0.0.0" and "::", which stand for all interfaces.
  [[nodiscard]] bool is_any() const noexcept {
    return (family() == AF_INET && storage_.v4.sin_addr.s_addr == htonl(INADDR_ANY)) ||
           (family() == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&storage_.v6.sin6_addr));
  }

  /// The file's path or the abstract name without its '@'; empty when this is no Unix socket or an
  /// unnamed one. Valid as long as this endpoint.
  [[nodiscard]] std::string_view unix_name() const noexcept;

  /// True for a Unix socket in the abstract namespace, which has no file.
  [[nodiscard]] bool is_abstract() const noexcept {
    return is_unix() && size_ > path_offset && storage_.local.sun_path[0] == '\0';
  }

  [[nodiscard]] endpoint_text to_string() const noexcept;

  [[nodiscard]] friend bool operator==(const endpoint& a, const endpoint& b) noexcept {
    return a.size_ == b.size_ && std::memcmp(&a.storage_, &b.storage_, a.size_) == 0;
  }

 private:
  static constexpr std::size_t path_offset = offsetof(sockaddr_un, sun_path);

  union native {
    sockaddr any;
    sockaddr_in v4;
    sockaddr_in6 v6;
    sockaddr_un local;
  };

  native storage_;
  socklen_t size_ = 0;
};

[[gnu::cold]] inline result<endpoint> endpoint::parse(std::string_view host,
                                                      std::uint16_t port) noexcept {
  std::string_view numeric = equals_ignoring_case(host, "localhost") ? "127.0.0.1" : host;
  const bool bracketed = numeric.size() >= 2 && numeric.front() == '[' && numeric.back() == ']';
  if (bracketed) {
    numeric = numeric.substr(1, numeric.size() - 2);
  }
  char text[INET6_ADDRSTRLEN] = {};  // inet_pton wants a NUL at the end.
  if (numeric.size() < sizeof(text) && numeric.find('\0') == std::string_view::npos) {
    numeric.copy(text, numeric.size());
    endpoint e;
    if (!bracketed && ::inet_pton(AF_INET, text, &e.storage_.v4.sin_addr) == 1) {
      e.storage_.v4.sin_family = AF_INET;
      e.storage_.v4.sin_port = htons(port);
      e.size_ = sizeof(sockaddr_in);
      return e;
    }
    if (::inet_pton(AF_INET6, text, &e.storage_.v6.sin6_addr) == 1) {
      e.storage_.v6.sin6_family = AF_INET6;
      e.storage_.v6.sin6_port = htons(port);
      e.size_ = sizeof(sockaddr_in6);
      return e;
    }
  }
  return make_error(EINVAL,
                    "\"%.*s\" is not a numeric address; write an IPv4 address such as 127.0.0.1, "
                    "an IPv6 address such as ::1, or localhost",
                    static_cast<int>(host.size() < 64 ? host.size() : 64), host.data());
}

[[gnu::cold]] inline result<endpoint> endpoint::unix_path(std::string_view path) noexcept {
  if (path.empty() || path == "@") {
    return make_error(EINVAL,
                      "a Unix socket needs a name; write a path such as /run/app.sock, or @name "
                      "for an abstract socket");
  }
  const bool abstract = path.front() == '@';
  if (!abstract && path.find('\0') != std::string_view::npos) {
    return make_error(EINVAL, "the path of a Unix socket contains a NUL byte; leave it out");
  }
  if (path.size() > path_bytes_max) {
    return make_error(ENAMETOOLONG,
                      "the Unix socket path of %zu bytes is too long; the kernel takes at most %zu "
                      "bytes, so choose a shorter one",
                      path.size(), path_bytes_max);
  }
  endpoint e;
  e.storage_.local.sun_family = AF_UNIX;
  path.copy(e.storage_.local.sun_path, path.size());
  if (abstract) {
    e.storage_.local.sun_path[0] = '\0';
  }
  // A path's size includes its NUL; an abstract name is all the bytes up to the size.
  e.size_ = static_cast<socklen_t>(path_offset + path.size() + (abstract ? 0 : 1));
  return e;
}

[[gnu::cold]] inline result<endpoint> endpoint::from_native(const sockaddr* address,
                                                            socklen_t size) noexcept {
  if (address == nullptr || size < sizeof(sa_family_t)) {
    return make_error(EINVAL, "a socket address of %u bytes is too short", unsigned{size});
  }
  sa_family_t family = AF_UNSPEC;
  std::memcpy(&family, address, sizeof(family));
  bool fits = false;
  switch (family) {
    case AF_INET:
      fits = size == sizeof(sockaddr_in);
      break;
    case AF_INET6:
      fits = size == sizeof(sockaddr_in6);
      break;
    case AF_UNIX:
      fits = size <= sizeof(sockaddr_un);
      break;
    default:
      return make_error(EAFNOSUPPORT,
                        "address family %u is not supported; use IPv4, IPv6 or a Unix socket",
                        unsigned{family});
  }
  if (!fits) {
    return make_error(EINVAL, "a socket address of family %u cannot have %u bytes",
                      unsigned{family}, unsigned{size});
  }
  endpoint e;
  std::memcpy(&e.storage_, address, size);
  e.size_ = size;
  return e;
}

[[gnu::cold]] inline std::string_view endpoint::unix_name() const noexcept {
  if (!is_unix() || size_ <= path_offset) {
    return {};
  }
  const char* const path = storage_.local.sun_path;
  const std::size_t bytes = size_ - path_offset;
  if (path[0] == '\0') {
    return {path + 1, bytes - 1};
  }
  return {path, ::strnlen(path, bytes)};
}

[[gnu::cold]] inline endpoint_text endpoint::to_string() const noexcept {
  endpoint_text out;
  if (family() == AF_UNIX) {
    out.append(is_abstract() ? "unix:@" : "unix:");
    for (const char c : unix_name()) {
      // What is printed must not steer a terminal.
      const char shown = c >= ' ' && c != '\x7f' ? c : '?';
      out.append({&shown, 1});
    }
    return out;
  }
  char host[INET6_ADDRSTRLEN] = {};
  if (family() == AF_INET && ::inet_ntop(AF_INET, &storage_.v4.sin_addr, host, sizeof(host))) {
    out.append(host);
  } else if (family() == AF_INET6 &&
             ::inet_ntop(AF_INET6, &storage_.v6.sin6_addr, host, sizeof(host))) {
    out.append("[");
    out.append(host);
    out.append("]");
  } else {
    out.append("(no address)");
    return out;
  }
  char digits[decimal_digits_max];
  const char* const end = write_decimal(digits, port());
  out.append(":");
  out.append({digits, static_cast<std::size_t>(end - digits)});
  return out;
}

}  // namespace nen
