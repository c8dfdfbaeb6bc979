// expect: a TCP session's on_open, on_writable, on_end, on_timeout and on_drain take
#include <nen/nen.hpp>

struct session {
  void on_data(nen::tcp::peer&, std::string_view) {}
  void on_drain() {}
};
static nen::tcp::server<session> server;

int main() { return server.run().exit_code(); }
