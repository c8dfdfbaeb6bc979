// core, L0: what a server has to say about itself while it runs.
#pragma once

#include <cstdint>
#include <string_view>

namespace nen {

class request;

enum class log_severity : std::uint8_t { info, warning, error };

/// What happened. It is a closed set: a switch over it is complete.
enum class log_code : std::uint8_t {
  exception,          ///< one left a function of the application's; the request has had a 500
  accept_failed,      ///< descriptors or memory ran out: nobody is accepted for a tenth of a second
  access_log_failed,  ///< the access log could not be written; it is tried again
};

constexpr std::string_view to_string(log_code code) noexcept {
  switch (code) {
    case log_code::exception:
      return "exception";
    case log_code::accept_failed:
      return "accept_failed";
    case log_code::access_log_failed:
      return "access_log_failed";
  }
  return "unknown";  // only a value that was cast into the enum comes here
}

/// One thing to say. All that it refers to is gone when the function returns that it is given to.
struct log_event {
  log_severity severity;
  log_code code;
  std::string_view sentence;              ///< for people, without a line's end
  const nen::request* request = nullptr;  ///< whose handler it was, with client(); null: nobody's
};

}  // namespace nen
