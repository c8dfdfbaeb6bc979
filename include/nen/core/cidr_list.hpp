// core, L0: a view of prefixes of addresses, light enough for the options that every program reads;
// core/cidr.hpp has the prefixes themselves.
#pragma once

#include <cstddef>

namespace nen {

struct cidr;

/// Prefixes that lie somewhere else, for as long as the list is used: in a nen::cidrs<…>, a
/// nen::cidr_set, a std::array or any other container in one piece.
class cidr_list {
 public:
  constexpr cidr_list() = default;
  constexpr cidr_list(const cidr* first, std::size_t size) noexcept : first_(first), size_(size) {}
  template <class List>
  requires requires(const List& list) {
    static_cast<const cidr*>(list.data());
    list.size();
  }
  constexpr cidr_list(const List& list) noexcept : first_(list.data()), size_(list.size()) {}
  template <std::size_t Size>
  constexpr cidr_list(const cidr (&list)[Size]) noexcept : first_(list), size_(Size) {}

  [[nodiscard]] constexpr std::size_t size() const noexcept { return size_; }
  [[nodiscard]] constexpr bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] constexpr const cidr* begin() const noexcept { return first_; }
  [[nodiscard]] constexpr const cidr* end() const noexcept;

 private:
  const cidr* first_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace nen
