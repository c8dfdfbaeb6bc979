// Header fields as offsets into the bytes they arrived in, and a view that reads them. http, L1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <nen/core/ascii.hpp>
#include <nen/core/assert.hpp>
#include <optional>
#include <string_view>

namespace nen {

/// One header field. The value is without the white space around it (RFC 9110 §5.5).
struct field {
  std::string_view name, value;
};

/// Where a field stands, counted from the first byte of its message. A head is at most 65,535
/// bytes, so 16 bits hold any offset, and a field costs 8 bytes.
struct field_ref {
  std::uint16_t name_begin, name_size, value_begin, value_size;
};

/// A view of a message's header fields in the order they came. It is valid as long as the bytes
/// and the table are.
class fields {
 public:
  class iterator;

  constexpr fields() = default;

  /// @param base   the message's first byte
  /// @param refs   `count` entries whose offsets are relative to `base`
  constexpr fields(const char* base, const field_ref* refs, std::uint16_t count)
      : base_(base), refs_(refs), count_(count) {}

  constexpr std::size_t size() const { return count_; }
  constexpr bool empty() const { return count_ == 0; }

  /// @pre `i < size()` (asserted)
  constexpr field operator[](std::size_t i) const {
    NEN_ASSERT(i < count_);
    return {name_at(i), value_at(i)};
  }

  constexpr iterator begin() const;
  constexpr iterator end() const;

  /// @param name  compared without case (RFC 9110 §5.1)
  /// @returns     the first such field's value, or nothing
  constexpr std::optional<std::string_view> find(std::string_view name) const {
    for (std::size_t i = 0; i < count_; ++i) {
      if (is_named(i, name)) return value_at(i);
    }
    return std::nullopt;
  }

  /// @returns how many fields have this name, compared without case
  constexpr std::size_t count(std::string_view name) const {
    std::size_t n = 0;
    for (std::size_t i = 0; i < count_; ++i) n += is_named(i, name) ? 1 : 0;
    return n;
  }

  /// Calls `f(std::string_view value)` for each field of this name, in order.
  template <class F>
  constexpr void for_each(std::string_view name, F f) const {
    for (std::size_t i = 0; i < count_; ++i) {
      if (is_named(i, name)) f(value_at(i));
    }
  }

 private:
  constexpr std::string_view name_at(std::size_t i) const {
    return {base_ + refs_[i].name_begin, refs_[i].name_size};
  }
  constexpr std::string_view value_at(std::size_t i) const {
    return {base_ + refs_[i].value_begin, refs_[i].value_size};
  }
  constexpr bool is_named(std::size_t i, std::string_view name) const {
    // The size is in the table, so that most fields are passed over without touching their bytes.
    return refs_[i].name_size == name.size() && equals_ignoring_case(name_at(i), name);
  }

  const char* base_ = nullptr;
  const field_ref* refs_ = nullptr;
  std::uint16_t count_ = 0;
};

/// Walks a `fields` view; it makes each `field` when it is asked for it.
class fields::iterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = field;
  using difference_type = std::ptrdiff_t;
  using pointer = void;
  using reference = field;

  constexpr iterator() = default;
  constexpr iterator(const char* base, const field_ref* at) : base_(base), at_(at) {}

  constexpr field operator*() const {
    return {{base_ + at_->name_begin, at_->name_size}, {base_ + at_->value_begin, at_->value_size}};
  }
  constexpr iterator& operator++() {
    ++at_;
    return *this;
  }
  constexpr iterator operator++(int) {
    iterator before = *this;
    ++at_;
    return before;
  }
  friend constexpr bool operator==(const iterator& a, const iterator& b) { return a.at_ == b.at_; }

 private:
  const char* base_ = nullptr;
  const field_ref* at_ = nullptr;
};

constexpr fields::iterator fields::begin() const { return {base_, refs_}; }
constexpr fields::iterator fields::end() const { return {base_, refs_ + count_}; }

}  // namespace nen
