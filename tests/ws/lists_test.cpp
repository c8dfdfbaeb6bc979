// The lists of a handshake: elements, and extensions with parameters by the grammar of RFC 6455
// §9.1.
#include <nen/ws/lists.hpp>

#include <random>
#include <string>
#include <string_view>

#include "support/catch.hpp"
#include "ws/guarded.hpp"

namespace {

using nen::ws::extension;
using nen::ws::extension_param;

std::string elements(std::string_view text) {
  std::string result;
  for (const std::string_view e : nen::ws::list_elements(text)) result += std::string(e) + "|";
  return result;
}

/// The extensions of a list as they are understood: name{param,param=value}.
std::string understood(std::string_view text) {
  std::string result;
  for (const extension e : nen::ws::extensions(text)) {
    result += std::string(e.name) + "{";
    for (const extension_param p : nen::ws::extension_params(e)) {
      char room[64];
      result += std::string(p.name);
      if (p.has_value) result += "=" + std::string(nen::ws::param_text(p, room).value_or("?"));
      result += ",";
    }
    result += "}";
  }
  return result;
}

constexpr bool is_constexpr() {
  return nen::ws::has_element("keep-alive, Upgrade", "upgrade") &&
         nen::ws::is_extension_list("a; b=\"c\"");
}
static_assert(is_constexpr());

}  // namespace

TEST_CASE("a list is its elements without white space and empty ones", "[lists]") {
  CHECK(elements("") == "");
  CHECK(elements("a") == "a|");
  CHECK(elements("a,b,c") == "a|b|c|");
  CHECK(elements(" a ,\tb\t, c ") == "a|b|c|");
  CHECK(elements(",,a,,b,,") == "a|b|");
  CHECK(elements(" , ,") == "");
  CHECK(elements("a b, c/2") == "a b|c/2|");
}

TEST_CASE("an element is found whatever its case, and only whole", "[lists]") {
  CHECK(nen::ws::has_element("Upgrade", "upgrade"));
  CHECK(nen::ws::has_element("keep-alive, UPGRADE", "upgrade"));
  CHECK(!nen::ws::has_element("upgraded, re-upgrade, up grade", "upgrade"));
  CHECK(!nen::ws::has_element("", "upgrade"));
  CHECK(!nen::ws::has_element("websocket/13", "websocket"));
}

TEST_CASE("extensions are read with their parameters", "[lists]") {
  const struct {
    std::string_view text, found;
  } cases[] = {
      {"foo", "foo{}"},
      // The examples of RFC 6455 section 9.1.
      {"bar; baz=2", "bar{baz=2,}"},
      {"deflate-stream", "deflate-stream{}"},
      {"mux; max-channels=4; flow-control, deflate-stream",
       "mux{max-channels=4,flow-control,}deflate-stream{}"},
      {"private-extension", "private-extension{}"},
      {"foo, bar; baz=2", "foo{}bar{baz=2,}"},
      {"a;b;c=d;e=\"f\"", "a{b,c=d,e=f,}"},
      {"a ; b = c ,\td\t;\te\t=\t\"f\"\t", "a{b=c,}d{e=f,}"},
      {"a; b=\"c\\d\\e\"", "a{b=cde,}"},
      {"a; b=\"\\c\"", "a{b=c,}"},
      {",, a ,, b ,,", "a{}b{}"},
      {"a; x; x; x=1", "a{x,x,x=1,}"},
      {"permessage-deflate; client_max_window_bits", "permessage-deflate{client_max_window_bits,}"},
      {"permessage-deflate; server_max_window_bits=\"10\", permessage-deflate",
       "permessage-deflate{server_max_window_bits=10,}permessage-deflate{}"},
  };
  for (const auto& c : cases) {
    INFO(c.text);
    CHECK(nen::ws::is_extension_list(c.text));
    CHECK(understood(c.text) == c.found);
  }
}

TEST_CASE("extensions that break the grammar are refused", "[lists]") {
  const std::string_view wrong[] = {
      "",
      " ",
      ",",
      ";",
      "a;",
      "a; ",
      "a;;b",
      "a; b=",
      "a; b= ",
      "a; =c",
      "a; b=c d",
      "a b",
      "a=b",
      "a; b==c",
      "a; b=c=d",
      "a; b=\"",
      "a; b=\"\"",  // the value is a token, which is never empty
      "a; b=\"c",
      "a; b=\"c\\",
      "a; b=\"c\\\"",
      "a; b=\"c\"d",
      "a; b=\"c d\"",  // what is quoted has to be a token as well, section 9.1
      "a; b=\"c,d\"",
      "a; b=\"c\\\"d\"",
      "a; b=c\"",
      "a, \"b\"",
      "a, b;",
      "a\x01",
      "caf\xc3\xa9",
      "a; b=(c)",
  };
  const nen::test::guarded memory(100);  // nothing behind a text is read
  for (const std::string_view text : wrong) {
    INFO(text);
    CHECK(!nen::ws::is_extension_list({memory.place(text), text.size()}));
  }
  CHECK(!nen::ws::is_extension_list(std::string_view("a\0", 2)));
}

TEST_CASE("a walk ends where a list is malformed", "[lists]") {
  CHECK(understood("a, b; c, d;, e") == "a{}b{c,}");
  CHECK(understood(";") == "");
}

TEST_CASE("an escaped value is written into room or refused", "[lists]") {
  const extension_param param = {"b", "1\\0", true};
  char room[2];
  CHECK(nen::ws::param_text(param, room) == "10");
  CHECK(!nen::ws::param_text(param, std::span(room).first(1)));
  const extension_param plain = {"b", "12345", true};
  CHECK(nen::ws::param_text(plain, {}) == "12345");
}

TEST_CASE("no text leads a walk astray", "[lists]") {
  std::mt19937 random(91);
  constexpr std::string_view alphabet = "ab;,= \t\"\\\x80";
  for (int round = 0; round < 20'000; ++round) {
    std::string text(random() % 12, '\0');
    for (char& c : text) c = alphabet[random() % alphabet.size()];
    std::size_t found = 0;
    for (const extension e : nen::ws::extensions(text)) {
      ++found;
      if (e.name.empty()) FAIL(text);
      for (const extension_param p : nen::ws::extension_params(e)) {
        if (p.name.empty() || (p.has_value && p.value.empty())) FAIL(text);
      }
    }
    if (nen::ws::is_extension_list(text) && found == 0) FAIL(text);
    for (const std::string_view e : nen::ws::list_elements(text)) {
      if (e.empty() || e.find(',') != std::string_view::npos) FAIL(text);
    }
  }
  SUCCEED();
}
