// expect: a TCP session's on_data takes nen::tcp::peer& and std::span<const std::byte> or
#include <nen/nen.hpp>

struct session {
  bool on_data(nen::tcp::peer&, std::span<const std::byte>) { return true; }
};
static nen::tcp::server<session> server;

int main() { return server.run().exit_code(); }
