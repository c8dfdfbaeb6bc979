// Tests of http/only_from.hpp: routes that some clients have and others have not.
#include <nen/http/only_from.hpp>

#include <string>

#include "server/two_servers.hpp"

namespace {

using nen::test::request_for;

nen::reply hello(nen::response& res) { return res.text("hello"); }
nen::task<nen::reply> later(nen::context& ctx, nen::response& res) {
  co_await ctx.sleep(std::chrono::milliseconds(1));
  co_return hello(res);
}

using routes = nen::router<nen::get<"/", hello>,
                           nen::group<"/admin", nen::only_from<"127.0.0.2", "2001:db8::/32">,
                                      nen::get<"/", hello>, nen::get<"/later", later>>>;

}  // namespace

TEST_CASE("a group may be for some clients only", "[only_from]") {
  nen::test::on_both<routes, nen::config{.connections = 32, .client_addresses = true}>(
      {}, [](auto& world) {
        auto one = world.connect("127.0.0.2");
        auto other = world.connect("127.0.0.3");
        for (const char* path : {"/admin/", "/admin/later"}) {
          CHECK(one.ask(request_for(path)).body == "hello");
          CHECK(other.ask(request_for(path)).status == 403);
        }
        CHECK(other.ask(request_for("/")).body == "hello");
      });
}

TEST_CASE("behind a proxy it is the client who counts", "[only_from]") {
  static constexpr auto proxies = nen::cidrs<"127.0.0.9">;
  nen::test::on_both<routes, nen::config{.connections = 32, .client_rules = true}>(
      {.trusted_proxies = proxies, .forwarded = nen::forwarded_field::x_forwarded_for},
      [](auto& world) {
        auto proxy = world.connect("127.0.0.9");
        const auto ask = [&](const char* client) {
          return proxy
              .ask(request_for("/admin/", std::string("X-Forwarded-For: ") + client + "\r\n"))
              .status;
        };
        CHECK(ask("2001:db8::7") == 200);
        CHECK(ask("192.0.2.7") == 403);
        CHECK(ask("2001:db8::7, 192.0.2.7") == 403);
      });
}

TEST_CASE("where addresses are not kept, nobody is let in", "[only_from]") {
  nen::test::simulated_world<routes, nen::config{}> world(nen::listen_options{});
  auto c = world.connect("127.0.0.2");
  CHECK(c.ask(request_for("/admin/")).status == 403);
}
