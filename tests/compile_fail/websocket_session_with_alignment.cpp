// expect: a WebSocket session cannot ask for more alignment than std::max_align_t
#include <nen/nen.hpp>

struct session {
  void on_message(nen::ws::peer&, nen::ws::message) {}
  alignas(64) char line[64];
};
using routes = nen::router<nen::websocket<"/", session>>;
static nen::server<routes> server;
