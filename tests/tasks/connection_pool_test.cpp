// Connections to others are used again, as long as they are fit for it.
#include <nen/nen.hpp>
#include <nen/testing/simulated_server.hpp>

#include <string>
#include <string_view>

#include "support/catch.hpp"
#include "tasks/upstream.hpp"

namespace {

nen::task<nen::reply> proxy(nen::context& ctx, nen::response& res) {
  const auto where = *nen::endpoint::parse("127.0.0.1", 99);
  auto upstream = co_await ctx.tcp().get(where, 1000);
  if (!upstream) co_return nen::test::no_answer(res, upstream.status());
  std::string line;
  const auto came_of_it = co_await nen::test::ask_for_line(*upstream, line);
  if (came_of_it != nen::tcp::outcome::ok) co_return nen::test::no_answer(res, came_of_it);
  upstream.keep();
  co_return res.text(line);
}
using routes = nen::router<nen::get<"/", proxy>>;
constexpr std::string_view ask = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

}  // namespace

TEST_CASE("connections are kept, used again, and closed in time", "[task]") {
  nen::testing::simulated_server<routes> s;
  auto c = s.connect();
  c.send(ask);
  s.settle();
  CHECK(c.take().find("502") != std::string::npos);  // nobody listens
  s.network().listeners[99] = nen::testing::connect_answer::accepted;
  c.send(ask);
  s.settle();
  CHECK(c.take().find("502") != std::string::npos);  // nobody tries again yet
  s.pass(100);
  c.send(ask);
  s.settle();
  CHECK(s.network().went_out.size() == 1);
  auto up = nen::testing::simulated_client(s.network().went_out.at(0).connected);
  up.send("answer\n");
  s.settle();
  CHECK(c.take().find("answer") != std::string::npos);
  up.take();
  for (int i = 0; i < 5; ++i) {
    c.send(ask);
    s.settle();
    CHECK(up.take() == "question\n");
    up.send("answer\n");
    s.settle();
    CHECK(c.take().find("answer") != std::string::npos);
  }
  CHECK(s.network().went_out.size() == 1);
  CHECK(s.inside().session().streams().in_use() == 1);
  up.close();
  s.settle();
  CHECK(s.inside().session().streams().in_use() == 0);
  c.send(ask);
  s.settle();
  CHECK(s.network().went_out.size() == 2);
  auto up2 = nen::testing::simulated_client(s.network().went_out.at(1).connected);
  up2.send("answer\n");
  s.settle();
  CHECK(c.take().find("answer") != std::string::npos);
  s.pass(30'001);
  CHECK((up2.saw_end() || up2.was_reset()));
  CHECK(s.inside().session().streams().in_use() == 0);
  CHECK(s.inside().session().frames().in_use() == 0);
}
