// io, L2: where a ring puts the address of whom it accepts.
#pragma once

#include <nen/core/client_address.hpp>

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstring>

namespace nen {

/// The kernel fills it in while the accept is in flight. Of a Unix socket's name, which is seldom
/// there, only the family is kept.
struct accepted_name {
  union {
    sockaddr any;
    sockaddr_in v4;
    sockaddr_in6 v6;
  };
  socklen_t size;

  /// Makes it ready for an accept.
  void expect() noexcept { size = sizeof v6; }

  client_address address() const noexcept {
    client_address made{};
    if (size >= sizeof v4 && any.sa_family == AF_INET) {
      std::uint8_t bytes[4];
      std::memcpy(bytes, &v4.sin_addr, sizeof bytes);
      return client_address::ipv4(bytes, ntohs(v4.sin_port));
    }
    if (size >= sizeof v6 && any.sa_family == AF_INET6) {
      std::uint8_t bytes[16];
      std::memcpy(bytes, &v6.sin6_addr, sizeof bytes);
      return client_address::ipv6(bytes, ntohs(v6.sin6_port));
    }
    if (any.sa_family == AF_UNIX) made.what = client_address::kind::unix_socket;
    return made;
  }
};

}  // namespace nen
