// net, L1: the header that a proxy puts in front of a connection's bytes to say whose they are:
// the PROXY protocol, versions 1 and 2. Pure bytes in, an address out, however they are cut.
#pragma once

#include <nen/core/ascii.hpp>
#include <nen/core/assert.hpp>
#include <nen/core/client_address.hpp>
#include <nen/core/ip_text.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

namespace nen {

enum class proxy_header_status : std::uint8_t {
  need_more,  ///< everything was used; the header goes on
  complete,   ///< what was not used is the connection's own
  rejected,   ///< this is no such header: the connection has to be closed
};

struct proxy_header_result {
  proxy_header_status status;
  std::size_t consumed;
};

/// Reads one header (https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt; § are its). Zero
/// is the state before the first byte.
class proxy_header_reader {
 public:
  /// The longest line of version 1, CRLF included (§2.1).
  static constexpr std::size_t line_bytes_max = 107;
  /// What may follow the 16 bytes that every header of version 2 begins with: addresses, and what
  /// else the proxy tells, a client's certificate for example, which is skipped.
  static constexpr std::size_t block_bytes_max = 16 * 1024;

  /// Takes what came, as far as it belongs to the header. Wrong bytes are rejected as soon as
  /// nothing behind them could make them right. Not to be called again once it said anything else
  /// than need_more.
  [[nodiscard]] proxy_header_result feed(std::string_view bytes) noexcept;

  /// Whose connection it is: of kind none if the proxy says that it is its own (LOCAL, for health
  /// checks), or that it does not know (UNKNOWN, UNSPEC, datagrams). @pre  complete
  [[nodiscard]] const client_address& client() const noexcept { return client_; }

 private:
  static constexpr std::string_view line_begin = "PROXY ";
  static constexpr std::string_view signature = {"\r\n\r\n\0\r\nQUIT\n", 12};
  static constexpr std::size_t fixed_bytes = 16;
  static constexpr std::size_t tlv_bytes = 3;  // type and length

  proxy_header_status take(char c) noexcept;
  proxy_header_status take_of_line(char c) noexcept;
  proxy_header_status take_fixed(char c) noexcept;
  proxy_header_status take_of_block(char c) noexcept;
  void skip_value(std::string_view bytes, std::size_t& at) noexcept;
  bool read_line(std::string_view line) noexcept;
  void read_addresses() noexcept;
  std::uint8_t byte(std::size_t index) const noexcept {
    return static_cast<std::uint8_t>(kept_[index]);
  }

  client_address client_;
  std::uint16_t used_;     // bytes in kept_
  std::uint16_t left_;     // of version 2's block, not taken yet
  std::uint16_t skipped_;  // of a value in it, still to be skipped
  std::uint8_t tlv_used_;  // bytes of a type and length in tlv_
  char tlv_[tlv_bytes];
  char kept_[line_bytes_max];  // the line, or version 2 up to its addresses
};

namespace detail {

/// The kinds of version 2's 14th byte, §2.2.
enum class proxied : std::uint8_t { unspecified, tcp4, tcp6, unix_stream, datagram, invalid };

constexpr proxied proxied_kind(std::uint8_t family_and_protocol) noexcept {
  const unsigned family = family_and_protocol >> 4;
  const unsigned protocol = family_and_protocol & 15U;
  if (family > 3 || protocol > 2) return proxied::invalid;
  if (family == 0 || protocol == 0) return proxied::unspecified;
  if (protocol == 2) return proxied::datagram;
  return family == 1 ? proxied::tcp4 : family == 2 ? proxied::tcp6 : proxied::unix_stream;
}

/// How long the addresses of a kind are.
constexpr std::size_t proxied_bytes(proxied kind) noexcept {
  switch (kind) {
    case proxied::tcp4:
      return 12;
    case proxied::tcp6:
      return 36;
    case proxied::unix_stream:
      return 216;
    case proxied::unspecified:
    case proxied::datagram:
    case proxied::invalid:
      break;
  }
  return 0;
}

/// A port as version 1 writes it, §2.1: 0 to 65535 without leading zeros.
constexpr std::optional<std::uint16_t> proxied_port(std::string_view text) noexcept {
  if (text.size() > 5 || (text.size() > 1 && text[0] == '0')) return std::nullopt;
  return parse_decimal<std::uint16_t>(text);
}

}  // namespace detail

inline proxy_header_result proxy_header_reader::feed(std::string_view bytes) noexcept {
  std::size_t at = 0;
  while (at != bytes.size()) {
    if (skipped_ != 0) {
      skip_value(bytes, at);
      if (left_ == 0) return {proxy_header_status::complete, at};
      continue;
    }
    const auto status = take(bytes[at++]);
    if (status != proxy_header_status::need_more) return {status, at};
  }
  return {proxy_header_status::need_more, at};
}

inline proxy_header_status proxy_header_reader::take(char c) noexcept {
  if (used_ == 0) {
    if (c != line_begin[0] && c != signature[0]) return proxy_header_status::rejected;
    kept_[used_++] = c;
    return proxy_header_status::need_more;
  }
  if (kept_[0] == line_begin[0]) return take_of_line(c);
  if (used_ < fixed_bytes) return take_fixed(c);
  return take_of_block(c);
}

// ---- version 1 ----

inline proxy_header_status proxy_header_reader::take_of_line(char c) noexcept {
  if (used_ < line_begin.size() && c != line_begin[used_]) return proxy_header_status::rejected;
  const bool ends = kept_[used_ - 1] == '\r';
  if (ends != (c == '\n')) return proxy_header_status::rejected;  // neither a bare CR nor a bare LF
  kept_[used_++] = c;
  if (!ends)
    return used_ == line_bytes_max ? proxy_header_status::rejected : proxy_header_status::need_more;
  return read_line({kept_, used_ - std::size_t{2}}) ? proxy_header_status::complete
                                                    : proxy_header_status::rejected;
}

inline bool proxy_header_reader::read_line(std::string_view line) noexcept {
  if (line.size() < line_begin.size()) return false;
  line.remove_prefix(line_begin.size());
  // What follows UNKNOWN is to be ignored up to the line's end.
  constexpr std::string_view unknown = "UNKNOWN";
  if (line.substr(0, unknown.size()) == unknown)
    return line.size() == unknown.size() || line[unknown.size()] == ' ';
  std::string_view parts[5];
  for (std::size_t i = 0; i < 5; ++i) {
    const std::size_t end = i == 4 ? line.size() : line.find(' ');
    if (end == line.npos) return false;
    parts[i] = line.substr(0, end);
    line.remove_prefix(i == 4 ? end : end + 1);
  }
  const auto [protocol, from, to, from_port, to_port] = parts;
  const bool is_v6 = protocol == "TCP6";
  if (!is_v6 && protocol != "TCP4") return false;
  for (const std::string_view address : {from, to})
    if ((address.find(':') != address.npos) != is_v6) return false;
  const auto source = parse_ip(from);
  const auto port = detail::proxied_port(from_port);
  if (!source || !parse_ip(to) || !port || !detail::proxied_port(to_port)) return false;
  client_ = *source;
  client_.port = *port;
  return true;
}

// ---- version 2 ----

/// The signature, version and command, kind of addresses, and the length of what follows.
inline proxy_header_status proxy_header_reader::take_fixed(char c) noexcept {
  constexpr std::size_t at_command = 12;
  constexpr std::size_t at_kind = 13;
  constexpr unsigned local = 0x20;  // version 2 and the command
  constexpr unsigned proxy = 0x21;
  const auto value = static_cast<std::uint8_t>(c);
  if (used_ < signature.size() && c != signature[used_]) return proxy_header_status::rejected;
  if (used_ == at_command && value != local && value != proxy) return proxy_header_status::rejected;
  if (used_ == at_kind && byte(at_command) == proxy &&
      detail::proxied_kind(value) == detail::proxied::invalid)
    return proxy_header_status::rejected;
  kept_[used_++] = c;
  if (used_ != fixed_bytes) return proxy_header_status::need_more;
  left_ = static_cast<std::uint16_t>(byte(14) << 8 | byte(15));
  if (left_ > block_bytes_max) return proxy_header_status::rejected;
  const auto kind = detail::proxied_kind(byte(at_kind));
  const bool is_skipped = byte(at_command) == local || detail::proxied_bytes(kind) == 0;
  if (!is_skipped && left_ < detail::proxied_bytes(kind)) return proxy_header_status::rejected;
  // A connection of the proxy's own, or of a kind that has no client that could connect here: what
  // follows is only skipped (§2.2).
  if (is_skipped) skipped_ = left_;
  return left_ == 0 ? proxy_header_status::complete : proxy_header_status::need_more;
}

/// The addresses, then types, lengths and values.
inline proxy_header_status proxy_header_reader::take_of_block(char c) noexcept {
  const auto kind = detail::proxied_kind(byte(13));
  NEN_ASSERT(left_ != 0);
  --left_;
  if (kind != detail::proxied::unix_stream && used_ < fixed_bytes + detail::proxied_bytes(kind)) {
    kept_[used_++] = c;
    if (used_ == fixed_bytes + detail::proxied_bytes(kind)) read_addresses();
  } else if (kind == detail::proxied::unix_stream &&
             client_.what != client_address::kind::unix_socket) {
    client_.what = client_address::kind::unix_socket;  // the two paths are nobody's address
    skipped_ = static_cast<std::uint16_t>(detail::proxied_bytes(kind) - 1);
  } else {
    tlv_[tlv_used_++] = c;
    if (tlv_used_ == tlv_bytes) {
      tlv_used_ = 0;
      skipped_ = static_cast<std::uint16_t>(static_cast<std::uint8_t>(tlv_[1]) << 8 |
                                            static_cast<std::uint8_t>(tlv_[2]));
      if (skipped_ > left_) return proxy_header_status::rejected;
    }
  }
  if (left_ != 0) return proxy_header_status::need_more;
  return tlv_used_ == 0 ? proxy_header_status::complete : proxy_header_status::rejected;
}

/// Skips as much of a value as there is.
inline void proxy_header_reader::skip_value(std::string_view bytes, std::size_t& at) noexcept {
  const std::size_t there = bytes.size() - at;
  const auto size = static_cast<std::uint16_t>(there < skipped_ ? there : skipped_);
  at += size;
  skipped_ = static_cast<std::uint16_t>(skipped_ - size);
  left_ = static_cast<std::uint16_t>(left_ - size);
}

inline void proxy_header_reader::read_addresses() noexcept {
  const bool is_v6 = detail::proxied_kind(byte(13)) == detail::proxied::tcp6;
  const std::size_t at_port = fixed_bytes + (is_v6 ? 32 : 8);
  const auto port = static_cast<std::uint16_t>(byte(at_port) << 8 | byte(at_port + 1));
  if (is_v6) {
    std::uint8_t bytes[16];
    std::memcpy(bytes, kept_ + fixed_bytes, sizeof bytes);
    client_ = client_address::ipv6(bytes, port);
  } else {
    std::uint8_t bytes[4];
    std::memcpy(bytes, kept_ + fixed_bytes, sizeof bytes);
    client_ = client_address::ipv4(bytes, port);
  }
}

}  // namespace nen
