// expect: a WebSocket session's functions return nothing and take nen::ws::peer& first
#include <nen/nen.hpp>

struct session {
  void on_open(const nen::request&) {}
};
using routes = nen::router<nen::websocket<"/", session>>;
static nen::server<routes> server;
