// Why a WebSocket is closed (RFC 6455 §7.4). ws, L1.
#pragma once

#include <cstdint>

namespace nen::ws {

/// A status code of a close frame, by the names of RFC 6455 §7.4.1 and, from 1012 to 1014, of the
/// IANA registry. Codes from 3000 to 4999 belong to libraries and applications and may be cast into
/// it.
enum class close_code : std::uint16_t {
  none = 0,  ///< not a code: nothing is wrong
  normal_closure = 1000,
  going_away = 1001,
  protocol_error = 1002,
  unsupported_data = 1003,
  no_status_received = 1005,  ///< never sent: stands for a close frame without a code
  abnormal_closure = 1006,    ///< never sent: stands for an end without a close frame
  invalid_frame_payload_data = 1007,
  policy_violation = 1008,
  message_too_big = 1009,
  mandatory_extension = 1010,
  internal_server_error = 1011,
  service_restart = 1012,
  try_again_later = 1013,
  bad_gateway = 1014,
  tls_handshake = 1015,  ///< never sent: stands for a TLS handshake that failed
};

/// Whether a close frame may carry this number: what RFC 6455 §7.4.1 and the registry define to be
/// sent (1000 to 1003 and 1007 to 1014), and what §7.4.2 leaves to others (3000 to 4999).
[[nodiscard]] constexpr bool may_be_sent(std::uint16_t code) noexcept {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
         (code >= 3000 && code <= 4999);
}
[[nodiscard]] constexpr bool may_be_sent(close_code code) noexcept {
  return may_be_sent(static_cast<std::uint16_t>(code));
}

}  // namespace nen::ws
