// expect: std::string_view token(const State&), which takes what states it needs
#include <nen/nen.hpp>
#include <nen/server/dashboard.hpp>

struct app {
  const char* token = "secret";
};
const char* token(const app& a) { return a.token; }

using routes = nen::router<nen::dashboard<"/_nen", token>>;

int main() {
  static nen::server<routes, nen::config{}, app> server;
  return server.run().exit_code();
}
