// Tests of the head's rules as http/parser.hpp applies them: each rule with messages that keep it
// and messages that break it.
#include <string>
#include <string_view>

#include "http/parser_driver.hpp"
#include "support/catch.hpp"

namespace {

using nen::test::answer_of;
using nen::test::first_difference;
using nen::test::run_whole;

struct row {
  std::string_view input;
  int answer;  ///< 200 complete, 0 incomplete
};

template <std::size_t N>
void check(const row (&rows)[N]) {
  for (const row& r : rows) {
    CAPTURE(std::string(r.input));
    CHECK(answer_of(r.input) == r.answer);
    CHECK(first_difference(r.input) == "");
  }
}

#define NEN_GET "GET / HTTP/1.1\r\n"
#define NEN_HOST "Host: h\r\n"
constexpr auto nul_in_value = std::string_view(NEN_GET NEN_HOST "A: b\0c\r\n\r\n", 36 - 1);

}  // namespace

TEST_CASE("a plain request is understood in every part") {
  CHECK(run_whole(
            "GET /a/b?c=d&e HTTP/1.1\r\nHost: example.com:80\r\nX-Y:  z \t\r\nEmpty:\r\n\r\n") ==
        "GET target=/a/b?c=d&e path=/a/b query=c=d&e 1.1 host=example.com:80 {Host=example.com:80} "
        "{X-Y=z} {Empty=} keep-alive body= head_bytes=68 consumed=68");
  CHECK(run_whole("HEAD / HTTP/1.0\r\n\r\n") ==
        "HEAD target=/ path=/ query= 1.0 host= close body= head_bytes=19 consumed=19");
  CHECK(run_whole("\r\n\r\nGET /? HTTP/1.1\r\nhost:\r\n\r\nGET") ==
        "GET target=/? path=/ query= 1.1 host= {host=} keep-alive body= head_bytes=30 consumed=30");
}

TEST_CASE("methods: served ones pass, well-formed others are 501, malformed ones 400") {
  const row rows[] = {{NEN_GET NEN_HOST "\r\n", 200},
                      {"HEAD / HTTP/1.1\r\nHost: h\r\n\r\n", 200},
                      {"POST / HTTP/1.1\r\nHost: h\r\n\r\n", 200},
                      {"PUT / HTTP/1.1\r\nHost: h\r\n\r\n", 200},
                      {"DELETE / HTTP/1.1\r\nHost: h\r\n\r\n", 200},
                      {"OPTIONS / HTTP/1.1\r\nHost: h\r\n\r\n", 200},
                      {"TRACE / HTTP/1.1\r\nHost: h\r\n\r\n", 200},
                      {"PATCH / HTTP/1.1\r\nHost: h\r\n\r\n", 200},
                      {"CONNECT h:80 HTTP/1.1\r\nHost: h:80\r\n\r\n", 501},
                      {"PROPFIND / HTTP/1.1\r\nHost: h\r\n\r\n", 501},
                      {"QUERY / HTTP/1.1\r\nHost: h\r\n\r\n", 501},
                      {"SOURCE / ICE/1.0\r\nHost: h\r\n\r\n", 501},
                      {"DESCRIBE / RTSP/1.0\r\nHost: h\r\n\r\n", 501},
                      {"BREW / HTTP/1.1\r\nHost: h\r\n\r\n", 501},
                      {"GETX / HTTP/1.1\r\nHost: h\r\n\r\n", 501},
                      {"GE / HTTP/1.1\r\nHost: h\r\n\r\n", 501},
                      {"get / HTTP/1.1\r\nHost: h\r\n\r\n", 501},
                      {"M!#$%&'*+-.^_`|~1 / HTTP/1.1\r\n\r\n", 501},
                      {"ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGHIJKLMNOP", 501},
                      {"GE", 0},
                      {"BRE", 0},
                      {"G<T / HTTP/1.1\r\nHost: h\r\n\r\n", 400},
                      {"GET\t/ HTTP/1.1\r\nHost: h\r\n\r\n", 400},
                      {" GET / HTTP/1.1\r\nHost: h\r\n\r\n", 400},
                      {"GET\r\n", 400},
                      {"BREW\r\n", 400},
                      {"\x16\x03\x01", 400},
                      {"GET/ HTTP/1.1\r\nHost: h\r\n\r\n", 400}};
  check(rows);
}

TEST_CASE("versions: 1.0 and 1.1 pass, others are 505, malformed ones 400") {
  const row rows[] = {{"GET / HTTP/1.0\r\n\r\n", 200},
                      {"GET / HTTP/1.1\r\nHost: h\r\n\r\n", 200},
                      {"GET / HTTP/1.2\r\nHost: h\r\n\r\n", 505},
                      {"GET / HTTP/0.9\r\nHost: h\r\n\r\n", 505},
                      {"GET / HTTP/2.0\r\nHost: h\r\n\r\n", 505},
                      {"GET / HTTP/3.0\r\nHost: h\r\n\r\n", 505},
                      {"GET / HTTP/9.9\r\n", 505},
                      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
                      {"GET / HTTP/2\r\n\r\n", 400},
                      {"GET / HTTP/1.10\r\nHost: h\r\n\r\n", 400},
                      {"GET / HTTP/11.1\r\nHost: h\r\n\r\n", 400},
                      {"GET / HTTP/3.x\r\nHost: h\r\n\r\n", 400},
                      {"GET / http/1.1\r\nHost: h\r\n\r\n", 400},
                      {"GET / HTTP 1.1\r\nHost: h\r\n\r\n", 400},
                      {"GET / HTTP/1.1 \r\nHost: h\r\n\r\n", 400},
                      {"OPTIONS / RTSP/1.0\r\nHost: h\r\n\r\n", 400},
                      {"GET / ICE/1.0\r\nHost: h\r\n\r\n", 400},
                      {"GET /\r\nHost: h\r\n\r\n", 400},
                      {"GET / \r\n\r\n", 400},
                      {"GET / HTTP/3", 0}};
  check(rows);
}

TEST_CASE("lines end in CRLF, and the parts of the request line have one space between them") {
  const row rows[] = {{"\r\n\r\n" NEN_GET NEN_HOST "\r\n", 200},
                      {"\n" NEN_GET NEN_HOST "\r\n", 400},
                      {"\r" NEN_GET NEN_HOST "\r\n", 400},
                      {"\r\r\n" NEN_GET NEN_HOST "\r\n", 400},
                      {"GET  / HTTP/1.1\r\nHost: h\r\n\r\n", 400},
                      {"GET /  HTTP/1.1\r\nHost: h\r\n\r\n", 400},
                      {"GET / HTTP/1.1\nHost: h\r\n\r\n", 400},
                      {"GET / HTTP/1.1\rHost: h\r\n\r\n", 400},
                      {NEN_GET "Host: h\n\r\n", 400},
                      {NEN_GET "Host: h\n\n", 400},
                      {NEN_GET "Host: h\r\n\n", 400},
                      {NEN_GET "Host: h\r\r\n\r\n", 400},
                      {NEN_GET "Host: h\r\n\rX", 400},
                      {NEN_GET NEN_HOST "A: b\rc\r\n\r\n", 400},
                      {NEN_GET NEN_HOST "A:\n\r\n", 400},
                      {NEN_GET NEN_HOST "A: \n b\r\n\r\n", 400},
                      {NEN_GET NEN_HOST, 0},
                      {"\r\n", 0}};
  check(rows);
}

TEST_CASE("fields: token, colon, value without control characters, and no folding") {
  const row rows[] = {{NEN_GET NEN_HOST "A:b\r\n\r\n", 200},
                      {NEN_GET NEN_HOST "A: \t b \t \r\n\r\n", 200},
                      {NEN_GET NEN_HOST "A: b c\td\r\n\r\n", 200},
                      {NEN_GET NEN_HOST "A: \xc3\xa9\xff\r\n\r\n", 200},
                      {NEN_GET NEN_HOST "A:\r\nB:\r\nC: \r\nD:x\r\n\r\n", 200},
                      {NEN_GET NEN_HOST "!#$%&'*+-.^_`|~9z: b\r\n\r\n", 200},
                      {NEN_GET NEN_HOST "A : b\r\n\r\n", 400},
                      {NEN_GET NEN_HOST "A\t: b\r\n\r\n", 400},
                      {NEN_GET NEN_HOST "A B: b\r\n\r\n", 400},
                      {NEN_GET NEN_HOST ": b\r\n\r\n", 400},
                      {NEN_GET NEN_HOST "A\r\n\r\n", 400},
                      {NEN_GET NEN_HOST "(A): b\r\n\r\n", 400},
                      {NEN_GET NEN_HOST "\xc3\xa9: b\r\n\r\n", 400},
                      {NEN_GET " A: b\r\n" NEN_HOST "\r\n", 400},
                      {NEN_GET NEN_HOST "A: b\r\n c\r\n\r\n", 400},
                      {NEN_GET NEN_HOST "A: b\r\n\tc\r\n\r\n", 400},
                      {NEN_GET NEN_HOST "A:\r\n c\r\n\r\n", 400},
                      {NEN_GET NEN_HOST "A: b\r\n \r\n\r\n", 400},
                      {NEN_GET NEN_HOST "A: b\x01\r\n\r\n", 400},
                      {NEN_GET NEN_HOST "A: b\x7f\r\n\r\n", 400},
                      {NEN_GET NEN_HOST "A: b\x0b\r\n\r\n", 400},
                      {nul_in_value, 400}};
  REQUIRE(nul_in_value.find('\0') != std::string_view::npos);
  check(rows);
}

TEST_CASE("Host: exactly one in HTTP/1.1, at most one in HTTP/1.0, and a valid one") {
  const row rows[] = {{NEN_GET "hOST: [::1]:80\r\n\r\n", 200},
                      {NEN_GET "Host:\r\n\r\n", 200},
                      {"GET / HTTP/1.0\r\nHost: h\r\n\r\n", 200},
                      {NEN_GET "\r\n", 400},
                      {NEN_GET "Hosts: h\r\n\r\n", 400},
                      {NEN_GET NEN_HOST NEN_HOST "\r\n", 400},
                      {NEN_GET NEN_HOST "HOST:\r\n\r\n", 400},
                      {"GET / HTTP/1.0\r\nHost: h\r\nHost: h\r\n\r\n", 400},
                      {NEN_GET "Host: a b\r\n\r\n", 400},
                      {NEN_GET "Host: a,b:c\r\n\r\n", 400},
                      {NEN_GET "Host: u@h\r\n\r\n", 400},
                      {NEN_GET "Host: h:8x\r\n\r\n", 400},
                      {NEN_GET "Host: http://h\r\n\r\n", 400},
                      {"GET / HTTP/1.0\r\nHost: a/b\r\n\r\n", 400}};
  check(rows);
}

TEST_CASE("targets: origin-form, absolute-form, and * for OPTIONS") {
  const row rows[] = {{"GET /%20a/../b;c?d?e HTTP/1.1\r\nHost: h\r\n\r\n", 200},
                      {"GET //h/x HTTP/1.1\r\nHost: h\r\n\r\n", 200},
                      {"OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", 200},
                      {"GET * HTTP/1.1\r\nHost: h\r\n\r\n", 400},
                      {"OPTIONS *a HTTP/1.1\r\nHost: h\r\n\r\n", 400},
                      {"OPTIONS *?a HTTP/1.1\r\nHost: h\r\n\r\n", 400},
                      {"GET http://h HTTP/1.1\r\nHost: h\r\n\r\n", 200},
                      {"GET HTTPS://h/ HTTP/1.1\r\nHost: h\r\n\r\n", 421},
                      {"GET http://h/ HTTP/1.1\r\n\r\n", 400},
                      {"GET http:///a HTTP/1.1\r\nHost: h\r\n\r\n", 400},
                      {"GET http:// HTTP/1.1\r\nHost: h\r\n\r\n", 400},
                      {"GET http://u@h/ HTTP/1.1\r\nHost: h\r\n\r\n", 400},
                      {"GET http://h:x/ HTTP/1.1\r\nHost: h\r\n\r\n", 400},
                      {"GET ftp://h/ HTTP/1.1\r\nHost: h\r\n\r\n", 400},
                      {"GET http:/h HTTP/1.1\r\nHost: h\r\n\r\n", 400},
                      {"GET h:80 HTTP/1.1\r\nHost: h\r\n\r\n", 400},
                      {"GET a HTTP/1.1\r\nHost: h\r\n\r\n", 400},
                      {"GET ?a HTTP/1.1\r\nHost: h\r\n\r\n", 400},
                      {"GET /a#b HTTP/1.1\r\nHost: h\r\n\r\n", 400},
                      {"GET /a?b#c HTTP/1.1\r\nHost: h\r\n\r\n", 400},
                      {"GET http://h#c HTTP/1.1\r\nHost: h\r\n\r\n", 400},
                      {"GET /\x01 HTTP/1.1\r\nHost: h\r\n\r\n", 400},
                      {"GET /\t HTTP/1.1\r\nHost: h\r\n\r\n", 400},
                      {"GET /\xc3\xa9 HTTP/1.1\r\nHost: h\r\n\r\n", 400},
                      {"GET /\x7f HTTP/1.1\r\nHost: h\r\n\r\n", 400}};
  check(rows);
}

TEST_CASE("an absolute-form target replaces Host, and its path may be empty") {
  CHECK(run_whole("GET http://a.b:81/p/q?r HTTP/1.1\r\nHost: other\r\n\r\n") ==
        "GET target=http://a.b:81/p/q?r path=/p/q query=r 1.1 host=a.b:81 {Host=other} keep-alive "
        "body= head_bytes=49 consumed=49");
  CHECK(run_whole("GET http://a?r HTTP/1.1\r\nHost: other\r\n\r\n") ==
        "GET target=http://a?r path=/ query=r 1.1 host=a {Host=other} keep-alive body= "
        "head_bytes=40 consumed=40");
  CHECK(run_whole("OPTIONS * HTTP/1.1\r\nHost: o\r\n\r\n") ==
        "OPTIONS target=* path=* query= 1.1 host=o {Host=o} keep-alive body= head_bytes=31 "
        "consumed=31");
}

TEST_CASE("framing: never two lengths, and chunked alone") {
  const row rows[] = {
      {NEN_GET NEN_HOST "Content-Length: 0\r\n\r\n", 200},
      {NEN_GET NEN_HOST "Content-Length: 2 \r\n\r\nab", 200},
      {NEN_GET NEN_HOST "Content-Length: 002\r\n\r\nab", 200},
      {NEN_GET NEN_HOST "Content-Length: 2\r\nContent-Length: 2\r\n\r\nab", 400},
      {NEN_GET NEN_HOST "Content-Length: 2\r\nContent-Length: 3\r\n\r\nab", 400},
      {NEN_GET NEN_HOST "Content-Length: 0\r\nContent-Length: 0\r\n\r\n", 400},
      {NEN_GET NEN_HOST "Content-Length: 2, 2\r\n\r\nab", 400},
      {NEN_GET NEN_HOST "Content-Length: 2 2\r\n\r\nab", 400},
      {NEN_GET NEN_HOST "Content-Length: +2\r\n\r\nab", 400},
      {NEN_GET NEN_HOST "Content-Length: -2\r\n\r\nab", 400},
      {NEN_GET NEN_HOST "Content-Length: 0x2\r\n\r\nab", 400},
      {NEN_GET NEN_HOST "Content-Length:\r\n\r\nab", 400},
      {NEN_GET NEN_HOST "Content-Length: 18446744073709551616\r\n\r\nab", 400},
      {NEN_GET NEN_HOST "Content-Length: 18446744073709551615\r\n\r\nab", 413},
      {NEN_GET NEN_HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 200},
      {NEN_GET NEN_HOST "transfer-encoding: CHUNKED \r\n\r\n0\r\n\r\n", 200},
      {NEN_GET NEN_HOST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", 400},
      {NEN_GET NEN_HOST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {NEN_GET NEN_HOST "Transfer-Encoding: gzip\r\n\r\n", 400},
      {NEN_GET NEN_HOST "Transfer-Encoding: identity\r\n\r\n", 400},
      {NEN_GET NEN_HOST "Transfer-Encoding:\r\n\r\n", 400},
      {NEN_GET NEN_HOST "Transfer-Encoding: chunked, gzip\r\n\r\n", 400},
      {NEN_GET NEN_HOST "Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n\r\n", 400},
      {NEN_GET NEN_HOST "Transfer-Encoding: chunked, chunked\r\n\r\n", 400},
      {NEN_GET NEN_HOST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
      {NEN_GET NEN_HOST "Transfer-Encoding: xchunked\r\n\r\n", 400},
      {NEN_GET NEN_HOST "Transfer-Encoding: chunkedx\r\n\r\n", 400},
      {NEN_GET NEN_HOST "Transfer-Encoding: chunked;a=b\r\n\r\n", 400},
      {NEN_GET NEN_HOST "Transfer-Encoding: \"chunked\"\r\n\r\n", 400},
      {NEN_GET NEN_HOST "Transfer-Encoding: chunked,\r\n\r\n", 400},
      {NEN_GET NEN_HOST "Transfer-Encoding: , chunked\r\n\r\n", 400},
      {NEN_GET NEN_HOST "Transfer-Encoding: gzip, chunked\r\n\r\n", 501},
      {NEN_GET NEN_HOST "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n", 501},
      {"GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {"GET / HTTP/1.0\r\nContent-Length: 2\r\n\r\nab", 200}};
  check(rows);
}

TEST_CASE("Expect: 100-continue is taken, others are 417") {
  const row rows[] = {
      {NEN_GET NEN_HOST "Expect: 100-Continue\r\nContent-Length: 1\r\n\r\na", 200},
      {NEN_GET NEN_HOST "Expect: 200-ok\r\n\r\n", 417},
      {NEN_GET NEN_HOST "Expect:\r\n\r\n", 417},
      {NEN_GET NEN_HOST "Expect: x\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", 400},
      {"GET / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n", 200}};
  check(rows);
  CHECK_THAT(run_whole(rows[0].input), nen::test::ContainsSubstring(" expects_continue"));
  CHECK_THAT(run_whole(rows[4].input), !nen::test::ContainsSubstring(" expects_continue"));
}

TEST_CASE("Connection decides with the version whether the connection is kept") {
  struct keep_row {
    std::string_view version, connection;
    bool keeps;
  };
  const keep_row rows[] = {{"1.1", "", true},
                           {"1.0", "", false},
                           {"1.1", "Connection: close\r\n", false},
                           {"1.1", "connection: CLOSE\r\n", false},
                           {"1.1", "Connection: keep-alive, close\r\n", false},
                           {"1.1", "Connection: close, keep-alive\r\n", false},
                           {"1.1", "Connection: close\r\nConnection: keep-alive\r\n", false},
                           {"1.1", "Connection: closed\r\n", true},
                           {"1.1", "Connection: x ,,\tclose\t,y\r\n", false},
                           {"1.1", "Connection:\r\n", true},
                           {"1.0", "Connection: keep-alive\r\n", true},
                           {"1.0", "Connection: Keep-Alive, close\r\n", false},
                           {"1.0", "Connection: upgrade\r\n", false}};
  for (const keep_row& r : rows) {
    const std::string input = "GET / HTTP/" + std::string(r.version) + "\r\nHost: h\r\n" +
                              std::string(r.connection) + "\r\n";
    CAPTURE(input);
    const bool keeps = run_whole(input).find(" keep-alive body=") != std::string::npos;
    CHECK(keeps == r.keeps);
    CHECK(first_difference(input) == "");
  }
}

TEST_CASE("an upgrade is noted and the message read by its own framing") {
  const std::string head =
      "POST / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n";
  CHECK_THAT(run_whole(head + "\r\nfollowing"), nen::test::ContainsSubstring(" upgrade body= "));
  CHECK_THAT(run_whole(head + "Content-Length: 3\r\n\r\nabcdef"),
             nen::test::ContainsSubstring(" upgrade body=abc "));
  CHECK_THAT(run_whole(NEN_GET NEN_HOST "Upgrade: websocket\r\n\r\n"),
             !nen::test::ContainsSubstring(" upgrade"));
  CHECK_THAT(run_whole(NEN_GET NEN_HOST "Connection: upgrade\r\n\r\n"),
             !nen::test::ContainsSubstring(" upgrade"));
  CHECK(first_difference(head + "Content-Length: 3\r\n\r\nabcdef") == "");
  CHECK(first_difference(head + "\r\nfollowing") == "");
}
