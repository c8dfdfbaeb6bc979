// A value or an error that explains itself in one sentence; what start-up functions return.
// core, L0
#pragma once

#include <cstdarg>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>

#include <nen/core/assert.hpp>

namespace nen {

/// What went wrong: a code for programs and a sentence for people. Its text is inside it, so that
/// it needs no heap and is trivially copyable.
class error {
 public:
  /// The longest sentence; a longer one is cut and ends in "...".
  static constexpr std::size_t message_bytes_max = 255;

  /// No error: code 0 and an empty sentence.
  constexpr error() noexcept = default;

  [[gnu::cold]] error(int errno_value, std::string_view sentence) noexcept : errno_(errno_value) {
    const bool fits = sentence.size() <= message_bytes_max;
    const std::size_t copied = fits ? sentence.size() : message_bytes_max - cut_mark.size();
    sentence.copy(text_, copied);
    size_ = static_cast<std::uint8_t>(copied);
    if (!fits) {
      cut_mark.copy(text_ + copied, cut_mark.size());
      size_ = static_cast<std::uint8_t>(message_bytes_max);
    }
  }

  /// The errno value, comparable with std::errc.
  [[nodiscard]] std::error_code code() const noexcept { return {errno_, std::generic_category()}; }

  /// One sentence with the cause and, where there is one, the fix. Valid as long as this error.
  [[nodiscard]] constexpr std::string_view message() const noexcept { return {text_, size_}; }

  /// The same sentence for printf and the like; a NUL closes it.
  [[nodiscard]] constexpr const char* c_str() const noexcept { return text_; }

 private:
  static constexpr std::string_view cut_mark = "...";

  int errno_ = 0;
  std::uint8_t size_ = 0;
  char text_[message_bytes_max + 1] = {};
};

static_assert(std::is_trivially_copyable_v<error>);

/// Makes an error from an errno value and a printf-like sentence.
[[gnu::cold]] [[gnu::format(printf, 2, 3), gnu::nonnull(2), nodiscard]] inline error make_error(
    int errno_value, const char* format, ...) noexcept {
  // One byte more than an error keeps, so that error sees whether it has to cut.
  char text[error::message_bytes_max + 2];
  std::va_list arguments;
  va_start(arguments, format);
  const int wanted = std::vsnprintf(text, sizeof(text), format, arguments);
  va_end(arguments);
  if (wanted < 0) {
    return {errno_value, format};
  }
  return {errno_value, std::string_view{text, std::strlen(text)}};
}

/// A T or an error; the member names are std::expected's. Looking at the one that is not there is
/// a programmer's error and is asserted. Trivially copyable when T is.
template <class T = void>
class [[nodiscard]] result {
  static_assert(!std::is_same_v<std::remove_cv_t<T>, nen::error>,
                "nen::result<error> is ambiguous");
  static_assert(std::is_object_v<T>, "nen::result<T> holds an object or void, not a reference");

 public:
  using value_type = T;
  using error_type = nen::error;

  constexpr result(const T& value) : value_(value) {}
  constexpr result(T&& value) noexcept(std::is_nothrow_move_constructible_v<T>)
      : value_(std::move(value)) {}
  constexpr result(const error_type& problem) noexcept : error_(problem) {}

  [[nodiscard]] constexpr bool has_value() const noexcept { return value_.has_value(); }
  [[nodiscard]] constexpr explicit operator bool() const noexcept { return value_.has_value(); }

  /// @pre  has_value() (asserted)
  [[nodiscard]] constexpr T& value() & noexcept {
    NEN_ASSERT(has_value());
    return *value_;
  }
  [[nodiscard]] constexpr const T& value() const& noexcept {
    NEN_ASSERT(has_value());
    return *value_;
  }
  [[nodiscard]] constexpr T&& value() && noexcept {
    NEN_ASSERT(has_value());
    return std::move(*value_);
  }

  [[nodiscard]] constexpr T& operator*() & noexcept { return value(); }
  [[nodiscard]] constexpr const T& operator*() const& noexcept { return value(); }
  [[nodiscard]] constexpr T&& operator*() && noexcept { return std::move(*this).value(); }
  [[nodiscard]] constexpr T* operator->() noexcept { return &value(); }
  [[nodiscard]] constexpr const T* operator->() const noexcept { return &value(); }

  template <class U>
  [[nodiscard]] constexpr T value_or(U&& otherwise) const& {
    return has_value() ? *value_ : static_cast<T>(std::forward<U>(otherwise));
  }
  template <class U>
  [[nodiscard]] constexpr T value_or(U&& otherwise) && {
    return has_value() ? std::move(*value_) : static_cast<T>(std::forward<U>(otherwise));
  }

  /// @pre  !has_value() (asserted)
  [[nodiscard]] constexpr const error_type& error() const noexcept {
    NEN_ASSERT(!has_value());
    return error_;
  }

 private:
  std::optional<T> value_;
  error_type error_;
};

/// Success or an error.
template <>
class [[nodiscard]] result<void> {
 public:
  using value_type = void;
  using error_type = nen::error;

  constexpr result() noexcept : ok_(true) {}
  constexpr result(const error_type& problem) noexcept : ok_(false), error_(problem) {}

  [[nodiscard]] constexpr bool has_value() const noexcept { return ok_; }
  [[nodiscard]] constexpr explicit operator bool() const noexcept { return ok_; }

  /// @pre  has_value() (asserted)
  constexpr void value() const noexcept { NEN_ASSERT(ok_); }
  constexpr void operator*() const noexcept { NEN_ASSERT(ok_); }

  /// @pre  !has_value() (asserted)
  [[nodiscard]] constexpr const error_type& error() const noexcept {
    NEN_ASSERT(!ok_);
    return error_;
  }

 private:
  bool ok_;
  error_type error_;
};

}  // namespace nen
