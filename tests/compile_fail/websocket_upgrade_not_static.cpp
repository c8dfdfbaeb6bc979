// expect: on_upgrade is asked before there is a session's object: write static
#include <nen/nen.hpp>

struct session {
  nen::ws::decision on_upgrade(const nen::request&, nen::response&) {
    return nen::ws::decision::accept();
  }
  void on_message(nen::ws::peer&, nen::ws::message) {}
};
using routes = nen::router<nen::websocket<"/", session>>;
static nen::server<routes> server;
