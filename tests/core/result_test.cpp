// result and error: what start-up functions return.
#include <nen/core/result.hpp>

#include <memory>
#include <string>

#include "support/catch.hpp"
#include "support/death.hpp"

using nen::test::dies;

namespace {

nen::result<int> half(int value) {
  if (value % 2 != 0) {
    return nen::make_error(EDOM, "%d is odd; use %s number", value, "an even");
  }
  return value / 2;
}

nen::result<> check(bool fine) {
  if (!fine) {
    return nen::make_error(EACCES, "not allowed");
  }
  return {};
}

}  // namespace

TEST_CASE("a result holds a value", "[result]") {
  const nen::result<int> r = half(8);
  REQUIRE(r.has_value());
  CHECK(static_cast<bool>(r));
  CHECK(r.value() == 4);
  CHECK(*r == 4);
  CHECK(r.value_or(7) == 4);
}

TEST_CASE("a result holds an error with its code and its sentence", "[result]") {
  const nen::result<int> r = half(7);
  REQUIRE_FALSE(r.has_value());
  CHECK_FALSE(static_cast<bool>(r));
  CHECK(r.error().message() == "7 is odd; use an even number");
  CHECK(std::string(r.error().c_str()) == "7 is odd; use an even number");
  CHECK(r.error().code() == std::errc::argument_out_of_domain);
  CHECK(r.error().code().value() == EDOM);
  CHECK(r.value_or(7) == 7);
}

TEST_CASE("a result without a value is success or an error", "[result]") {
  CHECK(check(true).has_value());
  check(true).value();
  const nen::result<void> r = check(false);
  REQUIRE_FALSE(r);
  CHECK(r.error().message() == "not allowed");
  CHECK(r.error().code() == std::errc::permission_denied);
}

TEST_CASE("a sentence keeps up to 255 bytes and a longer one is visibly cut", "[result]") {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{254}, std::size_t{255},
                                 std::size_t{256}, std::size_t{257}, std::size_t{5000}}) {
    const std::string sentence(size, 'x');
    const std::string expected = size <= 255 ? sentence : std::string(252, 'x') + "...";
    INFO("size " << size);
    CHECK(nen::error(1, sentence).message() == expected);
    CHECK(nen::make_error(1, "%s", sentence.c_str()).message() == expected);
    CHECK(std::string(nen::make_error(1, "%s", sentence.c_str()).c_str()) == expected);
  }
}

TEST_CASE("no error has code 0 and an empty sentence", "[result]") {
  const nen::error none;
  CHECK_FALSE(none.code());
  CHECK(none.message().empty());
}

TEST_CASE("a result is trivially copyable when its value is", "[result]") {
  STATIC_REQUIRE(std::is_trivially_copyable_v<nen::error>);
  STATIC_REQUIRE(std::is_trivially_copyable_v<nen::result<int>>);
  STATIC_REQUIRE(std::is_trivially_copyable_v<nen::result<void>>);
  STATIC_REQUIRE_FALSE(std::is_trivially_copyable_v<nen::result<std::string>>);
  STATIC_REQUIRE_FALSE(std::is_copy_constructible_v<nen::result<std::unique_ptr<int>>>);
}

TEST_CASE("a value that can only be moved goes in and out", "[result]") {
  nen::result<std::unique_ptr<int>> r = std::make_unique<int>(3);
  REQUIRE(r);
  nen::result<std::unique_ptr<int>> moved = std::move(r);
  CHECK(**moved == 3);
  const std::unique_ptr<int> out = std::move(moved).value();
  CHECK(*out == 3);
}

TEST_CASE("an arrow reaches the members of the value", "[result]") {
  nen::result<std::string> r = std::string("abc");
  r->push_back('d');
  CHECK(r->size() == 4);
  r.value() += "e";
  CHECK(*r == "abcde");
}

TEST_CASE("looking at what is not there stops the program", "[result]") {
  CHECK(dies([] { static_cast<void>(half(7).value()); }).aborted);
  CHECK(dies([] { static_cast<void>(*half(7)); }).aborted);
  CHECK(dies([] { static_cast<void>(half(8).error()); }).aborted);
  CHECK(dies([] { check(false).value(); }).aborted);
  CHECK(dies([] { static_cast<void>(check(true).error()); }).aborted);
}
