// Tests of core/cidr.hpp and core/access.hpp: prefixes, lists, and who may come in.
#include <nen/core/access.hpp>
#include <nen/core/cidr.hpp>

#include <pthread.h>

#include <array>
#include <atomic>
#include <string>
#include <string_view>
#include <vector>

#include "support/catch.hpp"

namespace {

nen::client_address ip(std::string_view text) {
  const auto read = nen::parse_ip(text);
  REQUIRE(read.has_value());
  return *read;
}

struct contained {
  const char* prefix;
  const char* address;
  bool inside;
};

constexpr contained table[] = {
    {"10.0.0.0/8", "10.0.0.0", true},
    {"10.0.0.0/8", "10.255.255.255", true},
    {"10.0.0.0/8", "11.0.0.0", false},
    {"10.0.0.0/8", "9.255.255.255", false},
    {"192.0.2.128/25", "192.0.2.128", true},
    {"192.0.2.128/25", "192.0.2.127", false},
    {"192.0.2.4/31", "192.0.2.5", true},
    {"192.0.2.4/31", "192.0.2.6", false},
    {"192.0.2.4", "192.0.2.4", true},
    {"192.0.2.4", "192.0.2.5", false},
    {"192.0.2.4/32", "192.0.2.4", true},
    {"0.0.0.0/0", "203.0.113.9", true},
    {"0.0.0.0/0", "::1", false},
    {"::/0", "2001:db8::1", true},
    {"::/0", "192.0.2.1", false},
    {"2001:db8::/32", "2001:db8:ffff::1", true},
    {"2001:db8::/32", "2001:db9::1", false},
    {"2001:db8:8000::/33", "2001:db8:7fff::", false},
    {"2001:db8:8000::/33", "2001:db8:ffff::", true},
    {"::1", "::1", true},
    {"::1", "::2", false},
    {"::1/128", "::1", true},
    {"::ffff:10.0.0.0/104", "10.1.2.3", true},
    {"::ffff:10.0.0.0/104", "11.1.2.3", false},
    {"::ffff:0:0/96", "203.0.113.9", true},
    {"::ffff:0:0/96", "2001:db8::1", false},
    {"10.0.0.0/8", "::ffff:10.1.2.3", true},
};

}  // namespace

TEST_CASE("a prefix has the addresses that begin with it, and no others", "[cidr]") {
  for (const auto& [prefix, address, inside] : table) {
    INFO(prefix << " and " << address);
    const auto read = nen::cidr::parse(prefix);
    REQUIRE(read.has_value());
    CHECK(read->contains(ip(address)) == inside);
  }
}

TEST_CASE("nobody's address and a Unix socket's are in no prefix", "[cidr]") {
  nen::client_address local{};
  local.what = nen::client_address::kind::unix_socket;
  for (const char* all : {"0.0.0.0/0", "::/0"}) {
    CHECK_FALSE(nen::cidr::parse(all)->contains(local));
    CHECK_FALSE(nen::cidr::parse(all)->contains(nen::client_address{}));
  }
}

TEST_CASE("what is no prefix is refused with a sentence", "[cidr]") {
  struct wrong {
    const char* text;
    const char* says;
  };
  for (const auto& [text, says] : {wrong{"", "is not a prefix"},
                                   {"example.com", "is not a prefix"},
                                   {"10.0.0/8", "is not a prefix"},
                                   {"/8", "is not a prefix"},
                                   {"[::1]/128", "is not a prefix"},
                                   {"10.0.0.0/", "no length"},
                                   {"10.0.0.0/33", "no length"},
                                   {"10.0.0.0/-1", "no length"},
                                   {"10.0.0.0/08", "no length"},
                                   {"10.0.0.0/8/8", "no length"},
                                   {"10.0.0.0/255.0.0.0", "no length"},
                                   {"10.0.0.0/256", "no length"},
                                   {"::/129", "no length"},
                                   {"::ffff:10.0.0.0/8", "no length"},
                                   {"::ffff:0:0/95", "no length"},
                                   {"10.0.0.1/8", "has bits behind its prefix"},
                                   {"0.0.0.1/0", "has bits behind its prefix"},
                                   {"2001:db8::1/64", "has bits behind its prefix"},
                                   {"192.0.2.5/31", "has bits behind its prefix"}}) {
    INFO(text);
    const auto read = nen::cidr::parse(text);
    REQUIRE_FALSE(read.has_value());
    CHECK(read.error().code() == std::errc::invalid_argument);
    CHECK(read.error().message().find(says) != std::string_view::npos);
  }
}

TEST_CASE("a list that is read by the compiler is the same as one that is read later", "[cidr]") {
  static constexpr auto inner = nen::cidrs<"10.0.0.0/8", "fd00::/8", "192.0.2.1">;
  static_assert(inner.size() == 3);
  static_assert(nen::is_in(inner, *nen::parse_ip("fd12::1")));
  static_assert(!nen::is_in(nen::cidrs<>, *nen::parse_ip("fd12::1")));
  static nen::cidr_set<3> later;
  for (const char* text : {"10.0.0.0/8", "fd00::/8", "192.0.2.1"}) REQUIRE(later.add(text));
  const nen::cidr_list list = later;
  REQUIRE(list.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) CHECK(list.begin()[i] == inner[i]);
  const auto full = later.add("192.0.2.2");
  REQUIRE_FALSE(full);
  CHECK(full.error().message().find("room for 3") != std::string_view::npos);
  CHECK_FALSE(later.add("nonsense"));
  CHECK(later.size() == 3);
  later.clear();
  CHECK(later.size() == 0);
  const nen::cidr plain[] = {inner[0]};
  CHECK(nen::is_in(plain, ip("10.1.1.1")));
}

TEST_CASE("the longest prefix decides, in whatever order they are", "[cidr]") {
  const auto up = nen::cidrs<"10.0.0.0/8", "10.1.0.0/16", "10.1.2.0/24">;
  const auto down = nen::cidrs<"10.1.2.0/24", "10.1.0.0/16", "10.0.0.0/8">;
  for (const nen::cidr_list list : {nen::cidr_list(up), nen::cidr_list(down)}) {
    CHECK(nen::longest_match(list, ip("10.1.2.3"))->bits == 24);
    CHECK(nen::longest_match(list, ip("10.1.3.3"))->bits == 16);
    CHECK(nen::longest_match(list, ip("10.2.3.3"))->bits == 8);
    CHECK(nen::longest_match(list, ip("11.2.3.3")) == nullptr);
  }
}

TEST_CASE("rules say who may come in", "[access]") {
  const auto ten = nen::cidrs<"10.0.0.0/8">;
  const auto office = nen::cidrs<"10.1.0.0/16", "2001:db8::/32">;
  const nen::access_rules everybody{};
  CHECK(everybody.admits(ip("192.0.2.1")));
  const nen::access_rules only{.allow = office, .deny = {}};
  CHECK(only.admits(ip("10.1.2.3")));
  CHECK(only.admits(ip("2001:db8::1")));
  CHECK_FALSE(only.admits(ip("10.2.2.3")));
  const nen::access_rules not_those{.allow = {}, .deny = ten};
  CHECK_FALSE(not_those.admits(ip("10.1.2.3")));
  CHECK(not_those.admits(ip("192.0.2.1")));
  const nen::access_rules both{.allow = office, .deny = ten};
  CHECK(both.admits(ip("10.1.2.3")));         // the longer prefix
  CHECK_FALSE(both.admits(ip("10.2.2.3")));   // only denied
  CHECK_FALSE(both.admits(ip("192.0.2.1")));  // in neither, and some are allowed by name
  const nen::access_rules twice{.allow = ten, .deny = ten};
  CHECK_FALSE(twice.admits(ip("10.1.2.3")));
  nen::client_address local{};
  local.what = nen::client_address::kind::unix_socket;
  CHECK(only.admits(local));
  CHECK(nen::access_rules{.allow = {}, .deny = nen::cidr_list(ten)}.admits(local));
}

TEST_CASE("rules are replaced while others look at them", "[access]") {
  static nen::access_control control;
  CHECK(control.admits(ip("10.1.2.3")));
  // Each of the two sets is written to as soon as the other is in use: with ThreadSanitizer, a
  // lookup that still saw the one that was replaced would be found.
  std::array<std::vector<nen::cidr>, 2> lists = {std::vector{nen::cidrs<"10.0.0.0/8">[0]},
                                                 std::vector{nen::cidrs<"10.0.0.0/8">[0]}};
  std::array<nen::access_rules, 2> rules{};
  static std::atomic<bool> stop{false};
  static std::atomic<std::uint64_t> admitted{0};
  std::array<pthread_t, 2> readers{};
  rules[0].deny = lists[0];
  control.replace(rules[0]);
  for (auto& reader : readers)
    pthread_create(
        &reader, nullptr,
        [](void*) -> void* {
          while (!stop) admitted += control.admits(*nen::parse_ip("10.1.2.3"));
          return nullptr;
        },
        nullptr);
  for (std::size_t i = 1; i < 2000; ++i) {
    lists[i % 2].assign(1 + i % 5, nen::cidrs<"10.0.0.0/8">[0]);
    rules[i % 2].deny = lists[i % 2];
    control.replace(rules[i % 2]);
  }
  stop = true;
  for (auto& reader : readers) pthread_join(reader, nullptr);
  CHECK(admitted == 0);
  control.clear();
  CHECK(control.admits(ip("10.1.2.3")));
}
