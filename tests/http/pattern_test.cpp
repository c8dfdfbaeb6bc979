#include <nen/http/pattern.hpp>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "support/catch.hpp"

using nen::detail::pattern_error;
using nen::detail::segment_kind;

namespace {

/// Cuts and checks a pattern at run time, as nen::pattern does it at compile time.
pattern_error error_of(std::string_view text) {
  std::array<nen::detail::pattern_segment, 3> segments = nen::detail::cut_pattern<3>(text);
  return nen::detail::error_in_segments(segments);
}

}  // namespace

TEST_CASE("a pattern knows its segments and what it captures") {
  using users = nen::pattern<"/users/:id/files/*path">;
  REQUIRE(users::segment_count == 4);
  CHECK(users::segments[0].kind == segment_kind::text);
  CHECK(users::segments[0].text == "users");
  CHECK(users::segments[1].kind == segment_kind::parameter);
  CHECK(users::segments[1].text == "id");
  CHECK(users::segments[3].kind == segment_kind::rest);
  CHECK(users::segments[3].text == "path");
  REQUIRE(users::capture_count == 2);
  CHECK(users::captures[0].segment == 1);
  CHECK_FALSE(users::captures[0].rest);
  CHECK(users::captures[1].segment == 3);
  CHECK(users::captures[1].rest);
}

TEST_CASE("slashes make empty segments, and ':' and '*' count only as a segment's first byte") {
  CHECK(nen::pattern<"/">::segment_count == 1);
  CHECK(nen::pattern<"/">::segments[0].text.empty());
  CHECK(nen::pattern<"/a/">::segment_count == 2);
  CHECK(nen::pattern<"//a">::segments[0].text.empty());
  CHECK(nen::pattern<"/a:b/c*d">::capture_count == 0);
  CHECK(nen::pattern<"/a%20b">::segments[0].text == "a%20b");
}

TEST_CASE("a mistake in a pattern is found and named") {
  struct {
    std::string_view pattern;
    pattern_error error;
  } const cases[] = {
      {"/a/:b/*c", pattern_error::none},
      {"/a/:b_1/c", pattern_error::none},
      {"/a/-._~!$&'()*+,;=:@/c", pattern_error::none},
      {"/a/b?/c", pattern_error::bad_character},
      {"/a/b#/c", pattern_error::bad_character},
      {"/a/b c/d", pattern_error::bad_character},
      {"/a/\xC3\xA4/c", pattern_error::bad_character},
      {"/a/{id}/c", pattern_error::bad_character},
      {"/a/%4/c", pattern_error::bad_escape},
      {"/a/%zz/c", pattern_error::bad_escape},
      {"/a/:/c", pattern_error::empty_name},
      {"/a/b/*", pattern_error::empty_name},
      {"/a/:b-c/d", pattern_error::bad_name},
      {"/a/:b:c/d", pattern_error::bad_name},
      {"/a/*b/c", pattern_error::rest_not_last},
      {"/:a/b/:a", pattern_error::repeated_name},
      {"/:a/b/*a", pattern_error::repeated_name},
  };
  for (const auto& c : cases) {
    CAPTURE(c.pattern);
    CHECK(error_of(c.pattern) == c.error);
  }
}

// Both ways of loading bytes must hash alike: one runs in the compiler, the other in the server.
TEST_CASE("a segment is found and hashed alike at compile time and at run time") {
  constexpr std::string_view path = "/api/resource_042/abcdefgh/x/exactly_sixteen_";
  constexpr auto first = nen::detail::scan_segment(path, 1);
  constexpr auto second = nen::detail::scan_segment(path, 5);
  constexpr auto third = nen::detail::scan_segment(path, 18);
  constexpr auto fourth = nen::detail::scan_segment(path, 27);
  constexpr auto fifth = nen::detail::scan_segment(path, 29);
  const nen::detail::scanned_segment expected[] = {first, second, third, fourth, fifth};
  const std::vector<char> bytes(path.begin(), path.end());  // no NUL behind it
  std::size_t at = 1;
  for (const auto& e : expected) {
    const auto found = nen::detail::scan_segment({bytes.data(), bytes.size()}, at);
    CAPTURE(at);
    CHECK(found.size == e.size);
    CHECK(found.hash == e.hash);
    at += found.size + 1;
  }
  CHECK(at == path.size() + 1);
}

TEST_CASE("a segment's size and hash depend on its bytes alone, wherever it stands") {
  std::mt19937 random(1);
  for (int round = 0; round < 2000; ++round) {
    std::string segment;
    for (std::size_t n = random() % 20; n > 0; --n) {
      char c = static_cast<char>(random() % 256);
      if (random() % 4 == 0) c = '.';  // differs from '/' in one bit, as ordinary bytes may
      segment += c == '/' ? '0' : c;
    }
    const std::string alone = segment;
    const std::string before(random() % 12, 'x');
    const std::string after(random() % 12, '/');
    const std::vector<char> within = [&] {
      const std::string all = before + segment + (after.empty() ? "" : "/" + after);
      return std::vector<char>(all.begin(), all.end());
    }();
    const auto a = nen::detail::scan_segment(alone, 0);
    const auto b = nen::detail::scan_segment({within.data(), within.size()}, before.size());
    CHECK(a.size == segment.size());
    CHECK(b.size == segment.size());
    CHECK(a.hash == b.hash);
  }
}
