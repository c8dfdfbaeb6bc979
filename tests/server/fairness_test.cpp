// Connections that always have the next thousand requests ready: the others get their turn.
#include <nen/nen.hpp>

#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "support/client.hpp"
#include "support/test_server.hpp"

namespace {

using nen::test::client;
using nen::test::running;

using routes = nen::router<nen::get<"/", [](nen::response& res) { return res.text("hello"); }>>;
nen::server<routes> server;

const std::string hello = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

/// Sends requests as fast as they are taken, and reads the answers as fast as they come.
class flood {
 public:
  explicit flood(const running<decltype(server)>& run)
      : client_(run.connect()), writer_([this] { write(); }), reader_([this] { read(); }) {}
  ~flood() {
    ::shutdown(client_.descriptor(), SHUT_RDWR);
    writer_.join();
    reader_.join();
  }
  std::size_t bytes() const { return bytes_; }

 private:
  void write() {
    std::string many;
    for (int i = 0; i < 1000; ++i) many += hello;
    while (::send(client_.descriptor(), many.data(), many.size(), MSG_NOSIGNAL) > 0) continue;
  }
  void read() {
    std::vector<char> into(256 * 1024);
    for (ssize_t got = 1; got > 0; bytes_ += static_cast<std::size_t>(got > 0 ? got : 0))
      got = ::recv(client_.descriptor(), into.data(), into.size(), 0);
  }

  client client_;
  std::atomic<std::size_t> bytes_ = 0;
  std::thread writer_;
  std::thread reader_;
};

}  // namespace

TEST_CASE("connections that always have data do not starve the others", "[server][timing]") {
  running run(server);
  client other = run.connect();
  std::vector<long> waits;
  {
    flood first(run);
    flood second(run);
    flood third(run);
    REQUIRE(nen::test::eventually([&] { return first.bytes() > 0 && third.bytes() > 0; }));
    const auto before = first.bytes() + second.bytes() + third.bytes();
    for (int i = 0; i < 300; ++i) {
      nen::test::stopwatch watch;
      CHECK(other.ask(hello).body == "hello");
      waits.push_back(watch.milliseconds());
    }
    CHECK(first.bytes() + second.bytes() + third.bytes() > before);  // they were at it all the time
  }
  std::sort(waits.begin(), waits.end());
  INFO("median " << waits[150] << " ms, p99 " << waits[297] << " ms");
  CHECK(waits[150] <= 5);
  CHECK(waits[297] <= 50);  // six threads share the cores with the server
}
