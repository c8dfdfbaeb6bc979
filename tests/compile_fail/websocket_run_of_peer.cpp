// expect: a WebSocket session's on_run is a coroutine: write nen::task<> on_run
#include <nen/nen.hpp>

struct session {
  nen::task<> on_run(nen::ws::peer&) { co_return; }
};

nen::server<nen::router<nen::websocket<"/", session>>> server;
