// What a client makes of a response that sends it elsewhere, RFC 9110 §15.4. http, L1.
#pragma once

#include <cstdint>
#include <nen/http/method.hpp>
#include <nen/http/status.hpp>
#include <nen/http/url.hpp>
#include <optional>
#include <span>
#include <string_view>

namespace nen {

/// What to do about a response.
enum class redirect_verdict : std::uint8_t {
  stop,    ///< it is the answer: it does not redirect, or does not say where to
  follow,  ///< send the next request
  fault,   ///< it redirects to where nobody can go, or once too often
};

enum class redirect_fault : std::uint8_t {
  none,
  too_many,  ///< as many redirections as are allowed were followed already
  bad_url,   ///< the Location cannot be resolved; `why` says in which way
};

/// The next request, as far as it differs from the one that was answered.
struct redirect_step {
  redirect_verdict verdict = redirect_verdict::stop;
  redirect_fault fault = redirect_fault::none;
  url_fault why = url_fault::none;  ///< why the Location cannot be resolved
  nen::method method = nen::method::get;
  url to;                         ///< a view of the caller's room
  bool drop_body = false;         ///< send no content, and no field that describes it (Content-*)
  bool drop_credentials = false;  ///< another origin: send no Authorization, Cookie or the like
  bool leaves_tls = false;  ///< from https or wss to a scheme that everybody on the way can read
};

/// Decides whether and how a redirection is followed. Nothing is remembered: the caller counts.
/// @param sent      the method of the request that was answered
/// @param location  the value of the response's Location, if it has one
/// @param from      the URL of that request
/// @param followed  how many redirections have been followed so far
/// @param most      how many may be
/// @param room      where the next URL is written
/// @pre             neither `location` nor `from` lies in `room` (asserted)
inline redirect_step decide_redirect(method sent, status code,
                                     std::optional<std::string_view> location, const url& from,
                                     std::uint32_t followed, std::uint32_t most,
                                     std::span<char> room);

namespace detail {

/// Whether a client may go on by itself. 300 leaves the choice to people, 304 is about what a cache
/// has, 305 and 306 must not be followed (RFC 9110 §15.4).
constexpr bool is_redirection(status code) {
  return code == status::moved_permanently || code == status::found || code == status::see_other ||
         code == status::temporary_redirect || code == status::permanent_redirect;
}

/// Whether the next request is a GET (or HEAD) without content. RFC 9110 §15.4.2, §15.4.3: by
/// custom, a POST that was moved becomes one; §15.4.4: 303 names what to read instead.
constexpr bool becomes_reading(method sent, status code) {
  if (code == status::see_other) return true;
  return sent == method::post && (code == status::moved_permanently || code == status::found);
}

}  // namespace detail

inline redirect_step decide_redirect(method sent, status code,
                                     std::optional<std::string_view> location, const url& from,
                                     std::uint32_t followed, std::uint32_t most,
                                     std::span<char> room) {
  redirect_step step{};
  step.method = sent;
  // CONNECT asks for a tunnel to a host: there is no other one that would be the same.
  if (!detail::is_redirection(code) || !location || sent == method::connect) return step;
  step.verdict = redirect_verdict::fault;
  if (followed >= most) {
    step.fault = redirect_fault::too_many;
    return step;
  }
  const url_result next = resolve_url(from, *location, room);
  if (next.fault != url_fault::none) {
    step.fault = redirect_fault::bad_url;
    step.why = next.fault;
    return step;
  }
  step.verdict = redirect_verdict::follow;
  step.to = next.value;
  if (detail::becomes_reading(sent, code)) {
    step.method = sent == method::head ? method::head : method::get;
    step.drop_body = true;
  }
  step.drop_credentials = !is_same_origin(from, step.to);
  step.leaves_tls = is_secure(from.scheme) && !is_secure(step.to.scheme);
  return step;
}

}  // namespace nen
