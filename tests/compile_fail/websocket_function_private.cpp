// expect: is public, there once and no template: nen knows it by its name alone
#include <nen/nen.hpp>

class session {
  void on_message(nen::ws::peer&, nen::ws::message) {}
};
using routes = nen::router<nen::websocket<"/", session>>;
static nen::server<routes> server;
