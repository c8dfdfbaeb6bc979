// expect: config::ws_message_bytes_max must be at least 125
#include <nen/nen.hpp>

struct session {
  void on_message(nen::ws::peer&, nen::ws::message) {}
};
using routes = nen::router<nen::websocket<"/", session>>;
static nen::server<routes, nen::config{.ws_message_bytes_max = 124}> server;
