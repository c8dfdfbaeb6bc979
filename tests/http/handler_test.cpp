#include <array>
#include <cstdint>
#include <nen/http/router.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "http/routing.hpp"
#include "support/catch.hpp"

using nen::method;
using nen::request;
using nen::response;
using nen::test::ask;
using nen::test::owned_request;

namespace {

struct counters {
  int shown = 0;
};
struct journal {
  std::string text;
};

/// Comes from a header field.
struct token {
  std::string_view value;
};
/// Can be moved only, and made only from something.
struct ticket {
  explicit ticket(std::size_t n) : number(n) {}
  ticket(ticket&&) = default;
  ticket& operator=(ticket&&) = delete;
  std::size_t number;
};

}  // namespace

template <>
struct nen::extractor<token> {
  static std::optional<token> from(const request& req) {
    if (const auto value = req.field("X-Token")) return token{*value};
    return std::nullopt;
  }
};
template <>
struct nen::extractor<ticket> {
  static std::optional<ticket> from(const request& req) {
    return std::optional<ticket>(std::in_place, req.path().size());
  }
};

namespace {

template <class Integer>
nen::reply number(Integer n, response& res) {
  return res.text(std::to_string(n));
}

using numbers = nen::router<
    nen::get<"/i8/:n", number<std::int8_t>>, nen::get<"/u8/:n", number<std::uint8_t>>,
    nen::get<"/i16/:n", number<std::int16_t>>, nen::get<"/u16/:n", number<std::uint16_t>>,
    nen::get<"/i32/:n", number<std::int32_t>>, nen::get<"/u32/:n", number<std::uint32_t>>,
    nen::get<"/i64/:n", number<std::int64_t>>, nen::get<"/u64/:n", number<std::uint64_t>>,
    nen::get<"/ll/:n", number<long long>>>;

nen::reply everything(std::uint16_t first, journal& j, std::string_view second, response& res,
                      const counters& c, const request& req, token t) {
  j.text = std::string(second) + std::string(t.value) + std::string(req.body());
  return res.text(std::to_string(first + c.shown));
}

struct functor {
  int added;
  nen::reply operator()(const int& n, response& res) const noexcept {
    return res.text(std::to_string(n + added));
  }
};

nen::reply outer(journal& j, nen::next next) {
  j.text += "outer(";
  nen::reply r = next();
  j.text += ")";
  return r;
}
nen::reply inner(const request&, response&, nen::next next, journal& j) {
  j.text += "inner(";
  nen::reply r = next();
  j.text += ")";
  return r;
}
nen::reply guard(const request& req, response& res, nen::next next) {
  return req.field("X-Token") ? next() : res.status(401);
}
nen::reply tenant(std::string_view name, journal& j, response& res, const nen::next& next) {
  j.text += name;
  res.field("X-Tenant", name);
  return next();
}
nen::reply said(journal& j, response& res) {
  j.text += "handler";
  return res.text("ok");
}
nen::reply said_to(std::string_view who, std::string_view what, journal& j, response& res) {
  j.text += ":" + std::string(who) + ":" + std::string(what);
  return res.text("ok");
}

}  // namespace

TEST_CASE(
    "an integer in the path is a whole segment and in its type's range, or there is no such "
    "page") {
  struct {
    std::string_view path;
    std::string_view body;  // empty: 404
  } const cases[] = {
      {"/i8/127", "127"},
      {"/i8/128", ""},
      {"/i8/-128", "-128"},
      {"/i8/-129", ""},
      {"/u8/255", "255"},
      {"/u8/256", ""},
      {"/u8/-1", ""},
      {"/u8/-0", ""},
      {"/i16/32767", "32767"},
      {"/i16/32768", ""},
      {"/i16/-32768", "-32768"},
      {"/i16/-32769", ""},
      {"/u16/65535", "65535"},
      {"/u16/65536", ""},
      {"/i32/2147483647", "2147483647"},
      {"/i32/2147483648", ""},
      {"/i32/-2147483648", "-2147483648"},
      {"/i32/-2147483649", ""},
      {"/u32/4294967295", "4294967295"},
      {"/u32/4294967296", ""},
      {"/i64/9223372036854775807", "9223372036854775807"},
      {"/i64/9223372036854775808", ""},
      {"/i64/-9223372036854775808", "-9223372036854775808"},
      {"/i64/-9223372036854775809", ""},
      {"/u64/18446744073709551615", "18446744073709551615"},
      {"/u64/18446744073709551616", ""},
      {"/u64/99999999999999999999999", ""},
      {"/ll/-5", "-5"},
      {"/u32/007", "7"},
      {"/u32/abc", ""},
      {"/u32/1a", ""},
      {"/u32/+1", ""},
      {"/u32/%31", ""},
      {"/u32/1%", ""},
      {"/u32/", ""},
      {"/i32/-", ""},
  };
  for (const auto& c : cases) {
    CAPTURE(c.path);
    const auto a = nen::test::get<numbers>(c.path);
    CHECK(a.status == (c.body.empty() ? 404 : 200));
    if (!c.body.empty()) CHECK(a.body == c.body);
  }
}

TEST_CASE("a handler gets what its parameters name, in any order") {
  using routes = nen::router<nen::post<"/a/:x/*y", everything>>;
  counters c{5};
  journal j;
  const owned_request req(method::post, "/a/37/b%2Fc/d", "body", {{"x-token", "t"}});
  const auto a = ask<routes>(req, c, j);
  CHECK(a.status == 200);
  CHECK(a.body == "42");
  CHECK(j.text == "b/c/dtbody");
}

TEST_CASE("handlers may be functors, lambdas, noexcept, and take nothing but what they need") {
  using routes = nen::router<
      nen::get<"/f/:n", functor{40}>,
      nen::get<"/l/:s", [](const std::string_view& s, response& res) { return res.text(s); }>,
      nen::get<"/n", [](response& res) noexcept { return res.text("noexcept"); }>,
      nen::get<"/state", [](journal& j, response& res) { return res.text(j.text); }>>;
  journal j{"state"};
  CHECK(nen::test::get<routes>("/f/2", j).body == "42");
  CHECK(nen::test::get<routes>("/l/x%20y", j).body == "x y");
  CHECK(nen::test::get<routes>("/n", j).body == "noexcept");
  CHECK(nen::test::get<routes>("/state", j).body == "state");
}

TEST_CASE("an extractor makes a handler's parameter from the request, or the answer is 400") {
  using routes = nen::router<
      nen::get<"/value", [](token t, response& res) { return res.text(t.value); }>,
      nen::get<"/reference", [](response& res, const token& t) { return res.text(t.value); }>,
      nen::get<"/moved",
               [](ticket t, response& res) { return res.text(std::to_string(t.number)); }>>;
  for (const std::string_view path : {"/value", "/reference"}) {
    CAPTURE(path);
    CHECK(ask<routes>(owned_request(method::get, path, {}, {{"X-Token", "abc"}})).body == "abc");
    CHECK(ask<routes>(owned_request(method::get, path)).status == 400);
  }
  CHECK(nen::test::get<routes>("/moved").body == "6");
}

TEST_CASE("an error handler whose own extractor fails leaves the error that it was to answer") {
  using routes = nen::router<nen::on_error<[](nen::status, token, response& res) {
    return res.text("never without a token");
  }>>;
  const auto a = nen::test::get<routes>("/nowhere");
  CHECK(a.status == 404);
  CHECK(a.body == "Not Found");
}

TEST_CASE("a not_found handler whose extractor fails is a bad request for on_error") {
  using routes = nen::router<
      nen::not_found<[](token, response& res) { return res.status(404); }>,
      nen::on_error<[](nen::status s, response& res) { return res.set_status(s).text("error"); }>>;
  const auto a = nen::test::get<routes>("/nowhere");
  CHECK(a.status == 400);
  CHECK(a.body == "error");
}

TEST_CASE("middleware runs around the handler, outermost first, wherever nen::use stands") {
  using routes = nen::router<nen::get<"/plain", said>, nen::use<outer>,
                             nen::group<"/in", nen::get<"/a", said>, nen::use<inner>>,
                             nen::group<"/two", nen::use<inner, inner>, nen::get<"", said>>>;
  struct {
    std::string_view path;
    std::string_view order;
  } const cases[] = {
      {"/plain", "outer(handler)"},
      {"/in/a", "outer(inner(handler))"},
      {"/two", "outer(inner(inner(handler)))"},
      {"/nowhere", ""},
  };
  for (const auto& c : cases) {
    CAPTURE(c.path);
    journal j;
    CHECK(nen::test::get<routes>(c.path, j).status == (c.order.empty() ? 404 : 200));
    CHECK(j.text == c.order);
  }
}

TEST_CASE("middleware that answers itself keeps the rest from running") {
  using routes = nen::router<nen::group<"/api", nen::use<outer, guard, inner>, nen::get<"", said>>>;
  journal j;
  CHECK(nen::test::get<routes>("/api", j).status == 401);
  CHECK(j.text == "outer()");
  j.text.clear();
  CHECK(ask<routes>(owned_request(method::get, "/api", {}, {{"X-Token", ""}}), j).status == 200);
  CHECK(j.text == "outer(inner(handler))");
}

TEST_CASE("middleware may take the leading values, and the handler still gets them all") {
  using routes =
      nen::router<nen::group<"/t/:tenant", nen::use<tenant>, nen::get<"/:what", said_to>>>;
  journal j;
  const auto a = nen::test::get<routes>("/t/ac%6De/x%79", j);
  CHECK(a.status == 200);
  CHECK(a.field("X-Tenant") == "acme");
  CHECK(j.text == "acme:acme:xy");
  j.text.clear();
  CHECK(nen::test::get<routes>("/t/%zz/x", j).status == 400);
  CHECK(j.text.empty());
}

TEST_CASE("a number that is out of range only for the handler is 404 from behind the middleware") {
  using routes = nen::router<nen::use<outer>,
                             nen::get<"/:n", [](std::uint8_t, response& r) { return r.text(""); }>>;
  journal j;
  CHECK(nen::test::get<routes>("/300", j).status == 404);
  CHECK(j.text == "outer()");
}
