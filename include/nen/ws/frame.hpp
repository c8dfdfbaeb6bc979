// The head of a WebSocket frame (RFC 6455 §5.2): what is in it, and how it is written. ws, L1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <nen/core/assert.hpp>
#include <nen/ws/close_payload.hpp>
#include <nen/ws/mask.hpp>
#include <string_view>

namespace nen::ws {

/// What a frame is, RFC 6455 §5.2. The numbers in between are reserved.
enum class opcode : std::uint8_t {
  continuation = 0x0,
  text = 0x1,
  binary = 0x2,
  close = 0x8,
  ping = 0x9,
  pong = 0xa,
};

/// Close, ping and pong, RFC 6455 §5.5.
[[nodiscard]] constexpr bool is_control(opcode op) noexcept {
  return (static_cast<unsigned>(op) & 0x8) != 0;
}

/// The first byte of a frame that is sent.
struct frame_head {
  ws::opcode opcode = opcode::binary;
  bool is_last = true;         ///< FIN: the frame ends its message
  bool is_compressed = false;  ///< RSV1 on a message's first frame, RFC 7692 §6
};

/// The longest head of a frame that is not masked, and of one that is.
inline constexpr std::size_t frame_head_bytes_max = 10;
inline constexpr std::size_t masked_frame_head_bytes_max = frame_head_bytes_max + 4;

/// How many bytes the head of a frame has in front of this many bytes of payload.
[[nodiscard]] constexpr std::size_t frame_head_size(std::uint64_t payload_bytes,
                                                    bool is_masked = false) noexcept {
  const std::size_t length = payload_bytes <= 125 ? 0 : payload_bytes <= 0xffff ? 2 : 8;
  return 2 + length + (is_masked ? 4 : 0);
}

/// Writes the head of a frame as a server sends it: not masked (RFC 6455 §5.1), with the length in
/// as few bytes as it fits into (§5.2).
/// @param out            room for frame_head_size(payload_bytes) bytes
/// @param payload_bytes  less than 2^63; at most control_bytes_max in a control frame (asserted)
/// @returns              the end of what was written
constexpr char* write_frame_head(char* out, frame_head head, std::uint64_t payload_bytes) noexcept;

/// Writes the head of a frame as a client sends it. The payload behind it has to be masked with the
/// same key, of which RFC 6455 §5.3 says that nobody may be able to predict it.
/// @param out  room for frame_head_size(payload_bytes, true) bytes
constexpr char* write_masked_frame_head(char* out, frame_head head, std::uint64_t payload_bytes,
                                        masking_key key) noexcept;

/// The longest control frame that a server sends.
inline constexpr std::size_t control_frame_bytes_max = 2 + control_bytes_max;

/// Writes a whole ping or pong, not masked.
/// @param out      room for control_frame_bytes_max bytes
/// @param payload  at most control_bytes_max (asserted)
/// @returns        the end of what was written
inline char* write_control_frame(char* out, opcode op, std::string_view payload) noexcept {
  NEN_ASSERT(is_control(op));
  out = write_frame_head(out, {.opcode = op}, payload.size());
  if (!payload.empty()) std::memcpy(out, payload.data(), payload.size());
  return out + payload.size();
}

/// Writes a whole close frame, not masked; see write_close_payload for what becomes of the reason.
/// @param out  room for control_frame_bytes_max bytes
/// @returns    the end of what was written
inline char* write_close_frame(char* out, close_code code, std::string_view reason = {}) noexcept {
  const std::size_t size = write_close_payload(out + 2, code, reason);
  return write_frame_head(out, {.opcode = opcode::close}, size) + size;
}

namespace detail {

constexpr char as_char(std::uint64_t byte) noexcept {
  return static_cast<char>(static_cast<unsigned char>(byte & 0xff));
}

constexpr char* write_head(char* out, frame_head head, std::uint64_t payload_bytes,
                           unsigned mask_bit) noexcept {
  NEN_ASSERT(payload_bytes >> 63 == 0);
  NEN_ASSERT(!is_control(head.opcode) ||
             (payload_bytes <= control_bytes_max && head.is_last && !head.is_compressed));
  NEN_ASSERT(!head.is_compressed || head.opcode != opcode::continuation);
  *out++ = as_char((head.is_last ? 0x80U : 0U) | (head.is_compressed ? 0x40U : 0U) |
                   static_cast<unsigned>(head.opcode));
  const std::size_t length = frame_head_size(payload_bytes) - 2;
  *out++ = as_char(mask_bit | (length == 0 ? payload_bytes : length == 2 ? 126U : 127U));
  for (std::size_t i = length; i > 0; --i) *out++ = as_char(payload_bytes >> (8 * (i - 1)));
  return out;
}

}  // namespace detail

constexpr char* write_frame_head(char* out, frame_head head, std::uint64_t payload_bytes) noexcept {
  return detail::write_head(out, head, payload_bytes, 0);
}

constexpr char* write_masked_frame_head(char* out, frame_head head, std::uint64_t payload_bytes,
                                        masking_key key) noexcept {
  out = detail::write_head(out, head, payload_bytes, 0x80);
  for (const unsigned char byte : key) *out++ = detail::as_char(byte);
  return out;
}

}  // namespace nen::ws
