// expect: a TCP session's functions have to be public, and must not be static, overloaded or
#include <nen/nen.hpp>

struct session {
  void on_data(nen::tcp::peer&, std::string_view) {}
  void on_end(nen::tcp::peer&) {}
  void on_end(nen::tcp::peer&, int&) {}
};
static nen::tcp::server<session> server;

int main() { return server.run().exit_code(); }
