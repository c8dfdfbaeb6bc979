// expect: a WebSocket session's functions take the peer and what comes: on_message(peer&, message)
#include <nen/nen.hpp>

struct session {
  void on_message(nen::ws::peer&) {}
};
using routes = nen::router<nen::websocket<"/", session>>;
static nen::server<routes> server;

int main() { return server.run().exit_code(); }
