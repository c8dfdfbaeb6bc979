// Tests of http/url.hpp.
#include <nen/http/url.hpp>

#include <array>
#include <string>
#include <string_view>

#include "http/parser_driver.hpp"
#include "support/catch.hpp"
#include "support/death.hpp"

namespace {

using nen::parse_url;
using nen::resolve_url;
using nen::url;
using nen::url_fault;
using nen::url_result;
using nen::url_scheme;
using nen::test::exact_bytes;

/// A URL as it would be written again, and its port.
std::string shown(const url_result& r) {
  if (r.fault != url_fault::none) return "fault: " + std::string(to_string(r.fault));
  return std::string(to_string(r.value.scheme)) + " " + std::string(r.value.host) + " " +
         std::to_string(r.value.port) + " " + std::string(r.value.target_path()) +
         std::string(r.value.query);
}

std::string fault(url_fault f) { return "fault: " + std::string(to_string(f)); }

url base_of(std::string_view text) {
  const url_result r = parse_url(text);
  REQUIRE(r.fault == url_fault::none);
  return r.value;
}

std::string resolved(std::string_view base, std::string_view reference, std::size_t room = 256) {
  exact_bytes bytes(std::string(room, '#'));
  exact_bytes text(reference);  // so that a read past its end is seen
  const std::string_view view(text.begin(), reference.size());
  return shown(resolve_url(base_of(base), view, {bytes.begin(), room}));
}

}  // namespace

TEST_CASE("an absolute URL is taken apart") {
  struct row {
    std::string_view text, wanted;
  };
  const row rows[] = {
      {"http://example.org", "http example.org 80 /"},
      {"http://example.org/", "http example.org 80 /"},
      {"http://example.org?q", "http example.org 80 /?q"},
      {"http://example.org#f", "http example.org 80 /"},
      {"http://example.org/a/b?c=d/e?f#g?h", "http example.org 80 /a/b?c=d/e?f"},
      {"HTTPS://Example.org:8443/", "https Example.org 8443 /"},
      {"https://h", "https h 443 /"},
      {"ws://h/chat", "ws h 80 /chat"},
      {"wss://h", "wss h 443 /"},
      {"http://h:80/", "http h 80 /"},
      {"http://h:/", "http h 80 /"},
      {"http://h:00081", "http h 81 /"},
      {"http://h:65535", "http h 65535 /"},
      {"http://127.0.0.1:1/", "http 127.0.0.1 1 /"},
      {"http://[::1]/", "http [::1] 80 /"},
      {"http://[2001:db8::127.0.0.1]:81?", "http [2001:db8::127.0.0.1] 81 /?"},
      {"http://a%20b.c_d!/", "http a%20b.c_d! 80 /"},
      {"http://h//a//", "http h 80 //a//"},
      {"http://h/../a", "http h 80 /../a"},
      {"http://h/a:b@c;d=e,(f)'*!$&+~-._%7e", "http h 80 /a:b@c;d=e,(f)'*!$&+~-._%7e"},
      {"http://h/a[]|?b[]={c}\\^`", "http h 80 /a[]|?b[]={c}\\^`"},
  };
  for (const row& r : rows) {
    CAPTURE(std::string(r.text));
    exact_bytes bytes(r.text);
    CHECK(shown(parse_url({bytes.begin(), r.text.size()})) == r.wanted);
  }
  CHECK(base_of("http://[::1]:80/").address() == "::1");
  CHECK(base_of("http://h/").address() == "h");
  CHECK(base_of("http://h?q").target_size() == 3);
  CHECK(base_of("http://h").path.empty());
  static_assert(parse_url("ws://h:81/a?b").value.query == "?b");
}

TEST_CASE("what is not an absolute URL that can be asked for is refused") {
  using namespace std::string_view_literals;
  struct row {
    std::string_view text;
    url_fault fault;
  };
  const row rows[] = {
      {"", url_fault::no_scheme},
      {"/a", url_fault::no_scheme},
      {"//h/a", url_fault::no_scheme},
      {"h", url_fault::no_scheme},
      {"h/a:b", url_fault::no_scheme},
      {"?a:b", url_fault::no_scheme},
      {"#a:b", url_fault::no_scheme},
      {"h:80/", url_fault::unsupported_scheme},
      {"://h/", url_fault::unsupported_scheme},
      {"ftp://h/", url_fault::unsupported_scheme},
      {"file:///etc", url_fault::unsupported_scheme},
      {"httpx://h/", url_fault::unsupported_scheme},
      {"javascript:a", url_fault::unsupported_scheme},
      {"http:", url_fault::no_host},
      {"http:/h", url_fault::no_host},
      {"http:h", url_fault::no_host},
      {"http://", url_fault::no_host},
      {"http:///a", url_fault::no_host},
      {"http://:80/", url_fault::no_host},
      {"http://?h", url_fault::no_host},
      {"http://#h", url_fault::no_host},
      {"http://u@h/", url_fault::has_userinfo},
      {"http://u:p@h/", url_fault::has_userinfo},
      {"http://@h/", url_fault::has_userinfo},
      {"http://[::1]@h/", url_fault::has_userinfo},
      {"http://a\\b/", url_fault::bad_host},
      {"http://a|b/", url_fault::bad_host},
      {"http://::1/", url_fault::no_host},
      {"http://[::1/", url_fault::bad_host},
      {"http://[]/", url_fault::bad_host},
      {"http://[/", url_fault::bad_host},
      {"http://]/", url_fault::bad_host},
      {"http://[::1]x/", url_fault::bad_host},
      {"http://x[::1]/", url_fault::bad_host},
      {"http://[::1%25eth0]/", url_fault::bad_host},
      {"http://[127.0.0.1]/", url_fault::bad_host},
      {"http://[v1.a]/", url_fault::bad_host},
      {"http://h:0/", url_fault::bad_port},
      {"http://h:65536/", url_fault::bad_port},
      {"http://h:-1/", url_fault::bad_port},
      {"http://h:+1/", url_fault::bad_port},
      {"http://h:1:2/", url_fault::bad_port},
      {"http://h:a/", url_fault::bad_port},
      {"http://h:99999999999999999999/", url_fault::bad_port},
      {" http://h/", url_fault::bad_character},
      {"http://h/ ", url_fault::bad_character},
      {"http://h/a b", url_fault::bad_character},
      {"http://h/a\r\nHost: x", url_fault::bad_character},
      {"http://h/#\r\n", url_fault::bad_character},
      {"http://h/\0"sv, url_fault::bad_character},
      {"http://h/\x7f", url_fault::bad_character},
      {"http://h/\xc3\xa4", url_fault::bad_character},
      {"http://h/%", url_fault::bad_character},
      {"http://h/%2", url_fault::bad_character},
      {"http://h/?%2g", url_fault::bad_character},
      {"http://h/<", url_fault::bad_character},
      {"http://h/\"", url_fault::bad_character},
      {"http://h/\\", url_fault::bad_character},
      {"http://h/?>", url_fault::bad_character},
  };
  for (const row& r : rows) {
    CAPTURE(std::string(r.text));
    exact_bytes bytes(r.text);
    const url_result got = parse_url({bytes.begin(), r.text.size()});
    CHECK(shown(got) == fault(r.fault));
    CHECK(got.value.host.empty());
  }
}

TEST_CASE("references are resolved as in RFC 3986 §5.4") {
  struct row {
    std::string_view reference, wanted;
  };
  const row rows[] = {
      // §5.4.1; fragments are dropped.
      {"g", "/b/c/g"},
      {"./g", "/b/c/g"},
      {"g/", "/b/c/g/"},
      {"/g", "/g"},
      {"?y", "/b/c/d;p?y"},
      {"g?y", "/b/c/g?y"},
      {"#s", "/b/c/d;p?q"},
      {"g#s", "/b/c/g"},
      {"g?y#s", "/b/c/g?y"},
      {";x", "/b/c/;x"},
      {"g;x", "/b/c/g;x"},
      {"g;x?y#s", "/b/c/g;x?y"},
      {"", "/b/c/d;p?q"},
      {".", "/b/c/"},
      {"./", "/b/c/"},
      {"..", "/b/"},
      {"../", "/b/"},
      {"../g", "/b/g"},
      {"../..", "/"},
      {"../../", "/"},
      {"../../g", "/g"},
      // §5.4.2
      {"../../../g", "/g"},
      {"../../../../g", "/g"},
      {"/./g", "/g"},
      {"/../g", "/g"},
      {"g.", "/b/c/g."},
      {".g", "/b/c/.g"},
      {"g..", "/b/c/g.."},
      {"..g", "/b/c/..g"},
      {"./../g", "/b/g"},
      {"./g/.", "/b/c/g/"},
      {"g/./h", "/b/c/g/h"},
      {"g/../h", "/b/c/h"},
      {"g;x=1/./y", "/b/c/g;x=1/y"},
      {"g;x=1/../y", "/b/c/y"},
      {"g?y/./x", "/b/c/g?y/./x"},
      {"g?y/../x", "/b/c/g?y/../x"},
      {"g#s/./x", "/b/c/g"},
      {"g#s/../x", "/b/c/g"},
  };
  for (const row& r : rows) {
    CAPTURE(std::string(r.reference));
    CHECK(resolved("http://a/b/c/d;p?q", r.reference) == "http a 80 " + std::string(r.wanted));
  }
  CHECK(resolved("http://a/b/c/d;p?q", "//g") == "http g 80 /");
  CHECK(resolved("http://a/b/c/d;p?q", "g:h") == fault(url_fault::unsupported_scheme));
  // A strict reader takes it for a URL of its own, which then has no host.
  CHECK(resolved("http://a/b/c/d;p?q", "http:g") == fault(url_fault::no_host));
}

TEST_CASE("a resolved reference keeps of its base what it does not replace, and no more") {
  struct row {
    std::string_view base, reference, wanted;
  };
  const row rows[] = {
      {"https://h:8443/a", "b", "https h 8443 /b"},
      {"https://h:8443", "b", "https h 8443 /b"},
      {"https://h:8443?q", "", "https h 8443 /?q"},
      {"https://h:8443/a", "//x/b", "https x 443 /b"},
      {"https://h:8443/a", "http://x:81/b/../c", "http x 81 /c"},
      {"https://h:443/a", "b", "https h 443 /b"},
      {"wss://[::1]:81/a", "/b?c", "wss [::1] 81 /b?c"},
      {"http://h/a?q", "//x", "http x 80 /"},
      {"http://h/a?q", "//x?r", "http x 80 /?r"},
      {"http://h/a?q", "/", "http h 80 /"},
      {"http://h/a/../b?q", "?r", "http h 80 /a/../b?r"},
      {"http://h/a/../b/c", "d", "http h 80 /b/d"},
      {"http://h//a//b", "../c", "http h 80 //a/c"},
      {"http://h/a", "b//../c", "http h 80 /b/c"},
      {"http://h/a", "b/...", "http h 80 /b/..."},
      {"http://h/a", "//u@x/", "fault: the URL has user information in front of its host"},
      {"http://h/a", "//x:0/", "fault: the URL's port is not a number from 1 to 65535"},
      {"http://h/a", "///b", "fault: the URL has no host"},
      {"http://h/a", "1a:b", "fault: the URL's scheme is not http, https, ws or wss"},
      {"http://h/a", "b c", "fault: the URL has a character that has to be percent-encoded"},
      {"http://h/a", "\\\\x/b", "fault: the URL has a character that has to be percent-encoded"},
  };
  for (const row& r : rows) {
    CAPTURE(std::string(r.base), std::string(r.reference));
    CHECK(resolved(r.base, r.reference) == r.wanted);
  }
}

TEST_CASE("a resolved URL that does not fit is a fault, and no byte is written behind its room") {
  // "http://h:81/a/b?c" has 17 bytes; with the dot segments, 22.
  for (std::size_t room = 0; room <= 24; ++room) {
    CAPTURE(room);
    CHECK(resolved("http://h:81/a/x", "b?c", room) ==
          (room < 17 ? fault(url_fault::too_long) : "http h 81 /a/b?c"));
    CHECK(resolved("http://h:81/a/x", "../a/b?c", room) ==
          (room < 20 ? fault(url_fault::too_long) : "http h 81 /a/b?c"));
  }
}

TEST_CASE("a URL is not resolved on top of what it is made from") {
  std::array<char, 64> room{};
  const std::string_view text = "http://h/a";
  text.copy(room.data(), text.size());
  const url base = base_of({room.data(), text.size()});
  CHECK(nen::test::dies([&] { resolve_url(base, "b", room); }).aborted);
  const url other = base_of(text);
  CHECK(nen::test::dies([&] { resolve_url(other, {room.data() + 8, 2}, room); }).aborted);
}

TEST_CASE("two URLs have one origin when scheme, host and port are the same") {
  const url here = base_of("http://example.org/a");
  CHECK(is_same_origin(here, base_of("HTTP://EXAMPLE.ORG:80/b?c")));
  CHECK_FALSE(is_same_origin(here, base_of("https://example.org/a")));
  CHECK_FALSE(is_same_origin(here, base_of("https://example.org:80/a")));
  CHECK_FALSE(is_same_origin(here, base_of("http://example.org:81/a")));
  CHECK_FALSE(is_same_origin(here, base_of("http://example.com/a")));
}
