// What nen::equal_in_constant_time says, and that its way through the instructions is the same one
// whatever it compares: a traced child is taken through it one instruction at a time.
#include <nen/core/constant_time.hpp>

#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <string>
#include <string_view>

#include "support/catch.hpp"

namespace {

using nen::equal_in_constant_time;

volatile bool result;
volatile std::size_t zero = 0;  // so that nothing is worked out by the compiler

[[gnu::noinline]] void compare(std::string_view claim, std::string_view secret) {
  result = equal_in_constant_time(claim, secret);
}
[[gnu::noinline]] void compare_as_anybody_would(std::string_view claim, std::string_view secret) {
  bool same = claim.size() == secret.size();
  for (std::size_t i = zero; same && i < claim.size(); ++i) same = claim[i] == secret[i];
  result = same;
}

/// How many instructions a child executes from one stop to the next.
/// @returns  0 where this machine does not allow that
long instructions(void (*act)(std::string_view, std::string_view), std::string_view claim,
                  std::string_view secret) {
  const pid_t child = ::fork();
  if (child == 0) {
    act(claim, secret);  // what is bound late is bound now
    if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) ::_exit(1);
    const pid_t self = ::getpid();
    ::kill(self, SIGSTOP);
    act(claim, secret);
    ::kill(self, SIGSTOP);
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  if (!WIFSTOPPED(status)) return 0;
  long count = 0;
  while (true) {
    if (::ptrace(PTRACE_SINGLESTEP, child, nullptr, nullptr) != 0) break;
    ::waitpid(child, &status, 0);
    if (!WIFSTOPPED(status) || WSTOPSIG(status) == SIGSTOP) break;
    ++count;
  }
  ::kill(child, SIGKILL);
  ::waitpid(child, &status, 0);
  return count;
}

const std::string secret = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+/";

std::string with_difference_at(std::size_t place) {
  std::string text = secret;
  text[place] = '!';
  return text;
}

}  // namespace

TEST_CASE("texts are equal in constant time when all of their bytes are") {
  CHECK(equal_in_constant_time("", ""));
  CHECK(equal_in_constant_time("secret", "secret"));
  CHECK_FALSE(equal_in_constant_time("", "secret"));
  CHECK_FALSE(equal_in_constant_time("secret", ""));
  CHECK_FALSE(equal_in_constant_time("secre", "secret"));
  CHECK_FALSE(equal_in_constant_time("secrets", "secret"));
  CHECK_FALSE(equal_in_constant_time(std::string_view("secret\0", 7), "secret"));
  CHECK_FALSE(equal_in_constant_time({}, "secret"));
  CHECK(equal_in_constant_time({}, {}));
  CHECK_FALSE(equal_in_constant_time("secret", {}));
  CHECK(equal_in_constant_time(secret, std::string(secret)));
  for (std::size_t i = 0; i < secret.size(); ++i) {
    CHECK_FALSE(equal_in_constant_time(with_difference_at(i), secret));
    for (int bit = 0; bit < 8; ++bit) {
      std::string text = secret;
      text[i] = static_cast<char>(text[i] ^ 1 << bit);
      CHECK_FALSE(equal_in_constant_time(text, secret));
    }
  }
}

TEST_CASE("how many instructions a comparison takes depends on the length of the claim alone") {
  const long same = instructions(compare, std::string(secret), secret);
  if (same == 0) {
    WARN("this machine does not let a process be traced");
    return;
  }
  const std::size_t size = secret.size();
  for (const std::size_t place : {std::size_t{0}, std::size_t{1}, size / 2, size - 1}) {
    CAPTURE(place);
    CHECK(instructions(compare, with_difference_at(place), secret) == same);
  }
  CHECK(instructions(compare, std::string(size, '\0'), secret) == same);
  CHECK(instructions(compare, std::string(size, '!'), secret) == same);
  // The secret's length does not show either.
  CHECK(instructions(compare, std::string(secret), "short") == same);
  CHECK(instructions(compare, std::string(secret), "") == same);
  CHECK(instructions(compare, std::string(secret), std::string(500, 'x')) == same);
  CHECK(instructions(compare, secret.substr(0, 10), secret) < same);

  // It would be seen: the usual way of comparing does not pass this.
  CHECK(instructions(compare_as_anybody_would, with_difference_at(0), secret) <
        instructions(compare_as_anybody_would, with_difference_at(size - 1), secret));
}
