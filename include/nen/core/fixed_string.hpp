// A string literal that can be a template argument: nen::get<"/users/:id", show>.
// core, L0
#pragma once

#include <cstddef>
#include <string_view>

namespace nen {

/// A structural copy of a string literal.
/// @tparam N  bytes of the array, the closing NUL included
template <std::size_t N>
struct fixed_string {
  static_assert(N > 0, "nen::fixed_string holds a string literal, which ends in a NUL");

  /// Public, because a structural type has no private members; read it through view().
  char text[N]{};

  consteval fixed_string(const char (&literal)[N]) noexcept {
    for (std::size_t i = 0; i < N; ++i) {
      text[i] = literal[i];
    }
  }

  /// Bytes without the closing NUL.
  [[nodiscard]] static constexpr std::size_t size() noexcept { return N - 1; }
  [[nodiscard]] static constexpr bool empty() noexcept { return N == 1; }
  [[nodiscard]] constexpr const char* c_str() const noexcept { return text; }
  [[nodiscard]] constexpr std::string_view view() const noexcept { return {text, N - 1}; }
};

template <std::size_t N>
fixed_string(const char (&)[N]) -> fixed_string<N>;

template <std::size_t N, std::size_t M>
[[nodiscard]] constexpr bool operator==(const fixed_string<N>& a,
                                        const fixed_string<M>& b) noexcept {
  return a.view() == b.view();
}

}  // namespace nen
