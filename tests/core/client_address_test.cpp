// Addresses of clients, and how they are written.
#include <nen/core/client_address.hpp>

#include <arpa/inet.h>

#include <cstring>
#include <string>

#include "support/catch.hpp"

namespace {

nen::client_address v6(const char* text) {
  std::uint8_t bytes[16];
  REQUIRE(::inet_pton(AF_INET6, text, bytes) == 1);
  return nen::client_address::ipv6(bytes);
}

}  // namespace

TEST_CASE("an IPv6 address is written the way of RFC 5952", "[client_address]") {
  // The C library's way is the same for these.
  for (const char* text : {"::", "::1", "1::", "2001:db8::1", "2001:db8:0:1:1:1:1:1",
                           "2001:db8::1:0:0:1", "2001:0:0:1::1", "fe80::1234:5678:9abc:def0",
                           "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:0", "0:2:3:4:5:6:7:8", "1:0:0:4:5::8",
                           "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "a::b:0:0:c"}) {
    char expected[INET6_ADDRSTRLEN];
    std::uint8_t bytes[16];
    REQUIRE(::inet_pton(AF_INET6, text, bytes) == 1);
    REQUIRE(::inet_ntop(AF_INET6, bytes, expected, sizeof expected) != nullptr);
    CHECK(v6(text).to_text().view() == std::string(expected));
    CHECK(v6(text).what == nen::client_address::kind::ipv6);
  }
}

TEST_CASE("an IPv4 address is the same in IPv6", "[client_address]") {
  const auto plain = nen::client_address::ipv4({192, 0, 2, 255});
  CHECK(plain.to_text().view() == "192.0.2.255");
  CHECK(v6("::ffff:192.0.2.255") == plain);
  CHECK(v6("::fffe:192.0.2.255").what == nen::client_address::kind::ipv6);
  CHECK(plain.is_ip());
}

TEST_CASE("zero is nobody's address", "[client_address]") {
  CHECK(nen::client_address{}.to_text().view() == "-");
  CHECK(nen::client_address::nobody() == nen::client_address{});
  CHECK_FALSE(nen::client_address{}.is_ip());
  nen::client_address local{};
  local.what = nen::client_address::kind::unix_socket;
  CHECK(local.to_text().view() == "unix");
}
