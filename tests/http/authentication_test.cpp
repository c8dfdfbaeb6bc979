// Basic and Bearer authentication: who is let through, and what the others are told.
#include <nen/core/digest.hpp>
#include <nen/http/authentication.hpp>
#include <string>
#include <string_view>

#include "http/routing.hpp"
#include "support/catch.hpp"

namespace {

using nen::method;
using nen::test::ask;
using nen::test::owned_request;
using text = std::string_view;

struct users {
  text password;
  int asked = 0;
};

bool is_staff(text user, text password, users& all) {
  ++all.asked;
  return user == "anna" && nen::equal_in_constant_time(password, all.password);
}
bool is_empty(text user, text password) { return user.empty() && password.empty(); }
bool is_key(text token, const nen::request& req) {
  return nen::equal_in_constant_time(token, req.path() == "/key/b" ? "b/+._~-==" : "a");
}

nen::reply who(const nen::basic_credentials& asks, nen::response& res) {
  return res.text(asks.user());
}
nen::reply what(nen::bearer_token token, nen::response& res) { return res.text(token.text); }
nen::reply hello(nen::response& res) { return res.text("hello"); }
nen::reply in_json(nen::status code, nen::response& res) {
  return res.set_status(code).send("application/json", "{}");
}

using site =
    nen::router<nen::group<"/staff", nen::basic_auth<"the staff", is_staff>, nen::get<"", who>>,
                nen::group<"/empty", nen::basic_auth<"", is_empty>, nen::get<"", hello>>,
                nen::group<"/key", nen::bearer_auth<"keys", is_key>,
                           nen::get<"/:name", [](text, nen::bearer_token t,
                                                 nen::response& res) { return res.text(t.text); }>>,
                nen::get<"/anybody", what>, nen::on_error<in_json>>;

std::string base64(text bytes) {
  std::string made(nen::base64_size(bytes.size()), '\0');
  nen::write_base64(made.data(), bytes);
  return made;
}

nen::test::answer ask_with(text path, text authorization) {
  users all{.password = "open:sesame"};
  return ask<site>(owned_request(method::get, path, {}, {{"Authorization", authorization}}), all);
}

}  // namespace

TEST_CASE("who has the password is let through, and the handler knows who it is") {
  for (const text scheme : {"Basic ", "basic ", "BASIC  "}) {
    const auto a = ask_with("/staff", std::string(scheme) + base64("anna:open:sesame"));
    CHECK(a.status == 200);
    CHECK(a.body == "anna");
  }
  CHECK(ask_with("/empty", "Basic " + base64(":")).status == 200);
}

TEST_CASE("who has not is told how to ask, or that it is no way to ask") {
  struct {
    std::string said;
    int status;
  } const cases[] = {
      {"Basic " + base64("anna:wrong"), 401},
      {"Basic " + base64("anna:"), 401},
      {"Basic " + base64("anna:open:sesame "), 401},
      {"Basic " + base64("bob:open:sesame"), 401},
      {"Bearer abc", 401},
      {"", 401},
      {"Basicx " + base64("anna:open:sesame"), 401},
      {"Basic", 400},
      {"Basic ", 400},
      {"Basic " + base64("anna"), 400},
      {"Basic anna:open:sesame", 400},
      {"Basic YW5uYTpvcGVuOnNlc2FtZQ", 400},     // not padded
      {"Basic YW5u YTpvcGVuOnNlc2FtZQ==", 400},  // two words
      {"Basic " + base64(text("an\0na:x", 7)), 400},
      {"Basic " + base64("anna:x\n"), 400},
      {"Basic " + base64("anna:\x7f"), 400},
      {"Basic " + base64("anna:" + std::string(600, 'x')), 400},
  };
  for (const auto& c : cases) {
    CAPTURE(c.said);
    const auto a = ask_with("/staff", c.said);
    CHECK(a.status == c.status);
    CHECK(a.field("WWW-Authenticate") == "Basic realm=\"the staff\", charset=\"UTF-8\"");
    CHECK(a.body == "{}");  // as nen::on_error says it
  }
  users all{.password = ""};
  const auto a = ask<site>(owned_request(method::get, "/staff"), all);
  CHECK(a.status == 401);
  const std::string right = "Basic " + base64("anna:");
  const auto b = ask<site>(owned_request(method::get, "/staff", {},
                                         {{"Authorization", right}, {"Authorization", right}}),
                           all);
  CHECK(b.status == 400);
  CHECK(all.asked == 0);
}

TEST_CASE("who has a token is let through, and others are told why not") {
  struct {
    text path, said;
    int status;
    text challenge;
  } const cases[] = {
      {"/key/a", "Bearer a", 200, "(none)"},
      {"/key/a", "bearer   a", 200, "(none)"},
      {"/key/b", "Bearer b/+._~-==", 200, "(none)"},
      {"/key/a", "Bearer b", 401, "Bearer realm=\"keys\", error=\"invalid_token\""},
      {"/key/a", "Basic YTo=", 401, "Bearer realm=\"keys\""},
      {"/key/a", "", 401, "Bearer realm=\"keys\""},
      {"/key/a", "Bearer", 400, "Bearer realm=\"keys\", error=\"invalid_request\""},
      {"/key/a", "Bearer =", 400, "Bearer realm=\"keys\", error=\"invalid_request\""},
      {"/key/a", "Bearer a=b", 400, "Bearer realm=\"keys\", error=\"invalid_request\""},
      {"/key/a", "Bearer a b", 400, "Bearer realm=\"keys\", error=\"invalid_request\""},
      {"/key/a", "Bearer \"a\"", 400, "Bearer realm=\"keys\", error=\"invalid_request\""},
  };
  for (const auto& c : cases) {
    CAPTURE(c.path, c.said);
    const auto a = ask_with(c.path, c.said);
    CHECK(a.status == c.status);
    CHECK(a.field("WWW-Authenticate") == c.challenge);
    if (c.status == 200) CHECK(a.body == c.said.substr(c.said.rfind(' ') + 1));
  }
}

TEST_CASE("a handler that takes credentials without asking for them answers 400 without") {
  CHECK(ask_with("/anybody", "Bearer x").body == "x");
  CHECK(ask_with("/anybody", "Basic x").status == 400);
}
