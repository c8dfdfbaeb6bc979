// Tests of http/parser.hpp as its callers use it: pipelining, limits, moving, and memory.
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "http/parser_driver.hpp"
#include "support/catch.hpp"

namespace {

using nen::parse_limits;
using nen::parse_result;
using nen::parse_status;
using nen::test::answer_of;
using nen::test::exact_bytes;
using nen::test::first_difference;
using nen::test::usual_limits;

const std::string get = "GET /abc HTTP/1.1\r\nHost: h\r\n\r\n";

std::string with_fields(int count) {
  std::string text = "GET / HTTP/1.1\r\nHost: h\r\n";
  for (int i = 1; i < count; ++i) text += "F: v\r\n";
  return text + "\r\n";
}

/// The parts of what the parser says that a caller goes by.
std::string summary(const nen::request& r) {
  return std::string(to_string(r.method())) + " " + std::string(r.path()) + " " +
         std::to_string(r.fields().size()) + " [" + std::string(r.body()) + "]";
}

}  // namespace

TEST_CASE("pipelined requests come one by one and know nothing of each other") {
  const std::string input =
      "POST /1 HTTP/1.1\r\nHost: a\r\nX-Only-First: 1\r\nConnection: close\r\n"
      "Content-Length: 3\r\n\r\nabc"
      "GET /2 HTTP/1.1\r\nHost: b\r\n\r\n\r\n"
      "PUT /3 HTTP/1.1\r\nHost: c\r\nTransfer-Encoding: chunked\r\n\r\n"
      "2\r\nde\r\n1\r\nf\r\n0\r\nT: t\r\n\r\n"
      "GET /4 HTTP/1.0\r\n\r\n";
  const std::vector<std::string> wanted = {"POST /1 4 [abc]", "GET /2 1 []", "PUT /3 2 [def]",
                                           "GET /4 0 []"};
  // The input comes in two reads; the second one follows the first in memory.
  for (std::size_t cut = 0; cut <= input.size(); ++cut) {
    exact_bytes bytes(input);
    std::vector<std::string> seen;
    nen::test::parser p;
    p.start(bytes.begin(), usual_limits);
    char* at = bytes.begin();
    for (char* const end : {bytes.begin() + cut, bytes.end()}) {
      while (at != end) {
        const parse_result r = p.feed(at, end);
        REQUIRE(r.status != parse_status::rejected);
        at += r.consumed;
        if (r.status == parse_status::message_complete) {
          seen.push_back(summary(p.message()));
          if (seen.size() == 2) CHECK_FALSE(p.message().field("X-Only-First").has_value());
          if (seen.size() == 2) CHECK(p.message().keep_alive());
          if (seen.size() == 4) CHECK(p.message().host().empty());
          p.start(at, usual_limits);
          CHECK(p.at_start());
        }
      }
    }
    CAPTURE(cut);
    CHECK(seen == wanted);
  }
}

TEST_CASE("the limits hold at exactly their value") {
  struct row {
    std::string what, input;
    parse_limits limits;
    int answer;
  };
  const auto size = static_cast<std::uint32_t>(get.size());
  std::vector<row> rows = {
      {"head at its limit", get, {size, 16, 128, 0}, 200},
      {"head one above", get, {size - 1, 16, 128, 0}, 431},
      {"more bytes than the limit behind a complete head", get + get, {size, 16, 128, 0}, 200},
      {"an incomplete head at its limit", get.substr(0, 20), {20, 16, 128, 0}, 431},
      {"an incomplete head below it", get.substr(0, 19), {20, 16, 128, 0}, 0},
      {"empty lines count", "\r\n" + get, {size + 1, 16, 128, 0}, 431},
      {"empty lines at the limit", "\r\n" + get, {size + 2, 16, 128, 0}, 200},
      {"nothing but empty lines", "\r\n\r\n\r\n\r\n", {8, 16, 128, 0}, 431},
      {"fields at their limit", with_fields(5), {1024, 5, 128, 0}, 200},
      {"one field above", with_fields(6), {1024, 5, 128, 0}, 431},
      {"fields at the table's size", with_fields(16), {1024, 99, 128, 0}, 200},
      {"one field above the table", with_fields(17), {1024, 99, 128, 0}, 431},
      {"no field allowed", with_fields(1), {1024, 0, 128, 0}, 431},
      {"too many fields and a bad one", with_fields(6) + "A", {1024, 5, 128, 0}, 431},
      {"target at its limit", get, {1024, 16, 4, 0}, 200},
      {"target one above", get, {1024, 16, 3, 0}, 414},
      {"a long target without an end", "GET /abc", {1024, 16, 3, 0}, 414},
      {"a bad byte within the limit", "GET /ab\x01 HTTP/1.1\r\n", {1024, 16, 4, 0}, 400},
      {"a bad byte behind the limit", "GET /abc\x01 HTTP/1.1\r\n", {1024, 16, 3, 0}, 414},
      {"a bad method goes before a long target", "GETX /abcdef", {1024, 16, 3, 0}, 501},
      {"a long target goes before a bad version", "GET /abcd HTTP/3.0\r\n", {1024, 16, 3, 0}, 414},
      {"a bad byte at the head's limit", "GET / HTTP/1.1\r\n\x01", {17, 16, 128, 0}, 400},
      {"a bad byte behind the head's limit", "GET / HTTP/1.1\r\n\x01", {16, 16, 128, 0}, 431},
      {"a method cut off by the head's limit", "BREWBREW / ", {8, 16, 128, 0}, 431}};
  for (const row& r : rows) {
    CAPTURE(r.what);
    CHECK(answer_of(r.input, r.limits) == r.answer);
    CHECK(first_difference(r.input, r.limits) == "");
  }
}

TEST_CASE("the largest head that 16 bits can hold is read to its last byte") {
  const parse_limits limits{65'535, 16, 65'535, 0};
  const std::string rest = " HTTP/1.1\r\nHost: h\r\nLast: v\r\n\r\n";
  const std::string target = "/" + std::string(65'535 - 5 - rest.size(), 't');
  const std::string input = "GET " + target + rest;
  REQUIRE(input.size() == 65'535);
  exact_bytes bytes(input);
  nen::test::parser p;
  p.start(bytes.begin(), limits);
  CHECK(p.feed(bytes.begin(), bytes.end()).status == parse_status::message_complete);
  CHECK(p.message().path() == target);
  CHECK(p.message().field("last") == "v");
  CHECK(answer_of("GET " + target + "t" + rest, limits) == 431);
}

TEST_CASE("a refused message stays refused until the next start") {
  exact_bytes bad("GET / HTTP/1.1\r\n\r\n");
  nen::test::parser p;
  p.start(bad.begin(), usual_limits);
  for (int i = 0; i < 2; ++i) {
    const parse_result r = p.feed(bad.begin(), bad.end());
    CHECK(r.status == parse_status::rejected);
    CHECK(r.answer == nen::status::bad_request);
    CHECK(r.consumed == 0);
  }
  exact_bytes good(get);
  p.start(good.begin(), usual_limits);
  CHECK(p.feed(good.begin(), good.end()).status == parse_status::message_complete);
  CHECK(summary(p.message()) == "GET /abc 1 []");
}

TEST_CASE("a moved message goes on in another parser with a smaller table") {
  const std::string input = "POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody";
  for (std::size_t cut = 0; cut < input.size(); ++cut) {
    CAPTURE(cut);
    exact_bytes first(input.substr(0, cut));
    exact_bytes all(input);
    nen::request_parser_with<16> a;
    nen::request_parser_with<2> b;
    a.start(first.begin(), usual_limits);
    parse_result r = a.feed(first.begin(), first.end());
    std::size_t consumed = r.consumed;
    if (r.status == parse_status::head_complete) {
      r = a.feed(first.begin() + consumed, first.end());
      consumed += r.consumed;
    }
    REQUIRE(r.status == parse_status::need_more);
    REQUIRE(consumed == cut);
    a.move_to(b, all.begin());
    std::fill(first.begin(), first.end(), '#');
    a.start(first.begin(), usual_limits);  // the first one is free for another connection
    r = b.feed(all.begin() + cut, all.end());
    if (r.status == parse_status::head_complete) {
      r = b.feed(all.begin() + cut + r.consumed, all.end());
    }
    REQUIRE(r.status == parse_status::message_complete);
    CHECK(summary(b.message()) == "POST /p 2 [body]");
    CHECK(b.message().body().data() == all.end() - 4);
  }
}

TEST_CASE("nothing is read past the end of the input") {
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  char* const memory = static_cast<char*>(
      mmap(nullptr, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  REQUIRE(memory != MAP_FAILED);
  REQUIRE(mprotect(memory + page, page, PROT_NONE) == 0);
  const std::string inputs[] = {
      get,
      "GET /\r\n\r\n",
      "BREW / HTTP/1.1",
      "GET / HTTP/3.0\r\n",
      "GET / HTTP/1.1\r\nA: b\n\n",
      "\r\n\r",
      "GET http://h/ HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
      "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"};
  for (const std::string& input : inputs) {
    for (std::size_t size = 0; size <= input.size(); ++size) {
      char* const begin = memory + page - size;
      std::memcpy(begin, input.data(), size);
      nen::test::parser p;
      p.start(begin, usual_limits);
      parse_result r = p.feed(begin, memory + page);
      if (r.status == parse_status::head_complete) r = p.feed(begin + r.consumed, memory + page);
      const bool is_over = r.status != parse_status::need_more;
      CHECK(is_over == (answer_of(std::string_view(input).substr(0, size)) != 0));
    }
  }
  munmap(memory, 2 * page);
}

TEST_CASE("every prefix of a good message needs more") {
  const std::string input =
      "\r\nOPTIONS * HTTP/1.1\r\nHost: [::1]:80\r\nExpect: 100-continue\r\nTransfer-Encoding: "
      "chunked\r\n\r\n3;x=\"y\"\r\nabc\r\n0\r\nT: v\r\n\r\n";
  for (std::size_t size = 0; size < input.size(); ++size) {
    CAPTURE(size);
    CHECK(answer_of(std::string_view(input).substr(0, size)) == 0);
  }
  CHECK(answer_of(input) == 200);
}

TEST_CASE("random damage never depends on where the input is cut") {
  const std::string seeds[] = {
      get, "POST /x?y HTTP/1.1\r\nHost: h:1\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc",
      "PUT http://h/ HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: "
      "chunked\r\n\r\n2;a=b\r\nde\r\n0\r\nT: t\r\n\r\n"};
  constexpr std::string_view damage(
      "\r\n\t :;,/*?#%\0\x7f\x80"
      "0aAH1",
      20);
  std::uint32_t random = 12'345;
  const auto next = [&random](std::size_t below) {
    random = random * 1'664'525U + 1'013'904'223U;
    return static_cast<std::size_t>(random >> 8) % below;
  };
  for (int round = 0; round < 400; ++round) {
    std::string input = seeds[next(3)];
    for (std::size_t edits = 1 + next(3); edits > 0; --edits) {
      const std::size_t at = next(input.size());
      const char c = damage[next(damage.size())];
      switch (next(3)) {
        case 0:
          input[at] = c;
          break;
        case 1:
          input.insert(at, 1, c);
          break;
        default:
          input.erase(at, 1);
          break;
      }
    }
    CAPTURE(round, input);
    CHECK(first_difference(input) == "");
  }
}
