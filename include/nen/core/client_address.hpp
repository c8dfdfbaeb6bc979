// core, L0: who is at the other end of a connection: an IP address and a port, as small as a
// connection's slot wants it.
#pragma once

#include <nen/core/ascii.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace nen {

/// A client's address as people write it, in an inline buffer: "192.0.2.1", "2001:db8::1", "unix",
/// or "-" where nobody knows it.
class client_address_text {
 public:
  [[nodiscard]] std::string_view view() const noexcept { return {text_, size_}; }
  operator std::string_view() const noexcept { return view(); }

 private:
  friend struct client_address;

  std::uint8_t size_ = 0;
  char text_[47];  // the longest is eight groups of four digits and seven colons
};

/// Whose connection it is. IPv4 in IPv6 (::ffff:192.0.2.1) is kept as IPv4, so that a client has
/// one address whatever socket it came through. Zero: nobody knows.
struct client_address {
  enum class kind : std::uint8_t { none, ipv4, ipv6, unix_socket };

  std::array<std::uint8_t, 16> bytes;  ///< in the network's order; IPv4 has the first four
  std::uint16_t port;                  ///< in the host's order
  kind what;

  static constexpr client_address ipv4(const std::uint8_t (&from)[4],
                                       std::uint16_t port = 0) noexcept {
    client_address made{};
    for (std::size_t i = 0; i < 4; ++i) made.bytes[i] = from[i];
    made.port = port;
    made.what = kind::ipv4;
    return made;
  }
  /// One that stands for an IPv4 address (RFC 4291 §2.5.5.2) becomes that.
  static constexpr client_address ipv6(const std::uint8_t (&from)[16],
                                       std::uint16_t port = 0) noexcept {
    constexpr std::uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    bool is_mapped = true;
    for (std::size_t i = 0; i < 12; ++i) is_mapped = is_mapped && from[i] == mapped[i];
    if (is_mapped) return ipv4({from[12], from[13], from[14], from[15]}, port);
    client_address made{};
    for (std::size_t i = 0; i < 16; ++i) made.bytes[i] = from[i];
    made.port = port;
    made.what = kind::ipv6;
    return made;
  }

  /// The address that nobody has.
  static constexpr const client_address& nobody() noexcept;

  [[nodiscard]] constexpr bool is_ip() const noexcept {
    return what == kind::ipv4 || what == kind::ipv6;
  }

  /// Without the port. IPv6 is written as RFC 5952 wants it.
  [[nodiscard]] client_address_text to_text() const noexcept;

  [[nodiscard]] friend constexpr bool operator==(const client_address&,
                                                 const client_address&) noexcept = default;
};

namespace detail {

inline constexpr client_address nobodys_address{};

}  // namespace detail

constexpr const client_address& client_address::nobody() noexcept {
  return detail::nobodys_address;
}

namespace detail {

/// The longest run of zero groups, of two at least: RFC 5952 §4.2.
struct zero_run {
  std::size_t begin = 8;
  std::size_t size = 1;
};
constexpr zero_run longest_zero_run(const std::array<std::uint8_t, 16>& bytes) noexcept {
  zero_run longest;
  for (std::size_t i = 0; i < 8; ++i) {
    std::size_t end = i;
    while (end < 8 && bytes[2 * end] == 0 && bytes[2 * end + 1] == 0) ++end;
    if (end - i > longest.size) longest = {i, end - i};
    if (end != i) i = end;
  }
  return longest;
}

inline char* write_group(char* out, unsigned group) noexcept {
  constexpr char digits[] = "0123456789abcdef";
  bool begun = false;
  for (int shift = 12; shift >= 0; shift -= 4) {
    const unsigned digit = group >> shift & 15U;
    begun = begun || digit != 0 || shift == 0;
    if (begun) *out++ = digits[digit];
  }
  return out;
}

}  // namespace detail

inline client_address_text client_address::to_text() const noexcept {
  client_address_text text;
  char* at = text.text_;
  switch (what) {
    case kind::none:
      *at++ = '-';
      break;
    case kind::unix_socket:
      std::memcpy(at, "unix", 4);
      at += 4;
      break;
    case kind::ipv4:
      for (std::size_t i = 0; i < 4; ++i) {
        if (i != 0) *at++ = '.';
        at = write_decimal(at, bytes[i]);
      }
      break;
    case kind::ipv6: {
      const auto zeros = detail::longest_zero_run(bytes);
      for (std::size_t i = 0; i < 8; ++i) {
        if (i == zeros.begin) {
          *at++ = ':';
          if (i == 0) *at++ = ':';
          i += zeros.size - 1;
          continue;
        }
        at = detail::write_group(at, static_cast<unsigned>(bytes[2 * i] << 8 | bytes[2 * i + 1]));
        if (i != 7) *at++ = ':';
      }
      break;
    }
  }
  text.size_ = static_cast<std::uint8_t>(at - text.text_);
  return text;
}

}  // namespace nen
