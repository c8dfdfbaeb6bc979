// Tests of http/query.hpp.
#include <nen/http/query.hpp>

#include <array>
#include <cstdint>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "made_request.hpp"
#include "support/catch.hpp"

using nen::percent_status;
using nen::query_pairs;
using nen::query_value;

namespace {

using raw_pairs = std::vector<std::pair<std::string_view, std::string_view>>;

raw_pairs walk(std::string_view text) {
  raw_pairs found;
  for (const nen::query_pair pair : query_pairs(text)) {
    found.emplace_back(pair.raw_name, pair.raw_value);
  }
  return found;
}

/// What a form's text means, the plain way.
bool decode_plainly(std::string_view text, std::string& out) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      if (i + 2 >= text.size()) return false;
      const int high = nen::hex_value(text[i + 1]);
      const int low = nen::hex_value(text[i + 2]);
      if (high < 0 || low < 0 || high + low == 0) return false;
      out += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      out += text[i] == '+' ? ' ' : text[i];
    }
  }
  return true;
}

}  // namespace

TEST_CASE("a query is split into pairs") {
  struct {
    std::string_view text;
    raw_pairs pairs;
  } const cases[] = {
      {"", {}},
      {"&", {}},
      {"&&&", {}},
      {"a=1", {{"a", "1"}}},
      {"a=1&b=2", {{"a", "1"}, {"b", "2"}}},
      {"&a=1&&b=2&", {{"a", "1"}, {"b", "2"}}},
      {"a", {{"a", ""}}},
      {"a=", {{"a", ""}}},
      {"=a", {{"", "a"}}},
      {"=", {{"", ""}}},
      {"=&=", {{"", ""}, {"", ""}}},
      {"a=b=c", {{"a", "b=c"}}},
      {"a==", {{"a", "="}}},
      {"a&a=1&a", {{"a", ""}, {"a", "1"}, {"a", ""}}},
      {"a;b=1", {{"a;b", "1"}}},
      {"a=1?b=2", {{"a", "1?b=2"}}},
      {"a%26b=%3D", {{"a%26b", "%3D"}}},
  };
  for (const auto& c : cases) {
    CAPTURE(c.text);
    CHECK(walk(c.text) == c.pairs);
  }
  CHECK(query_pairs().begin() == query_pairs().end());
  STATIC_REQUIRE(std::input_iterator<query_pairs::iterator>);
}

TEST_CASE("form text is decoded with '+' as a space") {
  struct {
    std::string_view raw;
    percent_status status;
    std::string_view text;
  } const cases[] = {
      {"", percent_status::ok, ""},
      {"plain", percent_status::ok, "plain"},
      {"a+b", percent_status::ok, "a b"},
      {"+++", percent_status::ok, "   "},
      {"%2B", percent_status::ok, "+"},
      {"%2b+%2B", percent_status::ok, "+ +"},
      {"%25%32%30", percent_status::ok, "%20"},
      {"%252B", percent_status::ok, "%2B"},
      {"%C3%A4", percent_status::ok, "\xC3\xA4"},
      {"%FF", percent_status::ok, "\xFF"},
      {"12345678", percent_status::ok, "12345678"},
      {"1234567%38", percent_status::ok, "12345678"},
      {"123456789", percent_status::no_room, ""},
      {"12345678+", percent_status::no_room, ""},
      {"12345678%39", percent_status::no_room, ""},
      {"%", percent_status::bad_escape, ""},
      {"+%", percent_status::bad_escape, ""},
      {"a%4", percent_status::bad_escape, ""},
      {"%+1", percent_status::bad_escape, ""},
      {"%4+", percent_status::bad_escape, ""},
      {"%%41", percent_status::bad_escape, ""},
      {"%00", percent_status::bad_escape, ""},
      {"%u0041", percent_status::bad_escape, ""},
  };
  for (const auto& c : cases) {
    CAPTURE(c.raw);
    const query_value<8> value(c.raw);
    CHECK(value.status() == c.status);
    CHECK(value.has_value() == (c.status == percent_status::ok));
    CHECK(value.view() == c.text);
    const query_value<8> copy = value;  // its text lies in itself
    CHECK(copy.view() == c.text);

    std::array<char, 9> room{};
    room[8] = '#';
    const nen::percent_result result = nen::form_decode(c.raw, std::span(room).first(8));
    CHECK(room[8] == '#');
    if (c.raw.find_first_of("%+") != std::string_view::npos) {
      CHECK(result.status == c.status);
      CHECK(result.text == c.text);
    } else {  // a view of the text itself, which needs no room
      CHECK(result.text.data() == c.raw.data());
    }
  }
}

TEST_CASE("form text can be decoded in its own memory") {
  std::string text = "x+%41%42+y%43";
  CHECK(nen::form_decode(text, text).text == "x AB yC");
}

TEST_CASE("names are compared after decoding, with case") {
  struct {
    std::string_view raw, name;
    bool same;
  } const cases[] = {
      {"page", "page", true},
      {"page", "Page", false},
      {"page", "pag", false},
      {"pag", "page", false},
      {"p%61ge", "page", true},
      {"%70%61%67%65", "page", true},
      {"my+name", "my name", true},
      {"my%20name", "my name", true},
      {"my+name", "my+name", false},
      {"my%2Bname", "my+name", true},
      {"", "", true},
      {"a", "", false},
      {"", "a", false},
      {"a%", "a%", false},
      {"a%", "a", false},
      {"a%zz", "a%zz", false},
      {"%00", "", false},
      {"%e4", "\xE4", true},
  };
  for (const auto& c : cases) {
    CAPTURE(c.raw, c.name);
    CHECK(nen::query_pair{c.raw, {}}.is_named(c.name) == c.same);
  }
}

TEST_CASE("pairs are found by name, and the first of a name counts") {
  constexpr query_pairs q("b=1&a=2&%61=3&c%=4&a&e=%zz");
  REQUIRE(q.find("a"));
  CHECK(q.find("a")->raw_value == "2");
  CHECK(q.has("b"));
  CHECK_FALSE(q.has("d"));
  CHECK_FALSE(q.has("c"));  // a name with a bad escape is none
  CHECK(q.count("a") == 3);
  CHECK(q.count("d") == 0);
  std::string values;
  q.for_each("a", [&](nen::query_pair pair) { values.append(pair.raw_value).append(";"); });
  CHECK(values == "2;3;;");
  CHECK_FALSE(q.is_valid());
  CHECK_FALSE(query_pairs("a%").is_valid());
  CHECK_FALSE(query_pairs("b&a=%").is_valid());
  CHECK(query_pairs("a=%41&%42").is_valid());
  CHECK(query_pairs("").is_valid());
}

TEST_CASE("values are read as what a handler wants") {
  const query_pairs q(
      "n=42&neg=-7&big=4294967296&huge=18446744073709551616&enc=%34%32&plus=+4&bad=%zz&text=a+b"
      "&empty=&x=1.5&e=-2e3&inf=inf&nan=nan&over=1e999&t=true&f=0&yes=yes&half=1.5x&hex=0x10"
      "&long=00000000000000000000000000000000000000000000000000000000000000000000042");
  CHECK(q.get<std::uint32_t>("n") == 42U);
  CHECK(q.get<std::int8_t>("neg") == -7);
  CHECK(q.get<std::uint32_t>("enc") == 42U);
  CHECK(q.get<std::uint64_t>("big") == 4294967296U);
  for (const char* name :
       {"neg", "big", "huge", "plus", "bad", "text", "empty", "x", "long", "absent", "hex", "t"}) {
    CAPTURE(name);
    CHECK_FALSE(q.get<std::uint32_t>(name));
  }
  CHECK(q.get<double>("x") == 1.5);
  CHECK(q.get<float>("e") == -2000.0F);
  CHECK(q.get<double>("n") == 42.0);
  for (const char* name : {"inf", "nan", "over", "empty", "half", "text", "plus", "absent"}) {
    CAPTURE(name);
    CHECK_FALSE(q.get<double>(name));
  }
  CHECK(q.get<bool>("t") == true);
  CHECK(q.get<bool>("f") == false);
  CHECK_FALSE(q.get<bool>("yes"));
  CHECK_FALSE(q.get<bool>("empty"));

  const auto text = q.get<query_value<3>>("text");
  REQUIRE(text);
  CHECK(text->view() == "a b");
  CHECK_FALSE(q.get<query_value<2>>("text"));
  CHECK_FALSE(q.get<query_value<8>>("bad"));
  REQUIRE(q.get<query_value<8>>("empty"));
  CHECK(q.get<query_value<8>>("empty")->view().empty());
}

TEST_CASE("what may be left out has a fallback, but what is wrong has none") {
  constexpr query_pairs q("page=3&limit=x&skip=");
  STATIC_REQUIRE(q.get_or<std::uint32_t>("page", 1) == 3U);
  STATIC_REQUIRE(q.get_or<std::uint32_t>("size", 20) == 20U);
  CHECK_FALSE(q.get_or<std::uint32_t>("limit", 20));
  CHECK_FALSE(q.get_or<std::uint32_t>("skip", 20));
}

TEST_CASE("a pair's name and value are decoded into a caller's memory") {
  std::array<char, 4> room{};
  const nen::query_pair pair{"a%20b", "%41+%"};
  CHECK(pair.name(room).text == "a b");
  CHECK(pair.value(room).status == percent_status::bad_escape);
}

TEST_CASE("a request's query and form are read from it") {
  using nen::test::made_request;
  const made_request with_query(nen::method::get, {}, "page=7");
  CHECK(nen::query_of(with_query.view()).get<int>("page") == 7);
  const made_request bare(nen::method::get);
  CHECK(nen::query_of(bare.view()).begin() == nen::query_of(bare.view()).end());

  struct {
    nen::test::field_lines lines;
    bool is_form;
  } const cases[] = {
      {{{"Content-Type", "application/x-www-form-urlencoded"}}, true},
      {{{"content-type", "Application/X-WWW-Form-Urlencoded"}}, true},
      {{{"Content-Type", "application/x-www-form-urlencoded;charset=UTF-8"}}, true},
      {{{"Content-Type", "application/x-www-form-urlencoded ; a=b"}}, true},
      {{}, false},
      {{{"Content-Type", ""}}, false},
      {{{"Content-Type", "text/plain"}}, false},
      {{{"Content-Type", "application/x-www-form-urlencoded2"}}, false},
      {{{"Content-Type", "application/x-www-form-urlencoded, text/plain"}}, false},
      {{{"Content-Type", "multipart/form-data; x=application/x-www-form-urlencoded"}}, false},
      {{{"Content-Type", "application/x-www-form-urlencoded"}, {"Content-Type", "text/plain"}},
       false},
  };
  for (const auto& c : cases) {
    CAPTURE(c.lines);
    const made_request posted(nen::method::post, c.lines, "page=7", "page=8");
    const auto form = nen::form_of(posted.view());
    REQUIRE(form.has_value() == c.is_form);
    if (form) CHECK(form->get<int>("page") == 8);
  }
}

TEST_CASE("any bytes are walked, and mean what the plain way says") {
  std::mt19937 random(20240229);
  constexpr std::string_view alphabet = "ab&&==%%++014fG\xFF";
  std::size_t sound = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string text(random() % 24, '\0');
    for (char& c : text) {
      c = random() % 32 == 0 ? static_cast<char>(random()) : alphabet[random() % alphabet.size()];
    }
    // Its own allocation, so that a read past the end is seen by the sanitizer.
    const std::vector<char> bytes(text.begin(), text.end());
    std::string again;
    bool all_sound = true;
    const query_pairs q(std::string_view(bytes.data(), bytes.size()));
    for (const nen::query_pair pair : q) {
      for (const std::string_view raw : {pair.raw_name, pair.raw_value}) {
        std::string plain;
        const bool is_sound = decode_plainly(raw, plain);
        const query_value<24> value(raw);
        REQUIRE(value.has_value() == is_sound);
        if (is_sound) REQUIRE(value.view() == plain);
        REQUIRE(nen::query_pair{raw, {}}.is_named(plain) == is_sound);
        all_sound &= is_sound;
      }
      again.append(pair.raw_name).append("=").append(pair.raw_value).append("&");
    }
    REQUIRE(q.is_valid() == all_sound);
    REQUIRE(walk(again) == walk(text));
    sound += all_sound ? 1 : 0;
  }
  CHECK(sound > 1000);
  CHECK(sound < 19'000);
}
