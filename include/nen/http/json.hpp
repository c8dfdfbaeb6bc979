// http, L1: response::json. Writes one JSON value (RFC 8259) into the answer as it goes.
#pragma once

#include <nen/http/response.hpp>

#include <array>
#include <charconv>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string_view>

namespace nen {

struct json_member;

/// A JSON value that refers to what it was made from; it lives in the call to response::json.
class json_value {
 public:
  constexpr json_value(std::nullptr_t) noexcept : kind_(kind::null), integer_(0) {}
  constexpr json_value(bool value) noexcept : kind_(kind::boolean), integer_(value ? 1 : 0) {}
  template <std::integral Integer>
  constexpr json_value(Integer value) noexcept
      : kind_(value < Integer{} ? kind::negative : kind::integer),
        integer_(static_cast<std::uint64_t>(value)) {}
  /// Infinities and NaN have no JSON form and become null.
  constexpr json_value(double value) noexcept : kind_(kind::number), number_(value) {}
  constexpr json_value(float value) noexcept : kind_(kind::short_number), number_(value) {}
  constexpr json_value(std::string_view text) noexcept
      : kind_(kind::text), data_(text.data()), size_(text.size()) {}
  /// A null pointer is null.
  constexpr json_value(const char* text) noexcept : json_value(nullptr) {
    if (text != nullptr) *this = json_value(std::string_view(text));
  }
  /// An object.
  constexpr json_value(std::initializer_list<json_member> members) noexcept;

  /// An array of values.
  static constexpr json_value array(std::initializer_list<json_value> values) noexcept {
    return {kind::array, values.begin(), values.size()};
  }
  /// Text that is JSON already.
  static constexpr json_value raw(std::string_view text) noexcept {
    return {kind::raw, text.data(), text.size()};
  }

  void write_to(response& res) const noexcept;

 private:
  enum class kind : std::uint8_t {
    null,
    boolean,
    integer,
    negative,
    number,
    short_number,  // shortest as a float
    text,
    raw,
    array,
    object
  };

  constexpr json_value(kind k, const void* data, std::size_t size) noexcept
      : kind_(k), data_(data), size_(size) {}

  kind kind_;
  union {
    std::uint64_t integer_;
    double number_;
    const void* data_;
  };
  std::size_t size_ = 0;
};

struct json_member {
  std::string_view name;
  json_value value;
};

constexpr json_value::json_value(std::initializer_list<json_member> members) noexcept
    : kind_(kind::object), data_(members.begin()), size_(members.size()) {}

namespace detail {

/// Which bytes have to be escaped in a string, RFC 8259 §7.
consteval std::array<bool, 256> make_json_escapes() {
  std::array<bool, 256> escaped{};
  for (std::size_t c = 0; c < 0x20; ++c) escaped[c] = true;
  escaped['"'] = escaped['\\'] = true;
  return escaped;
}

inline constexpr std::array<bool, 256> json_escapes = make_json_escapes();

/// A string in quotes. Text that is not valid UTF-8 goes out as it is.
inline void write_json_string(response& res, std::string_view text) noexcept {
  constexpr std::string_view hex = "0123456789abcdef";
  res.write("\"");
  std::size_t plain = 0;  // where the part that needs no escape begins
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (!json_escapes[byte]) continue;
    res.write(text.substr(plain, i - plain));
    plain = i + 1;
    if (byte == '"') {
      res.write("\\\"");
    } else if (byte == '\\') {
      res.write("\\\\");
    } else if (byte == '\n') {
      res.write("\\n");
    } else {
      const char escape[] = {'\\', 'u', '0', '0', hex[byte >> 4], hex[byte & 15]};
      res.write({escape, sizeof escape});
    }
  }
  res.write(text.substr(plain));
  res.write("\"");
}

}  // namespace detail

inline void json_value::write_to(response& res) const noexcept {
  const auto write_number = [&res](auto value) {
    char digits[32];
    const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
    res.write({digits, static_cast<std::size_t>(end - digits)});
  };
  switch (kind_) {
    case kind::null:
      res.write("null");
      return;
    case kind::boolean:
      res.write(integer_ != 0 ? "true" : "false");
      return;
    case kind::integer:
      return write_number(integer_);
    case kind::negative:
      return write_number(static_cast<std::int64_t>(integer_));
    case kind::number:
    case kind::short_number:
      if (number_ - number_ != 0) {  // infinite, or no number at all
        res.write("null");
        return;
      }
      return kind_ == kind::number ? write_number(number_)
                                   : write_number(static_cast<float>(number_));
    case kind::text:
      return detail::write_json_string(res, {static_cast<const char*>(data_), size_});
    case kind::raw:
      res.write({static_cast<const char*>(data_), size_});
      return;
    case kind::array: {
      const auto* const values = static_cast<const json_value*>(data_);
      for (std::size_t i = 0; i < size_; ++i) {
        res.write(i == 0 ? "[" : ",");
        values[i].write_to(res);
      }
      res.write(size_ == 0 ? "[]" : "]");
      return;
    }
    case kind::object: {
      const auto* const members = static_cast<const json_member*>(data_);
      for (std::size_t i = 0; i < size_; ++i) {
        res.write(i == 0 ? "{" : ",");
        detail::write_json_string(res, members[i].name);
        res.write(":");
        members[i].value.write_to(res);
      }
      res.write(size_ == 0 ? "{}" : "}");
      return;
    }
  }
}

inline reply response::json(const json_value& value) noexcept {
  begin("application/json");
  value.write_to(*this);
  return finish();
}

}  // namespace nen
