// expect: a WebSocket session hears nothing: write void on_message
#include <nen/nen.hpp>

struct session {
  void on_open(nen::ws::peer&) {}
};
using routes = nen::router<nen::websocket<"/", session>>;
static nen::server<routes> server;
