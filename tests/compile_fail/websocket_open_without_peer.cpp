// expect: a WebSocket session's functions take the peer and what comes: on_open(peer&)
#include <nen/nen.hpp>

struct session {
  void on_open(const nen::request&) {}
  void on_message(nen::ws::peer&, nen::ws::message) {}
};
using routes = nen::router<nen::websocket<"/", session>>;
static nen::server<routes> server;
