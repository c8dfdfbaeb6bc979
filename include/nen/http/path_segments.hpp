// A path cut at its slashes, each segment with its hash: patterns are cut at compile time by the
// same function that cuts paths at run time. http, L1
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>

namespace nen {

/// The most segments that a pattern may have. Longer paths still match a pattern that ends in
/// "*rest".
inline constexpr std::size_t segments_max = 32;

/// Where a path's segments begin. "/a/b" has two, "/" has one that is empty, "/a/" ends in an empty
/// one. Only as many are looked for as the deepest pattern has, and one more.
struct path_segments {
  std::uint32_t begin[segments_max + 2];  ///< begin[count] is one byte after the last one's end
  std::uint32_t count;

  /// @pre i < count
  [[nodiscard]] constexpr std::string_view segment(std::string_view path,
                                                   std::size_t i) const noexcept {
    return {path.data() + begin[i], begin[i + 1] - begin[i] - 1};
  }
  /// Everything from a segment's first byte to the path's end. @pre i < count
  [[nodiscard]] constexpr std::string_view from(std::string_view path,
                                                std::size_t i) const noexcept {
    return {path.data() + begin[i], path.size() - begin[i]};
  }
};

namespace detail {

/// The next eight bytes, the first one lowest; past the end of the path they are zero.
constexpr std::uint64_t load_word(std::string_view path, std::size_t at) noexcept {
  const std::size_t left = path.size() - at;
  if (!std::is_constant_evaluated() && std::endian::native == std::endian::little) {
    std::uint64_t word = 0;
    if (left >= sizeof word) {
      std::memcpy(&word, path.data() + at, sizeof word);
      return word;
    }
    if (left == 0) return 0;
    if (path.size() >= sizeof word) {
      // The path's last eight bytes are all ours: those before `at` are shifted out.
      std::memcpy(&word, path.data() + path.size() - sizeof word, sizeof word);
      return word >> (8 * (sizeof word - left));
    }
  }
  std::uint64_t word = 0;
  const std::size_t bytes = left < sizeof word ? left : sizeof word;
  for (std::size_t i = 0; i < bytes; ++i) {
    word |= std::uint64_t{static_cast<unsigned char>(path[at + i])} << (8 * i);
  }
  return word;
}

struct scanned_segment {
  std::size_t size;
  std::uint64_t hash;
};

/// Finds the end of the segment that begins at `at` (a '/' or the end of the path) and hashes its
/// bytes, eight at a time. The hash needs no secret: what it is looked up in is fixed at compile
/// time, so peers cannot make that table's entries collide.
constexpr scanned_segment scan_segment(std::string_view path, std::size_t at) noexcept {
  constexpr std::uint64_t ones = 0x0101010101010101U;
  constexpr std::uint64_t slashes = ones * '/';
  constexpr std::uint64_t factor = 0x9E3779B97F4A7C15U;  // 2^64 / golden ratio: odd, well mixed
  std::uint64_t hash = 0;
  std::size_t size = 0;
  while (true) {
    const std::size_t left = path.size() - at - size;
    std::uint64_t word = load_word(path, at + size);
    const std::uint64_t zero_where_slash = word ^ slashes;
    const std::uint64_t found = (zero_where_slash - ones) & ~zero_where_slash & (ones << 7);
    if (found == 0 && left >= sizeof word) {
      hash = (hash ^ word) * factor;
      hash ^= hash >> 29;
      size += sizeof word;
      continue;
    }
    if (found != 0) {
      const auto bytes = static_cast<std::size_t>(std::countr_zero(found)) / 8;
      word &= (std::uint64_t{1} << (8 * bytes)) - 1;
      size += bytes;
    } else {
      size += left;
    }
    hash = (hash ^ word) * factor;
    return {size, hash ^ (hash >> 29)};
  }
}

/// The hash of a path that goes on with another segment; 0 is that of no segments.
constexpr std::uint64_t extend_hash(std::uint64_t path, std::uint64_t segment) noexcept {
  return std::rotl(path, 21) ^ segment;
}

}  // namespace detail
}  // namespace nen
