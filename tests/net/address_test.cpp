// endpoint: what is read, what is refused and why, and how it is written.
#include <nen/net/address.hpp>

#include <string>

#include "support/catch.hpp"

using nen::endpoint;
using nen::test::ContainsSubstring;

namespace {

std::string text_of(const endpoint& e) { return std::string(e.to_string().view()); }

}  // namespace

TEST_CASE("numeric addresses are read and written back", "[address]") {
  const struct {
    std::string_view host;
    std::uint16_t port;
    int family;
    std::string_view text;
    bool any;
  } cases[] = {
      {"127.0.0.1", 8080, AF_INET, "127.0.0.1:8080", false},
      {"0.0.0.0", 0, AF_INET, "0.0.0.0:0", true},
      {"255.255.255.255", 65535, AF_INET, "255.255.255.255:65535", false},
      {"localhost", 80, AF_INET, "127.0.0.1:80", false},
      {"LocalHost", 80, AF_INET, "127.0.0.1:80", false},
      {"::1", 80, AF_INET6, "[::1]:80", false},
      {"[::1]", 80, AF_INET6, "[::1]:80", false},
      {"::", 1, AF_INET6, "[::]:1", true},
      {"[::]", 1, AF_INET6, "[::]:1", true},
      {"2001:DB8:0:0:0:0:0:1", 443, AF_INET6, "[2001:db8::1]:443", false},
      {"::ffff:10.0.0.1", 443, AF_INET6, "[::ffff:10.0.0.1]:443", false},
      {"ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255", 65535, AF_INET6,
       "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535", false},
  };
  for (const auto& c : cases) {
    INFO("host: " << c.host);
    const auto e = endpoint::parse(c.host, c.port);
    REQUIRE(e.has_value());
    CHECK(e->family() == c.family);
    CHECK(e->data()->sa_family == c.family);
    CHECK(e->size() == (c.family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6)));
    CHECK(e->port() == c.port);
    CHECK(e->is_any() == c.any);
    CHECK_FALSE(e->is_unix());
    CHECK(e->unix_name().empty());
    CHECK(text_of(*e) == c.text);
    CHECK(std::string(e->to_string().c_str()) == c.text);
  }
}

TEST_CASE("what is not a numeric address is refused with a sentence that says what is",
          "[address]") {
  const std::string long_host(300, '1');
  const std::string with_nul("127.0.0.1\0", 10);
  for (const std::string& host :
       {std::string(""), std::string("example.com"), std::string("256.0.0.1"),
        std::string("127.0.0"), std::string("127.0.0.1:80"), std::string(" 127.0.0.1"),
        std::string("[127.0.0.1]"), std::string("[::1"), std::string("::1]"), std::string("[]"),
        std::string("["), std::string(":::1"), std::string("::g"), std::string("[[::1]]"),
        std::string("1:2:3:4:5:6:7:8:9"), std::string("[localhost]"), std::string("*"), long_host,
        with_nul}) {
    INFO("host: " << host);
    const auto e = endpoint::parse(host, 80);
    REQUIRE_FALSE(e.has_value());
    CHECK(e.error().code() == std::errc::invalid_argument);
    CHECK_THAT(std::string(e.error().message()),
               ContainsSubstring("is not a numeric address; write an IPv4 address such as "
                                 "127.0.0.1, an IPv6 address such as ::1, or localhost"));
  }
  CHECK_THAT(std::string(endpoint::parse("example.com", 80).error().message()),
             nen::test::StartsWith("\"example.com\" is not"));
}

TEST_CASE("a Unix socket is named by its path", "[address]") {
  const auto e = endpoint::unix_path("/run/x.sock");
  REQUIRE(e.has_value());
  CHECK(e->family() == AF_UNIX);
  CHECK(e->is_unix());
  CHECK_FALSE(e->is_abstract());
  CHECK(e->port() == 0);
  CHECK_FALSE(e->is_any());
  CHECK(e->unix_name() == "/run/x.sock");
  CHECK(e->size() == offsetof(sockaddr_un, sun_path) + 12);
  CHECK(text_of(*e) == "unix:/run/x.sock");
}

TEST_CASE("a leading @ names an abstract Unix socket", "[address]") {
  const auto e = endpoint::unix_path("@nen");
  REQUIRE(e.has_value());
  CHECK(e->is_abstract());
  CHECK(e->unix_name() == "nen");
  CHECK(e->size() == offsetof(sockaddr_un, sun_path) + 4);
  CHECK(reinterpret_cast<const sockaddr_un*>(e->data())->sun_path[0] == '\0');
  CHECK(text_of(*e) == "unix:@nen");
}

TEST_CASE("a Unix path may have 107 bytes and an error names the limit", "[address]") {
  for (const char first : {'/', '@'}) {
    std::string path(107, 'p');
    path[0] = first;
    const auto longest = endpoint::unix_path(path);
    REQUIRE(longest.has_value());
    CHECK(text_of(*longest) == "unix:" + path);
    const auto longer = endpoint::unix_path(path + "p");
    REQUIRE_FALSE(longer.has_value());
    CHECK(longer.error().code() == std::errc::filename_too_long);
    CHECK_THAT(std::string(longer.error().message()),
               ContainsSubstring("path of 108 bytes is too long") &&
                   ContainsSubstring("at most 107 bytes"));
  }
}

TEST_CASE("a Unix socket needs a name without NUL", "[address]") {
  for (const std::string_view path : {std::string_view(""), std::string_view("@")}) {
    const auto e = endpoint::unix_path(path);
    REQUIRE_FALSE(e.has_value());
    CHECK(e.error().code() == std::errc::invalid_argument);
    CHECK_THAT(std::string(e.error().message()), ContainsSubstring("needs a name"));
  }
  const auto e = endpoint::unix_path(std::string_view("/a\0b", 4));
  REQUIRE_FALSE(e.has_value());
  CHECK_THAT(std::string(e.error().message()), ContainsSubstring("NUL"));
}

TEST_CASE("bytes that would steer a terminal are not printed", "[address]") {
  CHECK(text_of(*endpoint::unix_path("/a\x1b[2J\x7f")) == "unix:/a?[2J?");
}

TEST_CASE("what the kernel filled in is taken over", "[address]") {
  const auto e = *endpoint::parse("::1", 99);
  const auto copy = endpoint::from_native(e.data(), e.size());
  REQUIRE(copy.has_value());
  CHECK(*copy == e);
  CHECK_FALSE(*copy == *endpoint::parse("::1", 98));
  CHECK_FALSE(*copy == *endpoint::parse("127.0.0.1", 99));

  sockaddr_un unnamed{};
  unnamed.sun_family = AF_UNIX;
  const auto peer =
      endpoint::from_native(reinterpret_cast<const sockaddr*>(&unnamed), sizeof(sa_family_t));
  REQUIRE(peer.has_value());
  CHECK(peer->unix_name().empty());
  CHECK_FALSE(peer->is_abstract());
  CHECK(text_of(*peer) == "unix:");
}

TEST_CASE("a native address of a wrong size or family is refused", "[address]") {
  const auto e = *endpoint::parse("127.0.0.1", 99);
  CHECK(endpoint::from_native(nullptr, 16).error().code() == std::errc::invalid_argument);
  CHECK(endpoint::from_native(e.data(), 1).error().code() == std::errc::invalid_argument);
  CHECK(endpoint::from_native(e.data(), 15).error().code() == std::errc::invalid_argument);
  CHECK(endpoint::from_native(e.data(), 200).error().code() == std::errc::invalid_argument);
  sockaddr other{};
  other.sa_family = AF_NETLINK;
  CHECK(endpoint::from_native(&other, sizeof(other)).error().code() ==
        std::errc::address_family_not_supported);
}

TEST_CASE("an empty endpoint has no family and says so", "[address]") {
  const endpoint e;
  CHECK(e.family() == AF_UNSPEC);
  CHECK(e.size() == 0);
  CHECK(text_of(e) == "(no address)");
}
