// expect: each of a WebSocket session's functions (on_open, on_message, on_fragment, on_drain,
#include <nen/nen.hpp>

struct session {
  void on_message(nen::ws::peer&, nen::ws::message) {}
  void on_message(nen::ws::peer&) {}
};
using routes = nen::router<nen::websocket<"/", session>>;
static nen::server<routes> server;
