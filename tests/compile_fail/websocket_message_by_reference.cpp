// expect: on_message(peer&, message), on_fragment(peer&, fragment), on_drain(peer&)
#include <nen/nen.hpp>

struct session {
  void on_message(nen::ws::peer&, nen::ws::message&) {}
};
using routes = nen::router<nen::websocket<"/", session>>;
static nen::server<routes> server;
