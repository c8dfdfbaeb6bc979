// expect: a session's function takes a state that the server does not have
#include <nen/nen.hpp>

struct app {};
struct session {
  void on_message(nen::ws::peer&, nen::ws::message, app&) {}
};
using routes = nen::router<nen::websocket<"/", session>>;
static nen::server<routes> server;

int main() { return server.run().exit_code(); }
