// What a response parser takes and what it answers. http, L1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace nen {

/// How much of a response is taken.
struct response_limits {
  /// For the head, chunk extensions and trailer fields together; at most 65,535.
  std::uint32_t head_bytes_max;
  std::uint16_t fields_max;      ///< for the head's and the trailer fields together
  std::uint64_t body_bytes_max;  ///< all ones for a body that may have any length
};

/// Why a response is refused. Its connection cannot be used any more, whichever it is.
enum class response_fault : std::uint8_t {
  none,
  malformed_head,        ///< not a status line and field lines to the letter, RFC 9112 §4 and §5
  unsupported_version,   ///< a version of HTTP other than 1.0 and 1.1
  head_too_large,        ///< more than head_bytes_max
  too_many_fields,       ///< more than fields_max
  bad_framing,           ///< two framings, or one that is not valid, RFC 9112 §6.3
  unsupported_coding,    ///< a transfer coding other than chunked, RFC 9112 §6.1
  bad_chunk,             ///< not chunked coding to the letter, RFC 9112 §7.1
  body_too_large,        ///< more than body_bytes_max
  truncated,             ///< the connection ended within the response, RFC 9112 §8
  closed_before_answer,  ///< the connection ended before the response's first byte
};

/// @returns a fault as a sentence for people, without a full stop
constexpr std::string_view to_string(response_fault fault) {
  switch (fault) {
    case response_fault::none:
      return "no fault";
    case response_fault::malformed_head:
      return "the response's head is malformed";
    case response_fault::unsupported_version:
      return "the response's version is neither HTTP/1.0 nor HTTP/1.1";
    case response_fault::head_too_large:
      return "the response's head is too large";
    case response_fault::too_many_fields:
      return "the response has too many fields";
    case response_fault::bad_framing:
      return "the response does not say clearly where it ends";
    case response_fault::unsupported_coding:
      return "the response has a transfer coding other than chunked";
    case response_fault::bad_chunk:
      return "the response's chunks are malformed";
    case response_fault::body_too_large:
      return "the response's body is too large";
    case response_fault::truncated:
      return "the connection ended within the response";
    case response_fault::closed_before_answer:
      return "the connection ended before a response";
  }
  return {};  // only a value that was cast into the enum comes here
}

enum class response_step : std::uint8_t {
  need_more,         ///< all bytes are used up and the message goes on
  head_complete,     ///< the head ends here; message() is there from now on
  body_part,         ///< `content` is the next part of the body
  message_complete,  ///< the message ends here
  rejected,          ///< refused for `fault`: the bytes cannot be trusted any more
};

struct response_result {
  response_step step;
  response_fault fault;      ///< none unless rejected
  std::size_t consumed;      ///< bytes of the input that belong to this message; 0 when rejected
  std::string_view content;  ///< where it lies in the input; empty unless body_part
};

}  // namespace nen
