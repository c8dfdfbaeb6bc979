// The request methods that Nen Net knows, and a set of them for Allow lists. http, L1.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace nen {

/// A request method, RFC 9110 §9.3 and RFC 5789 (PATCH). Names of methods are case-sensitive.
enum class method : std::uint8_t { get, head, post, put, delete_, connect, options, trace, patch };

/// How many methods there are; each enumerator is below it.
inline constexpr std::uint8_t method_count = 9;

/// @returns the method's name as it stands in a request line, for example "GET"
[[gnu::noinline]] constexpr std::string_view to_string(method m) {
  switch (m) {
    case method::get:
      return "GET";
    case method::head:
      return "HEAD";
    case method::post:
      return "POST";
    case method::put:
      return "PUT";
    case method::delete_:
      return "DELETE";
    case method::connect:
      return "CONNECT";
    case method::options:
      return "OPTIONS";
    case method::trace:
      return "TRACE";
    case method::patch:
      return "PATCH";
  }
  return {};  // only a value that was cast into the enum comes here
}

/// @returns the method of this name, or nothing
constexpr std::optional<method> parse_method(std::string_view name) {
  for (std::uint8_t i = 0; i < method_count; ++i) {
    if (to_string(static_cast<method>(i)) == name) return static_cast<method>(i);
  }
  return std::nullopt;
}

/// A set of methods, one bit each. Zero is the empty set.
class method_set {
 public:
  constexpr method_set() = default;

  constexpr void insert(method m) { bits_ = static_cast<std::uint16_t>(bits_ | bit(m)); }
  constexpr bool contains(method m) const { return (bits_ & bit(m)) != 0; }
  constexpr bool empty() const { return bits_ == 0; }

  /// Adds every method of `other`.
  constexpr void merge(method_set other) {
    bits_ = static_cast<std::uint16_t>(bits_ | other.bits_);
  }

  friend constexpr bool operator==(method_set, method_set) = default;

 private:
  static constexpr std::uint16_t bit(method m) {
    return static_cast<std::uint16_t>(1U << static_cast<unsigned>(m));
  }

  std::uint16_t bits_ = 0;
};

}  // namespace nen
