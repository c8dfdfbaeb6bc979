// The right way to write what the other websocket_*.cpp files write wrong.
#include <nen/nen.hpp>

struct app {
  nen::ws::group<8> room;
};
struct session {
  static constexpr std::string_view names[] = {"chat"};
  static constexpr nen::ws::options options = {.protocols = names, .idle_ping_ms = 0};

  static nen::ws::decision on_upgrade(const nen::request& req, nen::response& res) {
    if (req.query().empty()) return res.status(403);
    return nen::ws::decision::accept();
  }
  void on_open(nen::ws::peer& me, int, const nen::request&, app& a) noexcept { a.room.join(me); }
  void on_message(nen::ws::peer& me, const nen::ws::message& m, app& a) {
    (void)a.room.broadcast(m, nen::ws::slow_peer::drop);
    me.close();
  }
  void on_drain(nen::ws::peer&) noexcept {}
  void on_close(nen::ws::peer&, nen::ws::close_code, std::string_view, app&) {}

  alignas(std::max_align_t) char line[64];
};
struct inherits : session {};
struct is_const {
  void on_open(nen::ws::peer) const {}
  void on_message(const nen::ws::peer& me, nen::ws::message m) const { (void)me.send(m); }
  void on_close(nen::ws::peer&, nen::ws::close_code, std::string_view) const noexcept {}
};
struct streams {
  void on_fragment(nen::ws::peer&, nen::ws::fragment) {}
};
using routes =
    nen::router<nen::websocket<"/a/:n", session>, nen::websocket<"/b/:n", inherits>,
                nen::websocket<"/c", is_const>, nen::group<"/d", nen::websocket<"/", streams>>>;
static nen::server<routes, nen::config{.websockets = 1, .ws_message_bytes_max = 125}, app> server;

int main() { return server.run().exit_code(); }
