// Content-Length and Transfer-Encoding: where a message's body ends, and the classic ways to have two
// recipients disagree about it.
#include "conformance/check.hpp"

using namespace nen::test::conformance;

TEST_CASE("Content-Length", "[conformance]") {
  const row rows[] = {
      {"RFC 9112 §6.2", NEN_POST NEN_HOST "Content-Length: 3\r\n\r\nabc", "200 next",
       "POST / h [abc]"},
      {"RFC 9112 §6.2: zero", NEN_POST NEN_HOST "Content-Length: 0\r\n\r\n", "200 next",
       "POST / h []"},
      {"RFC 9110 §9.3.1: content of a GET", NEN_GET NEN_HOST "Content-Length: 3\r\n\r\nabc",
       "200 next", "GET / h [abc]"},
      {"RFC 9110 §9.3.2: content of a HEAD",
       "HEAD / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc", "200 next"},
      {"RFC 9110 §9.3.5: content of a DELETE",
       "DELETE / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc", "200 next",
       "DELETE / h [abc]"},
      {"RFC 9110 §9.3.7: content of OPTIONS",
       "OPTIONS * HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc", "204 next"},
      {"RFC 9110 §9.3.8: content of TRACE",
       "TRACE / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc", "405 next"},
      {"RFC 9112 §6.3: content of a request without a route",
       "PUT /nowhere HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc", "405 next"},
      {"RFC 9112 §6.2: in HTTP/1.0",
       "POST / HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\nabc", "200 next",
       "POST /  [abc]"},
      {"RFC 9112 §5: OWS", NEN_POST NEN_HOST "Content-Length:   3  \r\n\r\nabc", "200 next",
       "POST / h [abc]"},
      {"RFC 9112 §5: no OWS", NEN_POST NEN_HOST "Content-Length:3\r\n\r\nabc", "200 next",
       "POST / h [abc]"},
      {"RFC 9112 §5: HTAB before it", NEN_POST NEN_HOST "Content-Length:\t3\r\n\r\nabc",
       "200 next", "POST / h [abc]"},
      {"RFC 9110 §8.6: leading zeros", NEN_POST NEN_HOST "Content-Length: 0003\r\n\r\nabc",
       "200 next", "POST / h [abc]"},
      {"RFC 9110 §5.1: without case", NEN_POST NEN_HOST "content-LENGTH: 3\r\n\r\nabc", "200 next",
       "POST / h [abc]"},
      {"RFC 9112 §6.3: a body of anything",
       NEN_POST NEN_HOST "Content-Length: 6\r\n\r\n\0\r\n\r\n\xff", "200 next"},
      {"RFC 9112 §6.3: none is no body", NEN_POST NEN_HOST "\r\n", "200 next", "POST / h []"},
      {"RFC 9112 §6.2: the next request is in the body",
       NEN_POST NEN_HOST "Content-Length: 31\r\n\r\n", "200 waits",
       "POST / h [GET /next HTTP/1.1\r\nHost: n\r\n\r\n]"},
      {"RFC 9112 §6.2: more than there is", NEN_POST NEN_HOST "Content-Length: 32\r\n\r\n", "waits"},
      {"RFC 9112 §6.3: repeated", NEN_POST NEN_HOST
       "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", "400 close"},
      {"RFC 9112 §6.3: differing", NEN_POST NEN_HOST
       "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc", "400 close"},
      {"RFC 9112 §6.3: differing, far apart", NEN_POST
       "Content-Length: 0\r\nHost: h\r\nA: b\r\ncontent-length: 3\r\n\r\nabc", "400 close"},
      {"RFC 9112 §6.3: repeated, one empty", NEN_POST NEN_HOST
       "Content-Length: 3\r\nContent-Length:\r\n\r\nabc", "400 close"},
      {"RFC 9112 §6.3: a list", NEN_POST NEN_HOST "Content-Length: 3, 3\r\n\r\nabc", "400 close"},
      {"RFC 9112 §6.3: a list", NEN_POST NEN_HOST "Content-Length: 3,4\r\n\r\nabc", "400 close"},
      {"RFC 9112 §6.3: a list", NEN_POST NEN_HOST "Content-Length: 3,\r\n\r\nabc", "400 close"},
      {"RFC 9112 §6.3: a list", NEN_POST NEN_HOST "Content-Length: ,3\r\n\r\nabc", "400 close"},
      {"RFC 9110 §8.6: plus", NEN_POST NEN_HOST "Content-Length: +3\r\n\r\nabc", "400 close"},
      {"RFC 9110 §8.6: minus", NEN_POST NEN_HOST "Content-Length: -3\r\n\r\nabc", "400 close"},
      {"RFC 9110 §8.6: minus zero", NEN_POST NEN_HOST "Content-Length: -0\r\n\r\n", "400 close"},
      {"RFC 9110 §8.6: hex", NEN_POST NEN_HOST "Content-Length: 0x3\r\n\r\nabc", "400 close"},
      {"RFC 9110 §8.6: hex", NEN_POST NEN_HOST "Content-Length: a\r\n\r\nabc", "400 close"},
      {"RFC 9110 §8.6: fraction", NEN_POST NEN_HOST "Content-Length: 3.0\r\n\r\nabc", "400 close"},
      {"RFC 9110 §8.6: exponent", NEN_POST NEN_HOST "Content-Length: 3e0\r\n\r\nabc", "400 close"},
      {"RFC 9110 §8.6: empty", NEN_POST NEN_HOST "Content-Length:\r\n\r\n", "400 close"},
      {"RFC 9110 §8.6: SP inside", NEN_POST NEN_HOST "Content-Length: 3 3\r\n\r\nabc", "400 close"},
      {"RFC 9110 §8.6: HTAB inside", NEN_POST NEN_HOST "Content-Length: 3\t3\r\n\r\nabc",
       "400 close"},
      {"RFC 9110 §8.6: NUL", NEN_POST NEN_HOST "Content-Length: 3\0\r\n\r\nabc", "400 close"},
      {"RFC 9110 §8.6: VT", NEN_POST NEN_HOST "Content-Length: \v3\r\n\r\nabc", "400 close"},
      {"RFC 9110 §8.6: quoted", NEN_POST NEN_HOST "Content-Length: \"3\"\r\n\r\nabc", "400 close"},
      {"RFC 9110 §8.6: parameter", NEN_POST NEN_HOST "Content-Length: 3;a=b\r\n\r\nabc",
       "400 close"},
      {"RFC 9110 §8.6: superscript", NEN_POST NEN_HOST "Content-Length: \xc2\xb3\r\n\r\nabc",
       "400 close"},
      {"RFC 9110 §8.6: 2^64", NEN_POST NEN_HOST "Content-Length: 18446744073709551616\r\n\r\n",
       "400 close"},
      {"RFC 9110 §8.6: 2^64 + 3", NEN_POST NEN_HOST
       "Content-Length: 18446744073709551619\r\n\r\nabc", "400 close"},
      {"RFC 9110 §15.5.14: 2^64 - 1", NEN_POST NEN_HOST
       "Content-Length: 18446744073709551615\r\n\r\n", "413 close"},
      {"RFC 9110 §15.5.14: 2^63", NEN_POST NEN_HOST "Content-Length: 9223372036854775808\r\n\r\n",
       "413 close"},
      {"RFC 9110 §15.5.14: 2^32 + 3", NEN_POST NEN_HOST "Content-Length: 4294967299\r\n\r\nabc",
       "413 close"},
      {"RFC 9112 §5.1", NEN_POST NEN_HOST "Content-Length : 3\r\n\r\nabc", "400 close"},
      {"RFC 9112 §5.2", NEN_POST NEN_HOST "Content-Length:\r\n 3\r\n\r\nabc", "400 close"},
      {"RFC 9112 §5.2", NEN_POST NEN_HOST "Content-Length: 1\r\n 3\r\n\r\nabc", "400 close"},
  };
  check(rows);
}

TEST_CASE("Transfer-Encoding", "[conformance]") {
#define NEN_CODING(value) \
  bytes(NEN_POST NEN_HOST "Transfer-Encoding: " value "\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
  const row rows[] = {
      {"RFC 9112 §6.1", NEN_CODING("chunked"), "200 next", "POST / h [abc]"},
      {"RFC 9112 §7: without case", NEN_CODING("Chunked"), "200 next", "POST / h [abc]"},
      {"RFC 9112 §7: without case", NEN_CODING("cHUNKED"), "200 next", "POST / h [abc]"},
      {"RFC 9112 §5: OWS", NEN_CODING("\t chunked \t"), "200 next", "POST / h [abc]"},
      {"RFC 9110 §9.3.1: content of a GET",
       NEN_GET NEN_HOST "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", "200 next",
       "GET / h [a]"},
      {"RFC 9110 §10.1.4: TE is not it", NEN_POST NEN_HOST "TE: chunked\r\n\r\n", "200 next",
       "POST / h []"},
      {"RFC 9110 §8.4: Content-Encoding is not it",
       NEN_POST NEN_HOST "Content-Encoding: chunked\r\nContent-Length: 1\r\n\r\na", "200 next",
       "POST / h [a]"},
      {"RFC 9112 §6.1: not implemented", NEN_CODING("gzip, chunked"), "501 close"},
      {"RFC 9112 §6.1: not implemented", NEN_CODING("deflate, compress ,chunked"), "501 close"},
      {"RFC 9112 §6.1: not known", NEN_CODING("cow, chunked"), "501 close"},
      {"RFC 9112 §6.1: in two fields",
       NEN_POST NEN_HOST
       "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "501 close"},
      {"RFC 9112 §6.3: identity is no coding any more", NEN_CODING("identity, chunked"),
       "501 close"},
      {"RFC 9112 §6.3: not final", NEN_CODING("chunked, gzip"), "400 close"},
      {"RFC 9112 §6.3: not final", NEN_CODING("chunked, identity"), "400 close"},
      {"RFC 9112 §6.3: none", NEN_CODING("gzip"), "400 close"},
      {"RFC 9112 §6.3: none", NEN_CODING("identity"), "400 close"},
      {"RFC 9112 §6.3: none", NEN_CODING("cow"), "400 close"},
      {"RFC 9112 §6.3: none", NEN_CODING(""), "400 close"},
      {"RFC 9112 §6.1: twice", NEN_CODING("chunked, chunked"), "400 close"},
      {"RFC 9112 §6.1: twice", NEN_CODING("chunked, gzip, chunked"), "400 close"},
      {"RFC 9112 §6.1: in two fields",
       NEN_POST NEN_HOST
       "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400 close"},
      {"RFC 9112 §6.3: not final, in two fields",
       NEN_POST NEN_HOST
       "Transfer-Encoding: chunked\r\nTransfer-Encoding: cow\r\n\r\n0\r\n\r\n", "400 close"},
      {"RFC 9112 §6.3: not final, in two fields",
       NEN_POST NEN_HOST
       "Transfer-Encoding: chunked\r\nA: b\r\ntransfer-encoding: identity\r\n\r\n0\r\n\r\n",
       "400 close"},
      {"RFC 9112 §6.1: with Content-Length",
       NEN_POST NEN_HOST
       "Transfer-Encoding: chunked\r\nContent-Length: 13\r\n\r\n3\r\nabc\r\n0\r\n\r\n", "400 close"},
      {"RFC 9112 §6.1: with Content-Length",
       NEN_POST NEN_HOST
       "Content-Length: 13\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", "400 close"},
      {"RFC 9112 §6.1: in HTTP/1.0",
       "POST / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400 close"},
      {"RFC 9112 §6.1: in HTTP/1.0, with Content-Length",
       "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
       "400 close"},
      {"RFC 9112 §6.1: in HTTP/1.0, kept",
       "POST / HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
       "400 close"},
  };
  check(rows);
}

TEST_CASE("obfuscated codings and the classics of request smuggling", "[conformance]") {
  const row rows[] = {
      {"RFC 9112 §7.1: no parameters", NEN_CODING("chunked;a=b"), "400 close"},
      {"RFC 9112 §6.1: another name", NEN_CODING("xchunked"), "400 close"},
      {"RFC 9112 §6.1: another name", NEN_CODING("chunkedx"), "400 close"},
      {"RFC 9112 §6.1: another name", NEN_CODING("chunk"), "400 close"},
      {"RFC 9112 §6.1: no token", NEN_CODING("\"chunked\""), "400 close"},
      {"RFC 9112 §6.1: no token", NEN_CODING("'chunked'"), "400 close"},
      {"RFC 9112 §6.1: no token", NEN_CODING("chunked chunked"), "400 close"},
      {"RFC 9112 §6.1: no token", NEN_CODING("chunked:"), "400 close"},
      {"RFC 9110 §5.6.1.2: empty elements, no mistake of a sender", NEN_CODING(", chunked"),
       "400 close"},
      {"RFC 9110 §5.6.1.2: empty elements, no mistake of a sender", NEN_CODING("chunked,"),
       "400 close"},
      {"RFC 9110 §5.5: VT", NEN_CODING("\vchunked"), "400 close"},
      {"RFC 9110 §5.5: FF", NEN_CODING("chunked\f"), "400 close"},
      {"RFC 9110 §5.5: NUL", NEN_CODING("chunked\0"), "400 close"},
      {"RFC 9110 §5.5: obs-text", NEN_CODING("\xff" "chunked"), "400 close"},
      {"RFC 9110 §5.5: obs-text", NEN_CODING("chunked\xa0"), "400 close"},
      {"RFC 9112 §5.1", NEN_POST NEN_HOST "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
       "400 close"},
      {"RFC 9112 §5.1", NEN_POST NEN_HOST "Transfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n",
       "400 close"},
      {"RFC 9112 §5.2", NEN_POST NEN_HOST "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
       "400 close"},
      {"RFC 9112 §5.2", NEN_POST NEN_HOST "A: b\r\n Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
       "400 close"},
      {"RFC 9112 §2.2", NEN_POST NEN_HOST "A: b\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
       "400 close"},
      {"RFC 9110 §5.5", NEN_POST NEN_HOST "A: b\rTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
       "400 close"},
      {"RFC 9110 §5.5", NEN_POST NEN_HOST "A: \r\rTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
       "400 close"},
      {"RFC 9110 §5.1: another field", NEN_POST NEN_HOST
       "Transfer_Encoding: chunked\r\nContent-Length: 1\r\n\r\na", "200 next", "POST / h [a]"},
      {"RFC 9110 §5.1: another field", NEN_POST NEN_HOST
       "X-Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\na", "200 next", "POST / h [a]"},
      {"RFC 9110 §5.1: another field", NEN_POST NEN_HOST
       "Content_Length: 5\r\nContent-Length: 1\r\n\r\na", "200 next", "POST / h [a]"},
      {"RFC 9110 §5.1", NEN_POST NEN_HOST "\0Transfer-Encoding: chunked\r\n\r\n", "400 close"},
      {"RFC 9112 §11.2: CL.TE", NEN_POST NEN_HOST
       "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG", "400 close"},
      {"RFC 9112 §11.2: TE.CL", NEN_POST NEN_HOST
       "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n"
       "1c\r\nGET /smuggled HTTP/1.1\r\nA: b\r\n0\r\n\r\n", "400 close"},
      {"RFC 9112 §11.2: TE.TE", NEN_POST NEN_HOST
       "Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\nContent-Length: 4\r\n\r\n"
       "1c\r\nGET /smuggled HTTP/1.1\r\nA: b\r\n0\r\n\r\n", "400 close"},
      {"RFC 9112 §11.2: CL.0", NEN_GET NEN_HOST
       "Content-Length: 24\r\n\r\nGET /smuggled HTTP/1.1\r\n", "200 next",
       "GET / h [GET /smuggled HTTP/1.1\r\n]"},
      {"RFC 9112 §11.2: 0.CL", NEN_GET NEN_HOST
       "Content-Length: 0\r\nContent-Length: 24\r\n\r\nGET /smuggled HTTP/1.1\r\n", "400 close"},
      {"RFC 9112 §11.2: TE.0", "OPTIONS / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
       "18\r\nGET /smuggled HTTP/1.1\r\n\r\n0\r\n\r\n", "204 next"},
      {"RFC 9112 §11.2: a request in a chunk", NEN_CHUNKED
       "18\r\nGET /smuggled HTTP/1.1\r\n\r\n0\r\n\r\n", "200 next",
       "POST / h [GET /smuggled HTTP/1.1\r\n]"},
      {"RFC 9110 §5.5: a request in a value", NEN_GET NEN_HOST
       "A: GET /smuggled HTTP/1.1\r\n\r\n", "200 next", "GET / h []"},
      {"RFC 9112 §11.1: a request in a line", NEN_GET
       "Host: h\r\n\r\nGET /x HTTP/1.1\r\nHost: h\nA: b\r\n\r\n", "200 400 close"},
  };
  check(rows);
}
