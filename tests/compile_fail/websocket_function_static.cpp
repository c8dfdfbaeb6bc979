// expect: called on the object that each WebSocket has: they are not static
#include <nen/nen.hpp>

struct session {
  static void on_message(nen::ws::peer&, nen::ws::message) {}
};
using routes = nen::router<nen::websocket<"/", session>>;
static nen::server<routes> server;
