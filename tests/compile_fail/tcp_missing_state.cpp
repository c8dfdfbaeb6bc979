// expect: a session's function takes a state that the server does not have
#include <nen/nen.hpp>

struct app {};
struct session {
  void on_data(nen::tcp::peer&, std::string_view, app&) {}
};
static nen::tcp::server<session> server;

int main() { return server.run().exit_code(); }
