// http, L1: a request's body that is taken part by part, as it comes.
#pragma once

#include <nen/http/request.hpp>

#include <string_view>

namespace nen {

/// What a handler in nen::streamed gets of the body; see response::receive.
struct body_part {
  const nen::request& request;  ///< its body() is this part
  std::string_view bytes;       ///< valid until the call returns; empty only in the last part
  bool is_last;                 ///< the body ends here: this call has to answer
};

}  // namespace nen
