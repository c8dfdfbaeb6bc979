// Connection, keep-alive of both versions, Expect and Upgrade.
#include "conformance/check.hpp"

using namespace nen::test::conformance;

TEST_CASE("Connection", "[conformance]") {
  const row rows[] = {
      {"RFC 9112 §9.3: 1.1 persists", NEN_GET NEN_HOST "\r\n", "200 next"},
      {"RFC 9112 §9.6", NEN_GET NEN_HOST "Connection: close\r\n\r\n", "200 close"},
      {"RFC 9110 §7.6.1: without case", NEN_GET NEN_HOST "connection: CLOSE\r\n\r\n", "200 close"},
      {"RFC 9110 §7.6.1: in a list", NEN_GET NEN_HOST "Connection: x, close\r\n\r\n", "200 close"},
      {"RFC 9110 §5.6.1.2: empty elements", NEN_GET NEN_HOST "Connection: , ,close,\r\n\r\n",
       "200 close"},
      {"RFC 9110 §5.6.1: OWS", NEN_GET NEN_HOST "Connection: x\t,\tclose \r\n\r\n", "200 close"},
      {"RFC 9110 §5.3: in a second field",
       NEN_GET NEN_HOST "Connection: x\r\nConnection: close\r\n\r\n", "200 close"},
      {"RFC 9112 §5: OWS", NEN_GET NEN_HOST "Connection:\t close\t \r\n\r\n", "200 close"},
      {"RFC 9112 §9.3: close wins", NEN_GET NEN_HOST "Connection: close, keep-alive\r\n\r\n",
       "200 close"},
      {"RFC 9112 §9.3: close wins", NEN_GET NEN_HOST "Connection: keep-alive, close\r\n\r\n",
       "200 close"},
      {"RFC 9112 §9.3: close wins",
       NEN_GET NEN_HOST "Connection: close\r\nConnection: keep-alive\r\n\r\n", "200 close"},
      {"RFC 9112 §9.3", NEN_GET NEN_HOST "Connection: keep-alive\r\n\r\n", "200 next"},
      {"RFC 9110 §7.6.1: another option", NEN_GET NEN_HOST "Connection: closed\r\n\r\n",
       "200 next"},
      {"RFC 9110 §7.6.1: another option", NEN_GET NEN_HOST "Connection: clos\r\n\r\n", "200 next"},
      {"RFC 9110 §7.6.1: no token", NEN_GET NEN_HOST "Connection: \"close\"\r\n\r\n", "200 next"},
      {"RFC 9110 §5.6.1: empty list", NEN_GET NEN_HOST "Connection:\r\n\r\n", "200 next"},
      {"RFC 9110 §7.6.1: it names fields, but cannot take framing away",
       NEN_POST NEN_HOST "Connection: content-length\r\nContent-Length: 1\r\n\r\na", "200 next",
       "POST / h [a]"},
      {"RFC 9110 §7.6.1: it names fields, but cannot take framing away",
       NEN_POST NEN_HOST "Connection: transfer-encoding, host\r\nTransfer-Encoding: chunked\r\n\r\n"
                         "1\r\na\r\n0\r\n\r\n",
       "200 next", "POST / h [a]"},
      {"RFC 9112 §9.3: behind a body",
       NEN_POST NEN_HOST "Connection: close\r\nContent-Length: 1\r\n\r\na", "200 close",
       "POST / h [a]"},
      {"RFC 9112 §9.3: behind chunks",
       NEN_POST NEN_HOST
       "Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
       "200 close", "POST / h [a]"},
      {"RFC 9112 §9.3: 1.0 does not persist", "GET / HTTP/1.0\r\nHost: h\r\n\r\n", "200 close"},
      {"RFC 9112 §9.3: 1.0 with keep-alive", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
       "200 next"},
      {"RFC 9112 §9.3: 1.0 with keep-alive, without case",
       "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", "200 next"},
      {"RFC 9112 §9.3: 1.0, close wins", "GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n",
       "200 close"},
      {"RFC 9112 §9.3: 1.0, another option", "GET / HTTP/1.0\r\nConnection: x\r\n\r\n",
       "200 close"},
      {"RFC 2068 §19.7.1: the Keep-Alive field is no option",
       "GET / HTTP/1.0\r\nKeep-Alive: timeout=5\r\n\r\n", "200 close"},
      {"RFC 9110 §7.6.1: Proxy-Connection is not it",
       NEN_GET NEN_HOST "Proxy-Connection: close\r\n\r\n", "200 next"},
      {"RFC 9112 §9.6: an error of a route keeps",
       "GET /next?a HTTP/1.1\r\nHost: h\r\n\r\n"
       "PUT /next HTTP/1.1\r\nHost: h\r\n\r\n",
       "next 405 next"},
      {"RFC 9112 §9.6: nothing behind a close",
       NEN_GET NEN_HOST "\r\n" NEN_GET NEN_HOST "Connection: close\r\n\r\n" NEN_GET NEN_HOST "\r\n",
       "200 200 close"},
  };
  check(rows);
}

TEST_CASE("pipelining", "[conformance]") {
  const row rows[] = {
      {"RFC 9112 §9.3.2: in order",
       "GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\n"
       "GET /3 HTTP/1.1\r\nHost: h\r\n\r\n",
       "200 200 200 next", "GET /1 h []"},
      {"RFC 9112 §9.3.2: of every kind",
       NEN_POST NEN_HOST
       "Content-Length: 2\r\n\r\nab" NEN_CHUNKED "1\r\nc\r\n0\r\nA: b\r\n\r\n"
       "\r\nOPTIONS * HTTP/1.1\r\nHost: h\r\n\r\nTRACE / HTTP/1.1\r\nHost: h\r\n\r\n"
       "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
       "200 200 204 405 200 next", "POST / h [ab]"},
      {"RFC 9112 §9.3.2: a bad request behind good ones",
       NEN_GET NEN_HOST "\r\n" NEN_POST NEN_HOST "Content-Length: 1\r\n\r\na" NEN_GET NEN_HOST
                        "A : b\r\n\r\n",
       "200 200 400 close"},
      {"RFC 9112 §9.3.2: bad bytes behind a body", NEN_POST NEN_HOST "Content-Length: 1\r\n\r\nab",
       "200 501 close"},
      {"RFC 9112 §9.3.2: bad bytes behind chunks", NEN_CHUNKED "0\r\n\r\n\n", "200 400 close"},
      {"RFC 9112 §9.3.2: bad bytes behind a head", NEN_GET NEN_HOST "\r\n\0", "200 400 close"},
  };
  check(rows);
}

TEST_CASE("nothing of a request is seen in the next one", "[conformance]") {
  nen::test::running run(tested, patient);
  auto c = run.connect();
  const std::string full =
      "POST /long/path?query HTTP/1.1\r\nHost: example.com\r\n"
      "Content-Length: 4\r\n\r\nbody";
  const std::string bare = "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
  c.send(full + bare + full + bare);
  for (int i = 0; i < 2; ++i) {
    CHECK(c.read_answer().body == "POST /long/path?query example.com [body]");
    CHECK(c.read_answer().body == "GET /  []");
  }
  // The same when each is kept for a while because it comes in pieces.
  for (const std::string& message : {full, bare, full, bare}) {
    c.send(message.substr(0, 20));
    ::usleep(2000);
    c.send(message.substr(20));
    const bool is_full = message.size() == full.size();
    CHECK(c.read_answer().body ==
          (is_full ? "POST /long/path?query example.com [body]" : "GET /  []"));
  }
}

TEST_CASE("Expect and Upgrade", "[conformance]") {
  const row rows[] = {
      {"RFC 9110 §10.1.1: the body came along",
       NEN_POST NEN_HOST "Expect: 100-continue\r\nContent-Length: 3\r\n\r\nabc", "200 next",
       "POST / h [abc]"},
      {"RFC 9110 §10.1.1: with chunks",
       NEN_POST NEN_HOST
       "Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
       "200 next", "POST / h [a]"},
      {"RFC 9112 §5: OWS",
       NEN_POST NEN_HOST "Expect:\t100-continue \t\r\nContent-Length: 3\r\n\r\nabc", "200 next",
       "POST / h [abc]"},
      {"RFC 9110 §10.1.1: without case",
       NEN_POST NEN_HOST "Expect: 100-Continue\r\nContent-Length: 3\r\n\r\nabc", "200 next",
       "POST / h [abc]"},
      {"RFC 9110 §10.1.1: no body", NEN_GET NEN_HOST "Expect: 100-continue\r\n\r\n", "200 next",
       "GET / h []"},
      {"RFC 9110 §10.1.1: in HTTP/1.0 it is ignored",
       "POST / HTTP/1.0\r\nConnection: keep-alive\r\nExpect: 100-continue\r\n"
       "Content-Length: 1\r\n\r\na",
       "200 next", "POST /  [a]"},
      {"RFC 9110 §15.5.18: another expectation", NEN_GET NEN_HOST "Expect: 200-ok\r\n\r\n",
       "417 close"},
      {"RFC 9110 §15.5.18", NEN_POST NEN_HOST "Expect: x\r\nContent-Length: 1\r\n\r\na",
       "417 close"},
      {"RFC 9110 §15.5.18", NEN_GET NEN_HOST "Expect: 100-continue, x\r\n\r\n", "417 close"},
      {"RFC 9110 §15.5.18", NEN_GET NEN_HOST "Expect: 100-continue\r\nExpect: x\r\n\r\n",
       "417 close"},
      {"RFC 9110 §15.5.18", NEN_GET NEN_HOST "Expect: 100-continue=1\r\n\r\n", "417 close"},
      {"RFC 9112 §6.3: bad framing comes first",
       NEN_POST NEN_HOST "Expect: x\r\nContent-Length: x\r\n\r\n", "400 close"},
      {"RFC 9110 §7.8: an upgrade may be ignored",
       NEN_GET NEN_HOST "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
       "200 next", "GET / h []"},
      {"RFC 9110 §7.8: h2c",
       NEN_GET NEN_HOST
       "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n",
       "200 next", "GET / h []"},
      {"RFC 9110 §7.8: with a body",
       NEN_POST NEN_HOST "Connection: upgrade\r\nUpgrade: x\r\nContent-Length: 3\r\n\r\nabc",
       "200 next", "POST / h [abc]"},
      {"RFC 9110 §7.8: with chunks",
       NEN_POST NEN_HOST "Connection: upgrade\r\nUpgrade: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                         "1\r\na\r\n0\r\n\r\n",
       "200 next", "POST / h [a]"},
      {"RFC 9110 §7.8: without the option", NEN_GET NEN_HOST "Upgrade: websocket\r\n\r\n",
       "200 next"},
      {"RFC 9110 §7.8: in HTTP/1.0 it is ignored",
       "GET / HTTP/1.0\r\nConnection: keep-alive, upgrade\r\nUpgrade: x\r\n\r\n", "200 next"},
      {"RFC 9110 §7.8: with close",
       NEN_GET NEN_HOST "Connection: close, upgrade\r\nUpgrade: x\r\n\r\n", "200 close"},
  };
  check(rows);
}
