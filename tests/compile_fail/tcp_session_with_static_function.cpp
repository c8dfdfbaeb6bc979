// expect: a TCP session's functions have to be public, and must not be static, overloaded or
#include <nen/nen.hpp>

struct session {
  static void on_data(nen::tcp::peer&, std::string_view) {}
};
static nen::tcp::server<session> server;

int main() { return server.run().exit_code(); }
