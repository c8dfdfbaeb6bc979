// expect: a TCP session is made without arguments
#include <nen/nen.hpp>

struct session {
  explicit session(int) {}
  void on_data(nen::tcp::peer&, std::string_view) {}
};
static nen::tcp::server<session> server;

int main() { return server.run().exit_code(); }
