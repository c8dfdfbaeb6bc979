// Reads what response::json writes, as strictly as RFC 8259 allows: one object of texts and
// numbers.
#pragma once

#include <cstdlib>
#include <nen/core/ascii.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nen::test::fuzz {

/// The members of `{"name":"text","name":number}`; texts are decoded, numbers are as they stand.
class json_reader {
 public:
  using members = std::vector<std::pair<std::string, std::string>>;

  /// @returns  nothing when it is not such an object
  static std::optional<members> read(std::string_view text) {
    json_reader reader(text);
    members found;
    const bool is_object = reader.object(found) && reader.rest_.empty();
    return is_object ? std::optional(found) : std::nullopt;
  }

 private:
  explicit json_reader(std::string_view text) : rest_(text) {}

  bool take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }

  bool object(members& found) {
    if (!take('{')) return false;
    if (take('}')) return true;
    do {
      auto& [name, value] = found.emplace_back();
      if (!string(name) || !take(':')) return false;
      if (rest_.starts_with('"') ? !string(value) : !number(value)) return false;
    } while (take(','));
    return take('}');
  }

  bool string(std::string& out) {
    if (!take('"')) return false;
    while (!rest_.empty() && rest_.front() != '"') {
      const char c = rest_.front();
      rest_.remove_prefix(1);
      if (static_cast<unsigned char>(c) < 0x20) return false;
      if (c != '\\') {
        out += c;
      } else if (!escape(out)) {
        return false;
      }
    }
    return take('"');
  }

  bool escape(std::string& out) {
    if (rest_.empty()) return false;
    const char kind = rest_.front();
    rest_.remove_prefix(1);
    constexpr std::string_view from = "\"\\/bfnrt";
    constexpr std::string_view to = "\"\\/\b\f\n\r\t";
    const std::size_t i = from.find(kind);
    if (i != from.npos) {
      out += to[i];
      return true;
    }
    if (kind != 'u' || rest_.size() < 4) return false;
    int value = 0;
    for (const char c : rest_.substr(0, 4)) {
      if (hex_value(c) < 0) return false;
      value = value * 16 + hex_value(c);
    }
    rest_.remove_prefix(4);
    out += static_cast<char>(value);
    return value < 0x80;  // nothing else is ever escaped
  }

  /// number, RFC 8259 §6: no sign '+', no leading zeros, digits around a '.'.
  bool number(std::string& out) {
    const std::string_view begin = rest_;
    take('-');
    const std::size_t whole = digits();
    if (whole == 0 || (whole > 1 && *(rest_.data() - whole) == '0')) return false;
    if (take('.') && digits() == 0) return false;
    if (take('e') || take('E')) {
      if (!take('+')) take('-');
      if (digits() == 0) return false;
    }
    out = begin.substr(0, begin.size() - rest_.size());
    return true;
  }

  std::size_t digits() {
    std::size_t count = 0;
    for (; !rest_.empty() && is_digit(rest_.front()); ++count) rest_.remove_prefix(1);
    return count;
  }

  std::string_view rest_;
};

}  // namespace nen::test::fuzz
