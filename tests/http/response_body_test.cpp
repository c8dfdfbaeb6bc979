// Tests of how http/response_parser.hpp finds the end of a response, RFC 9112 §6.3 and §8.
#include <string>
#include <string_view>

#include "http/response_driver.hpp"
#include "support/catch.hpp"

namespace {

using nen::body_framing;
using nen::method;
using nen::response_fault;
using nen::response_step;
using nen::test::answering_to;
using nen::test::cut_difference;
using nen::test::fault_of;
using nen::test::reading;
using nen::test::receive;

constexpr std::string_view chunked_head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

std::string chunked(std::string_view body) { return std::string(chunked_head) + std::string(body); }

answering_to request_was(method m) {
  answering_to how;
  how.method = m;
  return how;
}

/// The framing that a head announces.
body_framing framing_of(std::string_view head, method answered) {
  nen::test::exact_bytes bytes(head);
  nen::test::answer_parser p;
  p.start(answered, bytes.begin(), nen::test::usual_response_limits);
  REQUIRE(p.feed(bytes.begin(), bytes.end()).step == response_step::head_complete);
  return p.head().framing;
}

}  // namespace

TEST_CASE("what follows a head hangs on the status, the request's method and the fields") {
  struct row {
    method answered;
    std::string head;
    body_framing framing;
    bool keep_alive;
  };
  const std::string sized = "Content-Length: 3\r\n";
  const std::string chunks = "Transfer-Encoding: chunked\r\n";
  const row rows[] = {
      {method::get, "HTTP/1.1 200 \r\n", body_framing::until_close, false},
      {method::get, "HTTP/1.1 200 \r\n" + sized, body_framing::sized, true},
      {method::get, "HTTP/1.1 200 \r\nContent-Length: 0\r\n", body_framing::sized, true},
      {method::get, "HTTP/1.1 200 \r\n" + chunks, body_framing::chunked, true},
      {method::get, "HTTP/1.1 200 \r\nTRANSFER-ENCODING:Chunked\r\n", body_framing::chunked, true},
      {method::post, "HTTP/1.1 205 \r\n", body_framing::until_close, false},
      {method::get, "HTTP/1.1 404 \r\n" + sized, body_framing::sized, true},
      {method::get, "HTTP/1.1 599 \r\n", body_framing::until_close, false},
      // 1. No content, whatever the fields say.
      {method::head, "HTTP/1.1 200 \r\n", body_framing::none, true},
      {method::head, "HTTP/1.1 200 \r\n" + sized, body_framing::none, true},
      {method::head, "HTTP/1.1 200 \r\n" + chunks, body_framing::none, true},
      {method::head, "HTTP/1.1 200 \r\nTransfer-Encoding: gzip, chunked\r\n", body_framing::none,
       true},
      {method::head, "HTTP/1.1 404 \r\n", body_framing::none, true},
      {method::get, "HTTP/1.1 100 \r\n" + sized, body_framing::none, true},
      {method::get, "HTTP/1.1 199 \r\n", body_framing::none, true},
      {method::get, "HTTP/1.1 204 \r\n" + sized, body_framing::none, true},
      {method::get, "HTTP/1.1 204 \r\n" + chunks, body_framing::none, true},
      {method::get, "HTTP/1.1 304 \r\n" + sized, body_framing::none, true},
      {method::get, "HTTP/1.1 304 \r\n" + chunks, body_framing::none, true},
      // 2. A tunnel, and 101 likewise.
      {method::connect, "HTTP/1.1 200 \r\n" + sized, body_framing::other_protocol, false},
      {method::connect, "HTTP/1.1 299 \r\n", body_framing::other_protocol, false},
      {method::connect, "HTTP/1.1 204 \r\n", body_framing::other_protocol, false},
      {method::connect, "HTTP/1.1 407 \r\n" + sized, body_framing::sized, true},
      {method::connect, "HTTP/1.1 100 \r\n", body_framing::none, true},
      {method::get, "HTTP/1.1 101 \r\n" + sized, body_framing::other_protocol, false},
      // Who keeps a connection, RFC 9112 §9.3.
      {method::get, "HTTP/1.1 200 \r\nConnection: close\r\n" + sized, body_framing::sized, false},
      {method::get, "HTTP/1.1 200 \r\nConnection: x, CLOSE\r\n" + sized, body_framing::sized,
       false},
      {method::get, "HTTP/1.1 200 \r\nConnection: close\r\nConnection: keep-alive\r\n" + sized,
       body_framing::sized, false},
      {method::get, "HTTP/1.0 200 \r\n" + sized, body_framing::sized, false},
      {method::get, "HTTP/1.0 200 \r\nConnection: keep-alive\r\n" + sized, body_framing::sized,
       true},
      {method::get, "HTTP/1.0 200 \r\nConnection: keep-alive\r\n", body_framing::until_close,
       false},
      {method::head, "HTTP/1.0 200 \r\n", body_framing::none, false},
  };
  for (const row& r : rows) {
    CAPTURE(r.head, to_string(r.answered));
    CHECK(framing_of(r.head + "\r\n", r.answered) == r.framing);
    // The next bytes are the content's first, or belong to whatever follows this message.
    const std::string input = r.head + "\r\n3\r\nabc\r\n0\r\n\r\nmore";
    const reading seen = receive(input, request_was(r.answered));
    const std::size_t head_bytes = r.head.size() + 2;
    if (r.framing == body_framing::none || r.framing == body_framing::other_protocol) {
      CHECK(seen.step == response_step::message_complete);
      CHECK(seen.consumed == head_bytes);
    }
    if (r.framing == body_framing::until_close) {
      CHECK(seen.step == response_step::need_more);
      CHECK(seen.consumed == input.size());
    }
    CHECK(seen.keep_alive == r.keep_alive);
    CHECK(cut_difference(input, request_was(r.answered)) == "");
  }
}

TEST_CASE("a response whose end two receivers may see in two places is refused") {
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  const std::string rows[] = {
      ok + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
      ok + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n",
      ok + "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n",
      ok + "Content-Length: 3\r\nContent-Length: 4\r\n",
      ok + "Content-Length: 3\r\nContent-Length: 3\r\n",
      ok + "Content-Length: 3, 4\r\n",
      ok + "Content-Length: 3, 3\r\n",
      ok + "Content-Length: +3\r\n",
      ok + "Content-Length: -3\r\n",
      ok + "Content-Length: 0x3\r\n",
      ok + "Content-Length: 3 3\r\n",
      ok + "Content-Length: 3a\r\n",
      ok + "Content-Length:\r\n",
      ok + "Content-Length: \t\r\nA: b\r\n",
      ok + "Content-Length: 18446744073709551616\r\n",
      ok + "Transfer-Encoding: chunked, chunked\r\n",
      ok + "Transfer-Encoding: chunked, gzip\r\n",
      ok + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
      ok + "Transfer-Encoding: chunked,\r\n",
      ok + "Transfer-Encoding: ,chunked\r\n",
      ok + "Transfer-Encoding:\r\n",
      "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n",
      // Also where no content follows: what is on the way may think otherwise.
      "HTTP/1.1 204 \r\nContent-Length: 0\r\nContent-Length: 3\r\n",
      "HTTP/1.1 304 \r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n",
  };
  for (const std::string& head : rows) {
    CAPTURE(head);
    const std::string input = head + "\r\n3\r\nabc\r\n0\r\n\r\n";
    const reading seen = receive(input);
    CHECK(seen.step == response_step::rejected);
    CHECK(to_string(seen.fault) == to_string(response_fault::bad_framing));
    CHECK(cut_difference(input, {}) == "");
  }
}

TEST_CASE("a transfer coding that is not undone is not taken for content") {
  for (const std::string_view coding : {"gzip", "gzip, chunked", "identity", "xchunked", "chunkedx",
                                        "\"chunked\"", "chunked;a=b"}) {
    const std::string input =
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: " + std::string(coding) + "\r\n\r\n0\r\n\r\n";
    CAPTURE(input);
    CHECK(to_string(fault_of(input)) == to_string(response_fault::unsupported_coding));
    CHECK(cut_difference(input, {}) == "");
  }
}

TEST_CASE("content has the bytes that Content-Length says and no more") {
  const std::string input = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 404 ";
  const reading seen = receive(input);
  CHECK(seen.step == response_step::message_complete);
  CHECK(seen.content == "hello");
  CHECK(seen.consumed == input.size() - 13);
  CHECK(cut_difference(input, {}) == "");
  CHECK(fault_of(input.substr(0, input.size() - 14)) == response_fault::truncated);
}

TEST_CASE("content up to the connection's end is complete with it") {
  const std::string head = "HTTP/1.0 200 OK\r\n\r\n";
  answering_to how;
  for (const std::string content : {"", "a", "HTTP/1.1 200 OK\r\n\r\n"}) {
    how.ends = false;
    CHECK(receive(head + content, how).step == response_step::need_more);
    how.ends = true;
    const reading seen = receive(head + content, how);
    CHECK(seen.step == response_step::message_complete);
    CHECK(seen.content == content);
    CHECK_FALSE(seen.keep_alive);
    CHECK(cut_difference(head + content, how) == "");
  }
}

TEST_CASE("chunks are handed out one by one, and what follows the last one is left alone") {
  struct row {
    std::string_view body, content;
    std::size_t behind;
    std::string_view trailers = {};
  };
  const row rows[] = {
      {"0\r\n\r\n", "", 0},
      {"5\r\nhello\r\n0\r\n\r\n", "hello", 0},
      {"1\r\nh\r\n2\r\nel\r\n00002\r\nlo\r\n000\r\n\r\nHTTP/1.1 ", "hello", 9},
      {"a\r\n0123456789\r\nA\r\nabcdefghij\r\n0\r\n\r\n", "0123456789abcdefghij", 0},
      {"2\r\n\r\n\r\n0\r\n\r\n", "\r\n", 0},
      {"1;a\r\nx\r\n1;b=c;d=\"e;f\\\"\"\r\ny\r\n0;z\r\n\r\n", "xy", 0},
      {"1\r\nx\r\n0\r\nA: \tb \r\nContent-Length: 7\r\nE:\r\n\r\nH", "x", 1,
       " trailer {A=b} trailer {E=}"},
      {"0000000000000001\r\nx\r\n0\r\n\r\n", "x", 0}};
  for (const row& r : rows) {
    const std::string input = chunked(r.body);
    CAPTURE(input);
    answering_to how;
    reading seen = receive(input, how);
    CHECK(seen.step == response_step::message_complete);
    CHECK(seen.content == r.content);
    CHECK(seen.consumed == input.size() - r.behind);
    const std::string head = "200 'OK' 1.1 {Transfer-Encoding=chunked}";
    CHECK(seen.text == head + std::string(r.trailers));
    CHECK(cut_difference(input, how) == "");
    // Without a place for them, trailers are passed over.
    how.trailers = false;
    seen = receive(input, how);
    CHECK(seen.content == r.content);
    CHECK(seen.text == head);
    CHECK(cut_difference(input, how) == "");
  }
}

TEST_CASE("chunked coding that is not to the letter is refused") {
  for (const std::string_view body : {"\r\n",
                                      "g\r\n",
                                      " 1\r\nx",
                                      "1 \r\nx",
                                      "0x1\r\nx",
                                      "-1\r\nx",
                                      "1\nx",
                                      "1\r\nx\n0",
                                      "1\r\nxy\r\n",
                                      "1\rx\r\n",
                                      "2\r\nx\r\n0\r\n\r\n",
                                      "1;\x01\r\nx",
                                      "00000000000000001\r\nx\r\n",
                                      "0\r\n\n",
                                      "0\r\nA: b\n\r\n",
                                      "0\r\nA: b\r\n c\r\n\r\n",
                                      "0\r\nA : b\r\n\r\n",
                                      "0\r\nA\r\n\r\n",
                                      "0\r\nA: \x7f\r\n\r\n",
                                      "0\r\n\rX"}) {
    const std::string input = chunked(body);
    CAPTURE(input);
    CHECK(to_string(fault_of(input)) == to_string(response_fault::bad_chunk));
    CHECK(cut_difference(input, {}) == "");
  }
}

TEST_CASE("body_bytes_max holds for every framing of a response, at exactly the limit") {
  struct row {
    std::string input;
    std::uint64_t max;
    response_fault fault;
    std::string content;  ///< what is handed out before the fault is seen
  };
  const std::string sized = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabcd";
  const std::string open = "HTTP/1.1 200 OK\r\n\r\nabcd";
  const std::string chunks = chunked("3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n");
  const std::string huge = "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\na";
  constexpr response_fault none = response_fault::none;
  constexpr response_fault too_large = response_fault::body_too_large;
  const row rows[] = {
      {sized, 4, none, "abcd"},
      {sized, 3, too_large, ""},
      {sized, 0, too_large, ""},
      {chunks, 4, none, "abcd"},
      {chunks, 3, too_large, "abc"},
      {chunks, 2, too_large, ""},
      {chunked("ffffffffffffffff\r\na"), 1000, too_large, ""},
      {chunked("1\r\na\r\nffffffffffffffff\r\na"), ~std::uint64_t{0}, too_large, "a"},
      {open, 4, none, "abcd"},
      {open, 3, too_large, "abc"},
      {open, 0, too_large, ""},
      {huge, ~std::uint64_t{0} - 1, too_large, ""},
      {huge, ~std::uint64_t{0}, response_fault::truncated, "a"},
      {"HTTP/1.1 304 \r\nContent-Length: 9\r\n\r\n", 0, none, ""},
  };
  for (const row& r : rows) {
    CAPTURE(r.input, r.max);
    answering_to how;
    how.limits.body_bytes_max = r.max;
    how.ends = true;
    const reading seen = receive(r.input, how);
    CHECK(to_string(seen.fault) == to_string(r.fault));
    CHECK(seen.content == r.content);
    CHECK(cut_difference(r.input, how) == "");
  }
}

TEST_CASE("a response's head, extensions and trailers together are capped") {
  const auto head = static_cast<std::uint32_t>(chunked_head.size());
  answering_to how;
  how.limits.head_bytes_max = head + 10;
  const std::string at_most = chunked("1;abc\r\nx\r\n0\r\nT: t\r\n\r\n");  // ";abc" and "T: t" CRLF
  const std::string too_much = chunked("1;abc\r\nx\r\n0\r\nT: tt\r\n\r\n");
  CHECK(fault_of(at_most, how) == response_fault::none);
  CHECK(fault_of(too_much, how) == response_fault::head_too_large);
  CHECK(cut_difference(at_most, how) == "");
  CHECK(cut_difference(too_much, how) == "");
  how.trailers = false;
  CHECK(fault_of(too_much, how) == response_fault::head_too_large);

  how = {};
  how.limits.fields_max = 2;
  CHECK(fault_of(chunked("0\r\nA: b\r\n\r\n"), how) == response_fault::none);
  const std::string too_many = chunked("0\r\nA: b\r\nHost: c\r\n\r\n");
  CHECK(fault_of(too_many, how) == response_fault::too_many_fields);
  CHECK(cut_difference(too_many, how) == "");
}

TEST_CASE("a response that the connection's end cuts short is never a whole one") {
  const std::string inputs[] = {
      "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc",
      "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
      "HTTP/1.1 204 \r\n\r\n",
      chunked("1;a=\"b\"\r\nx\r\n0\r\nT: t\r\n\r\n"),
  };
  answering_to how;
  how.ends = true;
  for (const std::string& input : inputs) {
    for (std::size_t size = 0; size < input.size(); ++size) {
      CAPTURE(input, size);
      const response_fault wanted =
          size == 0 ? response_fault::closed_before_answer : response_fault::truncated;
      const std::string part = input.substr(0, size);
      CHECK(to_string(fault_of(part)) == to_string(wanted));
      CHECK(cut_difference(part, how) == "");
    }
    CHECK(fault_of(input) == response_fault::none);
  }
  CHECK(fault_of("HTTP/2") == response_fault::unsupported_version);
  CHECK(fault_of("HTTP/1.") == response_fault::truncated);
}

TEST_CASE("the end of the input completes what is complete without another byte") {
  for (const std::string head : {"HTTP/1.1 204 \r\n\r\n", "HTTP/1.1 101 \r\n\r\n",
                                 "HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n"}) {
    nen::test::exact_bytes bytes(head);
    nen::test::answer_parser p;
    p.start(method::get, bytes.begin(), nen::test::usual_response_limits);
    REQUIRE(p.feed(bytes.begin(), bytes.end()).step == response_step::head_complete);
    CHECK(p.end_of_input().step == response_step::message_complete);
    CHECK(p.end_of_input().step == response_step::message_complete);
  }
}
