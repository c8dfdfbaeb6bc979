// expect: config::websockets, ws_message_slots, ws_broadcast_slots and ws_views must be at least 1
#include <nen/nen.hpp>

struct session {
  void on_message(nen::ws::peer&, nen::ws::message) {}
};
using routes = nen::router<nen::websocket<"/", session>>;
static nen::server<routes, nen::config{.websockets = 0}> server;
