// Tests of http/cookie.hpp.
#include <nen/http/cookie.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "answering.hpp"
#include "made_request.hpp"
#include "support/catch.hpp"

using nen::cookie;
using nen::cookie_fault;
using nen::cookie_pairs;

namespace {

using pairs = std::vector<std::pair<std::string_view, std::string_view>>;

pairs walk(const cookie_pairs& cookies) {
  pairs found;
  for (const nen::cookie_pair pair : cookies) found.emplace_back(pair.name, pair.value);
  return found;
}

struct written {
  cookie_fault fault;
  std::string text;
};

written write(const cookie& c) {
  std::array<char, nen::cookie_bytes_max> room{};
  const nen::cookie_text result = nen::write_cookie(c, room);
  return {result.fault, std::string(result.text)};
}

}  // namespace

TEST_CASE("a Cookie field is split into pairs") {
  struct {
    std::string_view text;
    pairs found;
  } const cases[] = {
      {"", {}},
      {";", {}},
      {"; ;;", {}},
      {"a=1", {{"a", "1"}}},
      {"a=1; b=2", {{"a", "1"}, {"b", "2"}}},
      {"a=1;b=2;", {{"a", "1"}, {"b", "2"}}},
      {" a = 1 ;\tb=2\t", {{"a", "1"}, {"b", "2"}}},
      {"a=", {{"a", ""}}},
      {"a=b=c==", {{"a", "b=c=="}}},
      {"a=\"1\"", {{"a", "\"1\""}}},
      {"a=\"1;2\"", {{"a", "\"1"}}},
      {"a", {}},
      {"=1", {}},
      {" =1; a=2", {{"a", "2"}}},
      {"=__Host-a=1; a=2", {{"a", "2"}}},
      {"a=1, b=2", {{"a", "1, b=2"}}},
      {"$Version=1; a=1; $Path=/", {{"$Version", "1"}, {"a", "1"}, {"$Path", "/"}}},
      {"a=1; a=2", {{"a", "1"}, {"a", "2"}}},
      {"\xA0"
       "a=1",
       {{"\xA0"
         "a",
         "1"}}},
  };
  for (const auto& c : cases) {
    CAPTURE(c.text);
    CHECK(walk(cookie_pairs(c.text)) == c.found);
  }
  CHECK(walk(cookie_pairs()).empty());
  STATIC_REQUIRE(std::input_iterator<cookie_pairs::iterator>);
}

TEST_CASE("cookies are found by name, with case, and the first of a name counts") {
  constexpr cookie_pairs cookies("b=0; a=1; A=2; a=3");
  STATIC_REQUIRE(cookies.find("a") == "1");
  CHECK(cookies.find("A") == "2");
  CHECK_FALSE(cookies.find("c"));
  CHECK_FALSE(cookies.find(""));
  CHECK(cookies.count("a") == 2);
  CHECK(cookies.count("c") == 0);
}

TEST_CASE("a request's cookies are those of all its Cookie fields") {
  const nen::test::made_request made(nen::method::get, {{"Host", "h=0; x=0"},
                                                        {"Cookie", "a=1; b=2"},
                                                        {"Cookie2", "d=4"},
                                                        {"COOKIE", ""},
                                                        {"cookie", "; c=3; "},
                                                        {"Accept", "e=5"}});
  const cookie_pairs cookies = nen::cookies_of(made.view());
  CHECK(walk(cookies) == pairs{{"a", "1"}, {"b", "2"}, {"c", "3"}});
  CHECK(cookies.find("c") == "3");
  CHECK_FALSE(cookies.find("x"));
  CHECK_FALSE(cookies.find("d"));
  CHECK(walk(nen::cookies_of(nen::test::made_request(nen::method::get).view())).empty());
}

TEST_CASE("a cookie is written with its attributes") {
  using nen::same_site;
  struct {
    cookie given;
    std::string_view text;
  } const cases[] = {
      {{.name = "a", .value = "1"}, "a=1"},
      {{.name = "a", .value = ""}, "a="},
      {{.name = "a", .value = "\"\""}, "a=\"\""},
      {{.name = "a", .value = "\"x=y\""}, "a=\"x=y\""},
      {{.name = "a", .value = "1", .max_age = 3600}, "a=1; Max-Age=3600"},
      {{.name = "a", .value = "1", .max_age = 4294967295}, "a=1; Max-Age=4294967295"},
      {{.name = "a", .value = "", .max_age = 0}, "a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT"},
      {{.name = "a", .value = "", .max_age = 0, .expires = 784'111'777},
       "a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT"},
      {{.name = "a", .value = "1", .expires = 784'111'777},
       "a=1; Expires=Sun, 06 Nov 1994 08:49:37 GMT"},
      {{.name = "a", .value = "1", .expires = -11'644'473'600},
       "a=1; Expires=Mon, 01 Jan 1601 00:00:00 GMT"},
      {{.name = "a", .value = "1", .expires = 253'402'300'799},
       "a=1; Expires=Fri, 31 Dec 9999 23:59:59 GMT"},
      {{.name = "a", .value = "1", .domain = "x-1.example.com"}, "a=1; Domain=x-1.example.com"},
      {{.name = "a", .value = "1", .path = "/a b"}, "a=1; Path=/a b"},
      {{.name = "a", .value = "1", .secure = true}, "a=1; Secure"},
      {{.name = "a", .value = "1", .http_only = true}, "a=1; HttpOnly"},
      {{.name = "a", .value = "1", .same_site = same_site::lax}, "a=1; SameSite=Lax"},
      {{.name = "a", .value = "1", .same_site = same_site::strict}, "a=1; SameSite=Strict"},
      {{.name = "a", .value = "1", .secure = true, .same_site = same_site::none},
       "a=1; Secure; SameSite=None"},
      {{.name = "__Secure-a", .value = "1", .domain = "x.y", .path = "/z", .secure = true},
       "__Secure-a=1; Domain=x.y; Path=/z; Secure"},
      {{.name = "__Host-a", .value = "1", .path = "/", .secure = true},
       "__Host-a=1; Path=/; Secure"},
      {{.name = "__Hos", .value = "1"}, "__Hos=1"},
      {{.name = "a__Host-", .value = "1"}, "a__Host-=1"},
      {{.name = "a",
        .value = "1",
        .max_age = 1,
        .expires = 0,
        .domain = "d",
        .path = "/",
        .secure = true,
        .http_only = true,
        .same_site = same_site::lax},
       "a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=1; Domain=d; Path=/; Secure; HttpOnly; "
       "SameSite=Lax"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.text);
    const written result = write(c.given);
    CHECK(result.fault == cookie_fault::none);
    CHECK(result.text == c.text);
  }
}

TEST_CASE("a faulty cookie is not written, and the fault is named") {
  using nen::same_site;
  const std::string label_64(64, 'a');
  std::string name_254 = "a";
  while (name_254.size() < 254) name_254 += name_254.size() % 2 == 1 ? "." : "a";
  name_254.back() = 'a';
  struct {
    cookie given;
    cookie_fault fault;
  } const cases[] = {
      {{.name = "", .value = "1"}, cookie_fault::bad_name},
      {{.name = "a b", .value = "1"}, cookie_fault::bad_name},
      {{.name = "a=b", .value = "1"}, cookie_fault::bad_name},
      {{.name = "a;", .value = "1"}, cookie_fault::bad_name},
      {{.name = "a\r\nX", .value = "1"}, cookie_fault::bad_name},
      {{.name = "\xE4", .value = "1"}, cookie_fault::bad_name},
      {{.name = "a", .value = "1 2"}, cookie_fault::bad_value},
      {{.name = "a", .value = "1;2"}, cookie_fault::bad_value},
      {{.name = "a", .value = "1,2"}, cookie_fault::bad_value},
      {{.name = "a", .value = "1\\2"}, cookie_fault::bad_value},
      {{.name = "a", .value = "\""}, cookie_fault::bad_value},
      {{.name = "a", .value = "\"1"}, cookie_fault::bad_value},
      {{.name = "a", .value = "1\""}, cookie_fault::bad_value},
      {{.name = "a", .value = "\"1\"2\""}, cookie_fault::bad_value},
      {{.name = "a", .value = "1\r\nSet-Cookie: b=2"}, cookie_fault::bad_value},
      {{.name = "a", .value = "1\n"}, cookie_fault::bad_value},
      {{.name = "a", .value = {"\0", 1}}, cookie_fault::bad_value},
      {{.name = "a", .value = "\x7f"}, cookie_fault::bad_value},
      {{.name = "a", .value = "\xC3\xA4"}, cookie_fault::bad_value},
      {{.name = "a", .value = "1", .expires = -11'644'473'601}, cookie_fault::bad_expires},
      {{.name = "a", .value = "1", .expires = 253'402'300'800}, cookie_fault::bad_expires},
      {{.name = "a", .value = "1", .expires = INT64_MIN}, cookie_fault::bad_expires},
      {{.name = "a", .value = "1", .expires = INT64_MAX}, cookie_fault::bad_expires},
      {{.name = "a", .value = "1", .domain = ".x.y"}, cookie_fault::bad_domain},
      {{.name = "a", .value = "1", .domain = "x.y."}, cookie_fault::bad_domain},
      {{.name = "a", .value = "1", .domain = "x..y"}, cookie_fault::bad_domain},
      {{.name = "a", .value = "1", .domain = "-x"}, cookie_fault::bad_domain},
      {{.name = "a", .value = "1", .domain = "x-.y"}, cookie_fault::bad_domain},
      {{.name = "a", .value = "1", .domain = "x;y"}, cookie_fault::bad_domain},
      {{.name = "a", .value = "1", .domain = "x_y"}, cookie_fault::bad_domain},
      {{.name = "a", .value = "1", .domain = "x\r\n"}, cookie_fault::bad_domain},
      {{.name = "a", .value = "1", .domain = label_64}, cookie_fault::bad_domain},
      {{.name = "a", .value = "1", .domain = name_254}, cookie_fault::bad_domain},
      {{.name = "a", .value = "1", .path = "x"}, cookie_fault::bad_path},
      {{.name = "a", .value = "1", .path = "/x;y"}, cookie_fault::bad_path},
      {{.name = "a", .value = "1", .path = "/x\ny"}, cookie_fault::bad_path},
      {{.name = "a", .value = "1", .path = "/x\ty"}, cookie_fault::bad_path},
      {{.name = "a", .value = "1", .path = "/x "}, cookie_fault::bad_path},
      {{.name = "a", .value = "1", .path = "/\xE4"}, cookie_fault::bad_path},
      {{.name = "a", .value = "1", .same_site = same_site::none}, cookie_fault::not_secure},
      {{.name = "__Secure-a", .value = "1"}, cookie_fault::not_secure},
      {{.name = "__secure-a", .value = "1"}, cookie_fault::not_secure},
      {{.name = "__Host-a", .value = "1", .path = "/"}, cookie_fault::not_secure},
      {{.name = "__Host-a", .value = "1", .secure = true}, cookie_fault::not_host},
      {{.name = "__HOST-a", .value = "1", .secure = true}, cookie_fault::not_host},
      {{.name = "__Host-a", .value = "1", .path = "/x", .secure = true}, cookie_fault::not_host},
      {{.name = "__Host-a", .value = "1", .domain = "x.y", .path = "/", .secure = true},
       cookie_fault::not_host},
  };
  for (const auto& c : cases) {
    CAPTURE(c.given.name, c.given.value, c.given.domain, c.given.path);
    CHECK(nen::check_cookie(c.given) == c.fault);
    const written result = write(c.given);
    CHECK(result.fault == c.fault);
    CHECK(result.text.empty());
  }
  const auto longest_name = std::string_view(name_254).substr(0, 253);
  const auto longest_label = std::string_view(label_64).substr(1);
  CHECK(nen::check_cookie({.name = "a", .domain = longest_name}) == cookie_fault::none);
  CHECK(nen::check_cookie({.name = "a", .domain = longest_label}) == cookie_fault::none);
}

TEST_CASE("a cookie of 4096 bytes is written, and a longer one is refused") {
  const std::string value(nen::cookie_bytes_max - 2, 'v');
  CHECK(write({.name = "a", .value = value}).text == "a=" + value);
  CHECK(write({.name = "ab", .value = value}).fault == cookie_fault::too_long);
  CHECK(write({.name = "a", .value = value, .secure = true}).fault == cookie_fault::too_long);

  // More room does not make a longer one right; less room is written just up to its end.
  std::array<char, nen::cookie_bytes_max + 64> wide{};
  CHECK(nen::write_cookie({.name = "ab", .value = value}, wide).fault == cookie_fault::too_long);
  std::array<char, 8> room{'#', '#', '#', '#', '#', '#', '#', '#'};
  const cookie short_one{.name = "a", .value = "1234"};
  CHECK(nen::write_cookie(short_one, std::span(room).first(5)).fault == cookie_fault::too_long);
  CHECK(room[5] == '#');
  CHECK(nen::write_cookie(short_one, std::span(room).first(6)).text == "a=1234");
  CHECK(nen::write_cookie(short_one, {}).fault == cookie_fault::too_long);
}

TEST_CASE("a response sets cookies, one field each") {
  const auto got = nen::test::answer([](nen::response& res) {
    set_cookie(res, {.name = "a", .value = "1", .http_only = true});
    return set_cookie(res, {.name = "b", .value = "2"}).text("hi");
  });
  CHECK(got.bytes ==
        nen::test::message("200 OK",
                           "Set-Cookie: a=1; HttpOnly\r\nSet-Cookie: b=2\r\n"
                           "Content-Type: text/plain; charset=utf-8\r\nContent-Length: 2\r\n",
                           "hi"));
}

TEST_CASE("a faulty cookie turns the answer into a 500") {
  for (const std::string_view value : {"1;2", "1\r\nX: y", "1\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"}) {
    const auto got = nen::test::answer([value](nen::response& res) {
      return set_cookie(res, {.name = "a", .value = value}).text("hi");
    });
    CHECK(got.was_replaced);
    CHECK(got.bytes == nen::test::replacement());
  }
}

TEST_CASE("any bytes in a cookie make one safe line or none") {
  std::mt19937 random(6265);
  constexpr std::string_view alphabet = "ab/.-=; ,\"\r\n\t\\_1";
  const auto any = [&](std::size_t longest) {
    std::string text(random() % (longest + 1), '\0');
    for (char& c : text) {
      const auto kind = random() % 8;
      c = kind == 0   ? static_cast<char>(random())
          : kind == 1 ? alphabet[random() % alphabet.size()]
                      : static_cast<char>('a' + random() % 26);
    }
    return text;
  };
  std::size_t sound = 0;
  for (int round = 0; round < 30'000; ++round) {
    const std::string name = any(4);
    const std::string value = any(6);
    const std::string domain = any(3);
    const std::string path = random() % 2 == 0 ? "" : "/" + any(3);
    const written result =
        write({.name = name, .value = value, .domain = domain, .path = path, .http_only = true});
    if (result.fault != cookie_fault::none) {
      REQUIRE(result.text.empty());
      continue;
    }
    ++sound;
    const auto semicolons = 1 + (domain.empty() ? 0 : 1) + (path.empty() ? 0 : 1);
    REQUIRE(std::count(result.text.begin(), result.text.end(), ';') == semicolons);
    REQUIRE(std::all_of(result.text.begin(), result.text.end(),
                        [](char c) { return c >= ' ' && c < '\x7f'; }));
    // What a client would send back is the cookie that was meant.
    const std::string_view sent_back =
        std::string_view(result.text).substr(0, result.text.find(';'));
    REQUIRE(walk(cookie_pairs(sent_back)) == pairs{{name, value}});
  }
  CHECK(sound > 1000);

  for (int round = 0; round < 20'000; ++round) {  // and any bytes in a Cookie field are walked
    const std::string text = any(24);
    const std::vector<char> bytes(text.begin(), text.end());
    for (const nen::cookie_pair pair : cookie_pairs({bytes.data(), bytes.size()})) {
      REQUIRE_FALSE(pair.name.empty());
      REQUIRE(pair.name.find_first_of(";=") == std::string_view::npos);
      REQUIRE(pair.value.find(';') == std::string_view::npos);
    }
  }
}
