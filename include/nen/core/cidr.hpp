// core, L0: prefixes of IP addresses (RFC 4632, RFC 4291 §2.3), lists of them, and who is in which.
// Read at compile time, where a wrong one does not compile, or at run time.
#pragma once

#include <nen/core/ascii.hpp>
#include <nen/core/cidr_list.hpp>
#include <nen/core/client_address.hpp>
#include <nen/core/fixed_string.hpp>
#include <nen/core/ip_text.hpp>
#include <nen/core/result.hpp>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace nen {

/// All addresses of one family that begin alike: 10.0.0.0/8, 2001:db8::/32. Without a slash it is
/// one address. IPv4 in IPv6 (::ffff:10.0.0.0/104) is kept as IPv4; the families have nothing else
/// in common, so that ::/0 is every IPv6 address and no IPv4 one.
struct cidr {
  std::array<std::uint8_t, 16> bytes;  ///< as of client_address; zero behind the prefix
  std::uint8_t bits;                   ///< of the prefix: 0 to 32, or 0 to 128
  client_address::kind family;         ///< ipv4 or ipv6

  /// @returns  EINVAL with a sentence when the text is no prefix, or has bits behind it
  [[nodiscard]] static result<cidr> parse(std::string_view text) noexcept;

  [[nodiscard]] constexpr bool contains(const client_address& who) const noexcept {
    if (who.what != family) return false;
    const std::size_t whole = bits / 8;
    for (std::size_t i = 0; i < whole; ++i)
      if (who.bytes[i] != bytes[i]) return false;
    const unsigned rest = bits % 8;
    return rest == 0 || (who.bytes[whole] ^ bytes[whole]) >> (8 - rest) == 0;
  }

  [[nodiscard]] friend constexpr bool operator==(const cidr&, const cidr&) noexcept = default;
};

constexpr const cidr* cidr_list::end() const noexcept { return first_ + size_; }

/// The longest of the prefixes that an address is in; the order of the list says nothing. It looks
/// at each: lists are meant to have tens of prefixes, or hundreds.
/// @returns  null when it is in none, which whoever has no IP address is
[[nodiscard]] constexpr const cidr* longest_match(cidr_list list,
                                                  const client_address& who) noexcept {
  const cidr* longest = nullptr;
  for (const cidr& each : list)
    if ((longest == nullptr || each.bits > longest->bits) && each.contains(who)) longest = &each;
  return longest;
}

/// True when the address is in one of the prefixes.
[[nodiscard]] constexpr bool is_in(cidr_list list, const client_address& who) noexcept {
  for (const cidr& each : list)
    if (each.contains(who)) return true;
  return false;
}

namespace detail {

enum class cidr_problem : std::uint8_t { none, no_address, bad_length, bits_behind };

struct cidr_reading {
  cidr value;
  cidr_problem problem;
};

constexpr cidr_reading read_cidr(std::string_view text) noexcept {
  const std::size_t slash = index_of('/', text);
  const std::string_view address = text.substr(0, slash);
  const auto parsed = parse_ip(address);
  if (!parsed) return {{}, cidr_problem::no_address};
  cidr made{parsed->bytes, 0, parsed->what};
  const bool is_v4 = parsed->what == client_address::kind::ipv4;
  const unsigned written_bits_max = index_of(':', address) == address.npos ? 32 : 128;
  const unsigned bits_max = is_v4 ? 32 : 128;
  const unsigned surplus = written_bits_max - bits_max;  // 96 for IPv4 in IPv6
  unsigned bits = written_bits_max;
  if (slash != text.npos) {
    const std::string_view length = text.substr(slash + 1);
    const auto given = parse_decimal<std::uint8_t>(length);
    const bool is_plain = length.size() == 1 || (length.size() <= 3 && length[0] != '0');
    if (!given || !is_plain || *given > written_bits_max || *given < surplus)
      return {{}, cidr_problem::bad_length};
    bits = *given;
  }
  made.bits = static_cast<std::uint8_t>(bits - surplus);
  for (unsigned bit = made.bits; bit < bits_max; ++bit)
    if ((made.bytes[bit / 8] >> (7 - bit % 8) & 1U) != 0) return {{}, cidr_problem::bits_behind};
  return {made, cidr_problem::none};
}

template <fixed_string Text>
struct constant_cidr {
  static constexpr cidr_reading read = read_cidr(Text.view());
  static_assert(read.problem != cidr_problem::no_address,
                "nen::cidrs: this is not an IP address; write 10.0.0.0/8, 192.0.2.1 or fd00::/8");
  static_assert(
      read.problem != cidr_problem::bad_length,
      "nen::cidrs: a prefix has 0 to 32 bits, of IPv6 0 to 128, of IPv4 in IPv6 96 to 128");
  static_assert(read.problem != cidr_problem::bits_behind,
                "nen::cidrs: the address has bits behind its prefix; write 10.0.0.0/8, not "
                "10.0.0.1/8");
  static constexpr cidr value = read.value;
};

}  // namespace detail

/// A list that is read when the program is compiled:
///   .trusted_proxies = nen::cidrs<"10.0.0.0/8", "fd00::/8">
template <fixed_string... Texts>
inline constexpr std::array<cidr, sizeof...(Texts)> cidrs = {
    detail::constant_cidr<Texts>::value...};

[[gnu::cold]] inline result<cidr> cidr::parse(std::string_view text) noexcept {
  const auto read = detail::read_cidr(text);
  const int size = static_cast<int>(text.size() < 64 ? text.size() : 64);
  switch (read.problem) {
    case detail::cidr_problem::none:
      break;
    case detail::cidr_problem::no_address:
      return make_error(EINVAL,
                        "\"%.*s\" is not a prefix of addresses; write 10.0.0.0/8, 192.0.2.1 or "
                        "fd00::/8",
                        size, text.data());
    case detail::cidr_problem::bad_length:
      return make_error(EINVAL,
                        "\"%.*s\" has no length that a prefix can have: 0 to 32 for IPv4, 0 to 128 "
                        "for IPv6, and 96 to 128 for IPv4 in IPv6",
                        size, text.data());
    case detail::cidr_problem::bits_behind:
      return make_error(EINVAL,
                        "\"%.*s\" has bits behind its prefix; write 10.0.0.0/8, not "
                        "10.0.0.1/8",
                        size, text.data());
  }
  return read.value;
}

/// A list that is read at run time, from a file of settings for example. Zero is empty.
template <std::size_t Capacity>
class cidr_set {
 public:
  /// @returns  EINVAL when the text is no prefix, ENOSPC when the set is full; it is then unchanged
  [[nodiscard]] result<void> add(std::string_view text) noexcept {
    const auto made = cidr::parse(text);
    if (!made) return made.error();
    if (size_ == Capacity)
      return make_error(ENOSPC, "this list has room for %zu prefixes; make it larger", Capacity);
    all_[size_++] = *made;
    return {};
  }
  void clear() noexcept { size_ = 0; }

  [[nodiscard]] const cidr* data() const noexcept { return all_.data(); }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

 private:
  std::array<cidr, Capacity> all_;
  std::size_t size_;
};

}  // namespace nen
