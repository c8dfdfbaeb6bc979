// response::json: every kind of value, escapes, nesting, numbers at their limits.
#include "http/answering.hpp"
#include "support/catch.hpp"

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <initializer_list>
#include <limits>
#include <nen/http/json.hpp>
#include <string>
#include <string_view>

namespace {

using nen::json_value;
using nen::response;
using nen::test::answer;
using nen::test::receive;

/// The body that a value becomes.
std::string text_of(const json_value& value) {
  const auto a = answer([&](response& res) { return res.json(value); });
  const auto r = receive(a.bytes);
  REQUIRE(r);
  REQUIRE(r->code == 200);
  REQUIRE(r->value("Content-Type") == "application/json");
  return r->body;
}

template <class Number>
constexpr Number lowest = std::numeric_limits<Number>::lowest();
template <class Number>
constexpr Number highest = std::numeric_limits<Number>::max();

}  // namespace

TEST_CASE("A JSON answer is a 200 with its media type and length") {
  const auto a = answer([](response& res) { return res.json({{"id", 7}, {"name", "x"}}); });
  CHECK(a.bytes == nen::test::message("200 OK",
                                      "Content-Type: application/json\r\n"
                                      "Content-Length:                   19\r\n",
                                      R"({"id":7,"name":"x"})"));
}

TEST_CASE("A JSON answer takes a status and fields, and HEAD leaves its body out") {
  const auto run = [](response& res) {
    return res.set_status(nen::status::created).field("X", "y").json(true);
  };
  const std::string get = answer(run).bytes;
  const auto r = receive(get);
  REQUIRE(r);
  CHECK(r->code == 201);
  CHECK(r->value("X") == "y");
  CHECK(r->body == "true");
  const std::string head = answer({.framing = {.without_body = true}}, run).bytes;
  CHECK(head == get.substr(0, get.size() - 4));
}

TEST_CASE("Every kind of value has its form") {
  CHECK(text_of(nullptr) == "null");
  CHECK(text_of(true) == "true");
  CHECK(text_of(false) == "false");
  CHECK(text_of(0) == "0");
  CHECK(text_of(-1) == "-1");
  CHECK(text_of(1.5) == "1.5");
  CHECK(text_of("text") == "\"text\"");
  CHECK(text_of(std::string_view("text").substr(0, 2)) == "\"te\"");
  CHECK(text_of(std::string_view()) == "\"\"");
  CHECK(text_of(json_value::raw("[1, 2]")) == "[1, 2]");
  CHECK(text_of(json_value::raw("")).empty());
  CHECK(text_of(json_value::array({})) == "[]");
  CHECK(text_of(json_value::array({1})) == "[1]");
  CHECK(text_of(std::initializer_list<nen::json_member>{}) == "{}");
}

TEST_CASE("Integers of every type keep their value at their limits") {
  CHECK(text_of(lowest<std::int8_t>) == "-128");
  CHECK(text_of(highest<std::int8_t>) == "127");
  CHECK(text_of(highest<std::uint8_t>) == "255");
  CHECK(text_of(lowest<std::int16_t>) == "-32768");
  CHECK(text_of(highest<std::uint16_t>) == "65535");
  CHECK(text_of(lowest<std::int32_t>) == "-2147483648");
  CHECK(text_of(highest<std::uint32_t>) == "4294967295");
  CHECK(text_of(lowest<std::int64_t>) == "-9223372036854775808");
  CHECK(text_of(highest<std::int64_t>) == "9223372036854775807");
  CHECK(text_of(highest<std::uint64_t>) == "18446744073709551615");
  CHECK(text_of(lowest<long long>) == "-9223372036854775808");
  CHECK(text_of(std::size_t{0}) == "0");
}

TEST_CASE("Numbers are the shortest that read back the same") {
  CHECK(text_of(0.0) == "0");
  CHECK(text_of(-0.0) == "-0");
  CHECK(text_of(0.1) == "0.1");
  CHECK(text_of(1e21) == "1e+21");
  CHECK(text_of(-2.5e-7) == "-2.5e-07");
  CHECK(text_of(1.0f) == "1");
  for (const double value : {highest<double>, lowest<double>, std::numeric_limits<double>::min(),
                             std::numeric_limits<double>::denorm_min(), 1.0 / 3.0, 1e300}) {
    const std::string text = text_of(value);
    CHECK(std::strtod(text.c_str(), nullptr) == value);
  }
}

TEST_CASE("A float is written with a float's digits") {
  CHECK(text_of(0.1f) == "0.1");
  CHECK(text_of(-16777216.0f) == "-16777216");
}

TEST_CASE("What JSON cannot say of numbers is null") {
  CHECK(text_of(std::numeric_limits<double>::infinity()) == "null");
  CHECK(text_of(-std::numeric_limits<double>::infinity()) == "null");
  CHECK(text_of(std::nan("")) == "null");
  CHECK(text_of(std::numeric_limits<float>::infinity()) == "null");
  CHECK(text_of(json_value::array({1, std::nan(""), 2})) == "[1,null,2]");
}

TEST_CASE("Text is escaped as RFC 8259 §7 asks, and nothing else of it is changed") {
  struct row {
    std::string_view text, form;
  };
  constexpr row rows[] = {
      {"", R"("")"},
      {"plain", R"("plain")"},
      {"\"", R"("\"")"},
      {"\\", R"("\\")"},
      {"/", R"("/")"},
      {"a\"b\\c", R"("a\"b\\c")"},
      {"\n", R"("\n")"},
      {"\r\t\b\f", R"("\u000d\u0009\u0008\u000c")"},
      {"line\nline\n", R"("line\nline\n")"},
      {std::string_view("\0", 1), R"("\u0000")"},
      {"\x1f\x20", "\"\\u001f \""},
      {"\x7f", "\"\x7f\""},
      {"\xc3\xa9 \xf0\x9f\x98\x80", "\"\xc3\xa9 \xf0\x9f\x98\x80\""},
      {"\xff", "\"\xff\""},
      {"</script>", R"("</script>")"},
  };
  for (const row& r : rows) {
    CAPTURE(r.text);
    CHECK(text_of(r.text) == r.form);
    CHECK(text_of({{r.text, 1}}) == "{" + std::string(r.form) + ":1}");
  }
  for (int byte = 0; byte < 0x20; ++byte) {
    if (byte == '\n') continue;
    const char c = static_cast<char>(byte);
    char form[9];
    std::snprintf(form, sizeof form, "\"\\u%04x\"", static_cast<unsigned>(byte));
    CHECK(text_of(std::string_view(&c, 1)) == form);
  }
}

TEST_CASE("Objects and arrays nest") {
  const std::string name = "Ada";
  CHECK(text_of({{"user", {{"id", 7u}, {"name", std::string_view(name)}}},
                 {"tags", json_value::array({"a", json_value::array({}), {{"k", false}}})},
                 {"none", nullptr},
                 {"ratio", 0.25},
                 {"raw", json_value::raw("[1]")}}) ==
        R"({"user":{"id":7,"name":"Ada"},"tags":["a",[],{"k":false}],)"
        R"("none":null,"ratio":0.25,"raw":[1]})");
}

TEST_CASE("Every block size gives the same JSON") {
  const auto run = [](response& res) {
    return res.json({{"escaped", "a\"b\\c\nd\x01"},
                     {"list", json_value::array({1, -2, 3.5, true, nullptr})},
                     {"nested", {{"deep", {{"deeper", "text"}}}}}});
  };
  const std::string expected = answer({.block_bytes = 10'000}, run).bytes;
  REQUIRE(receive(expected).value().body ==
          "{\"escaped\":\"a\\\"b\\\\c\\nd\\u0001\",\"list\":[1,-2,3.5,true,null],"
          "\"nested\":{\"deep\":{\"deeper\":\"text\"}}}");
  for (std::size_t block = 256; block < expected.size() + 10; ++block) {
    CAPTURE(block);
    CHECK(answer({.block_bytes = block}, run).bytes == expected);
  }
}

TEST_CASE("JSON that is too long becomes a 500") {
  const std::string text(98, 'x');
  const nen::test::circumstances how{.body_bytes_max = 100};
  const auto fits = answer(how, [&](response& res) { return res.json(std::string_view(text)); });
  CHECK_FALSE(fits.was_replaced);
  CHECK(receive(fits.bytes).value().body == '"' + text + '"');
  const auto over =
      answer(how, [&](response& res) { return res.json(std::string_view(text + "x")); });
  CHECK(over.was_replaced);
  CHECK(over.bytes == nen::test::replacement());
}
