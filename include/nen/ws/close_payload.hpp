// What a close frame carries: a code and a reason, or nothing (RFC 6455 §5.5.1). ws, L1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <nen/core/assert.hpp>
#include <nen/ws/close_code.hpp>
#include <nen/ws/utf8.hpp>
#include <string_view>

namespace nen::ws {

/// A control frame's payload is never longer, RFC 6455 §5.5.
inline constexpr std::size_t control_bytes_max = 125;
/// The longest reason: what two bytes of code leave.
inline constexpr std::size_t close_reason_bytes_max = control_bytes_max - 2;

/// A close frame's payload, taken apart.
struct close_payload {
  /// What is wrong with it and has to be answered, or none.
  close_code fault;
  /// What the peer says; no_status_received when it says nothing (RFC 6455 §7.1.5).
  close_code code;
  std::string_view reason;
};

/// Judges a received payload. One byte alone and a code that may not be sent are protocol errors
/// (RFC 6455 §5.5.1, §7.4); a reason that is not UTF-8 is invalid payload data (§8.1).
[[nodiscard]] inline close_payload parse_close_payload(std::string_view payload) noexcept {
  if (payload.empty()) return {close_code::none, close_code::no_status_received, {}};
  const auto byte = [payload](std::size_t i) { return static_cast<unsigned char>(payload[i]); };
  if (payload.size() < 2) return {close_code::protocol_error, close_code::none, {}};
  const auto number = static_cast<std::uint16_t>(byte(0) << 8 | byte(1));
  if (!may_be_sent(number)) return {close_code::protocol_error, close_code::none, {}};
  payload.remove_prefix(2);
  if (!is_utf8(payload)) return {close_code::invalid_frame_payload_data, close_code::none, {}};
  return {close_code::none, static_cast<close_code>(number), payload};
}

/// Writes a close frame's payload.
/// @param out     room for control_bytes_max bytes
/// @param code    one that may be sent (asserted), or no_status_received for an empty payload
/// @param reason  cut behind its last whole character that fits; what is not UTF-8 is cut as well,
///                because a peer would refuse the frame for it
/// @returns       the payload's size
inline std::size_t write_close_payload(char* out, close_code code,
                                       std::string_view reason = {}) noexcept {
  if (code == close_code::no_status_received) return 0;
  NEN_ASSERT(may_be_sent(code));
  const auto number = static_cast<std::uint16_t>(code);
  out[0] = static_cast<char>(static_cast<unsigned char>(number >> 8));
  out[1] = static_cast<char>(static_cast<unsigned char>(number & 0xff));
  reason = reason.substr(0, close_reason_bytes_max);
  std::size_t whole = 0;
  utf8_validator validator{};
  for (std::size_t i = 0; i < reason.size() && validator.feed(reason.substr(i, 1)); ++i) {
    if (validator.finish()) whole = i + 1;
  }
  if (whole != 0) std::memcpy(out + 2, reason.data(), whole);
  return 2 + whole;
}

}  // namespace nen::ws
