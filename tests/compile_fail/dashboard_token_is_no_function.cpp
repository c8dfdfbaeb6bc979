// expect: the token of nen::dashboard<path, token> is a function that returns it
#include <nen/nen.hpp>
#include <nen/server/dashboard.hpp>

using routes = nen::router<nen::dashboard<"/_nen", nen::fixed_string{"secret"}>>;

int main() {
  static nen::server<routes> server;
  return server.run().exit_code();
}
