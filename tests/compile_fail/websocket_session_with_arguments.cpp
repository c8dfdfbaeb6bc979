// expect: a WebSocket session is made without arguments: give it a default constructor
#include <nen/nen.hpp>

struct session {
  explicit session(int) {}
  void on_message(nen::ws::peer&, nen::ws::message) {}
};
using routes = nen::router<nen::websocket<"/", session>>;
static nen::server<routes> server;
