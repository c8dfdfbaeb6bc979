// Tests of net/proxy_header.hpp: whole headers, cut ones, and everything that is wrong with one.
#include <nen/net/proxy_header.hpp>

#include <string>
#include <string_view>
#include <vector>

#include "support/catch.hpp"

namespace {

using namespace std::string_literals;
using status = nen::proxy_header_status;

const std::string signature("\r\n\r\n\0\r\nQUIT\n", 12);

std::string number(std::size_t value) {
  return {static_cast<char>(value >> 8), static_cast<char>(value & 0xff)};
}
std::string v2(int command, int kind, const std::string& block) {
  return signature + static_cast<char>(command) + static_cast<char>(kind) + number(block.size()) +
         block;
}
const std::string tcp4 = "\xc0\x00\x02\x01\x0a\x00\x00\x01\x12\x67\x00\x50"s;
const std::string tcp6 = "\x20\x01\x0d\xb8"s + std::string(11, '\0') + "\x07" +
                         std::string(15, '\0') + "\x01" + "\x12\x67\x00\x50"s;

std::string tlv(int type, const std::string& value) {
  return static_cast<char>(type) + number(value.size()) + value;
}

struct outcome {
  status said;
  std::size_t consumed;
  std::string client;
  unsigned port;
  bool operator==(const outcome&) const = default;
};

/// Feeds it in pieces of at most this size.
outcome read(const std::string& bytes, std::size_t piece) {
  nen::proxy_header_reader reader{};
  std::size_t at = 0;
  while (at < bytes.size()) {
    const auto got = reader.feed(std::string_view(bytes).substr(at, piece));
    at += got.consumed;
    if (got.status == status::complete)
      return {got.status, at, std::string(reader.client().to_text().view()), reader.client().port};
    if (got.status == status::rejected) return {got.status, 0, {}, 0};
  }
  return {status::need_more, at, {}, 0};
}

struct right {
  const char* name;
  std::string bytes;
  std::string client;
  unsigned port;
};

std::vector<right> right_ones() {
  return {
      {"TCP4", "PROXY TCP4 192.0.2.1 10.0.0.1 4711 80\r\n", "192.0.2.1", 4711},
      {"TCP4, the longest", "PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n",
       "255.255.255.255", 65535},
      {"TCP6", "PROXY TCP6 2001:db8::7 ::1 4711 80\r\n", "2001:db8::7", 4711},
      {"TCP6 of IPv4", "PROXY TCP6 ::ffff:192.0.2.1 ::ffff:10.0.0.1 4711 80\r\n", "192.0.2.1",
       4711},
      {"TCP6, the longest",
       "PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
       "65535 65535\r\n",
       "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 65535},
      {"port 0", "PROXY TCP4 192.0.2.1 10.0.0.1 0 0\r\n", "192.0.2.1", 0},
      {"UNKNOWN", "PROXY UNKNOWN\r\n", "-", 0},
      {"UNKNOWN, the longest",
       "PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
       "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
       "-", 0},
      {"v2 TCP4", v2(0x21, 0x11, tcp4), "192.0.2.1", 4711},
      {"v2 TCP6", v2(0x21, 0x21, tcp6), "2001:db8::7", 4711},
      {"v2 Unix", v2(0x21, 0x31, std::string(216, 'x')), "unix", 0},
      {"v2 Unix and a value", v2(0x21, 0x31, std::string(216, 'x') + tlv(4, "y")), "unix", 0},
      {"v2 LOCAL", v2(0x20, 0x00, ""), "-", 0},
      {"v2 LOCAL with an address to ignore", v2(0x20, 0x11, tcp4), "-", 0},
      {"v2 LOCAL of a kind to ignore", v2(0x20, 0xff, "whatever"), "-", 0},
      {"v2 UNSPEC", v2(0x21, 0x00, ""), "-", 0},
      {"v2 UNSPEC with bytes", v2(0x21, 0x00, "whatever"), "-", 0},
      {"v2 IPv4 of no protocol", v2(0x21, 0x10, tcp4), "-", 0},
      {"v2 UDP", v2(0x21, 0x12, tcp4), "-", 0},
      {"v2 with values", v2(0x21, 0x11, tcp4 + tlv(1, "h2") + tlv(4, "") + tlv(0x20, "12345")),
       "192.0.2.1", 4711},
      {"v2 with a last empty value", v2(0x21, 0x11, tcp4 + tlv(4, "")), "192.0.2.1", 4711},
      {"v2, the longest", v2(0x21, 0x11, tcp4 + tlv(0x20, std::string(16384 - 15, 'c'))),
       "192.0.2.1", 4711},
  };
}

}  // namespace

TEST_CASE("a header tells whose connection it is, wherever it is cut", "[proxy_header]") {
  for (const auto& [name, bytes, client, port] : right_ones()) {
    INFO(name);
    for (const std::size_t piece : {bytes.size() + 9, std::size_t{1}, std::size_t{2},
                                    std::size_t{7}, std::size_t{16}, std::size_t{17}}) {
      INFO("in pieces of " << piece);
      CHECK(read(bytes, piece) == outcome{status::complete, bytes.size(), client, port});
      // What follows is the connection's own and stays.
      CHECK(read(bytes + "GET / HTTP/1.1\r\n", piece).consumed == bytes.size());
    }
    for (std::size_t size = 0; size < bytes.size(); size += size < 300 ? 1 : 997) {
      INFO("only " << size);
      CHECK(read(bytes.substr(0, size), 1).said == status::need_more);
    }
  }
}

TEST_CASE("whatever is wrong with a header is rejected", "[proxy_header]") {
  const std::vector<std::pair<const char*, std::string>> wrong = {
      {"HTTP", "GET / HTTP/1.1\r\n"},
      {"P and no more", "POST / HTTP/1.1\r\n"},
      {"TLS", "\x16\x03\x01"},
      {"small letters", "proxy TCP4 192.0.2.1 10.0.0.1 4711 80\r\n"},
      {"a NUL", std::string(1, '\0')},
      {"two spaces", "PROXY  TCP4 192.0.2.1 10.0.0.1 4711 80\r\n"},
      {"two spaces between addresses", "PROXY TCP4 192.0.2.1  10.0.0.1 4711 80\r\n"},
      {"a tab", "PROXY TCP4\t192.0.2.1 10.0.0.1 4711 80\r\n"},
      {"no addresses", "PROXY TCP4\r\n"},
      {"one address", "PROXY TCP4 192.0.2.1\r\n"},
      {"one port", "PROXY TCP4 192.0.2.1 10.0.0.1 4711\r\n"},
      {"three ports", "PROXY TCP4 192.0.2.1 10.0.0.1 4711 80 80\r\n"},
      {"a space at the end", "PROXY TCP4 192.0.2.1 10.0.0.1 4711 80 \r\n"},
      {"TCP5", "PROXY TCP5 192.0.2.1 10.0.0.1 4711 80\r\n"},
      {"tcp4", "PROXY tcp4 192.0.2.1 10.0.0.1 4711 80\r\n"},
      {"UNKNOWNS", "PROXY UNKNOWNS\r\n"},
      {"IPv6 as TCP4", "PROXY TCP4 ::1 10.0.0.1 4711 80\r\n"},
      {"IPv4 as TCP6", "PROXY TCP6 192.0.2.1 ::1 4711 80\r\n"},
      {"mixed", "PROXY TCP6 ::1 10.0.0.1 4711 80\r\n"},
      {"no address", "PROXY TCP4 localhost 10.0.0.1 4711 80\r\n"},
      {"leading zero", "PROXY TCP4 192.0.02.1 10.0.0.1 4711 80\r\n"},
      {"bad destination", "PROXY TCP4 192.0.2.1 10.0.0.256 4711 80\r\n"},
      {"port 65536", "PROXY TCP4 192.0.2.1 10.0.0.1 65536 80\r\n"},
      {"port with a zero", "PROXY TCP4 192.0.2.1 10.0.0.1 04711 80\r\n"},
      {"port with a sign", "PROXY TCP4 192.0.2.1 10.0.0.1 -1 80\r\n"},
      {"bad other port", "PROXY TCP4 192.0.2.1 10.0.0.1 4711 8x\r\n"},
      {"bare LF", "PROXY TCP4 192.0.2.1 10.0.0.1 4711 80\n"},
      {"bare CR", "PROXY TCP4 192.0.2.1 10.0.0.1 4711 80\r\r\n"},
      {"CR in the middle", "PROXY TCP4\r192.0.2.1 10.0.0.1 4711 80\r\n"},
      {"a line of 108 bytes", "PROXY UNKNOWN " + std::string(92, 'x') + "\r\n"},
      {"a line that never ends", "PROXY UNKNOWN " + std::string(500, 'x')},
      {"v2 signature with a wrong end", "\r\n\r\n\0\r\nQUIT\r"s},
      {"v2 version 1", signature + "\x11\x11" + number(12) + tcp4},
      {"v2 version 3", signature + "\x31\x11" + number(12) + tcp4},
      {"v2 command 2", v2(0x22, 0x11, tcp4)},
      {"v2 family 4", v2(0x21, 0x41, tcp4)},
      {"v2 protocol 3", v2(0x21, 0x13, tcp4)},
      {"v2 too short for TCP4", v2(0x21, 0x11, tcp4.substr(1))},
      {"v2 too short for TCP6", v2(0x21, 0x21, tcp6.substr(1))},
      {"v2 too short for Unix", v2(0x21, 0x31, std::string(215, 'x'))},
      {"v2 a value over the end", v2(0x21, 0x11, tcp4 + "\x01" + number(3) + "h2")},
      {"v2 half a value's length", v2(0x21, 0x11, tcp4 + "\x01\x00"s)},
      {"v2 too long", v2(0x21, 0x11, tcp4 + tlv(0x20, std::string(16385 - 15, 'c')))},
      {"v2 LOCAL too long", v2(0x20, 0x00, std::string(16385, 'c'))},
  };
  for (const auto& [name, bytes] : wrong) {
    INFO(name);
    for (const std::size_t piece : {bytes.size(), std::size_t{1}, std::size_t{5}})
      CHECK(read(bytes, piece).said == status::rejected);
  }
}

TEST_CASE("bytes of another protocol are rejected at the first one that tells", "[proxy_header]") {
  CHECK(read("G", 1).said == status::rejected);
  CHECK(read("PR", 1).said == status::need_more);
  CHECK(read("PO", 1).said == status::rejected);
  CHECK(read("\r\n\r\n", 1).said == status::need_more);
  CHECK(read("\r\n\r\nG", 1).said == status::rejected);
}
