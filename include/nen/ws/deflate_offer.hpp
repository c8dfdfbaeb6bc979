// What two sides agree on before they compress messages: the parameters of permessage-deflate
// (RFC 7692 §7.1), read, judged and written. It needs no zlib. ws, L1.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <nen/core/ascii.hpp>
#include <nen/ws/lists.hpp>
#include <optional>
#include <span>
#include <string_view>

namespace nen::ws {

inline constexpr std::string_view deflate_name = "permessage-deflate";

/// What was agreed on, and what a client's offer or a server's answer is written from.
struct deflate_parameters {
  bool server_no_context_takeover = false;   ///< each message of the server stands alone, §7.1.1.1
  bool client_no_context_takeover = false;   ///< each message of the client stands alone, §7.1.1.2
  std::uint8_t server_max_window_bits = 15;  ///< how far the server refers back at most, §7.1.2.1
  std::uint8_t client_max_window_bits = 15;  ///< how far the client refers back at most, §7.1.2.2
  /// The client named server_max_window_bits, so the answer has to, even if it is 15 (§7.1.2.1).
  bool names_server_window = false;

  friend constexpr bool operator==(const deflate_parameters&, const deflate_parameters&) = default;
};

/// What this side can do, or wants at most.
struct deflate_options {
  /// Server: messages are compressed by an object that several connections share.
  /// Client: the server is asked for it.
  bool server_no_context_takeover = true;
  /// Server: the client is told to, so that an inflater can be shared.
  /// Client: it says that it does so.
  bool client_no_context_takeover = true;
  std::uint8_t server_max_window_bits = 15;  ///< 9 to 15: zlib cannot compress with a window of 8
  std::uint8_t client_max_window_bits = 15;  ///< 8 to 15
};

/// Server: judges one offer of permessage-deflate.
/// @returns  what to answer (write_deflate) and to keep to, or nothing when the offer has to be
///           declined: an unknown, repeated or malformed parameter (§7.1), or one that this side
///           cannot keep to
[[nodiscard]] constexpr std::optional<deflate_parameters> accept_deflate(
    const extension& offer, const deflate_options& options) noexcept;

/// Server: the first offer in the lines of Sec-WebSocket-Extensions that can be accepted. The
/// client lists what it likes best first (§5).
[[nodiscard]] constexpr std::optional<deflate_parameters> accept_deflate(
    std::span<const std::string_view> lines, const deflate_options& options) noexcept;

/// Client: judges the server's answer to the offer that write_deflate_offer wrote (§7.1, §5.1).
/// @returns  what both keep to, or nothing when the connection has to be failed
[[nodiscard]] constexpr std::optional<deflate_parameters> check_deflate_answer(
    const extension& answer, const deflate_options& options) noexcept;

/// The longest text that write_deflate and write_deflate_offer write.
inline constexpr std::size_t deflate_text_bytes_max = 136;

/// Server: writes the answer as an element of Sec-WebSocket-Extensions. Windows of 15 bits are what
/// holds without a word, so they are left out where they may be.
/// @param out  room for deflate_text_bytes_max characters
/// @returns    the end of what was written
constexpr char* write_deflate(char* out, const deflate_parameters& agreed) noexcept;

/// Client: writes an offer that every server can accept in some way.
/// @param out  room for deflate_text_bytes_max characters
constexpr char* write_deflate_offer(char* out, const deflate_options& options) noexcept;

namespace detail {

/// The parameters of one offer or answer as they are written.
struct deflate_text {
  bool server_no_context_takeover = false;
  bool client_no_context_takeover = false;
  bool has_client_bits = false;  // client_max_window_bits is there, perhaps without a value
  std::uint8_t server_bits = 0;  // 0: not there
  std::uint8_t client_bits = 0;  // 0: not there, or without a value
};

/// 8 to 15 without leading zeros, §7.1.2.1; 0 when it is something else.
constexpr std::uint8_t window_bits(const extension_param& param) noexcept {
  std::array<char, 2> room{};
  const auto text = param_text(param, room);
  if (!param.has_value || !text || text->empty() || text->front() == '0') return 0;
  const auto bits = parse_decimal<std::uint8_t>(*text);
  return bits && *bits >= 8 && *bits <= 15 ? *bits : std::uint8_t{0};
}

/// @returns  nothing for what no offer and no answer may have: an unknown parameter, one that is
///           repeated, a value where none belongs, or a wrong one (§7.1)
constexpr std::optional<deflate_text> read_deflate(const extension& e) noexcept {
  deflate_text result;
  for (const extension_param param : extension_params(e)) {
    if (param.name == "server_no_context_takeover") {
      if (param.has_value || result.server_no_context_takeover) return std::nullopt;
      result.server_no_context_takeover = true;
    } else if (param.name == "client_no_context_takeover") {
      if (param.has_value || result.client_no_context_takeover) return std::nullopt;
      result.client_no_context_takeover = true;
    } else if (param.name == "server_max_window_bits") {
      if (result.server_bits != 0) return std::nullopt;
      result.server_bits = window_bits(param);
      if (result.server_bits == 0) return std::nullopt;
    } else if (param.name == "client_max_window_bits") {
      if (result.has_client_bits) return std::nullopt;
      result.has_client_bits = true;
      result.client_bits = window_bits(param);
      if (param.has_value && result.client_bits == 0) return std::nullopt;
    } else {
      return std::nullopt;
    }
  }
  return result;
}

constexpr char* write_text(char* out, std::string_view text) noexcept {
  for (const char c : text) *out++ = c;
  return out;
}

constexpr char* write_bits(char* out, std::string_view name, std::uint8_t bits) noexcept {
  return write_decimal(write_text(write_text(out, name), "="), bits);
}

}  // namespace detail

constexpr std::optional<deflate_parameters> accept_deflate(
    const extension& offer, const deflate_options& options) noexcept {
  const auto text = offer.name == deflate_name ? detail::read_deflate(offer) : std::nullopt;
  if (!text) return std::nullopt;
  deflate_parameters agreed;
  // What the client asks for holds; each side may go further on its own (§7.1.1).
  agreed.server_no_context_takeover =
      text->server_no_context_takeover || options.server_no_context_takeover;
  agreed.client_no_context_takeover =
      text->client_no_context_takeover || options.client_no_context_takeover;
  agreed.server_max_window_bits = options.server_max_window_bits;
  agreed.names_server_window = text->server_bits != 0;
  if (text->server_bits != 0 && text->server_bits < agreed.server_max_window_bits) {
    agreed.server_max_window_bits = text->server_bits;
  }
  if (agreed.server_max_window_bits < 9) return std::nullopt;
  // A client that does not offer to bound its window uses 15 bits, and may not be told otherwise
  // (§7.1.2.2).
  if (!text->has_client_bits) {
    return options.client_max_window_bits == 15 ? std::optional(agreed) : std::nullopt;
  }
  agreed.client_max_window_bits = options.client_max_window_bits;
  if (text->client_bits != 0 && text->client_bits < agreed.client_max_window_bits) {
    agreed.client_max_window_bits = text->client_bits;
  }
  return agreed;
}

constexpr std::optional<deflate_parameters> accept_deflate(
    std::span<const std::string_view> lines, const deflate_options& options) noexcept {
  for (const std::string_view line : lines) {
    for (const extension offer : extensions(line)) {
      if (const auto agreed = accept_deflate(offer, options)) return agreed;
    }
  }
  return std::nullopt;
}

constexpr std::optional<deflate_parameters> check_deflate_answer(
    const extension& answer, const deflate_options& options) noexcept {
  const auto text = answer.name == deflate_name ? detail::read_deflate(answer) : std::nullopt;
  if (!text) return std::nullopt;
  // What was asked for has to be confirmed (§7.1.1.1, §7.1.2.1), and client_max_window_bits has a
  // value in an answer (§7.1.2.2).
  if (options.server_no_context_takeover && !text->server_no_context_takeover) return std::nullopt;
  if (options.server_max_window_bits < 15 &&
      (text->server_bits == 0 || text->server_bits > options.server_max_window_bits)) {
    return std::nullopt;
  }
  if (text->has_client_bits && text->client_bits == 0) return std::nullopt;
  deflate_parameters agreed;
  agreed.server_no_context_takeover = text->server_no_context_takeover;
  agreed.client_no_context_takeover =
      text->client_no_context_takeover || options.client_no_context_takeover;
  if (text->server_bits != 0) agreed.server_max_window_bits = text->server_bits;
  agreed.names_server_window = text->server_bits != 0;
  agreed.client_max_window_bits = options.client_max_window_bits;
  if (text->client_bits != 0 && text->client_bits < agreed.client_max_window_bits) {
    agreed.client_max_window_bits = text->client_bits;
  }
  // What zlib cannot compress with cannot be kept to.
  return agreed.client_max_window_bits >= 9 ? std::optional(agreed) : std::nullopt;
}

constexpr char* write_deflate(char* out, const deflate_parameters& agreed) noexcept {
  out = detail::write_text(out, deflate_name);
  if (agreed.server_no_context_takeover) {
    out = detail::write_text(out, "; server_no_context_takeover");
  }
  if (agreed.client_no_context_takeover) {
    out = detail::write_text(out, "; client_no_context_takeover");
  }
  if (agreed.server_max_window_bits < 15 || agreed.names_server_window) {
    out = detail::write_bits(out, "; server_max_window_bits", agreed.server_max_window_bits);
  }
  if (agreed.client_max_window_bits < 15) {
    out = detail::write_bits(out, "; client_max_window_bits", agreed.client_max_window_bits);
  }
  return out;
}

constexpr char* write_deflate_offer(char* out, const deflate_options& options) noexcept {
  out = write_deflate(out, {options.server_no_context_takeover, options.client_no_context_takeover,
                            options.server_max_window_bits, options.client_max_window_bits, false});
  // Without a value it says that the server may bound the client's window (§7.1.2.2).
  if (options.client_max_window_bits == 15) {
    out = detail::write_text(out, "; client_max_window_bits");
  }
  return out;
}

}  // namespace nen::ws
