// Which pages may read an answer, and which may send a request: the fields of WHATWG Fetch §3.2 in
// answers and in those to preflights.
#include <nen/http/cors.hpp>
#include <string>
#include <string_view>

#include "http/routing.hpp"
#include "support/catch.hpp"

namespace {

using nen::cors_options;
using nen::method;
using nen::test::ask;
using nen::test::owned_request;
using text = std::string_view;

nen::reply hello(nen::response& res) { return res.text("hello"); }
nen::reply missing(nen::response& res) { return res.status(404); }
nen::reply own(nen::response& res) {
  return res.field("Access-Control-Allow-Origin", "https://own.example").text("own");
}
/// Nobody may ask it for a preflight.
nen::reply strict(const nen::request& req, nen::next go_on, nen::response& res) {
  return req.field("Authorization") ? go_on() : res.status(401);
}

using strangers = nen::router<
    nen::get<"/none", hello>,
    nen::group<"/all", nen::cors<>, nen::use<strict>, nen::get<"", hello>>,
    nen::group<"/some",
               nen::cors<cors_options{.origins = "https://app.example http://localhost:5173 "
                                                 "https://*.example.org",
                                      .headers = "X-Token",
                                      .exposed = "ETag, X-Total",
                                      .credentials = true,
                                      .max_age_seconds = 7200}>,
               nen::get<"", hello>, nen::put<"", hello>, nen::get<"/own", own>,
               nen::get<"/missing", missing>, nen::any<"/any", hello>,
               nen::group<"/inner", nen::cors<cors_options{.origins = "https://inner.example"}>,
                          nen::get<"", hello>>>,
    nen::group<"/few",
               nen::cors<cors_options{.methods = nen::methods(method::put), .headers = "*"}>,
               nen::put<"", hello>, nen::del<"", hello>>>;

using everywhere =
    nen::router<nen::cors<cors_options{.origins = "https://app.example"}>, nen::get<"/", hello>>;

nen::test::answer from(text origin, text path, method m = method::get) {
  return ask<strangers>(owned_request(m, path, {}, {{"Origin", origin}, {"Authorization", "yes"}}));
}
nen::test::answer preflight(text origin, text path, text asked, text headers = "x-token") {
  return ask<strangers>(owned_request(method::options, path, {},
                                      {{"Origin", origin},
                                       {"Access-Control-Request-Method", asked},
                                       {"Access-Control-Request-Headers", headers}}));
}

}  // namespace

TEST_CASE("an answer says which page from elsewhere may read it") {
  const text none = "(none)";
  struct {
    text origin, path;
    int status;
    text allowed, vary;
  } const cases[] = {
      {"https://app.example", "/none", 200, none, none},
      {"https://app.example", "/all", 200, "*", none},
      {"null", "/all", 200, "*", none},
      {"https://app.example", "/some", 200, "https://app.example", "Origin"},
      {"http://localhost:5173", "/some", 200, "http://localhost:5173", "Origin"},
      {"https://a.example.org", "/some", 200, "https://a.example.org", "Origin"},
      {"https://a.b-1.example.org", "/some", 200, "https://a.b-1.example.org", "Origin"},
      {"https://app.example", "/some/missing", 404, "https://app.example", "Origin"},
      {"https://app.example", "/some/any", 200, "https://app.example", "Origin"},
      {"https://app.example", "/some/own", 200, "https://own.example", none},
      {"https://inner.example", "/some/inner", 200, "https://inner.example", "Origin"},
      // None of these is one of them, however much it looks like one.
      {"https://app.example", "/some/inner", 200, none, "Origin"},
      {"https://other.example", "/some", 200, none, "Origin"},
      {"http://app.example", "/some", 200, none, "Origin"},
      {"https://app.example:443", "/some", 200, none, "Origin"},
      {"https://app.example.evil.example", "/some", 200, none, "Origin"},
      {"https://evil-app.example", "/some", 200, none, "Origin"},
      {"https://APP.example", "/some", 200, none, "Origin"},
      {"https://app.example/", "/some", 200, none, "Origin"},
      {"https://app.example http://localhost:5173", "/some", 200, none, "Origin"},
      {"https://example.org", "/some", 200, none, "Origin"},
      {"https://.example.org", "/some", 200, none, "Origin"},
      {"https://.a.example.org", "/some", 200, none, "Origin"},
      {"https://*.example.org", "/some", 200, none, "Origin"},
      {"https://evilexample.org", "/some", 200, none, "Origin"},
      {"https://evil.test/.example.org", "/some", 200, none, "Origin"},
      {"https://evil.test:1.example.org", "/some", 200, none, "Origin"},
      {"https://evil@x.example.org", "/some", 200, none, "Origin"},
      {"http://a.example.org", "/some", 200, none, "Origin"},
      {"https://a.example.org:8443", "/some", 200, none, "Origin"},
      {"null", "/some", 200, none, "Origin"},
      {"", "/some", 200, none, "Origin"},
      {"https://app.example", "/nowhere", 404, none, none},
  };
  for (const auto& c : cases) {
    CAPTURE(c.origin, c.path);
    const auto a = from(c.origin, c.path);
    CHECK(a.status == c.status);
    CHECK(a.field("Access-Control-Allow-Origin") == c.allowed);
    CHECK(a.field("Vary") == c.vary);
    const bool with_credentials =
        c.allowed == c.origin && c.path.starts_with("/some") && c.path != "/some/inner";
    CHECK(a.field("Access-Control-Allow-Credentials") == (with_credentials ? "true" : none));
    CHECK(a.field("Access-Control-Expose-Headers") == (with_credentials ? "ETag, X-Total" : none));
    CHECK(a.field("Access-Control-Allow-Methods") == none);
  }
}

TEST_CASE("a request without an origin, or with two, may be read by nobody in particular") {
  const auto a = ask<strangers>(owned_request(method::get, "/some"));
  CHECK(a.field("Access-Control-Allow-Origin") == "(none)");
  CHECK(a.field("Vary") == "Origin");
  const auto b = ask<strangers>(
      owned_request(method::get, "/some", {},
                    {{"Origin", "https://app.example"}, {"Origin", "https://evil.example"}}));
  CHECK(b.field("Access-Control-Allow-Origin") == "(none)");
}

TEST_CASE("a preflight is answered for the route that is asked about, without asking it") {
  const text none = "(none)";
  struct {
    text origin, path, asked;
    int status;
    text allowed, methods, headers;
  } const cases[] = {
      {"https://app.example", "/some", "PUT", 204, "https://app.example", "GET, HEAD, PUT, OPTIONS",
       "X-Token"},
      {"https://app.example", "/some/any", "PATCH", 204, "https://app.example", "PATCH", "X-Token"},
      {"https://evil.example", "/some", "PUT", 204, none, none, none},
      // Middleware that would refuse it is not asked.
      {"https://evil.example", "/all", "GET", 204, "*", "GET, HEAD, OPTIONS",
       "Content-Type, Authorization"},
      {"https://app.example", "/few", "PUT", 204, "*", "PUT", "x-token"},
      // Allowed by the route, and not for pages from elsewhere.
      {"https://app.example", "/few", "DELETE", 204, "*", none, none},
      // No route has the method, or it is none: what OPTIONS is answered anyway.
      {"https://app.example", "/some", "PATCH", 204, none, none, none},
      {"https://app.example", "/some", "put", 204, none, none, none},
      {"https://app.example", "/some", "", 204, none, none, none},
      {"https://app.example", "/none", "GET", 204, none, none, none},
      {"https://app.example", "/nowhere", "GET", 404, none, none, none},
  };
  for (const auto& c : cases) {
    CAPTURE(c.origin, c.path, c.asked);
    const auto a = preflight(c.origin, c.path, c.asked);
    CHECK(a.status == c.status);
    CHECK(a.field("Access-Control-Allow-Origin") == c.allowed);
    CHECK(a.field("Access-Control-Allow-Methods") == c.methods);
    CHECK(a.field("Access-Control-Allow-Headers") == c.headers);
    CHECK((a.field("Access-Control-Max-Age") == none) == (c.methods == none));
    CHECK(a.field("Access-Control-Expose-Headers") == none);
  }
  CHECK(preflight("https://app.example", "/some", "PUT").field("Access-Control-Max-Age") == "7200");
  // It is written once, whichever kind of route answers OPTIONS.
  for (const text path : {"/some", "/some/any"}) {
    const std::string head = preflight("https://evil.example", path, "PUT").head;
    CHECK(head.find("Vary: Origin") != std::string::npos);
    CHECK(head.find("Vary: Origin") == head.rfind("Vary: Origin"));
  }
}

TEST_CASE("what a preflight asks for is given back only where it is a list of names") {
  for (const text good : {"x-token", "a,b", "a, b ,c"}) {
    CAPTURE(good);
    CHECK(preflight("null", "/few", "PUT", good).field("Access-Control-Allow-Headers") == good);
  }
  for (const text bad : {"a b", "a,,b", "a:b", "\"", ","}) {
    CAPTURE(bad);
    CHECK(preflight("null", "/few", "PUT", bad).field("Access-Control-Allow-Headers") == "(none)");
  }
}

TEST_CASE("an OPTIONS that is no preflight is answered as ever") {
  const auto a = ask<strangers>(
      owned_request(method::options, "/some", {}, {{"Origin", "https://app.example"}}));
  CHECK(a.status == 204);
  CHECK(a.field("Allow") == "GET, HEAD, PUT, OPTIONS");
  const auto b = ask<strangers>(
      owned_request(method::options, "/some/any", {}, {{"Access-Control-Request-Method", "PUT"}}));
  CHECK(b.body == "hello");
}

TEST_CASE("in the router itself CORS is for answers without a route, too") {
  const auto asked = [](method m, text path) {
    return ask<everywhere>(owned_request(m, path, {}, {{"Origin", "https://app.example"}}));
  };
  for (const auto& a : {asked(method::get, "/"), asked(method::get, "/nowhere"),
                        asked(method::post, "/"), asked(method::options, "/")}) {
    CAPTURE(a.status);
    CHECK(a.field("Access-Control-Allow-Origin") == "https://app.example");
  }
}
