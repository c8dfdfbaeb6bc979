// A string literal in a struct of options that is a template argument: texts of every length are
// one type, so that the struct has no parameters. core, L0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace nen {

/// A structural copy of a string literal of at most Max bytes.
template <std::size_t Max>
struct bounded_text {
  /// Public, because a structural type has no private members; read it through view().
  char text[Max]{};
  std::uint16_t size = 0;

  consteval bounded_text() noexcept = default;
  template <std::size_t N>
  consteval bounded_text(const char (&literal)[N]) noexcept {
    static_assert(N - 1 <= Max && Max <= 0xffff,
                  "this text is longer than its option has room for: see nen::bounded_text in the "
                  "option's type");
    for (std::size_t i = 0; i + 1 < N; ++i) text[i] = literal[i];
    size = static_cast<std::uint16_t>(N - 1);
  }

  [[nodiscard]] constexpr bool empty() const noexcept { return size == 0; }
  [[nodiscard]] constexpr std::string_view view() const noexcept { return {text, size}; }
};

}  // namespace nen
