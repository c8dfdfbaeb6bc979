// Every limit at exactly what it allows and at one more.
#include "conformance/check.hpp"

using namespace nen::test::conformance;

namespace {

std::string times(std::size_t count, std::string_view text) {
  std::string all;
  while (count-- != 0) all += text;
  return all;
}

/// A request whose head has exactly this size, in a field value.
std::string head_of(std::size_t size) {
  const std::string begin = NEN_GET NEN_HOST "A: ";
  return begin + std::string(size - begin.size() - 4, 'x') + "\r\n\r\n";
}

/// A request whose target has exactly this size.
std::string target_of(std::size_t size) {
  return "GET /" + std::string(size - 1, 'x') + " HTTP/1.1\r\nHost: h\r\n\r\n";
}

std::string sized_body(std::size_t size) {
  return NEN_POST NEN_HOST "Content-Length: " + std::to_string(size) + "\r\n\r\n" +
         std::string(size, 'x');
}

std::string chunk(std::size_t size) {
  char digits[32];
  std::snprintf(digits, sizeof digits, "%zx\r\n", size);
  return digits + std::string(size, 'x') + "\r\n";
}

constexpr std::size_t head_max = limits.head_bytes_max;
constexpr std::size_t target_max = limits.target_bytes_max;
constexpr std::size_t body_max = limits.body_bytes_max;
constexpr std::size_t fields_max = limits.fields_max;

}  // namespace

TEST_CASE("limits of the head", "[conformance]") {
  const row rows[] = {
      {"RFC 6585 §5: the longest head", head_of(head_max), "200 next"},
      {"RFC 6585 §5: one byte more", head_of(head_max + 1), "431 close"},
      {"RFC 6585 §5: two bytes more", head_of(head_max + 2), "431 close"},
      {"RFC 6585 §5: much more", head_of(3 * head_max), "431 close"},
      {"RFC 6585 §5: no end", NEN_GET NEN_HOST "A: " + std::string(2 * head_max, 'x'), "431 close"},
      {"RFC 6585 §5: a long name",
       NEN_GET NEN_HOST + std::string(2 * head_max, 'x') + ": a\r\n\r\n", "431 close"},
      {"RFC 6585 §5: white space only", NEN_GET NEN_HOST "A:" + std::string(2 * head_max, ' '),
       "431 close"},
      {"RFC 9112 §2.2: empty lines without end", times(head_max, "\r\n"), "431 close"},
      {"RFC 6585 §5: the most fields",
       NEN_GET NEN_HOST + times(fields_max - 1, "A: b\r\n") + "\r\n", "200 next"},
      {"RFC 6585 §5: one field more", NEN_GET NEN_HOST + times(fields_max, "A: b\r\n") + "\r\n",
       "431 close"},
      {"RFC 6585 §5: Host is the field that is one too many",
       NEN_GET + times(fields_max, "A: b\r\n") + NEN_HOST "\r\n", "431 close"},
      {"RFC 6585 §5: far more, each empty", NEN_GET NEN_HOST + times(100, "A:\r\n") + "\r\n",
       "431 close"},
      {"RFC 9112 §3: the longest target", target_of(target_max), "200 next"},
      {"RFC 9112 §3: one byte more", target_of(target_max + 1), "414 close"},
      {"RFC 9112 §3: longer than the head", target_of(2 * head_max), "414 close"},
      {"RFC 9112 §3: no end", "GET /" + std::string(2 * head_max, 'x'), "414 close"},
      {"RFC 9112 §3: absolute-form",
       "GET http://h/" + std::string(target_max, 'x') + " HTTP/1.1\r\nHost: h\r\n\r\n",
       "414 close"},
      {"RFC 9112 §3: a long query", "GET /?" + std::string(target_max, 'x') + " HTTP/1.1\r\n\r\n",
       "414 close"},
      {"RFC 9112 §3: a long method", std::string(2 * head_max, 'X'), "501 close"},
      {"RFC 9110 §5.4: a long Host", NEN_GET "Host: " + std::string(900, 'h') + "\r\n\r\n",
       "200 next"},
  };
  check(rows);
}

TEST_CASE("limits of the body", "[conformance]") {
  const std::string seen = "POST / h [" + std::string(body_max, 'x') + "]";
  const row rows[] = {
      {"RFC 9110 §15.5.14: the longest body", sized_body(body_max), "200 next", seen.c_str()},
      {"RFC 9110 §15.5.14: one byte more", sized_body(body_max + 1), "413 close"},
      {"RFC 9110 §15.5.14: with leading zeros",
       NEN_POST NEN_HOST "Content-Length: 0000000000000000000002048\r\n\r\n" +
           std::string(body_max, 'x'),
       "200 next", seen.c_str()},
      {"RFC 9110 §15.5.14: the longest chunk", NEN_CHUNKED + chunk(body_max) + "0\r\n\r\n",
       "200 next", seen.c_str()},
      {"RFC 9110 §15.5.14: one byte more", NEN_CHUNKED + chunk(body_max + 1) + "0\r\n\r\n",
       "413 close"},
      {"RFC 9110 §15.5.14: the longest in chunks",
       NEN_CHUNKED + chunk(body_max / 2) + chunk(body_max / 2) + "0\r\n\r\n", "200 next",
       seen.c_str()},
      {"RFC 9110 §15.5.14: one byte more",
       NEN_CHUNKED + chunk(body_max / 2) + chunk(body_max / 2) + chunk(1) + "0\r\n\r\n",
       "413 close"},
      {"RFC 9110 §15.5.14: in chunks of one byte",
       NEN_CHUNKED + times(300, "1\r\nx\r\n") + "0\r\n\r\n", "200 next"},
  };
  check(rows);
}

TEST_CASE("limits of chunk extensions and trailers", "[conformance]") {
  // Counted together with the head: from ';' to the line's end, and each trailer with its CRLF.
  constexpr std::size_t room = head_max - (sizeof NEN_CHUNKED - 1);
  const std::string longest(room - 4, 'v');
  const std::string seen = "POST / h [] T=" + longest;
  const row rows[] = {
      {"RFC 9112 §7.1.1: the longest extension",
       NEN_CHUNKED "1;" + std::string(room - 1, 'e') + "\r\nx\r\n0\r\n\r\n", "200 next",
       "POST / h [x]"},
      {"RFC 9112 §7.1.1: one byte more",
       NEN_CHUNKED "1;" + std::string(room, 'e') + "\r\nx\r\n0\r\n\r\n", "431 close"},
      {"RFC 9112 §7.1.1: no end", NEN_CHUNKED "1;" + std::string(3 * head_max, 'e'), "431 close"},
      {"RFC 9112 §7.1.1: of all chunks together",
       NEN_CHUNKED + times(head_max / 4 + 1, "1;eee\r\nx\r\n") + "0\r\n\r\n", "431 close"},
      {"RFC 6585 §5: the longest trailer", NEN_CHUNKED "0\r\nT:" + longest + "\r\n\r\n", "200 next",
       seen.c_str()},
      {"RFC 6585 §5: one byte more", NEN_CHUNKED "0\r\nT:v" + longest + "\r\n\r\n", "431 close"},
      {"RFC 6585 §5: one that is not shown", NEN_CHUNKED "0\r\nTE:" + longest + "\r\n\r\n",
       "431 close"},
      {"RFC 6585 §5: trailers without end", NEN_CHUNKED "0\r\n" + times(head_max, "T: v\r\n"),
       "431 close"},
      {"RFC 9112 §7.1.1: an extension and a trailer",
       NEN_CHUNKED "1;" + std::string(room / 2 - 1, 'e') +
           "\r\nx\r\n0\r\nT:" + std::string(room - room / 2 - 3, 'v') + "\r\n\r\n",
       "431 close"},
      {"RFC 6585 §5: the most fields",
       NEN_CHUNKED "0\r\n" + times(fields_max - 2, "T:\r\n") + "\r\n", "200 next"},
      {"RFC 6585 §5: one field more",
       NEN_CHUNKED "0\r\n" + times(fields_max - 1, "T:\r\n") + "\r\n", "431 close"},
  };
  check(rows);
}
