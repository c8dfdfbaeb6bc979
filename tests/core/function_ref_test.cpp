// function_ref: refers to a callable, copies nothing, and hands arguments and result through.
#include <nen/core/function_ref.hpp>

#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "support/catch.hpp"

namespace {

int twice(int n) { return 2 * n; }

/// Counts the copies that are made of it.
struct counting {
  int* copies;
  explicit counting(int& c) : copies(&c) {}
  counting(const counting& other) : copies(other.copies) { ++*copies; }
  int operator()(int n) const { return n + 1; }
};

/// Tells whether it was called as const.
struct two_faced {
  int operator()() { return 1; }
  int operator()() const { return 2; }
};

int call(nen::function_ref<int(int)> f, int n) { return f(n); }
int call_twice(nen::function_ref<int(int)> f, int n) { return call(f, call(f, n)); }

}  // namespace

TEST_CASE("a function reference calls what it refers to", "[function_ref]") {
  CHECK(call([](int n) { return n + 1; }, 4) == 5);
  CHECK(call(&twice, 4) == 8);
  int (*const pointer)(int) = twice;
  CHECK(call(pointer, 5) == 10);
}

TEST_CASE("a function reference copies nothing and is two pointers", "[function_ref]") {
  STATIC_REQUIRE(sizeof(nen::function_ref<int(int)>) == 2 * sizeof(void*));
  STATIC_REQUIRE(std::is_trivially_copyable_v<nen::function_ref<int(int)>>);
  int copies = 0;
  const counting c(copies);
  CHECK(call_twice(c, 1) == 3);
  CHECK(copies == 0);
}

TEST_CASE("a copy refers to the callable, not to the reference it was made of", "[function_ref]") {
  int calls = 0;
  const auto count = [&calls](int n) { return calls += n; };
  const auto other = [](int) { return -1; };
  nen::function_ref<int(int)> first = count;
  const nen::function_ref<int(int)> copy = first;
  first = other;
  CHECK(copy(2) == 2);
  CHECK(first(2) == -1);
  CHECK(calls == 2);
}

TEST_CASE("what is referred to may change, and a const callable stays const", "[function_ref]") {
  auto sum = [total = 0](int n) mutable { return total += n; };
  CHECK(call(sum, 2) == 2);
  CHECK(call(sum, 3) == 5);
  two_faced loose;
  const two_faced fixed;
  CHECK(nen::function_ref<int()>(loose)() == 1);
  CHECK(nen::function_ref<int()>(fixed)() == 2);
  CHECK(nen::function_ref<int()>(two_faced{})() == 1);
}

TEST_CASE("arguments and results go through as they are", "[function_ref]") {
  const auto same = [](std::string& s) -> std::string& { return s; };
  std::string text = "text";
  CHECK(&nen::function_ref<std::string&(std::string&)>(same)(text) == &text);
  int made = 0;
  const auto make = [&made] { made = 42; };
  nen::function_ref<void()>{make}();
  CHECK(made == 42);
}
