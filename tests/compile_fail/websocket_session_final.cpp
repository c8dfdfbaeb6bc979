// expect: a WebSocket session is a struct or a class, and not final
#include <nen/nen.hpp>

struct session final {
  void on_message(nen::ws::peer&, nen::ws::message) {}
};
using routes = nen::router<nen::websocket<"/", session>>;
static nen::server<routes> server;
