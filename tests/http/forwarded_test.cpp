// Tests of http/forwarded.hpp: whose request it is, and that nobody can be somebody else.
#include <nen/http/forwarded.hpp>

#include <string>
#include <string_view>

#include "http/made_request.hpp"
#include "support/catch.hpp"

namespace {

using nen::test::field_lines;
using which = nen::forwarded_field;

constexpr auto trusted = nen::cidrs<"10.0.0.0/8", "fd00::/8">;

std::string client(which field, const field_lines& lines) {
  const nen::test::made_request made(nen::method::get, lines);
  const auto who =
      nen::forwarded_client(made.view().fields(), field, *nen::parse_ip("10.0.0.1"), trusted);
  std::string text(who.to_text().view());
  return who.port == 0 ? text : text + " " + std::to_string(who.port);
}
std::string xff(std::string_view value) {
  return client(which::x_forwarded_for, {{"X-Forwarded-For", value}});
}
std::string forwarded(std::string_view value) {
  return client(which::forwarded, {{"Forwarded", value}});
}

constexpr const char* peer = "10.0.0.1";

struct row {
  std::string_view value;
  const char* client;
};

}  // namespace

TEST_CASE("X-Forwarded-For is read from the right as far as proxies are trusted", "[forwarded]") {
  for (const auto& [value, expected] : {
           row{"192.0.2.7", "192.0.2.7"},
           {"2001:db8::7", "2001:db8::7"},
           {"192.0.2.7:4711", "192.0.2.7 4711"},
           {"[2001:db8::7]:4711", "2001:db8::7 4711"},
           {"[2001:db8::7]", "2001:db8::7"},
           {"::ffff:192.0.2.7", "192.0.2.7"},
           {"192.0.2.7, 10.0.0.2", "192.0.2.7"},
           {"192.0.2.7,10.0.0.2,fd00::3", "192.0.2.7"},
           {"203.0.113.1, 192.0.2.7", "192.0.2.7"},
           {"203.0.113.1, 192.0.2.7, 10.0.0.2", "192.0.2.7"},
           {"10.0.0.3, 192.0.2.7, 10.0.0.2", "192.0.2.7"},
           {"10.0.0.3, 10.0.0.2", "10.0.0.3"},
           {" , 192.0.2.7 ,, ", "192.0.2.7"},
           {"unknown", peer},
           {"unknown, 10.0.0.2", "10.0.0.2"},
           {"192.0.2.7, unknown", peer},
           {"192.0.2.7, 1.2.3.4.5, 10.0.0.2", "10.0.0.2"},
           {"", peer},
           {",", peer},
           {"192.0.2.7:x", "192.0.2.7"},
           {"192.0.2.7:99999", "192.0.2.7"},
           {"[192.0.2.7]", peer},
           {"[2001:db8::7", peer},
           {"[2001:db8::7]x", peer},
           // A quote is a character like others here; it can't hide what the proxy has appended.
           {"\", 192.0.2.7", "192.0.2.7"},
           {"\"203.0.113.1, 192.0.2.7", "192.0.2.7"},
       }) {
    INFO(value);
    CHECK(xff(value) == expected);
  }
}

TEST_CASE("Forwarded is read as RFC 7239 writes it", "[forwarded]") {
  for (const auto& [value, expected] : {
           row{"for=192.0.2.7", "192.0.2.7"},
           {"For=192.0.2.7;proto=https;by=203.0.113.43", "192.0.2.7"},
           {"proto=https;host=\"a,b;c\";FOR=192.0.2.7", "192.0.2.7"},
           {"for=\"192.0.2.7:4711\"", "192.0.2.7 4711"},
           {"for=\"[2001:db8::7]:4711\"", "2001:db8::7 4711"},
           {"for=\"[2001:db8::7]\"", "2001:db8::7"},
           {"for=\"[2001:db8::7]:_port\"", "2001:db8::7"},
           {"for=203.0.113.1, for=192.0.2.7;by=x, for=10.0.0.2", "192.0.2.7"},
           {"for=192.0.2.7, for=\"[fd00::2]\"", "192.0.2.7"},
           {"for=192.0.2.7;by=\"a,b\", for=10.0.0.2;host=\"x\\\",y\"", "192.0.2.7"},
           {"for=192.0.2.7;", "192.0.2.7"},
           {";;for=192.0.2.7 ; proto=http", "192.0.2.7"},
           {"for=unknown", peer},
           {"for=\"_gazonk\"", peer},
           {"for=_hidden, for=10.0.0.2", "10.0.0.2"},
           {"for=192.0.2.7, for=unknown", peer},
           {"proto=https", peer},
           {"192.0.2.7", peer},
           {"for=2001:db8::7", peer},
           {"for=192.0.2.7;for=192.0.2.8", peer},
           {"for=\"192.0.2.7", peer},
           {"for=\"192.0.2.7\"x", peer},
           {"for=\"192.0.2\\.7\"", peer},
           {"for=", peer},
           {"for", peer},
           {"=192.0.2.7", peer},
           {"f or=192.0.2.7", peer},
           // What a client leaves open does not swallow what the proxy has appended.
           {"for=\"203.0.113.1, for=192.0.2.7", "192.0.2.7"},
           {"for=\"203.0.113.1\\\", for=192.0.2.7, for=\"[fd00::2]\"", "192.0.2.7"},
       }) {
    INFO(value);
    CHECK(forwarded(value) == expected);
  }
}

TEST_CASE("several lines of a field are one list", "[forwarded]") {
  CHECK(client(which::x_forwarded_for, {{"x-forwarded-for", "203.0.113.1"},
                                        {"X-FORWARDED-FOR", "192.0.2.7, 10.0.0.3"},
                                        {"Other", "203.0.113.2"},
                                        {"X-Forwarded-For", "10.0.0.2"}}) == "192.0.2.7");
}

TEST_CASE("only the field that was chosen counts", "[forwarded]") {
  const field_lines both = {{"Forwarded", "for=192.0.2.7"}, {"X-Forwarded-For", "192.0.2.8"}};
  CHECK(client(which::forwarded, both) == "192.0.2.7");
  CHECK(client(which::x_forwarded_for, both) == "192.0.2.8");
  CHECK(client(which::none, both) == peer);
  CHECK(client(which::forwarded, {{"X-Forwarded-For", "192.0.2.8"}}) == peer);
}

TEST_CASE("a list without an end is given up", "[forwarded]") {
  std::string many = "192.0.2.7";
  for (int i = 0; i < 31; ++i) many += ", 10.0.0.2";
  CHECK(xff(many) == "192.0.2.7");
  CHECK(xff(many + ", 10.0.0.9") == "10.0.0.2");
  CHECK(xff("192.0.2.7" + std::string(32, ',')) == peer);
}
