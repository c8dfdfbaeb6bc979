// fixed_string: a literal as a template argument.
#include <nen/core/fixed_string.hpp>

#include <type_traits>

#include "support/catch.hpp"

namespace {

template <nen::fixed_string Text>
struct named {
  static constexpr std::string_view name = Text.view();
};

}  // namespace

TEST_CASE("a literal becomes a template argument and keeps its bytes", "[fixed_string]") {
  CHECK(named<"/users/:id">::name == "/users/:id");
  CHECK(named<"">::name.empty());
  CHECK(named<"a\0b">::name == std::string_view("a\0b", 3));
}

TEST_CASE("equal literals name the same type and different ones do not", "[fixed_string]") {
  STATIC_REQUIRE(std::is_same_v<named<"abc">, named<"abc">>);
  STATIC_REQUIRE_FALSE(std::is_same_v<named<"abc">, named<"abd">>);
  STATIC_REQUIRE_FALSE(std::is_same_v<named<"abc">, named<"abcd">>);
}

TEST_CASE("size leaves out the closing NUL", "[fixed_string]") {
  constexpr nen::fixed_string text = "abc";
  STATIC_REQUIRE(text.size() == 3);
  STATIC_REQUIRE_FALSE(text.empty());
  STATIC_REQUIRE(nen::fixed_string{""}.size() == 0);
  STATIC_REQUIRE(nen::fixed_string{""}.empty());
  CHECK(std::string_view{text.c_str()} == "abc");
}

TEST_CASE("fixed strings of different sizes can be compared", "[fixed_string]") {
  STATIC_REQUIRE(nen::fixed_string{"abc"} == nen::fixed_string{"abc"});
  STATIC_REQUIRE_FALSE(nen::fixed_string{"abc"} == nen::fixed_string{"abcd"});
  STATIC_REQUIRE(nen::fixed_string{"abc"} != nen::fixed_string{"abx"});
}
