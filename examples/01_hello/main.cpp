// The smallest server: http://localhost:8080/ answers "Hello, World!".
#include <nen/nen.hpp>

nen::reply hello(const nen::request&, nen::response& res) { return res.text("Hello, World!"); }

using routes = nen::router<nen::get<"/", hello>>;

int main() {
  static nen::server<routes> server;              // all memory, in .bss
  return server.run({.port = 8080}).exit_code();  // SIGINT and SIGTERM drain and return
}
