// expect: whole messages (on_message) or their parts (on_fragment), not both
#include <nen/nen.hpp>

struct session {
  void on_message(nen::ws::peer&, nen::ws::message) {}
  void on_fragment(nen::ws::peer&, nen::ws::fragment) {}
};
using routes = nen::router<nen::websocket<"/", session>>;
static nen::server<routes> server;
