// Tests of http/request.hpp and http/host.hpp.
#include <nen/http/host.hpp>
#include <nen/http/request.hpp>

#include <string_view>

#include "support/catch.hpp"

namespace {

constexpr std::string_view bytes = "PUT /a/b?c=d HTTP/1.1\r\nHost: h:80\r\n\r\n";
constexpr nen::field_ref refs[] = {{23, 4, 29, 4}};

constexpr nen::request_head make_head() {
  nen::request_head head{};
  head.method = nen::method::put;
  head.version_minor = 1;
  head.target_begin = 4;
  head.target_size = 8;
  head.path_begin = 4;
  head.path_size = 4;
  head.query_begin = 9;
  head.query_size = 3;
  head.host_begin = 29;
  head.host_size = 4;
  head.field_count = 1;
  head.keep_alive = true;
  return head;
}

}  // namespace

TEST_CASE("a request shows what its head says") {
  const nen::request_head head = make_head();
  const nen::request r(head, bytes.data(), refs, "the body");
  CHECK(r.method() == nen::method::put);
  CHECK(r.target() == "/a/b?c=d");
  CHECK(r.path() == "/a/b");
  CHECK(r.query() == "c=d");
  CHECK(r.host() == "h:80");
  CHECK(r.version_minor() == 1);
  CHECK(r.keep_alive());
  CHECK(r.body() == "the body");
  CHECK(r.fields().size() == 1);
  CHECK(r.field("HOST") == "h:80");
  CHECK_FALSE(r.field("Accept").has_value());
}

TEST_CASE("trailers are behind the fields in the table, with a place of their own") {
  nen::request_head head = make_head();
  constexpr std::string_view lines = "Sum: 5\r\n";
  constexpr nen::field_ref both[] = {refs[0], {0, 3, 5, 1}};
  CHECK(nen::request(head, bytes.data(), both, "", lines.data()).trailers().empty());
  head.trailer_count = 1;
  const nen::request r(head, bytes.data(), both, "", lines.data());
  CHECK(r.fields().size() == 1);
  CHECK(r.trailers().size() == 1);
  CHECK(r.trailers().find("sum") == "5");
}

TEST_CASE("an empty path means the root") {
  nen::request_head head = make_head();
  head.path_size = 0;
  CHECK(nen::request(head, bytes.data(), refs, {}).path() == "/");
}

TEST_CASE("a request is a cheap view") { CHECK(sizeof(nen::request) <= 6 * sizeof(void*)); }

TEST_CASE("hosts are judged by RFC 3986") {
  const std::string_view valid[] = {"a",
                                    "example.com",
                                    "example.com:8080",
                                    "a:",
                                    "127.0.0.1",
                                    "127.0.0.1:80",
                                    "[::1]",
                                    "[::1]:80",
                                    "[fe80::1:2]",
                                    "[::ffff:1.2.3.4]",
                                    "[v1f.a:b]",
                                    "a%20b",
                                    "-._~!$&'()*+,;=",
                                    "xn--bcher-kva.example"};
  const std::string_view invalid[] = {"",     ":80",   "a b",  "a:b",  "a:80:80", "a/b",   "a?b",
                                      "a#b",  "u@a",   "[::1", "::1",  "[]",      "[:]x",  "[::g]",
                                      "a%2",  "a%zz",  "a%",   "[12]", "[v.a]",   "[v1.]", "[v1]",
                                      "\x80", "a\x7f", "a<b",  "a\"",  "a\\b",    "a,b:1x"};
  for (const std::string_view text : valid) {
    CAPTURE(text);
    CHECK(nen::is_host_and_port(text));
  }
  for (const std::string_view text : invalid) {
    CAPTURE(text);
    CHECK_FALSE(nen::is_host_and_port(text));
  }
}
