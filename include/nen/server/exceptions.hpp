// server, L3: what is said of an exception that left a function of the application's.
#pragma once

#include <nen/http/method.hpp>
#include <nen/http/request.hpp>

#include <cstdio>

namespace nen::detail {

/// What is shown where there is no request: it has nothing.
inline const request& no_request() noexcept {
  static constexpr request_head nothing{};
  static constexpr request empty(nothing, "", nullptr, {});
  return empty;
}

inline void say_exception(const request& which, const char* what) {
  const auto name = to_string(which.method());
  std::fprintf(stderr, "nen: an exception left the handler of %.*s %.*s: %s\n",
               static_cast<int>(name.size()), name.data(), static_cast<int>(which.path().size()),
               which.path().data(), what);
}

}  // namespace nen::detail
