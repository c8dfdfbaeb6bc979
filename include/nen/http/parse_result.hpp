// What a parser takes and what it answers. http, L1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nen/http/status.hpp>

namespace nen {

/// How much of a request is taken. What goes beyond is answered as written behind each limit.
struct parse_limits {
  /// 431; for the head, chunk extensions and trailer fields together; at most 65,535
  std::uint32_t head_bytes_max;
  std::uint16_t fields_max;        ///< 431; for the head's and the trailer fields together
  std::uint16_t target_bytes_max;  ///< 414
  std::uint64_t body_bytes_max;    ///< 413
};

enum class parse_status : std::uint8_t {
  need_more,         ///< all bytes are used up and the message goes on
  head_complete,     ///< the head ends here and a body follows: its place can be chosen now
  message_complete,  ///< the message ends here; message() is it
  rejected,          ///< answer with `answer` and close: the bytes cannot be trusted any more
};

struct parse_result {
  parse_status status;
  nen::status answer;    ///< valid when rejected
  std::size_t consumed;  ///< bytes of the input that belong to this message; 0 when rejected
};

}  // namespace nen
