// expect: a WebSocket session with on_run hears everything there
#include <nen/nen.hpp>

struct session {
  nen::task<> on_run(nen::ws::channel& me, nen::context&) { co_await me.receive(); }
  void on_message(nen::ws::peer&, nen::ws::message) {}
};

nen::server<nen::router<nen::websocket<"/", session>>> server;
