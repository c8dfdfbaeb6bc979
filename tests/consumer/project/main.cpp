// Links everything that a server needs, and checks that both files mean the same server.
#include <cstdio>

#include "consumer.hpp"

int main(int argc, char**) {
  static server_type server;
  if (sizeof(server) != size_seen_by_second()) {
    std::puts("the two translation units disagree about the server");
    return 1;
  }
  std::printf("a server of %zu bytes\n", sizeof(server));
  // Never taken by the test: there so that liburing and llhttp have to be linked.
  if (argc > 1) return server.run({.port = 8080}).exit_code();
  return 0;
}
