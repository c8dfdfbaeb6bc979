// The fields that tell browsers to be strict, on every answer.
#include <nen/http/security_headers.hpp>
#include <string>
#include <string_view>

#include "http/routing.hpp"
#include "support/catch.hpp"

namespace {

using nen::method;
using nen::security_options;
using nen::test::ask;
using nen::test::get;
using nen::test::owned_request;
using text = std::string_view;

nen::reply hello(nen::response& res) { return res.text("hello"); }
nen::reply own(nen::response& res) {
  return res.field("content-security-policy", "default-src *").field("X-Own", "1").text("own");
}
nen::reply other(nen::response& res) { return res.field("X-Own", "1").text("other"); }
nen::reply too_long(nen::response& res) {
  static const std::string value(3900, 'x');
  return res.field("X-Own", value).text("long");
}

struct huge_field {
  void decorate(const nen::request&, nen::response& res) const {
    static const std::string value(5000, 'x');
    res.field("X-Huge", value);
  }
};

using site = nen::router<nen::security_headers<>, nen::get<"/", hello>, nen::get<"/own", own>,
                         nen::get<"/other", other>, nen::get<"/long", too_long>,
                         nen::group<"/framed",
                                    nen::security_headers<security_options{
                                        .content_security_policy = "default-src 'none'",
                                        .nosniff = false,
                                        .frame_options = "",
                                        .cross_origin_opener_policy = "",
                                        .permissions_policy = "camera=()",
                                        .hsts_max_age_seconds = 31'536'000,
                                        .hsts_subdomains = true}>,
                                    nen::get<"", hello>>>;

std::size_t lines_of(const nen::test::answer& a) {
  std::size_t count = 0;
  for (const char c : a.head) count += c == '\n' ? 1 : 0;
  return count;
}

}  // namespace

TEST_CASE("every answer tells browsers to be strict, whoever gives it") {
  const nen::test::answer all[] = {get<site>("/"),
                                   get<site>("/nowhere"),
                                   get<site>("/other"),
                                   ask<site>(owned_request(method::post, "/")),
                                   ask<site>(owned_request(method::options, "/")),
                                   ask<site>(owned_request(method::head, "/"))};
  for (const auto& a : all) {
    CAPTURE(a.head);
    CHECK(a.field("Content-Security-Policy").substr(0, 18) == "default-src 'self'");
    CHECK(a.field("X-Content-Type-Options") == "nosniff");
    CHECK(a.field("X-Frame-Options") == "SAMEORIGIN");
    CHECK(a.field("Referrer-Policy") == "strict-origin-when-cross-origin");
    CHECK(a.field("Cross-Origin-Opener-Policy") == "same-origin");
    CHECK(a.field("Cross-Origin-Resource-Policy") == "same-origin");
    CHECK(a.field("Permissions-Policy") == "(none)");
    CHECK(a.field("Strict-Transport-Security") == "(none)");
  }
  CHECK(lines_of(get<site>("/other")) == lines_of(get<site>("/")) + 1);
}

TEST_CASE("a handler's own policy is the only one") {
  const auto a = get<site>("/own");
  CHECK(a.field("content-security-policy") == "default-src *");
  CHECK(a.field("Content-Security-Policy") == "(none)");
  CHECK(a.field("X-Content-Type-Options") == "nosniff");
  CHECK(a.field("X-Own") == "1");
}

TEST_CASE("the options of a group hold instead of those around it") {
  const auto a = get<site>("/framed");
  CHECK(a.field("Content-Security-Policy") == "default-src 'none'");
  CHECK(a.field("X-Content-Type-Options") == "(none)");
  CHECK(a.field("X-Frame-Options") == "(none)");
  CHECK(a.field("Cross-Origin-Opener-Policy") == "(none)");
  CHECK(a.field("Permissions-Policy") == "camera=()");
  CHECK(a.field("Strict-Transport-Security") == "max-age=31536000; includeSubDomains");
}

TEST_CASE("an answer that has no room for them becomes a 500 that has") {
  const auto a = get<site>("/long");
  CHECK(a.status == 500);
  CHECK(a.field("X-Own") == "(none)");
  CHECK(a.field("X-Frame-Options") == "SAMEORIGIN");
}

TEST_CASE("where they are longer than a head may be, a 500 goes without them") {
  using huge = nen::router<nen::use<huge_field{}>, nen::get<"/", hello>>;
  const auto a = get<huge>("/");
  CHECK(a.status == 500);
  CHECK(a.field("X-Huge") == "(none)");
  CHECK(a.body == "Internal Server Error");
}
