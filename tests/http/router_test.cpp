#include <algorithm>
#include <array>
#include <nen/http/router.hpp>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/routing.hpp"
#include "support/catch.hpp"

using nen::method;
using nen::response;
using nen::test::ask;
using nen::test::owned_request;
using text = std::string_view;

namespace {

/// Answers with its name, and with the values from the path.
template <nen::fixed_string Name>
struct named {
  nen::reply operator()(response& res) const { return res.text(Name.view()); }
};
template <nen::fixed_string Name>
struct named1 {
  nen::reply operator()(text a, response& res) const {
    return res.text(std::string(Name.view()) + "|" + std::string(a));
  }
};
template <nen::fixed_string Name>
struct named2 {
  nen::reply operator()(text a, response& res, text b) const {
    return res.text(std::string(Name.view()) + "|" + std::string(a) + "|" + std::string(b));
  }
};

using site = nen::router<
    nen::get<"/", named<"root">{}>, nen::get<"/users", named<"users">{}>,
    nen::get<"/users/", named<"users slash">{}>, nen::get<"/users/new", named<"new user">{}>,
    nen::get<"/users/:id", named1<"user">{}>, nen::put<"/users/:id", named1<"put user">{}>,
    nen::get<"/users/:id/edit", named1<"edit">{}>,
    nen::get<"/users/:name/files/*path", named2<"user files">{}>,
    nen::get<"/files/*path", named1<"files">{}>, nen::post<"/files/upload", named<"upload">{}>,
    nen::get<"//double", named<"double">{}>, nen::get<"/a%20b", named<"escaped">{}>,
    nen::get<"/longer_than_eight_bytes/and_more_than_sixteen", named<"long">{}>,
    nen::any<"/any", named<"any">{}>, nen::get<"/any", named<"get any">{}>,
    nen::head<"/head", named<"head">{}>, nen::get<"/head", named<"get head">{}>,
    nen::any<"/options", named<"any options">{}>, nen::post<"/post", named<"post">{}>,
    nen::options<"/own", named<"own options">{}>, nen::get<"/own", named<"own">{}>,
    nen::patch<"/patch", named<"patch">{}>, nen::del<"/patch", named<"del">{}>,
    nen::route<nen::methods(method::put, method::post), "/two", named<"two">{}>>;

struct expectation {
  method asked;
  text path;
  int status;
  text body;
};

void check(const expectation& e, const nen::test::answer& a) {
  CAPTURE(nen::to_string(e.asked), e.path);
  CHECK(a.status == e.status);
  CHECK(a.body == e.body);
}

}  // namespace

TEST_CASE("a path leads to the most specific route") {
  const expectation cases[] = {
      {method::get, "/", 200, "root"},
      {method::get, "/?query=/users", 200, "root"},
      {method::get, "/users", 200, "users"},
      {method::get, "/users/", 200, "users slash"},
      {method::get, "/users?x", 200, "users"},
      {method::get, "/users/new", 200, "new user"},
      {method::get, "/users/news", 200, "user|news"},
      {method::get, "/users/ne", 200, "user|ne"},
      {method::get, "/users/:id", 200, "user|:id"},
      {method::get, "/users/new/edit", 200, "edit|new"},
      {method::get, "/users/7/edit", 200, "edit|7"},
      {method::get, "/users/new/files/", 200, "user files|new|"},
      {method::get, "/users/7/files/a/b", 200, "user files|7|a/b"},
      {method::get, "/users/7/files", 404, "Not Found"},
      {method::get, "/users/7/", 404, "Not Found"},
      {method::get, "/users//edit", 404, "Not Found"},
      {method::get, "/users/7/edit/", 404, "Not Found"},
      {method::get, "/files/", 200, "files|"},
      {method::get, "/files", 404, "Not Found"},
      {method::get, "/files/upload", 200, "files|upload"},
      {method::post, "/files/upload", 200, "upload"},
      {method::get, "/files//a//", 200, "files|/a//"},
      {method::get, "/files/1/2/3/4/5/6/7/8/9", 200, "files|1/2/3/4/5/6/7/8/9"},
      {method::get, "//double", 200, "double"},
      {method::get, "/double", 404, "Not Found"},
      {method::get, "//", 404, "Not Found"},
      {method::get, "/a%20b", 200, "escaped"},
      {method::get, "/a b", 404, "Not Found"},
      {method::get, "/%75sers", 404, "Not Found"},
      {method::get, "/Users", 404, "Not Found"},
      {method::get, "/longer_than_eight_bytes/and_more_than_sixteen", 200, "long"},
      {method::get, "/longer_than_eight_bytes/and_more_than_sixteeN", 404, "Not Found"},
      {method::get, "/longer_than_eight_bytes/And_more_than_sixteen", 404, "Not Found"},
      {method::get, "/longer_than_eight_bytes/and_more_than_sixteen_", 404, "Not Found"},
      {method::get, "users", 404, "Not Found"},
      {method::get, "*", 404, "Not Found"},
  };
  for (const auto& c : cases) check(c, ask<site>(owned_request(c.asked, c.path)));
}

TEST_CASE("values from the path are percent-decoded, each in its own place") {
  const expectation cases[] = {
      {method::get, "/users/a%20b", 200, "user|a b"},
      {method::get, "/users/a%2Fb", 200, "user|a/b"},
      {method::get, "/users/a+b", 200, "user|a+b"},
      {method::get, "/users/%41%42/files/%43/%44", 200, "user files|AB|C/D"},
      {method::get, "/users/%41/files/plain", 200, "user files|A|plain"},
      {method::get, "/users/%zz", 400, "Bad Request"},
      {method::get, "/users/%2", 400, "Bad Request"},
      {method::get, "/users/a%00", 400, "Bad Request"},
      {method::get, "/users/a/files/%", 400, "Bad Request"},
      {method::get, "/files/%2e%2e/x", 200, "files|../x"},
  };
  for (const auto& c : cases) check(c, ask<site>(owned_request(c.asked, c.path)));
}

TEST_CASE("a method without a route is answered with those that there are") {
  struct {
    method asked;
    text path;
    int status;
    text allow;
  } const cases[] = {
      {method::post, "/users", 405, "GET, HEAD, OPTIONS"},
      {method::delete_, "/users/7", 405, "GET, HEAD, PUT, OPTIONS"},
      // Both /users/new and /users/:id match: Allow speaks for both.
      {method::delete_, "/users/new", 405, "GET, HEAD, PUT, OPTIONS"},
      {method::patch, "/files/upload", 405, "GET, HEAD, POST, OPTIONS"},
      {method::get, "/post", 405, "POST, OPTIONS"},
      {method::head, "/post", 405, "POST, OPTIONS"},
      {method::get, "/two", 405, "POST, PUT, OPTIONS"},
      {method::options, "/two", 204, "POST, PUT, OPTIONS"},
      {method::options, "/users/new", 204, "GET, HEAD, PUT, OPTIONS"},
      {method::options, "/users/7/nothing", 404, "(none)"},
      {method::options, "/own", 200, "(none)"},
      {method::options, "/options", 200, "(none)"},
      {method::options, "*", 204, "GET, HEAD, POST, PUT, DELETE, OPTIONS, TRACE, PATCH"},
      {method::connect, "/any", 405, "GET, HEAD, POST, PUT, DELETE, OPTIONS, TRACE, PATCH"},
  };
  for (const auto& c : cases) {
    CAPTURE(nen::to_string(c.asked), c.path);
    const auto a = ask<site>(owned_request(c.asked, c.path));
    CHECK(a.status == c.status);
    CHECK(a.field("Allow") == c.allow);
  }
}

TEST_CASE("a less specific route answers for a method that the most specific one lacks") {
  CHECK(ask<site>(owned_request(method::put, "/users/new")).body == "put user|new");
}

TEST_CASE("a route that names the method goes before any, and HEAD falls back to GET") {
  const expectation cases[] = {
      {method::get, "/any", 200, "get any"},
      {method::post, "/any", 200, "any"},
      {method::trace, "/any", 200, "any"},
      {method::get, "/options", 200, "any options"},
      {method::patch, "/patch", 200, "patch"},
      {method::delete_, "/patch", 200, "del"},
      {method::put, "/two", 200, "two"},
      {method::post, "/two", 200, "two"},
      {method::options, "/own", 200, "own options"},
  };
  for (const auto& c : cases) check(c, ask<site>(owned_request(c.asked, c.path)));

  // HEAD's body is never sent, so the route's index says who answered.
  struct {
    text path;
    text pattern;
    method named;
  } const heads[] = {{"/head", "/head", method::head},
                     {"/any", "/any", method::get},
                     {"/users/7", "/users/:id", method::get},
                     {"/options", "/options", method::trace}};
  for (const auto& c : heads) {
    CAPTURE(c.path);
    nen::path_segments segments;
    const auto match = site::lookup(method::head, c.path, segments);
    REQUIRE(match.outcome == nen::route_outcome::found);
    CHECK(site::routes[match.route].pattern == c.pattern);
    CHECK(site::routes[match.route].methods.contains(c.named));
    const auto a = ask<site>(owned_request(method::head, c.path));
    CHECK(a.status == 200);
    CHECK(a.body.empty());
  }
}

TEST_CASE("groups put their prefix before their routes") {
  using routes =
      nen::router<nen::group<"/api", nen::get<"", named<"api">{}>,
                             nen::get<"/", named<"api slash">{}>, nen::get<"/x", named<"x">{}>,
                             nen::group<"/v:1/:tenant", nen::get<"/y/:id", named2<"y">{}>>,
                             nen::group<"", nen::get<"/z", named<"z">{}>>>,
                  nen::get<"/x", named<"outer x">{}>>;
  const expectation cases[] = {
      {method::get, "/api", 200, "api"},     {method::get, "/api/", 200, "api slash"},
      {method::get, "/api/x", 200, "x"},     {method::get, "/api/v:1/acme/y/7", 200, "y|acme|7"},
      {method::get, "/api/z", 200, "z"},     {method::get, "/x", 200, "outer x"},
      {method::get, "/z", 404, "Not Found"},
  };
  for (const auto& c : cases) check(c, ask<routes>(owned_request(c.asked, c.path)));
  CHECK(routes::route_count == 6);
  CHECK(routes::routes[3].pattern == "/api/v:1/:tenant/y/:id");
}

TEST_CASE("not_found and on_error replace the plain answers") {
  using routes =
      nen::router<nen::get<"/:n", [](std::uint8_t, response& res) { return res.text("n"); }>,
                  nen::get<"/text/:t", named1<"t">{}>,
                  nen::not_found<[](const nen::request& req, response& res) {
                    return res.set_status(nen::status::gone).text(req.path());
                  }>,
                  nen::on_error<[](nen::status s, const nen::request&, response& res) {
                    return res.set_status(s).text("error " + std::to_string(static_cast<int>(s)));
                  }>>;
  const expectation cases[] = {
      {method::get, "/7", 200, "n"},          {method::get, "/nothing/here", 410, "/nothing/here"},
      {method::get, "/256", 410, "/256"},     {method::get, "/text/%zz", 400, "error 400"},
      {method::post, "/7", 405, "error 405"},
  };
  for (const auto& c : cases) check(c, ask<routes>(owned_request(c.asked, c.path)));
  CHECK(ask<routes>(owned_request(method::post, "/7")).field("Allow") == "GET, HEAD, OPTIONS");

  const owned_request owned(method::get, "/7");
  nen::test::memory_output out;
  response res(out, nen::test::no_defaults, {});
  static_cast<void>(
      routes::answer_error(nen::status::content_too_large, owned.view(), res, nen::state_refs<>{}));
  CHECK(nen::test::parse(out.bytes()).body == "error 413");
}

TEST_CASE("without not_found, on_error answers 404 as well") {
  using routes = nen::router<
      nen::on_error<[](nen::status s, response& res) { return res.set_status(s).text("sorry"); }>>;
  CHECK(nen::test::get<routes>("/").body == "sorry");
  CHECK(nen::test::get<routes>("/").status == 404);
}

TEST_CASE("a router without routes answers 404") {
  CHECK(nen::test::get<nen::router<>>("/").status == 404);
  CHECK(ask<nen::router<>>(owned_request(method::options, "*")).status == 404);
}

TEST_CASE("too little scratch is a 414 for those who need it, and no overrun") {
  const owned_request owned(method::get, "/users/%41%42");
  nen::test::memory_output out;
  response res(out, nen::test::no_defaults, {});
  std::array<char, 8> scratch{};
  static_cast<void>(site::dispatch(owned.view(), res, nen::state_refs<>{}, scratch));
  CHECK(nen::test::parse(out.bytes()).status == 414);
}

TEST_CASE("a pattern may have as many segments as the limit says, and a path more") {
  using routes = nen::router<
      nen::get<"/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/18/19/20/21/22/23/24/25/26/27/28/29/30/"
               "31/:last",
               named1<"deep">{}>,
      nen::get<"/1/2/*rest", named1<"rest">{}>>;
  const std::string deep =
      "/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/18/19/20/21/22/23/24/25/26/27/28/29/30/31";
  CHECK(nen::test::get<routes>(deep + "/x").body == "deep|x");
  CHECK(nen::test::get<routes>(deep + "/x/y").body == "rest|" + deep.substr(5) + "/x/y");
  CHECK(nen::test::get<routes>(deep).body == "rest|" + deep.substr(5));
  const std::string many(2000, '/');
  CHECK(nen::test::get<routes>("/1/2" + many).body == "rest|" + many.substr(1));
}

TEST_CASE("a server may look up first and dispatch later, and sees the same route index") {
  const owned_request owned(method::get, "/users/7");
  nen::path_segments segments;
  const auto match = site::lookup(method::get, "/users/7", segments);
  REQUIRE(match.outcome == nen::route_outcome::found);
  CHECK(site::routes[match.route].pattern == "/users/:id");
  nen::test::memory_output out;
  response res(out, nen::test::no_defaults, {});
  std::array<char, 32> scratch{};
  static_cast<void>(
      site::dispatch(match, segments, owned.view(), res, nen::state_refs<>{}, scratch));
  CHECK(nen::test::parse(out.bytes()).body == "user|7");
}

// The look-up is constexpr: an application can assert its own routes.
static_assert([] {
  nen::path_segments segments{};
  return site::lookup(method::get, "/users/new/edit", segments).outcome;
}() == nen::route_outcome::found);
static_assert(site::route_count == 24);
