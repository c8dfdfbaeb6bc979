// A connection to somebody, in the hands of a coroutine.
#include <nen/nen.hpp>
#include <nen/testing/simulated_server.hpp>

#include <string>
#include <string_view>

#include "support/catch.hpp"

namespace {

nen::task<nen::reply> proxy(nen::context& ctx, nen::response& res) {
  const auto where = *nen::endpoint::parse("127.0.0.1", 99);
  auto upstream = co_await ctx.connect(where, 1000);
  if (!upstream) co_return res.status(upstream.status == nen::tcp::outcome::timed_out ? 504 : 502);
  auto& s = upstream.connection;
  if (co_await s.write("question\n") != nen::tcp::outcome::ok) co_return res.status(502);
  char line[64];
  std::size_t size = 0;
  while (true) {
    auto got = co_await s.read(500);
    if (!got) co_return res.status(got.status == nen::tcp::outcome::timed_out ? 504 : 502);
    for (std::size_t i = 0; i < got.bytes.size(); ++i) {
      if (got.bytes[i] == '\n') co_return res.text({line, size});
      line[size++] = got.bytes[i];
    }
  }
}
using routes = nen::router<nen::get<"/", proxy>>;
constexpr std::string_view ask = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

}  // namespace

TEST_CASE("a coroutine connects, writes and reads, and is told of every way that fails", "[task]") {
  nen::testing::simulated_server<routes> s;
  auto c = s.connect();
  c.send(ask);
  s.settle();
  CHECK(c.take().find("502") != std::string::npos);  // nobody listens
  s.network().listeners[99] = nen::testing::connect_answer::silent;
  c.send(ask);
  s.settle();
  CHECK(c.take().empty());
  s.pass(1001);
  CHECK(c.take().find("504") != std::string::npos);
  s.network().listeners[99] = nen::testing::connect_answer::accepted;
  for (int i = 0; i < 4; ++i) {
    c.send(ask);
    s.settle();
    auto up = nen::testing::simulated_client(s.network().went_out.at(0).connected);
    s.network().went_out.pop_front();
    CHECK(up.received() == "question\n");
    if (i == 0) {
      up.send("ans");
      s.settle();
      up.send("wer\nmore");
      s.settle();
      CHECK(c.take().find("answer") != std::string::npos);
    }
    if (i == 1) {
      up.send("ans");
      s.settle();
      up.close();
      s.settle();
      CHECK(c.take().find("502") != std::string::npos);
    }
    if (i == 2) {
      s.pass(501);
      CHECK(c.take().find("504") != std::string::npos);
    }
    if (i == 3) {
      c.close();
      s.settle();
      CHECK((up.saw_end() || up.was_reset()));
    }
  }
  s.pass(1000);
  CHECK(s.inside().session().streams().in_use() == 0);
  CHECK(s.inside().session().frames().in_use() == 0);
}
