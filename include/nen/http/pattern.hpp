// A route's pattern: static text, ":parameter" and "*rest" segments, checked at compile time.
// http, L1
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <nen/core/ascii.hpp>
#include <nen/core/fixed_string.hpp>
#include <nen/http/path_segments.hpp>
#include <string_view>

namespace nen {
namespace detail {

enum class segment_kind : std::uint8_t { text, parameter, rest };

struct pattern_segment {
  std::string_view text;  ///< static text, or the parameter's name without its ':' or '*'
  std::uint64_t hash;     ///< of the text
  segment_kind kind;
};

/// Where a captured value stands in a path that matched.
struct capture_place {
  std::uint8_t segment;
  bool rest;  ///< from this segment to the end of the path
};

enum class pattern_error : std::uint8_t {
  none,
  no_leading_slash,
  too_many_segments,
  bad_character,
  bad_escape,
  empty_name,
  bad_name,
  rest_not_last,
  repeated_name,
};

/// pchar, RFC 3986 §3.3: what a path's segment may hold.
constexpr bool is_path_char(char c) noexcept {
  return is_alpha(c) || is_digit(c) ||
         std::string_view{"-._~!$&'()*+,;=:@%"}.find(c) != std::string_view::npos;
}

constexpr pattern_error error_in_text(std::string_view text) noexcept {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!is_path_char(text[i])) return pattern_error::bad_character;
    if (text[i] == '%' &&
        (text.size() - i < 3 || hex_value(text[i + 1]) < 0 || hex_value(text[i + 2]) < 0)) {
      return pattern_error::bad_escape;
    }
  }
  return pattern_error::none;
}

constexpr pattern_error error_in_name(std::string_view name) noexcept {
  for (const char c : name) {
    if (!is_alpha(c) && !is_digit(c) && c != '_') return pattern_error::bad_name;
  }
  return name.empty() ? pattern_error::empty_name : pattern_error::none;
}

/// Each segment begins with a slash, so counting slashes counts segments.
constexpr std::size_t count_segments(std::string_view pattern) noexcept {
  std::size_t count = 0;
  for (const char c : pattern) count += c == '/' ? 1 : 0;
  return count;
}

constexpr pattern_segment segment_from(std::string_view text, std::uint64_t hash) noexcept {
  if (text.starts_with(':')) return {text.substr(1), hash, segment_kind::parameter};
  if (text.starts_with('*')) return {text.substr(1), hash, segment_kind::rest};
  return {text, hash, segment_kind::text};
}

/// @pre the pattern starts with '/' and has Count segments
template <std::size_t Count>
constexpr std::array<pattern_segment, Count> cut_pattern(std::string_view pattern) noexcept {
  std::array<pattern_segment, Count> segments{};
  std::size_t at = 1;
  for (pattern_segment& segment : segments) {
    const scanned_segment found = scan_segment(pattern, at);
    segment = segment_from(pattern.substr(at, found.size), found.hash);
    at += found.size + 1;
  }
  return segments;
}

template <std::size_t Count>
constexpr pattern_error error_in_segments(
    const std::array<pattern_segment, Count>& segments) noexcept {
  for (std::size_t i = 0; i < Count; ++i) {
    const pattern_segment& segment = segments[i];
    const pattern_error error = segment.kind == segment_kind::text ? error_in_text(segment.text)
                                                                   : error_in_name(segment.text);
    if (error != pattern_error::none) return error;
    if (segment.kind == segment_kind::text) continue;
    if (segment.kind == segment_kind::rest && i + 1 != Count) return pattern_error::rest_not_last;
    for (std::size_t earlier = 0; earlier < i; ++earlier) {
      if (segments[earlier].kind != segment_kind::text && segments[earlier].text == segment.text) {
        return pattern_error::repeated_name;
      }
    }
  }
  return pattern_error::none;
}

template <std::size_t A, std::size_t B>
consteval fixed_string<A + B - 1> join(const fixed_string<A>& a, const fixed_string<B>& b) {
  char text[A + B - 1]{};
  for (std::size_t i = 0; i + 1 < A; ++i) text[i] = a.text[i];
  for (std::size_t i = 0; i < B; ++i) text[A - 1 + i] = b.text[i];
  return fixed_string<A + B - 1>(text);
}

/// The checks alone: a class whose assertion fails is of no further use to some compilers, which
/// would then report everything that uses it.
template <fixed_string Pattern>
struct check_pattern {
  using done = void;
  static constexpr bool has_slash = Pattern.view().starts_with('/');
  static constexpr std::size_t slashes = count_segments(Pattern.view());
  static constexpr std::size_t segment_count = has_slash && slashes <= segments_max ? slashes : 0;
  static constexpr pattern_error error =
      !has_slash               ? pattern_error::no_leading_slash
      : slashes > segments_max ? pattern_error::too_many_segments
                               : error_in_segments(cut_pattern<segment_count>(Pattern.view()));

  static_assert(error != pattern_error::no_leading_slash,
                "a route's pattern starts with '/': write \"/users\" instead of \"users\"");
  static_assert(error != pattern_error::too_many_segments,
                "a pattern has at most 32 segments: write a shorter one");
  static_assert(error != pattern_error::bad_character,
                "a pattern is matched against the path as it is sent, without the query: write "
                "only letters, digits, '/' and -._~!$&'()*+,;=:@ in it, and escape other bytes "
                "as \"%20\"");
  static_assert(error != pattern_error::bad_escape,
                "a '%' in a pattern is followed by two hexadecimal digits: write \"%25\" for a "
                "percent sign");
  static_assert(error != pattern_error::empty_name,
                "a pattern's parameter needs a name: write \":id\" or \"*path\" instead of \":\" "
                "or \"*\"");
  static_assert(error != pattern_error::bad_name,
                "a parameter's name in a pattern has only letters, digits and '_': end it with "
                "'/' before other text");
  static_assert(error != pattern_error::rest_not_last,
                "\"*rest\" takes everything to the end of the path: write it as the last segment "
                "of the pattern");
  static_assert(error != pattern_error::repeated_name,
                "two parameters of a pattern have the same name: give each its own");
};

}  // namespace detail

/// What a pattern says, worked out at compile time; one that cannot work does not compile.
/// Static segments are compared byte by byte with what the client sent: "%41" is not "A", "//" is
/// not "/", and a trailing slash counts. ":name" takes one segment that is not empty; "*name" takes
/// the rest of the path behind its slash, which may be empty.
template <fixed_string Pattern>
struct pattern {
  using checked = typename detail::check_pattern<Pattern>::done;

  /// None in a pattern that cannot be cut, so that the compiler reports that error alone.
  static constexpr std::size_t segment_count =
      Pattern.view().starts_with('/') && detail::count_segments(Pattern.view()) <= segments_max
          ? detail::count_segments(Pattern.view())
          : 0;
  static constexpr std::array<detail::pattern_segment, segment_count> segments =
      detail::cut_pattern<segment_count>(Pattern.view());

 private:
  static constexpr std::size_t count_captures() {
    std::size_t count = 0;
    for (const auto& s : segments) count += s.kind == detail::segment_kind::text ? 0 : 1;
    return count;
  }

 public:
  static constexpr std::size_t capture_count = count_captures();
  /// One for each ":name" and "*name", in order.
  static constexpr std::array<detail::capture_place, capture_count> captures = [] {
    std::array<detail::capture_place, capture_count> places{};
    std::size_t next = 0;
    for (std::size_t i = 0; i < segment_count; ++i) {
      const detail::segment_kind kind = segments[i].kind;
      if (kind == detail::segment_kind::text) continue;
      places[next++] = {static_cast<std::uint8_t>(i), kind == detail::segment_kind::rest};
    }
    return places;
  }();
};

}  // namespace nen
