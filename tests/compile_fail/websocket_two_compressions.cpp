// expect: the WebSocket sessions of one server have one compression: give them the same
#include <nen/nen.hpp>

// nen::ws::deflate with other sizes is another type, too; these need no zlib.
template <int Level>
struct compressor : nen::detail::no_compression {
  static constexpr bool exists = true;
};
struct session {
  void on_message(nen::ws::peer&, nen::ws::message) {}
  using compression = compressor<1>;
};
struct other {
  void on_message(nen::ws::peer&, nen::ws::message) {}
  using compression = compressor<2>;
};
using routes = nen::router<nen::websocket<"/", session>, nen::websocket<"/other", other>>;
static nen::server<routes> server;
