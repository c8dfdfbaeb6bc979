// expect: and nothing but const and noexcept stands behind them
#include <nen/nen.hpp>

struct session {
  void on_message(nen::ws::peer&, nen::ws::message) {}
  void on_close(nen::ws::peer&, nen::ws::close_code, std::string_view) & {}
};
using routes = nen::router<nen::websocket<"/", session>>;
static nen::server<routes> server;
