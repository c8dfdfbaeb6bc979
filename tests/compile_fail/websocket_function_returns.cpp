// expect: a WebSocket session's functions return nothing: make them void
#include <nen/nen.hpp>

struct session {
  nen::ws::send_result on_message(nen::ws::peer& me, nen::ws::message m) { return me.send(m); }
};
using routes = nen::router<nen::websocket<"/", session>>;
static nen::server<routes> server;
