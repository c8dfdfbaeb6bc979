// Error answers: each is a whole response, and it can be read whatever the client goes on sending.
#include "conformance/check.hpp"

using namespace nen::test::conformance;
using nen::test::stream_end;

namespace {

/// One bad request for every status that the server refuses with.
const row refused[] = {
    {"RFC 9112 §3.2", NEN_GET "\r\n", "400"},
    {"RFC 9110 §15.5.14", NEN_POST NEN_HOST "Content-Length: 99999\r\n\r\n", "413"},
    {"RFC 9110 §15.5.15", bytes("GET /" + std::string(300, 'x') + " HTTP/1.1\r\n"), "414"},
    {"RFC 9110 §15.5.18", NEN_GET NEN_HOST "Expect: x\r\n\r\n", "417"},
    {"RFC 6585 §5", bytes(NEN_GET NEN_HOST "A: " + std::string(1100, 'x')), "431"},
    {"RFC 9110 §15.6.2", "BREW / HTTP/1.1\r\n\r\n", "501"},
    {"RFC 9110 §15.6.6", "GET / HTTP/2.0\r\n\r\n", "505"},
};

/// Reads the error answer and the end behind it.
void check_refusal(nen::test::client& c, const row& r) {
  const auto a = c.read_answer();
  CHECK(std::to_string(a.status) == r.outcome);
  CHECK(a.reason == nen::reason_phrase(static_cast<nen::status>(a.status)));
  CHECK(a.minor == 1);
  CHECK(a.count("Content-Length") == 1);
  CHECK(a.field("Content-Length") == std::to_string(a.body.size()));
  CHECK(a.count("Transfer-Encoding") == 0);
  CHECK(is_imf_fixdate(a.field("Date")));
  CHECK(a.field("Connection") == "close");
  CHECK_FALSE(a.field("Content-Type").empty());
  CHECK(c.read_end() == stream_end::closed);
  CHECK(c.rest().empty());
}

}  // namespace

TEST_CASE("an error answer is a complete response that says close", "[conformance]") {
  nen::test::running run(tested, patient);
  for (const row& r : refused) {
    INFO(r.clause);
    auto c = run.connect();
    c.send(r.input.text);
    check_refusal(c, r);
  }
}

TEST_CASE("an error answer can be read by a client that sends another megabyte first",
          "[conformance]") {
  // RFC 9112 §9.6: a server that closed at once would have its answer erased by a reset.
  const std::string megabyte(1'000'000, 'x');
  nen::test::running run(tested, patient);
  for (const row& r : refused) {
    INFO(r.clause);
    auto c = run.connect();
    c.send(r.input.text);
    CHECK(c.try_send(megabyte));
    check_refusal(c, r);
  }
  SECTION("also when all of it comes as a body that was announced") {
    auto c = run.connect();
    c.send(NEN_POST NEN_HOST "Content-Length: 1000000\r\n\r\n" + megabyte);
    check_refusal(c, {"RFC 9110 §15.5.14", "", "413"});
  }
  SECTION("also when the client ends its side") {
    auto c = run.connect();
    c.send(refused[0].input.text);
    c.finish_sending();
    check_refusal(c, refused[0]);
  }
  SECTION("also in small pieces, after the answer was sent") {
    auto c = run.connect();
    c.send(refused[0].input.text);
    for (std::size_t at = 0; at < megabyte.size(); at += 10'000)
      CHECK(c.try_send(std::string_view(megabyte).substr(at, 10'000)));
    check_refusal(c, refused[0]);
  }
}

TEST_CASE("an error answer comes behind those of the requests before it", "[conformance]") {
  nen::test::running run(tested, patient);
  for (const row& r : refused) {
    INFO(r.clause);
    auto c = run.connect();
    c.send(std::string(next_request) + std::string(next_request) + r.input.text);
    CHECK(c.read_answer().body == "next");
    CHECK(c.read_answer().body == "next");
    check_refusal(c, r);
  }
}

TEST_CASE("leave to send a body is given once, and not for a body that is refused",
          "[conformance]") {
  // RFC 9110 §10.1.1
  nen::test::running run(tested, patient);
  auto c = run.connect();
  c.send(NEN_POST NEN_HOST "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n");
  CHECK(c.read_answer().status == 100);
  CHECK(c.is_quiet_for(20));
  c.send("abc" + std::string(next_request));
  CHECK(c.read_answer().body == "POST / h [abc]");
  CHECK(c.read_answer().body == "next");

  c.send(NEN_POST NEN_HOST "Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n");
  CHECK(c.read_answer().status == 100);
  c.send("1\r\na\r\n");
  CHECK(c.is_quiet_for(20));
  c.send("0\r\n\r\n");
  CHECK(c.read_answer().body == "POST / h [a]");

  c.send(NEN_POST NEN_HOST "Expect: 100-continue\r\nContent-Length: 99999\r\n\r\n");
  CHECK(c.read_answer().status == 413);
  CHECK(c.read_end() == stream_end::closed);
  CHECK(c.rest().empty());
}
