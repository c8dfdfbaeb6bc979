// What a request's head says, as offsets into its bytes: the parser writes it, request reads it.
// http, L1.
#pragma once

#include <cstdint>
#include <nen/http/method.hpp>

namespace nen {

struct client_address;
struct unique_number;

/// Everything known about a request once its head has been read. Offsets count from the
/// message's first byte. Zero is the state before the first byte.
struct request_head {
  std::uint64_t content_length;  ///< 0 without Content-Length
  const client_address* client;  ///< whose request it is; null: nobody has told
  const unique_number* number;   ///< its own; null: it has none
  std::uint32_t head_bytes;      ///< up to and including the empty line
  std::uint16_t target_begin, target_size;
  std::uint16_t path_begin, path_size;    ///< a size of 0 (absolute-form only) means "/"
  std::uint16_t query_begin, query_size;  ///< after the '?'
  std::uint16_t host_begin, host_size;    ///< from an absolute-form target, else from Host
  std::uint16_t field_count;
  std::uint16_t trailer_count;  ///< of the fields behind a body; 0 until the message is complete
  nen::method method;
  std::uint8_t version_minor;  ///< 0 or 1: the major version is always 1
  bool keep_alive;             ///< from Connection and the version's default, RFC 9112 §9.3
  bool chunked;
  bool has_content_length;
  bool expects_continue;  ///< Expect: 100-continue, RFC 9110 §10.1.1
  bool upgrade;           ///< an Upgrade field and Connection: upgrade, RFC 9110 §7.8
};

}  // namespace nen
