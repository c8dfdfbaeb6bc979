// Which characters a request target may have, for those who read one and those who send one.
// http, L1.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace nen::detail {

/// What a character is to a target.
enum class target_char : std::uint8_t {
  fine,       ///< in the path and in the query
  in_query,   ///< in the query alone
  mark,       ///< the '?' between the two
  forbidden,  ///< nowhere
};

consteval std::array<target_char, 256> make_target_table() {
  std::array<target_char, 256> table{};
  for (const char c : std::string_view{"\\^`{}"})
    table[static_cast<unsigned char>(c)] = target_char::in_query;
  for (const char c : std::string_view{"#\"<>"})
    table[static_cast<unsigned char>(c)] = target_char::forbidden;
  table['?'] = target_char::mark;
  return table;
}

inline constexpr std::array<target_char, 256> target_table = make_target_table();

/// No fragment (RFC 9112 §3.2), and none of the characters that no URI has and no browser sends
/// unescaped either. What browsers do send is let through: "|[]" everywhere, "{}\\^`" in a query.
/// @returns  where the query's mark is, or the target's size; npos when it is no target
constexpr std::size_t find_query(std::string_view target) {
  std::size_t at = 0;
  const auto is = [&] { return target_table[static_cast<unsigned char>(target[at])]; };
  while (at != target.size() && is() == target_char::fine) ++at;
  const std::size_t mark = at;
  if (at == target.size()) return mark;
  if (is() != target_char::mark) return std::string_view::npos;
  while (at != target.size() && is() != target_char::forbidden) ++at;
  return at == target.size() ? mark : std::string_view::npos;
}

constexpr bool is_target(std::string_view target) {
  return find_query(target) != std::string_view::npos;
}

}  // namespace nen::detail
