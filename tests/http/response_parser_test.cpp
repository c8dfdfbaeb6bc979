// Tests of http/response_parser.hpp: heads, what follows them, and how they are taken.
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "http/response_driver.hpp"
#include "support/catch.hpp"
#include "support/death.hpp"

namespace {

using nen::method;
using nen::response_fault;
using nen::response_step;
using nen::test::answering_to;
using nen::test::cut_difference;
using nen::test::exact_bytes;
using nen::test::fault_of;
using nen::test::reading;
using nen::test::receive;
using nen::test::usual_response_limits;

const std::string bare = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

/// @returns the outcome in one piece, after it was seen to be the same in all others
reading same_in_all_pieces(std::string_view input, const answering_to& how = {}) {
  CHECK(cut_difference(input, how) == "");
  return receive(input, how);
}

}  // namespace

TEST_CASE("a response's head is read to the letter") {
  struct row {
    std::string_view input, text;
  };
  const row rows[] = {
      {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "200 'OK' 1.1 {Content-Length=0}"},
      {"HTTP/1.0 404 Not Found\r\nContent-Length: 0\r\n\r\n",
       "404 'Not Found' 1.0 {Content-Length=0}"},
      {"HTTP/1.1 204 \r\n\r\n", "204 '' 1.1"},
      {"HTTP/1.1 204\r\n\r\n", "204 '' 1.1"},
      {"HTTP/1.1 204  two  spaces \r\n\r\n", "204 ' two  spaces ' 1.1"},
      {"HTTP/1.1 304 \xc3\xa4\t\r\nE:\r\nF: \t\r\nG:  g\th \t\r\n\r\n",
       "304 '\xc3\xa4\t' 1.1 {E=} {F=} {G=g\th}"},
      {"HTTP/1.1 999 None\r\nContent-Length: 0\r\n\r\n", "999 'None' 1.1 {Content-Length=0}"},
      {"HTTP/1.1 100 Continue\r\n\r\n", "100 'Continue' 1.1 interim"},
      {"HTTP/1.1 103 \r\nLink: </a>\r\n\r\n", "103 '' 1.1 {Link=</a>} interim"},
      {"HTTP/1.1 101 \r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n",
       "101 '' 1.1 {Upgrade=x} {Connection=Upgrade} upgrade"},
      {"HTTP/1.1 204 a\r\nUpgrade: x\r\n\r\n", "204 'a' 1.1 {Upgrade=x}"},
  };
  for (const row& r : rows) {
    CAPTURE(std::string(r.input));
    const reading seen = same_in_all_pieces(r.input);
    CHECK(seen.step == response_step::message_complete);
    CHECK(seen.text == r.text);
    CHECK(seen.consumed == r.input.size());
  }
}

TEST_CASE("a head that is not to the letter is refused") {
  struct row {
    std::string_view input;
    response_fault fault;
  };
  constexpr response_fault malformed = response_fault::malformed_head;
  constexpr response_fault version = response_fault::unsupported_version;
  using namespace std::string_view_literals;
  const row rows[] = {
      {"\r\nHTTP/1.1 204 \r\n\r\n", malformed},
      {"\nHTTP/1.1 204 \r\n\r\n", malformed},
      {" HTTP/1.1 204 \r\n\r\n", malformed},
      {"http/1.1 204 \r\n\r\n", malformed},
      {"HTPP/1.1 204 \r\n\r\n", malformed},
      {"ICY 200 OK\r\n\r\n", malformed},
      {"GET / HTTP/1.1\r\n\r\n", malformed},
      {"HEAD / HTTP/1.1\r\n\r\n", malformed},
      {"HTTP1.1 204 \r\n\r\n", malformed},
      {"HTTP/x.1 204 \r\n\r\n", malformed},
      {"HTTP/1,1 204 \r\n\r\n", malformed},
      {"HTTP/1.x 204 \r\n\r\n", malformed},
      {"HTTP/11.1 204 \r\n\r\n", malformed},
      {"HTTP/1.11 204 \r\n\r\n", malformed},
      {"HTTP/1.1  204 \r\n\r\n", malformed},
      {"HTTP/1.1\t204 \r\n\r\n", malformed},
      {"HTTP/1.1\r\n\r\n", malformed},
      {"HTTP/1.1 \r\n\r\n", malformed},
      {"HTTP/1.1 20 OK\r\n\r\n", malformed},
      {"HTTP/1.1 2000 OK\r\n\r\n", malformed},
      {"HTTP/1.1 099 OK\r\n\r\n", malformed},
      {"HTTP/1.1 000 OK\r\n\r\n", malformed},
      {"HTTP/1.1 -20 OK\r\n\r\n", malformed},
      {"HTTP/1.1 204OK\r\n\r\n", malformed},
      {"HTTP/1.1 204\tOK\r\n\r\n", malformed},
      {"HTTP/1.1 204 a\x01\r\n\r\n", malformed},
      {"HTTP/1.1 204 a\0b\r\n\r\n"sv, malformed},
      {"HTTP/1.1 204 a\x7f\r\n\r\n", malformed},
      {"HTTP/1.1 204 a\rb\r\n\r\n", malformed},
      {"HTTP/1.1 204 \n\r\n", malformed},
      {"HTTP/1.1 204 \n\n", malformed},
      {"HTTP/1.1 204\n\r\n", malformed},
      {"HTTP/1.1 204 \r\n\n", malformed},
      {"HTTP/1.1 204 \r\nA: b\n\r\n", malformed},
      {"HTTP/1.1 204 \r\nA: b\r\n\n", malformed},
      {"HTTP/1.1 204 \r\nA: b\rc\r\n\r\n", malformed},
      {"HTTP/1.1 204 \r\nA: b\r\n c\r\n\r\n", malformed},
      {"HTTP/1.1 204 \r\nA: b\r\n\tc\r\n\r\n", malformed},
      {"HTTP/1.1 204 \r\nA:\r\n b\r\n\r\n", malformed},
      {"HTTP/1.1 204 \r\n A: b\r\n\r\n", malformed},
      {"HTTP/1.1 204 \r\nA : b\r\n\r\n", malformed},
      {"HTTP/1.1 204 \r\n: b\r\n\r\n", malformed},
      {"HTTP/1.1 204 \r\nA\r\n\r\n", malformed},
      {"HTTP/1.1 204 \r\nA(: b\r\n\r\n", malformed},
      {"HTTP/1.1 204 \r\nA: b\0\r\n\r\n"sv, malformed},
      {"HTTP/1.1 204 \r\nA: b\x7f\r\n\r\n", malformed},
      {"HTTP/2.0 200 OK\r\n\r\n", version},
      {"HTTP/2 200\r\n\r\n", version},
      {"HTTP/3.0 200 OK\r\n\r\n", version},
      {"HTTP/0.9 200 OK\r\n\r\n", version},
      {"HTTP/1.2 200 OK\r\n\r\n", version},
      {"HTTP/1.9 200 OK\r\nA : b\r\n\r\n", version},
  };
  for (const row& r : rows) {
    CAPTURE(std::string(r.input));
    const reading seen = same_in_all_pieces(r.input);
    CHECK(seen.step == response_step::rejected);
    CHECK(to_string(seen.fault) == to_string(r.fault));
    CHECK(seen.text == "");
  }
}

TEST_CASE("a response's first byte shows that it is none") {
  // RFC 9112 §2.2 lets empty lines stand in front of requests only.
  for (const std::string_view input : {"\r", "\n", "\x15", "\x80", "h"}) {
    CHECK(receive(input).fault == response_fault::malformed_head);
  }
  CHECK(receive("H").step == response_step::need_more);
}

TEST_CASE("the limits of a response hold at exactly their value") {
  struct row {
    std::string what, input;
    nen::response_limits limits;
    response_fault fault;
  };
  const auto size = static_cast<std::uint32_t>(bare.size());
  const std::string two = "HTTP/1.1 204 \r\nA: b\r\nC: d\r\n\r\n";
  std::string many = "HTTP/1.1 204 \r\n";
  for (int i = 0; i < 17; ++i) many += "A: b\r\n";
  const row rows[] = {
      {"head at its limit", bare, {size, 16, 0}, response_fault::none},
      {"head one above", bare, {size - 1, 16, 0}, response_fault::head_too_large},
      {"bytes behind a complete head", bare + bare, {size, 16, 0}, response_fault::none},
      {"a head that never ends", "HTTP/1.1 204 aaaa", {17, 16, 0}, response_fault::head_too_large},
      {"a bad byte at the limit",
       "HTTP/1.1 204 \r\n(",
       {16, 16, 0},
       response_fault::malformed_head},
      {"a bad byte behind it", "HTTP/1.1 204 \r\n(", {15, 16, 0}, response_fault::head_too_large},
      {"a version cut off by it", "HTTP/3.0 200", {5, 16, 0}, response_fault::head_too_large},
      {"fields at their limit", two, {1024, 2, 0}, response_fault::none},
      {"one field above", two, {1024, 1, 0}, response_fault::too_many_fields},
      {"no field allowed", two, {1024, 0, 0}, response_fault::too_many_fields},
      {"one above the table", many + "\r\n", {1024, 99, 0}, response_fault::too_many_fields},
      {"too many, and a bad one", many + "A\r\n", {1024, 99, 0}, response_fault::malformed_head},
      {"too many of another version",
       "HTTP/2.0 204 \r\nA: b\r\n\r\n",
       {1024, 0, 0},
       response_fault::unsupported_version},
  };
  for (const row& r : rows) {
    CAPTURE(r.what);
    answering_to how;
    how.limits = r.limits;
    CHECK(to_string(receive(r.input, how).fault) == to_string(r.fault));
    CHECK(cut_difference(r.input, how) == "");
  }
}

TEST_CASE("the largest response head that 16 bits can hold is read to its last byte") {
  const std::string rest = "\r\nContent-Length: 0\r\nLast: v\r\n\r\n";
  const std::string line = "HTTP/1.1 200 ";
  answering_to how;
  how.limits = {65'535, 16, 0};
  const std::string reason(65'535 - line.size() - rest.size(), 'r');
  const reading seen = receive(line + reason + rest, how);
  CHECK(seen.step == response_step::message_complete);
  CHECK(seen.text == "200 '" + reason + "' 1.1 {Content-Length=0} {Last=v}");
  CHECK(receive(line + reason + "r" + rest, how).fault == response_fault::head_too_large);
}

TEST_CASE("responses in a row are read one by one and know nothing of each other") {
  const std::string input =
      "HTTP/1.1 103 \r\nOnly-First: 1\r\n\r\n"
      "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc"
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nde\r\n1\r\nf\r\n0\r\nT: t\r\n\r\n"
      "HTTP/1.1 204 \r\n\r\n"
      "HTTP/1.1 101 \r\n\r\nanother protocol";
  exact_bytes bytes(input);
  nen::test::answer_parser p;
  char* at = bytes.begin();
  std::vector<std::string> seen;
  while (seen.size() < 5) {
    std::string body;
    p.start(method::get, at, usual_response_limits);
    CHECK(p.at_start());
    nen::response_result r{};
    do {
      r = p.feed(at, bytes.end());
      at += r.consumed;
      body += r.content;
    } while (r.step == response_step::head_complete || r.step == response_step::body_part);
    REQUIRE(r.step == response_step::message_complete);
    const auto message = p.message(body);
    CHECK(message.body() == body);
    seen.push_back(nen::test::describe(message) + " [" + body + "]" +
                   (p.keep_alive() ? " keep-alive" : ""));
  }
  const std::vector<std::string> wanted = {
      "103 '' 1.1 {Only-First=1} interim [] keep-alive",
      "200 'OK' 1.1 {Content-Length=3} {Connection=close} [abc]",
      "200 'OK' 1.1 {Transfer-Encoding=chunked} [def] keep-alive", "204 '' 1.1 [] keep-alive",
      "101 '' 1.1 []"};
  CHECK(seen == wanted);
  CHECK(std::string(at, bytes.end()) == "another protocol");
}

TEST_CASE("content is handed out where it lies, and nothing of it is moved") {
  const std::string input =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n";
  exact_bytes bytes(input);
  nen::test::answer_parser p;
  p.start(method::get, bytes.begin(), usual_response_limits);
  nen::response_result r = p.feed(bytes.begin(), bytes.end());
  REQUIRE(r.step == response_step::head_complete);
  CHECK(p.in_body());
  char* at = bytes.begin() + r.consumed;
  for (const std::string_view wanted : {"ab", "cde"}) {
    r = p.feed(at, bytes.end());
    REQUIRE(r.step == response_step::body_part);
    CHECK(r.content == wanted);
    CHECK(r.content.data() == bytes.begin() + input.find(wanted));
    CHECK(r.content.data() + r.content.size() == at + r.consumed);
    at += r.consumed;
  }
  CHECK(p.content_bytes() == 5);
  r = p.feed(at, bytes.end());
  CHECK(r.step == response_step::message_complete);
  CHECK(at + r.consumed == bytes.end());
  CHECK(std::string(bytes.begin(), bytes.end()) == input);
  CHECK_FALSE(p.in_body());
}

TEST_CASE("a refused response stays refused until the next start") {
  exact_bytes bad("HTTP/1.1 200 OK\r\nA : b\r\n\r\n");
  nen::test::answer_parser p;
  p.start(method::get, bad.begin(), usual_response_limits);
  for (int i = 0; i < 2; ++i) {
    const nen::response_result r = p.feed(bad.begin(), bad.end());
    CHECK(r.step == response_step::rejected);
    CHECK(r.fault == response_fault::malformed_head);
    CHECK(r.consumed == 0);
  }
  CHECK(p.end_of_input().fault == response_fault::malformed_head);
  CHECK_FALSE(p.has_head());
  exact_bytes good(bare);
  p.start(method::get, good.begin(), usual_response_limits);
  CHECK(p.feed(good.begin(), good.end()).step == response_step::head_complete);
  CHECK(p.feed(good.end(), good.end()).step == response_step::message_complete);
}

TEST_CASE("no byte of a response is read past the end of the input") {
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  char* const memory = static_cast<char*>(
      mmap(nullptr, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  REQUIRE(memory != MAP_FAILED);
  REQUIRE(mprotect(memory + page, page, PROT_NONE) == 0);
  const std::string inputs[] = {
      bare,
      "HTTP/1.1 204\r\n\r\n",
      "HTTP/1.1 204\n\n",
      "HTTP/1.1 204 reason\n\n",
      "HTTP/3.0 200",
      "HTTP/1.1 200 OK\r\nA:\n\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc",
      "HTTP/1.1 200 OK\r\n\r\nuntil the end",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;a=\"b\"\r\nx\r\n0\r\nT: t\r\n\r\n"};
  for (const std::string& input : inputs) {
    for (std::size_t size = 0; size <= input.size(); ++size) {
      char* const begin = memory + page - size;
      std::memcpy(begin, input.data(), size);
      nen::test::answer_parser p;
      p.start(method::get, begin, usual_response_limits);
      char* at = begin;
      nen::response_result r{};
      do {
        r = p.feed(at, memory + page);
        at += r.consumed;
      } while (r.step == response_step::head_complete || r.step == response_step::body_part);
      const reading elsewhere = receive(std::string_view(input).substr(0, size));
      CHECK(r.step == elsewhere.step);
      CHECK(r.fault == elsewhere.fault);
    }
  }
  munmap(memory, 2 * page);
}

TEST_CASE("using a response parser in a way it is not made for stops the program") {
  exact_bytes bytes(bare);
  nen::test::answer_parser p;
  std::memset(static_cast<void*>(&p), 0, sizeof p);
  CHECK(nen::test::dies([&] { p.feed(bytes.begin(), bytes.end()); }).aborted);
  CHECK(nen::test::dies([&] { p.end_of_input(); }).aborted);
  CHECK(nen::test::dies([&] { p.start(method::get, bytes.begin(), {65'536, 16, 0}); }).aborted);
  p.start(method::get, bytes.begin(), usual_response_limits);
  CHECK(nen::test::dies([&] { static_cast<void>(p.message()); }).aborted);
  CHECK(nen::test::dies([&] { p.feed(bytes.begin() + 1, bytes.end()); }).aborted);
  CHECK(nen::test::dies([&] { p.trailers_into(bytes.begin()); }).aborted);
}
