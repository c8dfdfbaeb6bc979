// Tests of bodies as http/parser.hpp reads them: by Content-Length, chunked, in place and
// elsewhere.
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "http/parser_driver.hpp"
#include "support/catch.hpp"

namespace {

using nen::parse_result;
using nen::parse_status;
using nen::test::answer_of;
using nen::test::exact_bytes;
using nen::test::first_difference;
using nen::test::run_whole;
using nen::test::usual_limits;

constexpr std::string_view chunked_head =
    "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";

std::string chunked(std::string_view body) { return std::string(chunked_head) + std::string(body); }

std::string sized(std::size_t size) {
  return "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n" +
         std::string(size, 'x');
}

/// What run_whole says for a chunked message with this content and these trailers.
std::string understood(const std::string& input, const std::string& content, std::size_t behind,
                       std::string_view trailers = {}) {
  return "POST target=/ path=/ query= 1.1 host=h {Host=h} {Transfer-Encoding=chunked} keep-alive "
         "chunked" +
         std::string(trailers) + " body=" + content +
         " head_bytes=" + std::to_string(chunked_head.size()) +
         " consumed=" + std::to_string(input.size() - behind);
}

}  // namespace

TEST_CASE("a body has the bytes that Content-Length says and no more") {
  const std::string input =
      "PUT /x HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhelloGET / HTTP/1.1\r\n";
  CHECK(run_whole(input) ==
        "PUT target=/x path=/x query= 1.1 host=h {Host=h} {Content-Length=5} keep-alive length=5 "
        "body=hello head_bytes=47 consumed=52");
  CHECK(first_difference(input) == "");
  CHECK(answer_of(input.substr(0, 51)) == 0);
}

TEST_CASE("chunks are joined, and what follows the last one is left alone") {
  struct row {
    std::string_view body, content;
    std::size_t behind;
    std::string_view trailers = {};
  };
  const row rows[] = {
      {"0\r\n\r\n", "", 0},
      {"5\r\nhello\r\n0\r\n\r\n", "hello", 0},
      {"1\r\nh\r\n2\r\nel\r\n00002\r\nlo\r\n000\r\n\r\nGET / HTTP", "hello", 10},
      {"A\r\n0123456789\r\na\r\nabcdefghij\r\n0\r\n\r\n", "0123456789abcdefghij", 0},
      {"2\r\n\r\n\r\n0\r\n\r\n", "\r\n", 0},
      {"1;a\r\nx\r\n1;b=c;d=\"e;f\\\"\"\r\ny\r\n0;z\r\n\r\n", "xy", 0},
      {"1\r\nx\r\n0\r\nTrailer: t\r\nContent-Length: 7\r\nEmpty:\r\n\r\nG", "x", 1,
       " trailer {Empty=}"},
      {"0000000000000001\r\nx\r\n0\r\n\r\n", "x", 0}};
  for (const row& r : rows) {
    const std::string input = chunked(r.body);
    CAPTURE(input);
    CHECK(run_whole(input) == understood(input, std::string(r.content), r.behind, r.trailers));
    CHECK(first_difference(input) == "");
  }
}

TEST_CASE("chunked coding that is not to the letter is 400") {
  const std::string_view bodies[] = {"\r\n",
                                     "g\r\n",
                                     " 1\r\nx\r\n0\r\n\r\n",
                                     "1 \r\nx\r\n0\r\n\r\n",
                                     "1 ;a\r\nx\r\n0\r\n\r\n",
                                     "0x1\r\nx\r\n0\r\n\r\n",
                                     "-1\r\nx\r\n0\r\n\r\n",
                                     "+1\r\nx\r\n0\r\n\r\n",
                                     "1\nx\r\n0\r\n\r\n",
                                     "1\r\nx\n0\r\n\r\n",
                                     "1\r\nxy\r\n0\r\n\r\n",
                                     "1\rx\r\n0\r\n\r\n",
                                     "2\r\nx\r\n0\r\n\r\n",
                                     "1;a\nx\r\n0\r\n\r\n",
                                     "1;a\rb\r\nx\r\n0\r\n\r\n",
                                     "1;\x01\r\nx\r\n0\r\n\r\n",
                                     "00000000000000001\r\nx\r\n0\r\n\r\n",
                                     "10000000000000000\r\nx\r\n0\r\n\r\n",
                                     "0\r\n\n",
                                     "0\r\nA: b\n\r\n",
                                     "0\r\nA: b\r\n c\r\n\r\n",
                                     "0\r\nA : b\r\n\r\n",
                                     "0\r\n: b\r\n\r\n",
                                     "0\r\nA\r\n\r\n",
                                     "0\r\nA: \x7f\r\n\r\n",
                                     "0\r\nA: b\rc\r\n\r\n",
                                     "0\r\n\rX"};
  for (const std::string_view body : bodies) {
    const std::string input = chunked(body);
    CAPTURE(input);
    CHECK(answer_of(input) == 400);
    CHECK(first_difference(input) == "");
  }
}

TEST_CASE("body_bytes_max holds for both framings, at exactly the limit") {
  const auto max = static_cast<std::size_t>(usual_limits.body_bytes_max);
  CHECK(answer_of(sized(max)) == 200);
  CHECK(answer_of(sized(max + 1)) == 413);
  CHECK(answer_of(sized(max + 1).substr(0, 60)) == 413);  // known as soon as the head is
  CHECK(first_difference(sized(max)) == "");
  CHECK(first_difference(sized(max + 1)) == "");

  const std::string most = "100\r\n" + std::string(max, 'x') + "\r\n0\r\n\r\n";
  const std::string two = "80\r\n" + std::string(128, 'x') + "\r\n80\r\n" + std::string(128, 'y');
  CHECK(answer_of(chunked(most)) == 200);
  CHECK(answer_of(chunked("101\r\n")) == 413);
  CHECK(answer_of(chunked(two + "\r\n0\r\n\r\n")) == 200);
  CHECK(answer_of(chunked(two + "\r\n1\r\nz")) == 413);
  CHECK(answer_of(chunked("FFFFFFFFFFFFFFFF\r\n")) == 413);
  CHECK(answer_of(chunked("1\r\nx\r\nFFFFFFFFFFFFFFFF\r\n")) == 413);
  CHECK(first_difference(chunked(two + "\r\n1\r\nz")) == "");
}

TEST_CASE("head, extensions and trailers together are capped") {
  nen::parse_limits limits = usual_limits;
  limits.head_bytes_max = 100 + static_cast<std::uint32_t>(chunked_head.size());
  // ";" and the extension, and "T:" and the value and CRLF: 100 bytes in all, then 101.
  const std::string extension = ";" + std::string(49, 'e');
  const std::string at_most =
      chunked("1" + extension + "\r\nx\r\n0\r\nT:" + std::string(46, 'v') + "\r\n\r\n");
  const std::string too_much =
      chunked("1" + extension + "\r\nx\r\n0\r\nT:" + std::string(47, 'v') + "\r\n\r\n");
  const std::string trailer_only = chunked("0\r\nT:" + std::string(96, 'v') + "\r\n\r\n");
  CHECK(answer_of(at_most, limits) == 200);
  CHECK(answer_of(too_much, limits) == 431);
  CHECK(answer_of(trailer_only, limits) == 200);
  CHECK(first_difference(at_most, limits) == "");
  CHECK(first_difference(too_much, limits) == "");
  CHECK(first_difference(trailer_only, limits) == "");
  CHECK(answer_of(chunked("1;" + std::string(100, 'e')), limits) == 431);
  CHECK(answer_of(chunked("1;" + std::string(99, 'e')), limits) == 0);
  // What is wrong behind the limit is not seen, however the bytes come.
  CHECK(first_difference(chunked("0\r\nT:" + std::string(97, 'v') + "\n"), limits) == "");
  // Plain chunk lines are not counted, however many there are.
  limits.head_bytes_max = static_cast<std::uint32_t>(chunked_head.size());
  std::string many;
  for (int i = 0; i < 200; ++i) many += "1\r\nx\r\n";
  CHECK(answer_of(chunked(many + "0\r\n\r\n"), limits) == 200);
  CHECK(answer_of(chunked("0\r\nT"), limits) == 431);
  CHECK(first_difference(chunked("1\r\nx\r\n0\r\n\r\n"), limits) == "");
}

TEST_CASE("a body can be sent elsewhere in its middle, from buffers that do not touch") {
  exact_bytes first(chunked("3\r\nabc\r\n4\r\nd"));
  exact_bytes second("ef");
  exact_bytes third("g\r\n2\r\nhi\r\n0\r\n\r\nrest");
  std::vector<char> body(9, '#');
  nen::test::parser p;
  p.start(first.begin(), usual_limits);
  parse_result r = p.feed(first.begin(), first.end());
  REQUIRE(r.status == parse_status::head_complete);
  CHECK(r.consumed == chunked_head.size());
  CHECK(p.in_body());
  CHECK(p.head().chunked);
  r = p.feed(first.begin() + r.consumed, first.end());
  REQUIRE(r.status == parse_status::need_more);
  CHECK(p.message().body() == "abcd");

  p.body_into(body.data(), body.size());
  CHECK(p.message().body() == "abcd");
  r = p.feed(second.begin(), second.end());
  REQUIRE(r.status == parse_status::need_more);
  CHECK(r.consumed == 2);
  r = p.feed(third.begin(), third.end());
  REQUIRE(r.status == parse_status::message_complete);
  CHECK(r.consumed == 15);
  CHECK_FALSE(p.in_body());
  CHECK(p.message().body() == "abcdefghi");
  CHECK(p.message().body().data() == body.data());
  CHECK(p.message().host() == "h");
}

TEST_CASE("a body that outgrows the caller's buffer is 413, and the buffer's end is kept") {
  const std::string inputs[] = {chunked("3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n"), sized(6)};
  for (const std::string& input : inputs) {
    for (const std::size_t capacity : {std::size_t{5}, std::size_t{6}}) {
      exact_bytes bytes(input);
      exact_bytes body(std::string(capacity, '#'));
      nen::test::parser p;
      p.start(bytes.begin(), usual_limits);
      parse_result r = p.feed(bytes.begin(), bytes.end());
      REQUIRE(r.status == parse_status::head_complete);
      p.body_into(body.begin(), capacity);
      r = p.feed(bytes.begin() + r.consumed, bytes.end());
      if (capacity == 5) {
        CHECK(r.status == parse_status::rejected);
        CHECK(r.answer == nen::status::content_too_large);
      } else {
        CHECK(r.status == parse_status::message_complete);
        CHECK(p.message().body().size() == 6);
      }
    }
  }
}

TEST_CASE("a body that comes after its head's read is a view of where it came, without a copy") {
  const std::string input = sized(5);
  exact_bytes head(input.substr(0, input.size() - 5));
  exact_bytes body("hello");
  nen::test::parser p;
  p.start(head.begin(), usual_limits);
  parse_result r = p.feed(head.begin(), head.end());
  REQUIRE(r.status == parse_status::head_complete);
  r = p.feed(head.end(), head.end());
  CHECK(r.status == parse_status::need_more);
  r = p.feed(body.begin(), body.end());
  REQUIRE(r.status == parse_status::message_complete);
  CHECK(p.message().body().data() == body.begin());
  CHECK(p.message().body() == "hello");
}
