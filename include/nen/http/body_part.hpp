// http, L1: a request's body that is taken part by part, as it comes.
#pragma once

#include <nen/http/request.hpp>

#include <string_view>

namespace nen {

/// What a handler in nen::streamed gets of the body; see response::receive.
///
/// A consumer is called until the body ends or it answers (or an exception leaves it). When neither
/// can come any more, because its client has left or stopped sending, the rest is malformed or the
/// server ends, it is called once more, without bytes, with `is_cancelled`: to let go of what it
/// holds. Nobody reads what it returns then, and its request's handles are not pending any more.
struct body_part {
  const nen::request& request;  ///< its body() is this part; trailers() are there in the last one
  std::string_view bytes;       ///< valid until the call returns; empty only in the last part
  bool is_last;                 ///< the body ends here: this call has to answer
  bool is_cancelled = false;    ///< the body ends here without having come whole: the last call
};

}  // namespace nen
