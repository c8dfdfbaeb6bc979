// Tests of trailer fields: which are shown, where they are kept, and how many there may be.
#include <nen/http/trailers.hpp>

#include <cstring>
#include <string>
#include <string_view>

#include "http/parser_driver.hpp"
#include "support/catch.hpp"

namespace {

using nen::parse_status;
using nen::request;
using nen::test::answer_of;
using nen::test::exact_bytes;
using nen::test::first_difference;
using nen::test::run_whole;
using nen::test::usual_limits;

constexpr std::string_view chunked_head =
    "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";

std::string with_trailers(std::string_view lines) {
  return std::string(chunked_head) + "3\r\nabc\r\n2\r\nde\r\n0\r\n" + std::string(lines) + "\r\n";
}

/// The trailers as parser_driver describes them.
std::string trailers_of(const std::string& input) {
  const std::string all = run_whole(input);
  const std::size_t begin = all.find(" trailer ");
  const std::size_t end = all.find(" body=abcde");
  REQUIRE(end != std::string::npos);
  return begin == std::string::npos ? "" : all.substr(begin, end - begin);
}

std::string times(std::size_t count, std::string_view text) {
  std::string all;
  while (count-- != 0) all += text;
  return all;
}

}  // namespace

TEST_CASE("trailer fields are shown as they came, wherever the input was cut") {
  struct row {
    std::string_view lines, shown;
  };
  const row rows[] = {
      {"", ""},
      {"A: b\r\n", " trailer {A=b}"},
      {"a:b\r\n", " trailer {a=b}"},
      {"A: b\r\nB:\r\nA:c \t\r\n", " trailer {A=b} trailer {B=} trailer {A=c}"},
      {"A: \t \r\n", " trailer {A=}"},
      {"A: b: c, \"d\" \r\n", " trailer {A=b: c, \"d\"}"},
      {"A: \xc3\xa9\r\n", " trailer {A=\xc3\xa9}"},
      {"Content-Digest: sha-256=:aGk=:\r\nServer-Timing: a\r\n",
       " trailer {Content-Digest=sha-256=:aGk=:} trailer {Server-Timing=a}"},
      {"Host: other\r\nX: 1\r\ncontent-LENGTH: 9\r\nY: 2\r\nIf-Match: *\r\n",
       " trailer {X=1} trailer {Y=2}"},
      {"Trailer: x\r\n", ""},
      {"If: x\r\nIf-: y\r\nHosts: z\r\nT: q\r\n",
       " trailer {If=x} trailer {Hosts=z} trailer {T=q}"},
  };
  for (const row& r : rows) {
    const std::string input = with_trailers(r.lines);
    CAPTURE(input);
    CHECK(trailers_of(input) == r.shown);
    CHECK(first_difference(input) == "");
    CHECK(first_difference(input + "GET / HTTP/1.1\r\n") == "");
  }
}

TEST_CASE("fields that have to be known before the content are not shown behind it") {
  const std::string_view names[] = {"Authorization",
                                    "Cache-Control",
                                    "Connection",
                                    "Content-Encoding",
                                    "Content-Range",
                                    "Content-Length",
                                    "Content-Type",
                                    "Cookie",
                                    "Expect",
                                    "Host",
                                    "If-Match",
                                    "If-None-Match",
                                    "If-Range",
                                    "If-Modified-Since",
                                    "If-Unmodified-Since",
                                    "Keep-Alive",
                                    "Max-Forwards",
                                    "Pragma",
                                    "Proxy-Authorization",
                                    "Proxy-Connection",
                                    "Range",
                                    "TE",
                                    "Trailer",
                                    "Transfer-Encoding",
                                    "Upgrade",
                                    "hOST"};
  for (const std::string_view name : names) {
    CAPTURE(name);
    CHECK_FALSE(nen::detail::may_be_trailer(name));
    CHECK(trailers_of(with_trailers(std::string(name) + ": x\r\n")) == "");
    CHECK(nen::detail::may_be_trailer(std::string(name) + "x") == (name.substr(0, 3) != "If-"));
    CHECK(nen::detail::may_be_trailer("X-" + std::string(name)));
  }
}

TEST_CASE("trailer fields are not among the fields, nor do they steer the message") {
  exact_bytes input(with_trailers("Connection: close\r\nX-Sum: 5\r\nHost: evil\r\n"));
  nen::test::parser p;
  p.start(input.begin(), usual_limits);
  nen::parse_result r = p.feed(input.begin(), input.end());
  REQUIRE(r.status == parse_status::head_complete);
  CHECK(p.message().trailers().empty());
  r = p.feed(input.begin() + r.consumed, input.end());
  REQUIRE(r.status == parse_status::message_complete);
  const request message = p.message();
  CHECK(message.fields().size() == 2);
  CHECK_FALSE(message.field("X-Sum").has_value());
  CHECK(message.host() == "h");
  CHECK(message.keep_alive());
  CHECK(message.trailers().size() == 1);
  CHECK(message.trailers().find("x-sum") == "5");
  CHECK_FALSE(message.trailers().find("Host").has_value());
}

TEST_CASE("a request without a chunked body has no trailers") {
  for (const std::string_view text :
       {"GET / HTTP/1.1\r\nHost: h\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nab"}) {
    exact_bytes input(text);
    nen::test::parser p;
    std::memset(static_cast<void*>(&p), 0xa5, sizeof p);
    p.start(input.begin(), usual_limits);
    nen::parse_result r = p.feed(input.begin(), input.end());
    if (r.status == parse_status::head_complete)
      r = p.feed(input.begin() + r.consumed, input.end());
    REQUIRE(r.status == parse_status::message_complete);
    CHECK(p.message().trailers().empty());
  }
}

TEST_CASE("the lines of head and trailers together are at most fields_max") {
  const std::size_t most = usual_limits.fields_max - 2u;  // the head has two
  struct row {
    std::string lines;
    int answer;
  };
  const row rows[] = {
      {times(most, "A:\r\n"), 200},
      {times(most + 1, "A:\r\n"), 431},
      {times(most - 1, "A:\r\n") + "Host: x\r\n", 200},
      {times(most, "A:\r\n") + "Host: x\r\n", 431},  // not shown, but a line all the same
      {times(most + 1, "TE:\r\n"), 431},
      {times(100, "A:\r\n"), 431},
      {times(most + 1, "A:\r\n") + "bad\r\n", 400},
  };
  for (const row& r : rows) {
    const std::string input = with_trailers(r.lines);
    CAPTURE(input);
    CHECK(answer_of(input) == r.answer);
    CHECK(first_difference(input) == "");
  }
}

TEST_CASE("trailers that were read in place go with a message that is moved out") {
  exact_bytes input(with_trailers("A: b\r\nHost: x\r\nC: d\r\n"));
  nen::test::parser from;
  from.start(input.begin(), usual_limits);
  nen::parse_result r = from.feed(input.begin(), input.end());
  REQUIRE(r.status == parse_status::head_complete);
  r = from.feed(input.begin() + r.consumed, input.end());
  REQUIRE(r.status == parse_status::message_complete);

  const std::size_t head_bytes = from.head().head_bytes;
  exact_bytes head(std::string(usual_limits.head_bytes_max, '#'));
  exact_bytes body(std::string(5, '#'));
  std::memcpy(head.begin(), input.begin(), head_bytes);
  from.body_into(body.begin(), 5);
  from.trailers_into(head.begin() + head_bytes);
  nen::test::parser to;
  from.move_to(to, head.begin());
  std::memset(input.begin(), 'X', static_cast<std::size_t>(input.end() - input.begin()));
  std::memset(static_cast<void*>(&from), 0xa5, sizeof from);
  const request message = to.message();
  CHECK(message.host() == "h");
  CHECK(message.body() == "abcde");
  CHECK(message.trailers().size() == 2);
  CHECK(message.trailers()[0].name == "A");
  CHECK(message.trailers().find("C") == "d");
}

TEST_CASE("trailers outlive the parts of a streamed body, whose bytes are taken away") {
  const std::string text = with_trailers("First: 1\r\nSecond: 22\r\n");
  for (std::size_t step = 1; step < 12; ++step) {
    CAPTURE(step);
    exact_bytes head(std::string(usual_limits.head_bytes_max, '#'));
    std::memcpy(head.begin(), text.data(), chunked_head.size());
    nen::test::parser p;
    p.start(head.begin(), usual_limits);
    nen::parse_result r = p.feed(head.begin(), head.begin() + chunked_head.size());
    REQUIRE(r.status == parse_status::head_complete);
    p.stream_body();
    p.trailers_into(head.begin() + chunked_head.size());
    std::string content;
    for (std::size_t at = chunked_head.size(); at < text.size(); at += step) {
      exact_bytes part(text.substr(at, step));
      r = p.feed(part.begin(), part.end());
      REQUIRE(r.status != parse_status::rejected);
      content += p.message().body();
      CHECK(p.message().trailers().empty() == (r.status == parse_status::need_more));
      p.drop_body();
    }
    REQUIRE(r.status == parse_status::message_complete);
    CHECK(content == "abcde");
    CHECK(p.message().trailers().find("First") == "1");
    CHECK(p.message().trailers().find("Second") == "22");
  }
}
