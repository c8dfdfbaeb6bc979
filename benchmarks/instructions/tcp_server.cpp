// What examples/04_tcp_echo serves.
#include <nen/server/tcp_server.hpp>

#include "metered_server.hpp"

namespace instructions {
namespace {

struct echo {
  std::size_t on_data(nen::tcp::peer& peer, std::span<const std::byte> bytes) {
    return peer.send(bytes);
  }
};

}  // namespace

metered_server& tcp_server() {
  using session = nen::detail::tcp_protocol<echo, nen::config{}>::session;
  static metered_shard<session, nen::config{}> server;
  return server;
}

}  // namespace instructions
