// What RFC 3986 and RFC 9110 say of things that parsers usually let through.
#include "conformance/check.hpp"

using namespace nen::test::conformance;

// llhttp takes only spaces there and refuses the message, which is safe but not what the clause
// says. When this passes, llhttp has changed: take the tag away.
TEST_CASE("white space behind a Content-Length may be a tab", "[conformance][!shouldfail]") {
  const row rows[] = {
      {"RFC 9112 §5", NEN_POST NEN_HOST "Content-Length: 3\t\r\n\r\nabc", "200 next",
       "POST / h [abc]"},
      {"RFC 9112 §5", NEN_POST NEN_HOST "Content-Length: 3 \t \r\n\r\nabc", "200 next",
       "POST / h [abc]"},
  };
  check(rows);
}

TEST_CASE("an IP literal in Host is an IPv6 address, not just made of its characters",
          "[conformance]") {
  const row rows[] = {
      {"RFC 3986 §3.2.2", NEN_GET "Host: [:::]\r\n\r\n", "400 close"},
      {"RFC 3986 §3.2.2", NEN_GET "Host: [:]\r\n\r\n", "400 close"},
      {"RFC 3986 §3.2.2", NEN_GET "Host: [1::2::3]\r\n\r\n", "400 close"},
      {"RFC 3986 §3.2.2", NEN_GET "Host: [12345::]\r\n\r\n", "400 close"},
      {"RFC 3986 §3.2.2", NEN_GET "Host: [1:2:3:4:5:6:7:8:9]\r\n\r\n", "400 close"},
      {"RFC 3986 §3.2.2", NEN_GET "Host: [1:2:3:4:5:6:7]\r\n\r\n", "400 close"},
      {"RFC 3986 §3.2.2", NEN_GET "Host: [::1.2.3]\r\n\r\n", "400 close"},
      {"RFC 3986 §3.2.2", NEN_GET "Host: [::256.0.0.1]\r\n\r\n", "400 close"},
      {"RFC 3986 §3.2.2", NEN_GET "Host: [1.2.3.4::]\r\n\r\n", "400 close"},
      {"RFC 3986 §3.2.2", "GET http://[:::]/ HTTP/1.1\r\nHost: h\r\n\r\n", "400 close"},
  };
  check(rows);
}

TEST_CASE("a target has no characters that a URI does not have", "[conformance]") {
  const row rows[] = {
      {"RFC 9112 §3, RFC 3986 §3.3", "GET /a\"b HTTP/1.1\r\nHost: h\r\n\r\n", "400 close"},
      {"RFC 9112 §3, RFC 3986 §3.3", "GET /<a> HTTP/1.1\r\nHost: h\r\n\r\n", "400 close"},
      {"RFC 9112 §3, RFC 3986 §3.3", "GET /a\\b HTTP/1.1\r\nHost: h\r\n\r\n", "400 close"},
      {"RFC 9112 §3, RFC 3986 §3.3", "GET /a^b HTTP/1.1\r\nHost: h\r\n\r\n", "400 close"},
      {"RFC 9112 §3, RFC 3986 §3.3", "GET /a`b HTTP/1.1\r\nHost: h\r\n\r\n", "400 close"},
      {"RFC 9112 §3, RFC 3986 §3.3", "GET /{a} HTTP/1.1\r\nHost: h\r\n\r\n", "400 close"},
      {"RFC 9112 §3, RFC 3986 §3.4", "GET /?\"a\" HTTP/1.1\r\nHost: h\r\n\r\n", "400 close"},
      {"RFC 9112 §3, RFC 3986 §3.4", "GET /?<a> HTTP/1.1\r\nHost: h\r\n\r\n", "400 close"},
      // Refusing these is a SHOULD only, and browsers send them: URL Standard §1.3 leaves them as
      // they are in a path and in a query.
      {"RFC 9112 §3", "GET /a|[b] HTTP/1.1\r\nHost: h\r\n\r\n", "200 next", "GET /a|[b] h []"},
      {"RFC 9112 §3", "GET /?{a}|[b]\\^` HTTP/1.1\r\nHost: h\r\n\r\n", "200 next",
       "GET /?{a}|[b]\\^` h []"},
  };
  check(rows);
}

TEST_CASE("an escape in a path has two hexadecimal digits", "[conformance]") {
  const row rows[] = {
      {"RFC 3986 §2.1", "GET /%zz HTTP/1.1\r\nHost: h\r\n\r\n", "400 next"},
      {"RFC 3986 §2.1", "GET /a%2 HTTP/1.1\r\nHost: h\r\n\r\n", "400 next"},
      {"RFC 3986 §2.1", "GET /% HTTP/1.1\r\nHost: h\r\n\r\n", "400 next"},
  };
  check(rows);
}

TEST_CASE("an https target is refused on a connection without TLS", "[conformance]") {
  const row rows[] = {
      {"RFC 9110 §7.4", "GET https://h/ HTTP/1.1\r\nHost: h\r\n\r\n", "421 close"},
  };
  check(rows);
}

TEST_CASE("an error answer to HEAD has no content", "[conformance]") {
  const row rows[] = {
      {"RFC 9110 §9.3.2", "HEAD / HTTP/1.1\r\nHost: h\r\nExpect: x\r\n\r\n", "417 close"},
      {"RFC 9110 §9.3.2", "HEAD / HTTP/1.1\r\nHost: h\r\nContent-Length: 9999\r\n\r\n",
       "413 close"},
      {"RFC 9110 §9.3.2", "HEAD / HTTP/1.1\r\n\r\n", "400 close"},
  };
  check(rows);
}

TEST_CASE("a chunk extension has a name, and its value is a token or a quoted-string",
          "[conformance]") {
#define NEN_EXTENSION(text) bytes(NEN_CHUNKED "3" text "\r\nabc\r\n0\r\n\r\n")
  const row rows[] = {
      {"RFC 9112 §7.1.1", NEN_EXTENSION(";"), "400 close"},
      {"RFC 9112 §7.1.1", NEN_EXTENSION("; "), "400 close"},
      {"RFC 9112 §7.1.1", NEN_EXTENSION(";;a"), "400 close"},
      {"RFC 9112 §7.1.1", NEN_EXTENSION(";=a"), "400 close"},
      {"RFC 9112 §7.1.1", NEN_EXTENSION(";a="), "400 close"},
      {"RFC 9112 §7.1.1", NEN_EXTENSION(";a b"), "400 close"},
      {"RFC 9112 §7.1.1", NEN_EXTENSION(";a=b c"), "400 close"},
      {"RFC 9112 §7.1.1", NEN_EXTENSION(";a=\"b"), "400 close"},
      {"RFC 9112 §7.1.1", NEN_EXTENSION(";a=\"b\"c"), "400 close"},
      {"RFC 9112 §7.1.1", NEN_EXTENSION(";\xff"), "400 close"},
  };
  check(rows);
}
