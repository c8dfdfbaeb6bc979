// Tests of core/ip_text.hpp: what is an IP address, held against the C library.
#include <nen/core/ip_text.hpp>

#include <arpa/inet.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "support/catch.hpp"

namespace {

using kind = nen::client_address::kind;

/// What inet_pton says of a text, as the address that nen keeps.
std::optional<nen::client_address> by_library(const std::string& text) {
  std::uint8_t v4[4];
  std::uint8_t v6[16];
  if (::inet_pton(AF_INET, text.c_str(), v4) == 1) return nen::client_address::ipv4(v4);
  if (::inet_pton(AF_INET6, text.c_str(), v6) == 1) return nen::client_address::ipv6(v6);
  return std::nullopt;
}

}  // namespace

TEST_CASE("addresses are read as the C library reads them", "[ip_text]") {
  for (const char* text : {"0.0.0.0",
                           "255.255.255.255",
                           "192.0.2.1",
                           "256.0.0.1",
                           "1.2.3",
                           "1.2.3.4.5",
                           "1..2.3",
                           "01.2.3.4",
                           "1.2.3.4 ",
                           " 1.2.3.4",
                           "1.2.3.04",
                           "0x1.2.3.4",
                           "1.2.3.-4",
                           "",
                           ".",
                           "1.2.3.",
                           "1.2.3.4a",
                           "1000.2.3.4",
                           "::",
                           "::1",
                           "1::",
                           ":",
                           ":::",
                           "1:2:3:4:5:6:7:8",
                           "1:2:3:4:5:6:7",
                           "1:2:3:4:5:6:7:8:9",
                           "1:2:3:4:5:6:7::",
                           "::2:3:4:5:6:7:8",
                           "1:2:3:4::5:6:7:8",
                           "1::2::3",
                           "12345::",
                           "g::",
                           "1:2:3:4:5:6:7:",
                           ":1:2:3:4:5:6:7",
                           "2001:DB8::aBcD",
                           "::ffff:192.0.2.1",
                           "::192.0.2.1",
                           "1:2:3:4:5:6:1.2.3.4",
                           "1:2:3:4:5:6:7:1.2.3.4",
                           "::1.2.3",
                           "::1.2.3.4:5",
                           "1.2.3.4::",
                           "fe80::1%eth0",
                           "[::1]",
                           "::ffff:256.0.0.1",
                           "1:2:3:4:5::1.2.3.4",
                           "::0:0:0:0:0:0:0",
                           "0:0:0:0:0:0:0::",
                           "::0:0:0:0:0:0:0:0",
                           "1:2:3:4:5:6::1.2.3.4",
                           "00001::"}) {
    INFO(text);
    const auto read = nen::parse_ip(text);
    const auto expected = by_library(text);
    REQUIRE(read.has_value() == expected.has_value());
    if (read) CHECK(*read == *expected);
  }
}

TEST_CASE("what an address is written as reads as itself", "[ip_text]") {
  std::uint32_t state = 7;
  for (int i = 0; i < 2000; ++i) {
    std::uint8_t bytes[16];
    for (auto& byte : bytes) {
      state = state * 1664525 + 1013904223;
      byte = (state >> 28) < 8 ? 0 : static_cast<std::uint8_t>(state >> 16);
    }
    const auto address = nen::client_address::ipv6(bytes);
    CHECK(nen::parse_ip(address.to_text()) == address);
  }
}

TEST_CASE("a NUL inside of a text is no end", "[ip_text]") {
  CHECK_FALSE(nen::parse_ip(std::string_view("1.2.3.4\0", 8)).has_value());
  CHECK_FALSE(nen::parse_ip(std::string_view("::1\0", 4)).has_value());
}

TEST_CASE("addresses are read at compile time", "[ip_text]") {
  static_assert(nen::parse_ip("192.0.2.1")->what == kind::ipv4);
  static_assert(nen::parse_ip("::ffff:192.0.2.1") == nen::parse_ip("192.0.2.1"));
  static_assert(nen::parse_ip("2001:db8::1")->bytes[15] == 1);
  static_assert(!nen::parse_ip("2001:db8::1::"));
  CHECK(nen::parse_ip("192.0.2.1")->port == 0);
}
