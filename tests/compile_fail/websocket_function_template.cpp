// expect: on_drain, on_close, on_upgrade) is public, there once and no template
#include <nen/nen.hpp>

struct session {
  void on_message(nen::ws::peer&, nen::ws::message) {}
  template <class Peer>
  void on_drain(Peer&) {}
};
using routes = nen::router<nen::websocket<"/", session>>;
static nen::server<routes> server;
