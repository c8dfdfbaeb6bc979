// Which methods the routes of a group have, and how long bodies may be.
#include <nen/http/limits.hpp>
#include <string_view>

#include "http/routing.hpp"
#include "support/catch.hpp"

namespace {

using nen::method;
using nen::test::ask;
using nen::test::owned_request;
using text = std::string_view;

nen::reply hello(nen::response& res) { return res.text("hello"); }

using site =
    nen::router<nen::any<"/all", hello>,
                nen::group<"/few", nen::allow_methods<method::get, method::post>,
                           nen::any<"", hello>, nen::get<"/get", hello>,
                           nen::group<"/fewer", nen::allow_methods<method::post, method::put>,
                                      nen::any<"", hello>>>,
                nen::group<"/small", nen::body_limit<10>, nen::post<"", hello>,
                           nen::group<"/large", nen::body_limit<1000>, nen::post<"", hello>>>>;

static_assert(site::limits_bodies && !site::decorates);
static_assert(!nen::router<nen::get<"/", hello>>::limits_bodies);

}  // namespace

TEST_CASE("routes have only the methods that are allowed around them") {
  struct {
    method asked;
    text path;
    int status;
    text allow;
  } const cases[] = {
      {method::put, "/all", 200, "(none)"},
      {method::get, "/few", 200, "(none)"},
      {method::head, "/few", 200, "(none)"},
      {method::post, "/few", 200, "(none)"},
      {method::put, "/few", 405, "GET, HEAD, POST, OPTIONS"},
      {method::trace, "/few", 405, "GET, HEAD, POST, OPTIONS"},
      {method::options, "/few", 204, "GET, HEAD, POST, OPTIONS"},
      {method::get, "/few/get", 200, "(none)"},
      {method::post, "/few/get", 405, "GET, HEAD, OPTIONS"},
      {method::post, "/few/fewer", 200, "(none)"},
      {method::put, "/few/fewer", 405, "POST, OPTIONS"},
      {method::get, "/few/fewer", 405, "POST, OPTIONS"},
  };
  for (const auto& c : cases) {
    CAPTURE(nen::to_string(c.asked), c.path);
    const auto a = ask<site>(owned_request(c.asked, c.path));
    CHECK(a.status == c.status);
    CHECK(a.field("Allow") == c.allow);
  }
}

TEST_CASE("the innermost limit of a route's bodies holds") {
  struct {
    method asked;
    text path;
    std::uint64_t limit;
  } const cases[] = {
      {method::post, "/all", nen::detail::any_body},
      {method::post, "/small", 10},
      {method::post, "/small/large", 1000},
      {method::post, "/nowhere", nen::detail::any_body},
      {method::put, "/small", nen::detail::any_body},  // no route: the answer is 405 anyway
  };
  for (const auto& c : cases) {
    CAPTURE(c.path);
    CHECK(site::body_bytes_max(owned_request(c.asked, c.path).view()) == c.limit);
  }
}
