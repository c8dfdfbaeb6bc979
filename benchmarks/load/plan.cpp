// From an address in text to one of the kernel's.
#include "plan.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace load {

endpoint resolve(const options& o) {
  endpoint e;
  if (!o.unix_path.empty()) {
    sockaddr_un local{};
    local.sun_family = AF_UNIX;
    if (o.unix_path.size() >= sizeof local.sun_path) {
      std::fprintf(stderr, "load: %s is too long for the path of a socket\n", o.unix_path.c_str());
      std::exit(2);
    }
    std::memcpy(local.sun_path, o.unix_path.data(), o.unix_path.size());
    std::memcpy(&e.address, &local, sizeof local);
    e.size = sizeof local;
    return e;
  }
  sockaddr_in four{};
  sockaddr_in6 six{};
  if (::inet_pton(AF_INET, o.host.c_str(), &four.sin_addr) == 1) {
    four.sin_family = AF_INET;
    four.sin_port = htons(o.port);
    std::memcpy(&e.address, &four, sizeof four);
    e.size = sizeof four;
  } else if (::inet_pton(AF_INET6, o.host.c_str(), &six.sin6_addr) == 1) {
    six.sin6_family = AF_INET6;
    six.sin6_port = htons(o.port);
    std::memcpy(&e.address, &six, sizeof six);
    e.size = sizeof six;
  }
  return e;
}

}  // namespace load
