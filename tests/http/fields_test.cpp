// Tests of http/fields.hpp.
#include <nen/http/fields.hpp>

#include <string>
#include <string_view>
#include <vector>

#include "support/catch.hpp"

namespace {

constexpr std::string_view bytes = "Host: a\r\nX-Tag: one\r\nx-tag: two\r\nEmpty:\r\n\r\n";
constexpr nen::field_ref refs[] = {{0, 4, 6, 1}, {9, 5, 16, 3}, {21, 5, 28, 3}, {33, 5, 39, 0}};
constexpr nen::fields all(bytes.data(), refs, 4);

}  // namespace

TEST_CASE("fields come in the order of the bytes") {
  std::vector<std::string> seen;
  for (const nen::field f : all) seen.push_back(std::string(f.name) + "=" + std::string(f.value));
  CHECK(seen == std::vector<std::string>{"Host=a", "X-Tag=one", "x-tag=two", "Empty="});
  CHECK(all.size() == 4);
  CHECK(all[1].name == "X-Tag");
  CHECK(all[2].value == "two");
}

TEST_CASE("a field is found by its name in any case, and the first one wins") {
  CHECK(all.find("HOST") == "a");
  CHECK(all.find("X-TAG") == "one");
  CHECK(all.find("empty") == "");
  CHECK_FALSE(all.find("x-ta").has_value());
  CHECK_FALSE(all.find("x-tags").has_value());
  CHECK_FALSE(all.find("").has_value());
  static_assert(all.find("host") == "a");
}

TEST_CASE("fields of one name are counted and visited in order") {
  CHECK(all.count("x-Tag") == 2);
  CHECK(all.count("host") == 1);
  CHECK(all.count("none") == 0);
  std::string joined;
  all.for_each("x-tag", [&](std::string_view value) { joined += std::string(value) + ";"; });
  CHECK(joined == "one;two;");
}

TEST_CASE("a view of no fields is empty") {
  constexpr nen::fields none;
  CHECK(none.empty());
  CHECK(none.begin() == none.end());
  CHECK_FALSE(none.find("host").has_value());
}
