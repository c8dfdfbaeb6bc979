// Tests of http/redirect.hpp.
#include <nen/http/redirect.hpp>

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "support/catch.hpp"

namespace {

using nen::method;
using nen::redirect_fault;
using nen::redirect_step;
using nen::redirect_verdict;
using nen::status;

std::array<char, 128> room;

redirect_step step(method m, int code, std::optional<std::string_view> location,
                   std::string_view from = "http://h/a", std::uint32_t followed = 0,
                   std::uint32_t most = 5) {
  const nen::url_result here = nen::parse_url(from);
  REQUIRE(here.fault == nen::url_fault::none);
  return nen::decide_redirect(m, static_cast<status>(code), location, here.value, followed, most,
                              room);
}

}  // namespace

TEST_CASE("a redirection keeps the method or makes it a GET, as RFC 9110 §15.4 says") {
  struct row {
    method sent;
    int code;
    method next;
    bool drop_body;
  };
  const row rows[] = {
      {method::get, 301, method::get, false},         {method::head, 301, method::head, false},
      {method::post, 301, method::get, true},         {method::put, 301, method::put, false},
      {method::delete_, 301, method::delete_, false}, {method::get, 302, method::get, false},
      {method::head, 302, method::head, false},       {method::post, 302, method::get, true},
      {method::patch, 302, method::patch, false},     {method::get, 303, method::get, true},
      {method::head, 303, method::head, true},        {method::post, 303, method::get, true},
      {method::put, 303, method::get, true},          {method::delete_, 303, method::get, true},
      {method::get, 307, method::get, false},         {method::post, 307, method::post, false},
      {method::put, 307, method::put, false},         {method::post, 308, method::post, false},
      {method::head, 308, method::head, false},
  };
  for (const row& r : rows) {
    CAPTURE(std::string(to_string(r.sent)), r.code);
    const redirect_step s = step(r.sent, r.code, "/b?c#d");
    CHECK(s.verdict == redirect_verdict::follow);
    CHECK(s.fault == redirect_fault::none);
    CHECK(s.method == r.next);
    CHECK(s.drop_body == r.drop_body);
    CHECK_FALSE(s.drop_credentials);
    CHECK(s.to.host == "h");
    CHECK(s.to.path == "/b");
    CHECK(s.to.query == "?c");
  }
}

TEST_CASE("a response that does not say where to go is the answer") {
  for (int code = 100; code < 600; ++code) {
    CAPTURE(code);
    const bool redirects = code == 301 || code == 302 || code == 303 || code == 307 || code == 308;
    const redirect_verdict wanted = redirects ? redirect_verdict::follow : redirect_verdict::stop;
    CHECK(step(method::get, code, "/b").verdict == wanted);
    CHECK(step(method::get, code, std::nullopt).verdict == redirect_verdict::stop);
    CHECK(step(method::connect, code, "/b").verdict == redirect_verdict::stop);
    // What would not be followed is not counted either.
    const redirect_step late = step(method::get, code, "/b", "http://h/a", 5);
    CHECK((late.fault == redirect_fault::too_many) == redirects);
  }
}

TEST_CASE("redirections are followed up to the caller's limit") {
  CHECK(step(method::get, 301, "/b", "http://h/a", 4, 5).verdict == redirect_verdict::follow);
  CHECK(step(method::get, 301, "/b", "http://h/a", 0, 1).verdict == redirect_verdict::follow);
  for (const auto& [followed, most] : {std::pair{5U, 5U}, {6U, 5U}, {0U, 0U}, {1U, 1U}}) {
    const redirect_step s = step(method::get, 301, "/b", "http://h/a", followed, most);
    CHECK(s.verdict == redirect_verdict::fault);
    CHECK(s.fault == redirect_fault::too_many);
  }
}

TEST_CASE("credentials stay with their origin, and leaving TLS is said") {
  struct row {
    std::string_view from, location;
    bool drop_credentials, leaves_tls;
    nen::url_scheme scheme;
  };
  using nen::url_scheme;
  const row rows[] = {
      {"http://h/a", "b", false, false, url_scheme::http},
      {"http://h/a", "http://H:80/b", false, false, url_scheme::http},
      {"http://h/a", "//h/b", false, false, url_scheme::http},
      {"http://h/a", "http://h:81/b", true, false, url_scheme::http},
      {"http://h/a", "//x.h/b", true, false, url_scheme::http},
      {"http://h/a", "https://h/b", true, false, url_scheme::https},
      {"https://h/a", "http://h/b", true, true, url_scheme::http},
      {"https://h/a", "http://h:443/b", true, true, url_scheme::http},
      {"https://h/a", "/b", false, false, url_scheme::https},
      {"wss://h/a", "ws://h/a", true, true, url_scheme::ws},
      {"wss://h/a", "https://h/a", true, false, url_scheme::https},
  };
  for (const row& r : rows) {
    CAPTURE(std::string(r.from), std::string(r.location));
    const redirect_step s = step(method::get, 307, r.location, r.from);
    CHECK(s.verdict == redirect_verdict::follow);
    CHECK(s.drop_credentials == r.drop_credentials);
    CHECK(s.leaves_tls == r.leaves_tls);
    CHECK(s.to.scheme == r.scheme);
  }
}

TEST_CASE("a redirection to where nobody can go is a fault that says why") {
  struct row {
    std::string_view location;
    nen::url_fault why;
  };
  const std::string long_path(200, 'a');
  const row rows[] = {
      {"ftp://h/", nen::url_fault::unsupported_scheme},
      {"http:///", nen::url_fault::no_host},
      {"http://u:p@h/", nen::url_fault::has_userinfo},
      {"/a b", nen::url_fault::bad_character},
      {"//h:0/", nen::url_fault::bad_port},
      {long_path, nen::url_fault::too_long},
  };
  for (const row& r : rows) {
    CAPTURE(std::string(r.location));
    const redirect_step s = step(method::get, 302, r.location);
    CHECK(s.verdict == redirect_verdict::fault);
    CHECK(s.fault == redirect_fault::bad_url);
    CHECK(s.why == r.why);
    CHECK(s.to.host.empty());
  }
}
