// expect: on_drain(peer&), on_close(peer&, close_code, std::string_view)
#include <nen/nen.hpp>

struct session {
  void on_message(nen::ws::peer&) {}
};
using routes = nen::router<nen::websocket<"/", session>>;
static nen::server<routes> server;
