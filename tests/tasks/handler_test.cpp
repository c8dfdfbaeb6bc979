// Handlers that are coroutines: answers at once and later, in order.
#include <nen/nen.hpp>
#include <nen/testing/simulated_server.hpp>

#include <string>

#include "support/catch.hpp"

namespace {

nen::task<nen::reply> now(nen::response& res) { co_return res.text("now"); }
nen::task<nen::reply> later(nen::context& ctx, std::uint32_t ms, nen::response& res) {
  res.field("X-Begun", "yes");
  co_await ctx.sleep(ms);
  co_return res.text("later");
}
using routes = nen::router<nen::get<"/now", now>, nen::get<"/later/:ms", later>>;
constexpr std::string_view ask_now = "GET /now HTTP/1.1\r\nHost: x\r\n\r\n";

}  // namespace

TEST_CASE("a coroutine that does not wait answers as any handler does", "[task]") {
  nen::testing::simulated_server<routes> s;
  const std::string two = s.answer_to(std::string(ask_now) + std::string(ask_now));
  CHECK(two.find("\r\n\r\nnowHTTP/1.1 200 OK\r\n") != std::string::npos);
  CHECK(s.inside().session().inner().tasks().in_use() == 0);
  CHECK(s.inside().session().inner().head_slots().in_use() == 0);
}

TEST_CASE("a coroutine that waits answers later, and what follows it waits", "[task]") {
  nen::testing::simulated_server<routes> s;
  auto c = s.connect();
  c.send("GET /later/50 HTTP/1.1\r\nHost: x\r\n\r\n" + std::string(ask_now));
  s.settle();
  CHECK(c.received().empty());
  CHECK(s.inside().session().inner().tasks().in_use() == 1);
  s.pass(49);
  CHECK(c.received().empty());
  s.pass(1);
  CHECK(c.received().find("X-Begun: yes\r\n") != std::string::npos);
  CHECK(c.received().find("\r\n\r\nlaterHTTP/1.1 200 OK\r\n") != std::string::npos);
  CHECK(c.received().find("\r\n\r\nnow") != std::string::npos);
  CHECK(s.inside().session().inner().tasks().in_use() == 0);
}

TEST_CASE("a client that leaves takes its coroutine with it", "[task]") {
  nen::testing::simulated_server<routes> s;
  auto c = s.connect();
  c.send("GET /later/50000 HTTP/1.1\r\nHost: x\r\n\r\n");
  s.settle();
  CHECK(s.inside().session().frames().in_use() == 1);
  c.close();
  s.settle();
  CHECK(s.inside().session().frames().in_use() == 0);
  CHECK(s.inside().session().inner().tasks().in_use() == 0);
}

TEST_CASE("the handler timeout destroys a coroutine and answers 503", "[task]") {
  nen::testing::simulated_server<routes> s;
  auto c = s.connect();
  c.send("GET /later/50000 HTTP/1.1\r\nHost: x\r\n\r\n");
  s.pass(30'000);
  CHECK(c.received().find("HTTP/1.1 503 ") == 0);
  CHECK(s.inside().session().frames().in_use() == 0);
}
