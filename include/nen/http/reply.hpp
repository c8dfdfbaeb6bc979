// http, L1: the proof that a handler answered.
#pragma once

namespace nen {

/// Only a response makes one, so a handler with a path without an answer does not compile.
class [[nodiscard]] reply {
 private:
  friend class response;
  constexpr reply() noexcept = default;
};

}  // namespace nen
