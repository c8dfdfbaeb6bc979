// The comma-separated lists of a WebSocket handshake: tokens (RFC 6455 §11.3.4) and extensions with
// their parameters (§9.1), walked where they lie. ws, L1.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <nen/core/ascii.hpp>
#include <optional>
#include <span>
#include <string_view>

namespace nen::ws {

namespace detail {

constexpr bool is_ows(char c) noexcept { return c == ' ' || c == '\t'; }

constexpr void skip_ows(std::string_view& text) noexcept {
  while (!text.empty() && is_ows(text.front())) text.remove_prefix(1);
}

/// Takes the token at the beginning of the text, which may be none.
constexpr std::string_view take_token(std::string_view& text) noexcept {
  std::size_t size = 0;
  while (size < text.size() && is_token_char(text[size])) ++size;
  const std::string_view token = text.substr(0, size);
  text.remove_prefix(size);
  return token;
}

}  // namespace detail

/// The elements of a list without the white space around them. Empty ones are no elements
/// (RFC 9110 §5.6.1.2). What an element is made of is not checked.
class list_elements {
 public:
  class iterator {
   public:
    using iterator_category = std::forward_iterator_tag;
    using value_type = std::string_view;
    using difference_type = std::ptrdiff_t;
    using pointer = void;
    using reference = std::string_view;

    constexpr iterator() noexcept = default;
    explicit constexpr iterator(std::string_view text) noexcept : rest_(text) { ++*this; }
    constexpr std::string_view operator*() const noexcept { return element_; }
    constexpr iterator& operator++() noexcept {
      element_ = {};
      while (element_.empty() && !rest_.empty()) {
        const std::string_view piece = rest_.substr(0, rest_.find(','));
        rest_.remove_prefix(piece.size() == rest_.size() ? piece.size() : piece.size() + 1);
        element_ = trim_ows(piece);
      }
      return *this;
    }
    constexpr iterator operator++(int) noexcept {
      const iterator before = *this;
      ++*this;
      return before;
    }
    /// Of one list: no element is empty, so only the end is.
    friend constexpr bool operator==(const iterator& a, const iterator& b) noexcept {
      return a.element_.empty() == b.element_.empty() && a.rest_.size() == b.rest_.size();
    }

   private:
    std::string_view element_;
    std::string_view rest_;  // behind the element and its comma
  };

  constexpr list_elements() noexcept = default;
  /// @param text  a field's value
  explicit constexpr list_elements(std::string_view text) noexcept : text_(text) {}
  constexpr iterator begin() const noexcept { return iterator(text_); }
  constexpr iterator end() const noexcept { return {}; }

 private:
  std::string_view text_;
};

/// Whether a list, like Connection or Upgrade, has an element that is equal but for case.
[[nodiscard]] constexpr bool has_element(std::string_view list, std::string_view element) noexcept {
  for (const std::string_view e : list_elements(list)) {
    if (equals_ignoring_case(e, element)) return true;
  }
  return false;
}

/// A parameter of an extension, RFC 6455 §9.1.
struct extension_param {
  std::string_view name;  ///< token
  /// As it is written, without quotes around it; a quoted value may hold backslashes, which
  /// param_text() takes out.
  std::string_view value;
  bool has_value = false;
};

/// The value that a parameter means: a quoted one may have any character behind a backslash.
/// @param room  where the text goes if it is not the same as `value`
/// @returns     nothing when it would have to be written and has more characters than the room
[[nodiscard]] constexpr std::optional<std::string_view> param_text(const extension_param& param,
                                                                   std::span<char> room) noexcept {
  if (param.value.find('\\') == std::string_view::npos) return param.value;
  std::size_t size = 0;
  for (std::size_t i = 0; i < param.value.size(); ++i) {
    if (param.value[i] == '\\') ++i;
    if (size == room.size()) return std::nullopt;
    room[size++] = param.value[i];
  }
  return std::string_view(room.data(), size);
}

/// An extension that was offered or accepted, RFC 6455 §9.1.
struct extension {
  std::string_view name;    ///< token
  std::string_view params;  ///< the text of its parameters, for extension_params
};

namespace detail {

/// Takes a quoted-string whose text is a token (RFC 6455 §9.1) from behind its first quote to
/// behind its last.
constexpr std::optional<std::string_view> take_quoted_token(std::string_view& text) noexcept {
  std::size_t i = 0;
  for (; i < text.size() && text[i] != '"'; ++i) {
    if (text[i] == '\\') ++i;
    if (i == text.size() || !is_token_char(text[i])) return std::nullopt;
  }
  if (i == 0 || i >= text.size()) return std::nullopt;
  const std::string_view inside = text.substr(0, i);
  text.remove_prefix(i + 1);
  return inside;
}

/// Takes ";" name [ "=" value ] from the beginning of the text; white space may be between them.
constexpr std::optional<extension_param> take_param(std::string_view& text) noexcept {
  if (text.empty() || text.front() != ';') return std::nullopt;
  text.remove_prefix(1);
  skip_ows(text);
  extension_param param;
  param.name = take_token(text);
  if (param.name.empty()) return std::nullopt;
  skip_ows(text);
  if (text.empty() || text.front() != '=') return param;
  text.remove_prefix(1);
  skip_ows(text);
  param.has_value = true;
  if (!text.empty() && text.front() == '"') {
    text.remove_prefix(1);
    const auto inside = take_quoted_token(text);
    if (!inside) return std::nullopt;
    param.value = *inside;
  } else {
    param.value = take_token(text);
    if (param.value.empty()) return std::nullopt;
  }
  skip_ows(text);
  return param;
}

/// Takes one extension and the comma behind it from a list. Commas in front of it are skipped.
/// @returns  nothing, and an empty text, at the end; nothing, and text, when it is malformed
constexpr std::optional<extension> take_extension(std::string_view& text) noexcept {
  while (!text.empty() && (is_ows(text.front()) || text.front() == ',')) text.remove_prefix(1);
  if (text.empty()) return std::nullopt;
  std::string_view rest = text;
  extension result;
  result.name = take_token(rest);
  if (result.name.empty()) return std::nullopt;
  skip_ows(rest);
  const std::string_view params = rest;
  while (!rest.empty() && rest.front() == ';') {
    if (!take_param(rest)) return std::nullopt;
  }
  if (!rest.empty() && rest.front() != ',') return std::nullopt;
  result.params = params.substr(0, params.size() - rest.size());
  text = rest;
  return result;
}

}  // namespace detail

/// The parameters of an extension in order: `for (const extension_param p : extension_params(e))`.
class extension_params {
 public:
  class iterator {
   public:
    explicit constexpr iterator(std::string_view text) noexcept : rest_(text) { ++*this; }
    constexpr extension_param operator*() const noexcept { return *param_; }
    constexpr iterator& operator++() noexcept {
      param_ = detail::take_param(rest_);
      return *this;
    }
    friend constexpr bool operator==(const iterator& a, std::default_sentinel_t) noexcept {
      return !a.param_;
    }

   private:
    std::string_view rest_;
    std::optional<extension_param> param_;
  };

  explicit constexpr extension_params(const extension& e) noexcept : text_(e.params) {}
  constexpr iterator begin() const noexcept { return iterator(text_); }
  constexpr std::default_sentinel_t end() const noexcept { return {}; }

 private:
  std::string_view text_;
};

/// The extensions of a Sec-WebSocket-Extensions field in order. The walk ends where the list is
/// malformed; is_extension_list() tells beforehand.
class extensions {
 public:
  class iterator {
   public:
    explicit constexpr iterator(std::string_view text) noexcept : rest_(text) { ++*this; }
    constexpr extension operator*() const noexcept { return *extension_; }
    constexpr iterator& operator++() noexcept {
      extension_ = detail::take_extension(rest_);
      return *this;
    }
    friend constexpr bool operator==(const iterator& a, std::default_sentinel_t) noexcept {
      return !a.extension_;
    }

   private:
    std::string_view rest_;
    std::optional<extension> extension_;
  };

  explicit constexpr extensions(std::string_view text) noexcept : text_(text) {}
  constexpr iterator begin() const noexcept { return iterator(text_); }
  constexpr std::default_sentinel_t end() const noexcept { return {}; }

 private:
  std::string_view text_;
};

/// Whether the text is a list of at least one extension, RFC 6455 §9.1.
[[nodiscard]] constexpr bool is_extension_list(std::string_view text) noexcept {
  bool has_any = false;
  while (detail::take_extension(text)) has_any = true;
  return has_any && text.empty();
}

}  // namespace nen::ws
