// Query strings and form bodies (application/x-www-form-urlencoded, WHATWG URL §5), read where
// they lie: nothing is copied before it is asked for. http, L1.
#pragma once

#include <array>
#include <charconv>
#include <concepts>
#include <cstddef>
#include <iterator>
#include <nen/core/ascii.hpp>
#include <nen/http/percent.hpp>
#include <nen/http/request.hpp>
#include <optional>
#include <span>
#include <string_view>
#include <system_error>

namespace nen {

namespace detail {

/// Takes one byte of form text off the front of `rest`.
/// @pre  `rest` is not empty
constexpr percent_status take_form_byte(std::string_view& rest, char& byte) noexcept {
  byte = rest.front() == '+' ? ' ' : rest.front();
  const std::size_t size = byte == '%' ? 3 : 1;
  if (size == 3) {
    const percent_result one = percent_decode(rest.substr(0, size), {&byte, 1});
    if (one.status != percent_status::ok) return one.status;
  }
  rest.remove_prefix(size);
  return percent_status::ok;
}

/// Decodes form text into the room, also where there is nothing to decode.
constexpr percent_result decode_form(std::string_view text, std::span<char> room) noexcept {
  std::size_t written = 0;
  while (!text.empty()) {
    char byte{};
    const percent_status status = take_form_byte(text, byte);
    if (status != percent_status::ok) return {status, {}};
    if (written == room.size()) return {percent_status::no_room, {}};
    room[written++] = byte;
  }
  return {percent_status::ok, {room.data(), written}};
}

}  // namespace detail

/// Decodes a name or a value of a form: '+' is a space, "%XX" is a byte. A bad escape is an error,
/// "%00" too (see percent_decode). That the bytes are UTF-8 is not checked.
/// @param room  where decoded text goes; text.size() bytes are always enough
/// @returns     a view of `text` when there is nothing to decode, else a view of `room`
[[nodiscard]] constexpr percent_result form_decode(std::string_view text,
                                                   std::span<char> room) noexcept {
  if (text.find_first_of("%+") == std::string_view::npos) return {percent_status::ok, text};
  return detail::decode_form(text, room);
}

/// Decoded text of at most Size bytes, with the memory for it.
template <std::size_t Size>
class query_value {
 public:
  constexpr query_value() noexcept = default;

  /// @param raw  the text as it was sent
  explicit constexpr query_value(std::string_view raw) noexcept {
    const percent_result decoded = detail::decode_form(raw, bytes_);
    status_ = decoded.status;
    size_ = decoded.text.size();
  }

  constexpr percent_status status() const noexcept { return status_; }
  constexpr bool has_value() const noexcept { return status_ == percent_status::ok; }
  explicit constexpr operator bool() const noexcept { return has_value(); }

  /// The text; empty unless the status is ok. It lies in this object.
  constexpr std::string_view view() const& noexcept { return {bytes_.data(), size_}; }
  std::string_view view() const&& = delete;  // the text would be gone before it is used

 private:
  std::array<char, Size> bytes_{};
  std::size_t size_ = 0;
  percent_status status_ = percent_status::ok;
};

/// What query_pair::as reads: numbers, bool, and query_value.
template <class T>
inline constexpr bool is_query_type = std::integral<T> || std::floating_point<T>;
template <class T>
requires std::same_as<T, char> || std::same_as<T, wchar_t> || std::same_as<T, char8_t> ||
    std::same_as<T, char16_t> || std::same_as<T, char32_t>
inline constexpr bool is_query_type<T> = false;
template <std::size_t Size>
inline constexpr bool is_query_type<query_value<Size>> = true;

/// One name and its value, as they were sent.
struct query_pair {
  std::string_view raw_name;
  std::string_view raw_value;  ///< empty when there is no '='

  /// Whether the decoded name is just this. A name with a bad escape is no name at all.
  constexpr bool is_named(std::string_view name) const noexcept {
    for (std::string_view rest = raw_name; !rest.empty(); name.remove_prefix(1)) {
      char byte{};
      if (detail::take_form_byte(rest, byte) != percent_status::ok) return false;
      if (name.empty() || name.front() != byte) return false;
    }
    return name.empty();
  }

  [[nodiscard]] constexpr percent_result name(std::span<char> room) const noexcept {
    return form_decode(raw_name, room);
  }
  [[nodiscard]] constexpr percent_result value(std::span<char> room) const noexcept {
    return form_decode(raw_value, room);
  }

  /// The value as a T: an integer in decimal (checked for range), a finite floating-point number,
  /// a bool ("true", "1", "false" or "0"), or a query_value<Size>.
  /// @returns  nothing when the value is something else, has a bad escape or, for numbers, more
  ///           than 64 bytes
  template <class T>
  constexpr std::optional<T> as() const noexcept;

  /// Whether no escape of it is bad.
  constexpr bool is_valid() const noexcept {
    for (std::string_view rest : {raw_name, raw_value}) {
      char byte{};
      while (!rest.empty()) {
        if (detail::take_form_byte(rest, byte) != percent_status::ok) return false;
      }
    }
    return true;
  }
};

namespace detail {

template <class T>
struct query_reader {
  static constexpr std::optional<T> read(std::string_view raw) noexcept {
    const query_value<64> decoded(raw);
    if (!decoded) return std::nullopt;
    const std::string_view text = decoded.view();
    if constexpr (std::same_as<T, bool>) {
      if (text == "true" || text == "1") return true;
      if (text == "false" || text == "0") return false;
      return std::nullopt;
    } else if constexpr (std::integral<T>) {
      return parse_decimal<T>(text);
    } else {
      T number{};
      const char* const end = text.data() + text.size();
      const auto [stop, trouble] = std::from_chars(text.data(), end, number);
      // from_chars takes "inf" and "nan" for numbers: their difference from themselves is not 0.
      if (trouble != std::errc() || stop != end || !(number - number == 0)) return std::nullopt;
      return number;
    }
  }
};

template <std::size_t Size>
struct query_reader<query_value<Size>> {
  static constexpr std::optional<query_value<Size>> read(std::string_view raw) noexcept {
    const query_value<Size> decoded(raw);
    return decoded ? std::optional(decoded) : std::nullopt;
  }
};

}  // namespace detail

template <class T>
constexpr std::optional<T> query_pair::as() const noexcept {
  static_assert(is_query_type<T>,
                "a query's value can be read as a number, a bool or, for text, as a "
                "nen::query_value<Size> that has the memory for it");
  return detail::query_reader<T>::read(raw_value);
}

/// The pairs of a query string or a form body in the order they came: a view that splits the text
/// as it is walked. Empty pieces ("a=1&&b=2") are no pairs; a piece without '=' is a name with an
/// empty value.
class query_pairs {
 public:
  class iterator;

  constexpr query_pairs() noexcept = default;
  /// @param text  without the '?'
  explicit constexpr query_pairs(std::string_view text) noexcept : text_(text) {}

  constexpr iterator begin() const noexcept;
  constexpr iterator end() const noexcept;

  /// @param name  compared with case, after decoding
  /// @returns     the first pair of this name, or nothing
  constexpr std::optional<query_pair> find(std::string_view name) const noexcept;
  constexpr bool has(std::string_view name) const noexcept { return find(name).has_value(); }
  /// @returns how many pairs have this name
  constexpr std::size_t count(std::string_view name) const noexcept;

  /// Calls `f(query_pair)` for each pair of this name, in order.
  template <class F>
  constexpr void for_each(std::string_view name, F f) const;

  /// The first pair of this name, read as a T (query_pair::as).
  /// @returns  nothing when there is no such pair or its value is not a T
  /// @code  query_of(req).get<std::uint32_t>("page")  @endcode
  template <class T>
  constexpr std::optional<T> get(std::string_view name) const noexcept {
    const std::optional<query_pair> found = find(name);
    return found ? found->as<T>() : std::nullopt;
  }

  /// Like get(), for what may be left out: nothing is returned only for a value that is not a T.
  template <class T>
  constexpr std::optional<T> get_or(std::string_view name, T fallback) const noexcept {
    const std::optional<query_pair> found = find(name);
    return found ? found->as<T>() : std::optional<T>(fallback);
  }

  /// Whether no escape in the whole text is bad, for those who want to answer 400 to it.
  constexpr bool is_valid() const noexcept;

 private:
  std::string_view text_;
};

/// Walks query_pairs; it makes each pair when it is reached.
class query_pairs::iterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = query_pair;
  using difference_type = std::ptrdiff_t;
  using pointer = void;
  using reference = query_pair;

  constexpr iterator() noexcept = default;
  explicit constexpr iterator(std::string_view text) noexcept : rest_(text) { ++*this; }

  constexpr query_pair operator*() const noexcept {
    const std::size_t equals = piece_.find('=');
    if (equals == std::string_view::npos) return {piece_, {}};
    return {piece_.substr(0, equals), piece_.substr(equals + 1)};
  }
  constexpr iterator& operator++() noexcept {
    piece_ = {};
    while (!rest_.empty() && piece_.empty()) {
      piece_ = rest_.substr(0, rest_.find('&'));
      rest_.remove_prefix(piece_.size() == rest_.size() ? piece_.size() : piece_.size() + 1);
    }
    return *this;
  }
  constexpr iterator operator++(int) noexcept {
    iterator before = *this;
    ++*this;
    return before;
  }
  /// Of one text: what is left decides, and the end has no piece.
  friend constexpr bool operator==(const iterator& a, const iterator& b) noexcept {
    return a.rest_.size() == b.rest_.size() && a.piece_.empty() == b.piece_.empty();
  }

 private:
  std::string_view piece_, rest_;
};

constexpr query_pairs::iterator query_pairs::begin() const noexcept { return iterator(text_); }
constexpr query_pairs::iterator query_pairs::end() const noexcept { return {}; }

constexpr std::optional<query_pair> query_pairs::find(std::string_view name) const noexcept {
  for (const query_pair pair : *this) {
    if (pair.is_named(name)) return pair;
  }
  return std::nullopt;
}

constexpr std::size_t query_pairs::count(std::string_view name) const noexcept {
  std::size_t n = 0;
  for (const query_pair pair : *this) n += pair.is_named(name) ? 1 : 0;
  return n;
}

template <class F>
constexpr void query_pairs::for_each(std::string_view name, F f) const {
  for (const query_pair pair : *this) {
    if (pair.is_named(name)) f(pair);
  }
}

constexpr bool query_pairs::is_valid() const noexcept {
  for (const query_pair pair : *this) {
    if (!pair.is_valid()) return false;
  }
  return true;
}

/// The pairs of the request's query; none when it has no query.
[[nodiscard]] constexpr query_pairs query_of(const request& req) noexcept {
  return query_pairs(req.query());
}

/// The pairs of a form that was posted. The media type's parameters are not looked at: a form is
/// always UTF-8.
/// @returns  nothing unless there is one Content-Type field and it says
///           application/x-www-form-urlencoded (compared without case, RFC 9110 §8.3.1)
[[nodiscard]] constexpr std::optional<query_pairs> form_of(const request& req) noexcept {
  const fields all = req.fields();
  const std::string_view type = all.find("Content-Type").value_or("");
  if (all.count("Content-Type") != 1 ||
      !equals_ignoring_case(trim_ows(type.substr(0, type.find(';'))),
                            "application/x-www-form-urlencoded")) {
    return std::nullopt;
  }
  return query_pairs(req.body());
}

}  // namespace nen
