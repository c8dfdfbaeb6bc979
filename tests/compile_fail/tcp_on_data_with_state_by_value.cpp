// expect: a TCP session's on_data takes nen::tcp::peer& and std::span<const std::byte> or
#include <nen/nen.hpp>

struct app {};
struct session {
  void on_data(nen::tcp::peer&, std::span<const std::byte>, app) {}
};
static nen::tcp::server<session, nen::config{}, app> server;

int main() { return server.run().exit_code(); }
