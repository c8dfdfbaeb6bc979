// Tests of http/conditional.hpp.
#include <nen/http/conditional.hpp>

#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "answering.hpp"
#include "made_request.hpp"
#include "support/catch.hpp"

using nen::entity_tag;
using nen::method;
using nen::precondition;
using nen::tag_list;
using nen::validators;
using nen::test::field_lines;
using nen::test::made_request;

namespace {

constexpr entity_tag strong_v1 = *entity_tag::parse("\"v1\"");
constexpr entity_tag weak_v1 = *entity_tag::parse("W/\"v1\"");
constexpr std::int64_t modified = 784'111'777;
constexpr std::string_view same_date = "Sun, 06 Nov 1994 08:49:37 GMT";
constexpr std::string_view earlier = "Sun, 06 Nov 1994 08:49:36 GMT";
constexpr std::string_view later = "Sun, 06 Nov 1994 08:49:38 GMT";

nen::test::answered answer(const made_request& made, const validators& current) {
  return nen::test::answer([&](nen::response& res) {
    if (auto done = nen::answer_condition(made.view(), res, current)) return *done;
    return res.text("whole");
  });
}

}  // namespace

TEST_CASE("entity tags are read") {
  struct {
    std::string_view text, opaque;
    bool is_weak;
  } const tags[] = {
      {"\"\"", "\"\"", false},       {"\"v1\"", "\"v1\"", false},
      {"W/\"\"", "\"\"", true},      {"W/\"v1\"", "\"v1\"", true},
      {"\"a,b\"", "\"a,b\"", false}, {"\"*\"", "\"*\"", false},
      {"\"\\\"", "\"\\\"", false},   {"\"W/\"", "\"W/\"", false},
      {"\"!#~\"", "\"!#~\"", false}, {"\"\x80\xFF\"", "\"\x80\xFF\"", false},
  };
  for (const auto& c : tags) {
    CAPTURE(c.text);
    const auto tag = entity_tag::parse(c.text);
    REQUIRE(tag);
    CHECK(tag->text() == c.text);
    CHECK(tag->opaque() == c.opaque);
    CHECK(tag->is_weak() == c.is_weak);
  }
  const std::string_view none[] = {
      "",          "v1",         "\"",          "\"v1",     "v1\"",     "'v1'",
      "W",         "W/",         "W/\"",        "W/v1",     "w/\"v1\"", "W \"v1\"",
      "*",         "\"a b\"",    "\"a\"b\"",    "\"v1\" ",  " \"v1\"",  "\"a\tb\"",
      "\"a\x7f\"", "\"a\r\nb\"", "\"a\",\"b\"", "W/W/\"a\""};
  for (const std::string_view text : none) {
    CAPTURE(text);
    CHECK_FALSE(entity_tag::parse(text));
  }
}

TEST_CASE("entity tags are compared strongly and weakly as in RFC 9110") {
  const entity_tag strong_v2 = *entity_tag::parse("\"v2\"");
  const entity_tag weak_v2 = *entity_tag::parse("W/\"v2\"");
  struct {
    entity_tag a, b;
    bool strongly, weakly;
  } const cases[] = {{weak_v1, weak_v1, false, true},    {weak_v1, weak_v2, false, false},
                     {weak_v1, strong_v1, false, true},  {strong_v1, weak_v1, false, true},
                     {strong_v1, strong_v1, true, true}, {strong_v1, strong_v2, false, false}};
  for (const auto& c : cases) {
    CAPTURE(c.a.text(), c.b.text());
    CHECK(nen::strong_match(c.a, c.b) == c.strongly);
    CHECK(nen::weak_match(c.a, c.b) == c.weakly);
  }
}

TEST_CASE("a number makes a strong tag") {
  constexpr nen::revision_tag revision(0x1a2b);
  CHECK(revision.tag().text() == "\"0000000000001a2b\"");
  CHECK_FALSE(revision.tag().is_weak());
  const nen::revision_tag last(~std::uint64_t{0});
  CHECK(last.tag().text() == "\"ffffffffffffffff\"");
  const nen::revision_tag copy = last;
  CHECK(copy.tag().text().data() != last.tag().text().data());
}

TEST_CASE("lists of entity tags are compared with the current one") {
  struct {
    field_lines lines;
    tag_list weakly, strongly;
  } const cases[] = {
      {{}, tag_list::absent, tag_list::absent},
      {{{"If-Match", "\"v1\""}}, tag_list::absent, tag_list::absent},
      {{{"X", "\"v1\""}}, tag_list::matches, tag_list::matches},
      {{{"x", "\"v1\""}}, tag_list::matches, tag_list::matches},
      {{{"X", "W/\"v1\""}}, tag_list::matches, tag_list::differs},
      {{{"X", "\"v2\""}}, tag_list::differs, tag_list::differs},
      {{{"X", "*"}}, tag_list::matches, tag_list::matches},
      {{{"X", "\"*\""}}, tag_list::differs, tag_list::differs},
      {{{"X", "\"v2\", \"v1\""}}, tag_list::matches, tag_list::matches},
      {{{"X", "\"v2\",\"v1\",\"v3\""}}, tag_list::matches, tag_list::matches},
      {{{"X", "\"v2\" \t,\t \"v1\""}}, tag_list::matches, tag_list::matches},
      {{{"X", ",, \"v1\" , ,"}}, tag_list::matches, tag_list::matches},
      {{{"X", "\"a,\", \"v1\""}}, tag_list::matches, tag_list::matches},
      {{{"X", "\"a,v1\""}}, tag_list::differs, tag_list::differs},
      {{{"X", "\"v2\""}, {"X", "\"v1\""}}, tag_list::matches, tag_list::matches},
      {{{"X", ""}, {"X", "\"v1\""}}, tag_list::matches, tag_list::matches},
      {{{"X", ""}}, tag_list::malformed, tag_list::malformed},
      {{{"X", ", ,"}}, tag_list::malformed, tag_list::malformed},
      {{{"X", "v1"}}, tag_list::malformed, tag_list::malformed},
      {{{"X", "\"v1"}}, tag_list::malformed, tag_list::malformed},
      {{{"X", "\"v1\"\"v1\""}}, tag_list::malformed, tag_list::malformed},
      {{{"X", "\"v1\" \"v1\""}}, tag_list::malformed, tag_list::malformed},
      {{{"X", "\"v1\"; \"v2\""}}, tag_list::malformed, tag_list::malformed},
      {{{"X", "\"v1\", v2"}}, tag_list::malformed, tag_list::malformed},
      {{{"X", "*, \"v1\""}}, tag_list::malformed, tag_list::malformed},
      {{{"X", "\"v1\", *"}}, tag_list::malformed, tag_list::malformed},
      {{{"X", "**"}}, tag_list::malformed, tag_list::malformed},
      {{{"X", "*"}, {"X", "\"v1\""}}, tag_list::malformed, tag_list::malformed},
      {{{"X", "*"}, {"X", "*"}}, tag_list::malformed, tag_list::malformed},
      {{{"X", "\"v1\""}, {"X", "oops"}}, tag_list::malformed, tag_list::malformed},
  };
  const validators current{.etag = strong_v1};
  for (const auto& c : cases) {
    CAPTURE(c.lines);
    const made_request made(method::get, c.lines);
    const nen::fields all = made.view().fields();
    CHECK(compare_tags(all, "X", current, nen::tag_comparison::weak) == c.weakly);
    CHECK(compare_tags(all, "X", current, nen::tag_comparison::strong) == c.strongly);
  }
  // Without a representation nothing matches, and without a tag only "*".
  for (const std::string_view value : {"*", "\"v1\""}) {
    const made_request made(method::put, {{"X", value}});
    const nen::fields all = made.view().fields();
    const auto weak = nen::tag_comparison::weak;
    CHECK(compare_tags(all, "X", {.etag = strong_v1, .exists = false}, weak) == tag_list::differs);
    CHECK(compare_tags(all, "X", {}, weak) ==
          (value == "*" ? tag_list::matches : tag_list::differs));
  }
}

TEST_CASE("conditions are judged in the order of RFC 9110") {
  const auto go_on = precondition::proceed;
  const auto unmodified = precondition::not_modified;
  const auto failed = precondition::failed;
  struct {
    field_lines lines;
    precondition get, put;
  } const cases[] = {
      {{}, go_on, go_on},
      // If-None-Match
      {{{"If-None-Match", "\"v1\""}}, unmodified, failed},
      {{{"If-None-Match", "W/\"v1\""}}, unmodified, failed},
      {{{"If-None-Match", "*"}}, unmodified, failed},
      {{{"If-None-Match", "\"v2\""}}, go_on, go_on},
      {{{"If-None-Match", "oops"}}, go_on, failed},
      // If-Match
      {{{"If-Match", "\"v1\""}}, go_on, go_on},
      {{{"If-Match", "*"}}, go_on, go_on},
      {{{"If-Match", "W/\"v1\""}}, failed, failed},
      {{{"If-Match", "\"v2\""}}, failed, failed},
      {{{"If-Match", "oops"}}, failed, failed},
      // If-Modified-Since counts for reading alone
      {{{"If-Modified-Since", same_date}}, unmodified, go_on},
      {{{"If-Modified-Since", later}}, unmodified, go_on},
      {{{"If-Modified-Since", earlier}}, go_on, go_on},
      {{{"If-Modified-Since", "Sunday, 06-Nov-94 08:49:37 GMT"}}, unmodified, go_on},
      {{{"If-Modified-Since", "Sun Nov  6 08:49:36 1994"}}, go_on, go_on},
      {{{"If-Modified-Since", "yesterday"}}, go_on, go_on},
      {{{"If-Modified-Since", later}, {"If-Modified-Since", later}}, go_on, go_on},
      // If-Unmodified-Since
      {{{"If-Unmodified-Since", same_date}}, go_on, go_on},
      {{{"If-Unmodified-Since", later}}, go_on, go_on},
      {{{"If-Unmodified-Since", earlier}}, failed, failed},
      {{{"If-Unmodified-Since", "yesterday"}}, go_on, go_on},
      {{{"If-Unmodified-Since", earlier}, {"If-Unmodified-Since", later}}, go_on, go_on},
      // tags before dates
      {{{"If-None-Match", "\"v2\""}, {"If-Modified-Since", later}}, go_on, go_on},
      {{{"If-None-Match", "\"v1\""}, {"If-Modified-Since", earlier}}, unmodified, failed},
      {{{"If-None-Match", "oops"}, {"If-Modified-Since", later}}, go_on, failed},
      {{{"If-Match", "\"v1\""}, {"If-Unmodified-Since", earlier}}, go_on, go_on},
      {{{"If-Match", "\"v2\""}, {"If-Unmodified-Since", later}}, failed, failed},
      // first what guards, then what saves
      {{{"If-Match", "\"v1\""}, {"If-None-Match", "\"v1\""}}, unmodified, failed},
      {{{"If-Match", "\"v2\""}, {"If-None-Match", "\"v1\""}}, failed, failed},
      {{{"If-Unmodified-Since", later}, {"If-Modified-Since", later}}, unmodified, go_on},
      {{{"If-Unmodified-Since", earlier}, {"If-None-Match", "\"v1\""}}, failed, failed},
  };
  const validators current{.etag = strong_v1, .last_modified = modified};
  for (const auto& c : cases) {
    CAPTURE(c.lines);
    for (const method m : {method::get, method::head}) {
      CHECK(judge_preconditions(made_request(m, c.lines).view(), current) == c.get);
    }
    for (const method m : {method::put, method::post, method::delete_, method::patch}) {
      CHECK(judge_preconditions(made_request(m, c.lines).view(), current) == c.put);
    }
    for (const method m : {method::options, method::trace, method::connect}) {
      CHECK(judge_preconditions(made_request(m, c.lines).view(), current) == go_on);
    }
  }
}

TEST_CASE("a client creates only what is not there, and changes only what is") {
  const validators nothing{.etag = strong_v1, .last_modified = modified, .exists = false};
  const auto judge = [&](std::string_view name, std::string_view value) {
    return judge_preconditions(made_request(method::put, {{name, value}}).view(), nothing);
  };
  CHECK(judge("If-None-Match", "*") == precondition::proceed);
  CHECK(judge("If-None-Match", "\"v1\"") == precondition::proceed);
  CHECK(judge("If-Match", "*") == precondition::failed);
  CHECK(judge("If-Match", "\"v1\"") == precondition::failed);
  CHECK(judge("If-Unmodified-Since", earlier) == precondition::proceed);
}

TEST_CASE("dates do not count where no date is known") {
  const validators undated{.etag = strong_v1};
  const made_request reading(method::get, {{"If-Modified-Since", later}});
  CHECK(judge_preconditions(reading.view(), undated) == precondition::proceed);
  const made_request writing(method::put, {{"If-Unmodified-Since", earlier}});
  CHECK(judge_preconditions(writing.view(), undated) == precondition::proceed);
}

TEST_CASE("a two-digit year is judged without a clock") {
  const made_request made(method::get, {{"If-Modified-Since", "Thursday, 01-Jan-26 00:00:00 GMT"}});
  const auto judge = [&](std::int64_t when) {
    return judge_preconditions(made.view(), {.last_modified = when});
  };
  CHECK(judge(0) == precondition::not_modified);
  CHECK(judge(1'767'225'600) == precondition::not_modified);
  CHECK(judge(1'767'225'601) == precondition::proceed);
}

TEST_CASE("not_modified asks for one tag alone") {
  const auto ask = [](method m, std::string_view value) {
    return nen::not_modified(made_request(m, {{"If-None-Match", value}}).view(), strong_v1);
  };
  CHECK(ask(method::get, "\"v1\""));
  CHECK(ask(method::head, "W/\"v1\""));
  CHECK_FALSE(ask(method::get, "\"v2\""));
  CHECK_FALSE(ask(method::put, "\"v1\""));
}

TEST_CASE("conditions are answered, or the handler goes on") {
  const validators current{.etag = weak_v1, .last_modified = modified};
  const std::string lines = "ETag: W/\"v1\"\r\nLast-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n";
  const std::string of_text = "Content-Type: text/plain; charset=utf-8\r\nContent-Length: ";
  using nen::test::message;

  const made_request has_it(method::get, {{"If-None-Match", "\"v1\""}});
  CHECK(answer(has_it, current).bytes == message("304 Not Modified", lines));

  const made_request wants_it(method::get, {{"If-None-Match", "\"v0\""}});
  CHECK(answer(wants_it, current).bytes == message("200 OK", lines + of_text + "5\r\n", "whole"));

  const made_request guards(method::get, {{"If-Match", "\"v0\""}});
  const std::string refused =
      message("412 Precondition Failed", of_text + "19\r\n", "Precondition Failed");
  CHECK(answer(guards, current).bytes == refused);

  const made_request writes(method::put, {{"If-Match", "\"v0\""}});
  CHECK(answer(writes, {.etag = strong_v1}).bytes == refused);

  // The tag of what was there before is not that of what a PUT leaves.
  const made_request changes(method::put, {{"If-Match", "\"v1\""}});
  const std::string plain = message("200 OK", of_text + "5\r\n", "whole");
  CHECK(answer(changes, {.etag = strong_v1}).bytes == plain);
  CHECK(answer(made_request(method::get), {.etag = strong_v1, .exists = false}).bytes == plain);
}

TEST_CASE("any bytes in a list of tags are judged") {
  std::mt19937 random(9110);
  constexpr std::string_view alphabet = "\"\"\"v1W/,, *\t\xFF";
  std::size_t seen[4] = {};
  for (int round = 0; round < 100'000; ++round) {
    std::string text;
    for (auto pieces = random() % 6; pieces > 0; --pieces) {
      const auto kind = random() % 8;
      if (kind < 3) text += kind == 0 ? "\"v1\"" : kind == 1 ? "W/\"v1\"" : "\"v2\"";
      if (kind > 2 && kind < 6) text += ",";
      if (kind >= 6) text += alphabet[random() % alphabet.size()];
    }
    const made_request made(method::get, {{"If-None-Match", text}});
    const auto judged = compare_tags(made.view().fields(), "If-None-Match", {.etag = strong_v1},
                                     nen::tag_comparison::weak);
    ++seen[static_cast<std::size_t>(judged)];
    if (judged == tag_list::matches) {
      REQUIRE((text.find("\"v1\"") != std::string::npos || text.find('*') != std::string::npos));
    }

    const std::vector<char> bytes(text.begin(), text.end());
    std::string_view rest(bytes.data(), bytes.size());
    if (const auto tag = entity_tag::take(rest)) {
      REQUIRE(std::string(tag->text()).append(rest) == text);
      REQUIRE(entity_tag::parse(tag->text()));
    } else {
      REQUIRE(rest.size() == text.size());
    }
  }
  CHECK(seen[static_cast<std::size_t>(tag_list::absent)] == 0);
  CHECK(seen[static_cast<std::size_t>(tag_list::matches)] > 1000);
  CHECK(seen[static_cast<std::size_t>(tag_list::differs)] > 1000);
  CHECK(seen[static_cast<std::size_t>(tag_list::malformed)] > 1000);
}
