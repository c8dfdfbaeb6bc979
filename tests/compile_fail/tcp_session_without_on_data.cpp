// expect: a TCP session needs on_data
#include <nen/nen.hpp>

struct session {
  void on_open(nen::tcp::peer&) {}
};
static nen::tcp::server<session> server;

int main() { return server.run().exit_code(); }
