// Whose request it is, on both rings.
#include <nen/nen.hpp>
#include <nen/testing/simulated_server.hpp>
#include <nen/testing/simulated_tcp_server.hpp>

#include <string>

#include "support/catch.hpp"
#include "support/client.hpp"
#include "support/test_server.hpp"
#include "tasks/bad_days.hpp"

namespace {

using nen::test::get;
using nen::test::quiet;

std::string_view address_of(const nen::client_address& who, char (&text)[64]) {
  const auto address = who.to_text();
  const auto size = address.view().copy(text, sizeof text);
  return {text, size};
}
nen::reply who(const nen::request& req, nen::response& res) {
  char text[64];
  return res.text(address_of(req.client(), text));
}
nen::reply who_later(const nen::request&, nen::response& res) {
  const nen::deferred answer = res.defer();
  answer.after(5, [](const nen::request& req, nen::response& r) { return who(req, r); });
  return res.later();
}
nen::task<nen::reply> who_at_last(nen::context& ctx, const nen::request& req, nen::response& res) {
  co_await ctx.sleep(1);
  co_return who(req, res);
}
struct teller {
  void on_open(nen::tcp::peer& me) {
    char text[64];
    me.send(address_of(me.client(), text));
  }
  std::size_t on_data(nen::tcp::peer&, std::span<const std::byte> bytes) { return bytes.size(); }
};

using routes = nen::router<nen::get<"/", who>, nen::get<"/later", who_later>,
                           nen::get<"/at-last", who_at_last>>;
constexpr nen::config keeps = {.client_addresses = true};

nen::endpoint from(const char* host) { return *nen::endpoint::parse(host, 4711); }

}  // namespace

TEST_CASE("a request knows its client, simulated", "[client_address]") {
  nen::testing::simulated_server<routes, keeps> s(1, {}, quiet);
  for (const char* host : {"192.0.2.7", "2001:db8::7", "::1"}) {
    for (const char* path : {"/", "/later", "/at-last"}) {
      auto c = s.connect(from(host));
      c.send(get(path));
      s.pass(20);
      CHECK(c.take().ends_with(std::string("\r\n\r\n") + host));
    }
    auto slow = s.connect(from(host));  // its head lies in a slot of its own
    slow.send("GET / HTT");
    s.settle();
    slow.send("P/1.1\r\nHost: a\r\n\r\n");
    s.settle();
    CHECK(slow.take().ends_with(std::string("\r\n\r\n") + host));
  }
}

TEST_CASE("a request knows its client, on the kernel's ring", "[client_address]") {
  static nen::server<routes, keeps> server;
  nen::test::running running(server, quiet);
  nen::test::client c(server.port());
  for (const char* path : {"/", "/later", "/at-last"}) CHECK(c.ask(get(path)).body == "127.0.0.1");
}

TEST_CASE("an address that is not kept is nobody's", "[client_address]") {
  nen::testing::simulated_server<routes> s(1, {}, quiet);
  CHECK(s.answer_to(get("/")).ends_with("\r\n\r\n-"));
}

TEST_CASE("a peer of raw TCP knows its client", "[client_address]") {
  nen::testing::simulated_tcp_server<teller, keeps> s(1, {}, quiet);
  auto c = s.connect(from("2001:db8::7"));
  s.settle();
  CHECK(c.take() == "2001:db8::7");
}
