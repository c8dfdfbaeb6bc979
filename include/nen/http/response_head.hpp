// What a received response's head says, as offsets into its bytes: response_parser writes it,
// received_response reads it. http, L1.
#pragma once

#include <cstdint>
#include <nen/http/status.hpp>

namespace nen {

/// How a response's content ends, RFC 9112 §6.3.
enum class body_framing : std::uint8_t {
  none,            ///< with the head: 1xx, 204, 304, and every answer to HEAD
  sized,           ///< after Content-Length bytes
  chunked,         ///< with the last chunk
  until_close,     ///< with the connection
  other_protocol,  ///< with the head, and HTTP with it: 101, and 2xx to CONNECT
};

/// Everything known about a response once its head has been read. Offsets count from the message's
/// first byte. Zero is the state before the first byte.
struct response_head {
  std::uint64_t content_length;             ///< what the field says; 0 without one
  std::uint32_t head_bytes;                 ///< up to and including the empty line
  std::uint16_t reason_begin, reason_size;  ///< the phrase, which may be empty
  std::uint16_t field_count;
  std::uint16_t trailer_count;  ///< of the fields behind a body; 0 until the message is complete
  nen::status status;           ///< 100 to 999
  body_framing framing;
  std::uint8_t version_minor;  ///< 0 or 1: the major version is always 1
  bool keep_alive;             ///< RFC 9112 §9.3; false too where the connection ends the body
  bool chunked;                ///< what the field says, also where no body follows
  bool has_content_length;
  bool upgrade;  ///< an Upgrade field and Connection: upgrade, RFC 9110 §7.8
};

}  // namespace nen
