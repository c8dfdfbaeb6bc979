// expect: a TCP session's on_close takes nen::tcp::peer& and nen::tcp::close_reason
#include <nen/nen.hpp>

struct session {
  void on_data(nen::tcp::peer&, std::string_view) {}
  void on_close(nen::tcp::peer&) {}
};
static nen::tcp::server<session> server;

int main() { return server.run().exit_code(); }
