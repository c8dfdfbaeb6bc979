// Tests of http/method.hpp.
#include <nen/http/method.hpp>

#include "support/catch.hpp"

TEST_CASE("every method has the name that stands in a request line") {
  CHECK(nen::to_string(nen::method::get) == "GET");
  CHECK(nen::to_string(nen::method::head) == "HEAD");
  CHECK(nen::to_string(nen::method::post) == "POST");
  CHECK(nen::to_string(nen::method::put) == "PUT");
  CHECK(nen::to_string(nen::method::delete_) == "DELETE");
  CHECK(nen::to_string(nen::method::connect) == "CONNECT");
  CHECK(nen::to_string(nen::method::options) == "OPTIONS");
  CHECK(nen::to_string(nen::method::trace) == "TRACE");
  CHECK(nen::to_string(nen::method::patch) == "PATCH");
  CHECK(nen::to_string(static_cast<nen::method>(nen::method_count)).empty());
}

TEST_CASE("a method set holds exactly what was inserted") {
  for (std::uint8_t i = 0; i < nen::method_count; ++i) {
    nen::method_set set;
    CHECK(set.empty());
    set.insert(static_cast<nen::method>(i));
    CHECK_FALSE(set.empty());
    for (std::uint8_t j = 0; j < nen::method_count; ++j) {
      CHECK(set.contains(static_cast<nen::method>(j)) == (i == j));
    }
  }
}

TEST_CASE("merging method sets makes their union, at compile time too") {
  constexpr nen::method_set both = [] {
    nen::method_set a;
    nen::method_set b;
    a.insert(nen::method::get);
    b.insert(nen::method::patch);
    b.insert(nen::method::get);
    a.merge(b);
    return a;
  }();
  static_assert(both.contains(nen::method::get) && both.contains(nen::method::patch));
  CHECK_FALSE(both.contains(nen::method::post));
  nen::method_set same;
  same.insert(nen::method::patch);
  CHECK_FALSE(same == both);
  same.insert(nen::method::get);
  CHECK(same == both);
}
