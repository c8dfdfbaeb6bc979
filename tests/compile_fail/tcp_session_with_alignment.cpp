// expect: a TCP session cannot ask for more alignment than std::max_align_t
#include <nen/nen.hpp>

struct session {
  alignas(64) char line[64];
  void on_data(nen::tcp::peer&, std::string_view) {}
};
static nen::tcp::server<session> server;

int main() { return server.run().exit_code(); }
