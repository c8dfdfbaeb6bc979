// Which characters a request target may have, for those who read one and those who send one.
// http, L1.
#pragma once

#include <string_view>

namespace nen::detail {

/// No fragment (RFC 9112 §3.2), and none of the characters that no URI has and no browser sends
/// unescaped either. What browsers do send is let through: "|[]" everywhere, "{}\\^`" in a query.
constexpr bool is_target(std::string_view target) {
  bool in_query = false;
  for (const char c : target) {
    switch (c) {
      case '?':
        in_query = true;
        break;
      case '#':
      case '"':
      case '<':
      case '>':
        return false;
      case '\\':
      case '^':
      case '`':
      case '{':
      case '}':
        if (!in_query) return false;
        break;
      default:
        break;
    }
  }
  return true;
}

}  // namespace nen::detail
