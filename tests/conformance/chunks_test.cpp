// The chunked coding: sizes, extensions, line ends and trailers.
#include "conformance/check.hpp"

using namespace nen::test::conformance;

#define NEN_LAST "\r\nabc\r\n0\r\n\r\n"

TEST_CASE("chunk sizes", "[conformance]") {
  const row rows[] = {
      {"RFC 9112 §7.1: no chunk", NEN_CHUNKED "0\r\n\r\n", "200 next", "POST / h []"},
      {"RFC 9112 §7.1: several chunks", NEN_CHUNKED "3\r\nabc\r\n1\r\nd\r\n2\r\nef\r\n0\r\n\r\n",
       "200 next", "POST / h [abcdef]"},
      {"RFC 9112 §7.1: small hex", NEN_CHUNKED "a\r\n0123456789\r\n0\r\n\r\n", "200 next",
       "POST / h [0123456789]"},
      {"RFC 9112 §7.1: large hex", NEN_CHUNKED "A\r\n0123456789\r\n0\r\n\r\n", "200 next",
       "POST / h [0123456789]"},
      {"RFC 9112 §7.1: two digits",
       NEN_CHUNKED "1F\r\n0123456789012345678901234567890\r\n0\r\n\r\n", "200 next",
       "POST / h [0123456789012345678901234567890]"},
      {"RFC 9112 §7.1: leading zeros", NEN_CHUNKED "0003" NEN_LAST, "200 next", "POST / h [abc]"},
      {"RFC 9112 §7.1: 16 digits", NEN_CHUNKED "0000000000000003" NEN_LAST, "200 next",
       "POST / h [abc]"},
      {"RFC 9112 §7.1: zeros end it", NEN_CHUNKED "3\r\nabc\r\n000\r\n\r\n", "200 next",
       "POST / h [abc]"},
      {"RFC 9112 §7.1: CRLF is content too", NEN_CHUNKED "4\r\n\r\n\r\n\r\n0\r\n\r\n", "200 next",
       "POST / h [\r\n\r\n]"},
      {"RFC 9112 §7.1: what looks like an end", NEN_CHUNKED "5\r\n0\r\n\r\n\r\n0\r\n\r\n",
       "200 next", "POST / h [0\r\n\r\n]"},
      {"RFC 9112 §7.1: the next request is in the chunk", NEN_CHUNKED "1f\r\n", "waits"},
      {"RFC 9112 §7.1: 17 digits", NEN_CHUNKED "00000000000000003" NEN_LAST, "400 close"},
      {"RFC 9112 §7.1: overflow", NEN_CHUNKED "10000000000000003" NEN_LAST, "400 close"},
      {"RFC 9112 §7.1: overflow", NEN_CHUNKED "FFFFFFFFFFFFFFFFF\r\n", "400 close"},
      {"RFC 9110 §15.5.14: 2^64 - 1", NEN_CHUNKED "FFFFFFFFFFFFFFFF\r\n", "413 close"},
      {"RFC 9110 §15.5.14: 2^64 - 1 behind content", NEN_CHUNKED "1\r\na\r\nFFFFFFFFFFFFFFFF\r\n",
       "413 close"},
      {"RFC 9110 §15.5.14: 2^63", NEN_CHUNKED "8000000000000000\r\n", "413 close"},
      {"RFC 9110 §15.5.14: 2^32", NEN_CHUNKED "100000000\r\n", "413 close"},
      {"RFC 9112 §7.1: empty", NEN_CHUNKED "" NEN_LAST, "400 close"},
      {"RFC 9112 §7.1: empty", NEN_CHUNKED "3\r\nabc\r\n\r\n", "400 close"},
      {"RFC 9112 §7.1: 0x", NEN_CHUNKED "0x3" NEN_LAST, "400 close"},
      {"RFC 9112 §7.1: h", NEN_CHUNKED "3h" NEN_LAST, "400 close"},
      {"RFC 9112 §7.1: no hex", NEN_CHUNKED "g" NEN_LAST, "400 close"},
      {"RFC 9112 §7.1: plus", NEN_CHUNKED "+3" NEN_LAST, "400 close"},
      {"RFC 9112 §7.1: minus", NEN_CHUNKED "-3" NEN_LAST, "400 close"},
      {"RFC 9112 §7.1: minus zero", NEN_CHUNKED "-0\r\n\r\n", "400 close"},
      {"RFC 9112 §7.1: fraction", NEN_CHUNKED "3.0" NEN_LAST, "400 close"},
      {"RFC 9112 §7.1: digit separator", NEN_CHUNKED "0_3" NEN_LAST, "400 close"},
      {"RFC 9112 §7.1: quoted", NEN_CHUNKED "\"3\"" NEN_LAST, "400 close"},
      {"RFC 9112 §7.1: SP before it", NEN_CHUNKED " 3" NEN_LAST, "400 close"},
      {"RFC 9112 §7.1: HTAB before it", NEN_CHUNKED "\t3" NEN_LAST, "400 close"},
      {"RFC 9112 §7.1: SP behind it", NEN_CHUNKED "3 " NEN_LAST, "400 close"},
      {"RFC 9112 §7.1: HTAB behind it", NEN_CHUNKED "3\t" NEN_LAST, "400 close"},
      {"RFC 9112 §7.1: SP behind the last", NEN_CHUNKED "0 \r\n\r\n", "400 close"},
      {"RFC 9112 §7.1: SP inside it", NEN_CHUNKED "0 3" NEN_LAST, "400 close"},
      {"RFC 9112 §7.1: NUL behind it", NEN_CHUNKED "3\0" NEN_LAST, "400 close"},
      {"RFC 9112 §7.1: VT behind it", NEN_CHUNKED "3\v" NEN_LAST, "400 close"},
      {"RFC 9112 §7.1: obs-text", NEN_CHUNKED "\xb3" NEN_LAST, "400 close"},
  };
  check(rows);
}

TEST_CASE("line ends of chunks", "[conformance]") {
  const row rows[] = {
      {"RFC 9112 §7.1: bare LF behind the size", NEN_CHUNKED "3\nabc\r\n0\r\n\r\n", "400 close"},
      {"RFC 9112 §7.1: bare CR behind the size", NEN_CHUNKED "3\rabc\r\n0\r\n\r\n", "400 close"},
      {"RFC 9112 §7.1: CR CR LF behind the size", NEN_CHUNKED "3\r\r\nabc\r\n0\r\n\r\n",
       "400 close"},
      {"RFC 9112 §7.1: bare LF behind the data", NEN_CHUNKED "3\r\nabc\n0\r\n\r\n", "400 close"},
      {"RFC 9112 §7.1: bare CR behind the data", NEN_CHUNKED "3\r\nabc\r0\r\n\r\n", "400 close"},
      {"RFC 9112 §7.1: nothing behind the data", NEN_CHUNKED "3\r\nabc0\r\n\r\n", "400 close"},
      {"RFC 9112 §7.1: more data than said", NEN_CHUNKED "3\r\nabcd\r\n0\r\n\r\n", "400 close"},
      {"RFC 9112 §7.1: less data than said", NEN_CHUNKED "3\r\nab\r\n0\r\n\r\n", "400 close"},
      {"RFC 9112 §7.1: any two bytes behind the data", NEN_CHUNKED "3\r\nabcXX0\r\n\r\n",
       "400 close"},
      {"RFC 9112 §7.1: an empty line behind the data", NEN_CHUNKED "3\r\nabc\r\n\r\n0\r\n\r\n",
       "400 close"},
      {"RFC 9112 §7.1: bare LF behind the last size", NEN_CHUNKED "0\n\r\n", "400 close"},
      {"RFC 9112 §7.1: bare LF at the end", NEN_CHUNKED "0\r\n\n", "400 close"},
      {"RFC 9112 §7.1: bare CR at the end", NEN_CHUNKED "0\r\n\rX", "400 close"},
      {"RFC 9112 §7.1: bare LFs at the end", NEN_CHUNKED "0\n\n", "400 close"},
      {"RFC 9112 §7.1.2: no end, so the next line is a trailer", NEN_CHUNKED "0\r\n", "400 close"},
  };
  check(rows);
}

TEST_CASE("chunk extensions", "[conformance]") {
  const row rows[] = {
      {"RFC 9112 §7.1.1: a name", NEN_CHUNKED "3;a" NEN_LAST, "200 next", "POST / h [abc]"},
      {"RFC 9112 §7.1.1: a token", NEN_CHUNKED "3;a=b" NEN_LAST, "200 next", "POST / h [abc]"},
      {"RFC 9112 §7.1.1: a quoted-string", NEN_CHUNKED "3;a=\"b;\\\" c\"" NEN_LAST, "200 next",
       "POST / h [abc]"},
      {"RFC 9112 §7.1.1: several", NEN_CHUNKED "3;a;b=c;d=\"\"" NEN_LAST, "200 next",
       "POST / h [abc]"},
      {"RFC 9112 §7.1.1: BWS", NEN_CHUNKED "3; a\t=\tb ; c" NEN_LAST, "200 next", "POST / h [abc]"},
      {"RFC 9112 §7.1.1: behind the last size", NEN_CHUNKED "3\r\nabc\r\n0;a=b\r\n\r\n", "200 next",
       "POST / h [abc]"},
      {"RFC 9110 §5.6.4: obs-text in a quoted-string", NEN_CHUNKED "3;a=\"\xc3\xa9\"" NEN_LAST,
       "200 next", "POST / h [abc]"},
      {"RFC 9112 §7.1.1: LF", NEN_CHUNKED "3;a\n" NEN_LAST, "400 close"},
      {"RFC 9112 §7.1.1: LF ends no line", NEN_CHUNKED "3;a\nabc\r\n0\r\n\r\n", "400 close"},
      {"RFC 9112 §7.1.1: LF in a quoted-string", NEN_CHUNKED "3;a=\"\n\"" NEN_LAST, "400 close"},
      {"RFC 9112 §7.1.1: CR", NEN_CHUNKED "3;a\rb" NEN_LAST, "400 close"},
      {"RFC 9112 §7.1.1: CR in a quoted-string", NEN_CHUNKED "3;a=\"\r\"" NEN_LAST, "400 close"},
      {"RFC 9112 §7.1.1: CRLF in a quoted-string", NEN_CHUNKED "3;a=\"\r\n\"" NEN_LAST,
       "400 close"},
      {"RFC 9112 §7.1.1: NUL", NEN_CHUNKED "3;a\0" NEN_LAST, "400 close"},
      {"RFC 9112 §7.1.1: control", NEN_CHUNKED "3;a=\x01" NEN_LAST, "400 close"},
      {"RFC 9112 §7.1.1: DEL", NEN_CHUNKED "3;a=\x7f" NEN_LAST, "400 close"},
      // RFC 9110 §5.6.3 would have this white space removed. Recipients that do so and recipients
      // that do not were played off against each other, so it is refused like all behind a size.
      {"RFC 9112 §7.1.1: BWS before the semicolon", NEN_CHUNKED "3 ;a=b" NEN_LAST, "400 close"},
      {"RFC 9112 §7.1.1: BWS before the semicolon", NEN_CHUNKED "3\t;a=b" NEN_LAST, "400 close"},
      {"RFC 9112 §7.1.1: comma", NEN_CHUNKED "3,a" NEN_LAST, "400 close"},
      {"RFC 9112 §7.1.1: no semicolon", NEN_CHUNKED "3=a" NEN_LAST, "400 close"},
      {"RFC 9112 §7.1.1: SP instead", NEN_CHUNKED "3 a" NEN_LAST, "400 close"},
  };
  check(rows);
}

TEST_CASE("trailers", "[conformance]") {
#define NEN_TRAILER(lines) bytes(NEN_CHUNKED "3\r\nabc\r\n0\r\n" lines "\r\n")
  const row rows[] = {
      {"RFC 9112 §7.1.2", NEN_TRAILER("A: b\r\n"), "200 next", "POST / h [abc] A=b"},
      {"RFC 9112 §7.1.2: several", NEN_TRAILER("A: b\r\nB:\r\nA:c \t\r\n"), "200 next",
       "POST / h [abc] A=b B= A=c"},
      {"RFC 9112 §7.1.2: behind no content", NEN_CHUNKED "0\r\nA: b\r\n\r\n", "200 next",
       "POST / h [] A=b"},
      {"RFC 9110 §5.5: obs-text", NEN_TRAILER("A: \xc3\xa9\r\n"), "200 next",
       "POST / h [abc] A=\xc3\xa9"},
      {"RFC 9110 §6.5.1: Content-Length is not merged", NEN_TRAILER("Content-Length: 9\r\n"),
       "200 next", "POST / h [abc]"},
      {"RFC 9110 §6.5.1: Transfer-Encoding is not merged",
       NEN_TRAILER("Transfer-Encoding: chunked\r\n"), "200 next", "POST / h [abc]"},
      {"RFC 9110 §6.5.1: Host is not merged", NEN_TRAILER("Host: other\r\n"), "200 next",
       "POST / h [abc]"},
      {"RFC 9110 §6.5.1: Connection is not merged", NEN_TRAILER("Connection: close\r\n"),
       "200 next", "POST / h [abc]"},
      {"RFC 9110 §6.5.1: Expect is not merged", NEN_TRAILER("Expect: x\r\n"), "200 next",
       "POST / h [abc]"},
      {"RFC 9110 §6.5.1: Authorization is not shown", NEN_TRAILER("AUTHORIZATION: x\r\nA: b\r\n"),
       "200 next", "POST / h [abc] A=b"},
      {"RFC 9110 §6.5.1: Content-Encoding is not shown",
       NEN_TRAILER("A: b\r\nContent-Encoding: gzip\r\n"), "200 next", "POST / h [abc] A=b"},
      {"RFC 9110 §6.5.1: If-Match is not shown", NEN_TRAILER("If-Match: *\r\n"), "200 next",
       "POST / h [abc]"},
      {"RFC 9530 §2: Content-Digest is shown", NEN_TRAILER("Content-Digest: d=:YQ==:\r\n"),
       "200 next", "POST / h [abc] Content-Digest=d=:YQ==:"},
      {"RFC 9112 §5.1: SP before the colon", NEN_TRAILER("A : b\r\n"), "400 close"},
      {"RFC 9112 §5: empty name", NEN_TRAILER(": b\r\n"), "400 close"},
      {"RFC 9112 §5: no colon", NEN_TRAILER("A\r\n"), "400 close"},
      {"RFC 9110 §5.1: no tchar", NEN_TRAILER("A(: b\r\n"), "400 close"},
      {"RFC 9110 §5.1: octets outside ASCII", NEN_TRAILER("\xff: b\r\n"), "400 close"},
      {"RFC 9112 §5.2: obs-fold", NEN_TRAILER("A: b\r\n c\r\n"), "400 close"},
      {"RFC 9112 §5.2: white space first", NEN_TRAILER(" A: b\r\n"), "400 close"},
      {"RFC 9110 §5.5: NUL", NEN_TRAILER("A: b\0\r\n"), "400 close"},
      {"RFC 9110 §5.5: control", NEN_TRAILER("A: \x01\r\n"), "400 close"},
      {"RFC 9110 §5.5: DEL", NEN_TRAILER("A: \x7f\r\n"), "400 close"},
      {"RFC 9110 §5.5: CR", NEN_TRAILER("A: b\rc\r\n"), "400 close"},
      {"RFC 9112 §2.2: bare LF", NEN_TRAILER("A: b\n"), "400 close"},
      {"RFC 9112 §2.2: bare LF", NEN_TRAILER("A: b\nB: c\r\n"), "400 close"},
      {"RFC 9112 §7.1.2: a request is no trailer", NEN_TRAILER("GET / HTTP/1.1\r\n"), "400 close"},
  };
  check(rows);
}
