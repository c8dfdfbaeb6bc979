// client, L3: what an HTTP client is asked for, and how it can end.
#pragma once

#include <nen/config.hpp>
#include <nen/http/fields.hpp>
#include <nen/http/method.hpp>
#include <nen/io/task.hpp>
#include <nen/net/address.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace nen::http {

/// Why there is no answer, or not all of it.
enum class fetch_error : std::uint8_t {
  none,
  bad_url,              ///< not an absolute URL, or one that is too long
  unsupported_scheme,   ///< not http
  bad_request,          ///< a field that may not be sent, or too many of them
  unknown_host,         ///< the host's name has no address
  refused,              ///< nobody listens there
  unreachable,          ///< the network does not lead there
  no_connection,        ///< every connection, endpoint or descriptor is in use
  no_slot,              ///< config::fetches are under way already
  connect_timed_out,    ///< options::connect_timeout
  head_timed_out,       ///< options::head_timeout
  bytes_timed_out,      ///< options::bytes_timeout
  deadline_passed,      ///< options::deadline
  connection_lost,      ///< it ended, or broke, before the answer was complete
  bad_answer,           ///< not HTTP; answer::fault() says in which way
  head_too_large,       ///< more than config::fetch_head_bytes, or too many fields
  body_too_large,       ///< more than config::fetch_body_bytes, where it is gathered
  too_many_interim,     ///< interim answers without end
  too_many_redirects,   ///< more than options::redirects_max
  bad_redirect,         ///< to what is no URL
  body_not_repeatable,  ///< a redirection wants the body again, which came from a source
  source_failed,        ///< the source gave up, or gave more or less than was said
  stopped,              ///< everything stops
};

/// @returns a sentence for people, without a full stop
constexpr std::string_view to_string(fetch_error error) {
  switch (error) {
    case fetch_error::none:
      return "no error";
    case fetch_error::bad_url:
      return "the URL is not one that can be asked for";
    case fetch_error::unsupported_scheme:
      return "the URL's scheme is not http";
    case fetch_error::bad_request:
      return "the request has a field that may not be sent, or too many of them";
    case fetch_error::unknown_host:
      return "the host's name has no address";
    case fetch_error::refused:
      return "nobody listens there";
    case fetch_error::unreachable:
      return "the network does not lead there";
    case fetch_error::no_connection:
      return "every connection that may be made is in use";
    case fetch_error::no_slot:
      return "as many requests as may be made at once are under way";
    case fetch_error::connect_timed_out:
      return "connecting took too long";
    case fetch_error::head_timed_out:
      return "the answer took too long to begin";
    case fetch_error::bytes_timed_out:
      return "the connection was silent for too long";
    case fetch_error::deadline_passed:
      return "the request's time is over";
    case fetch_error::connection_lost:
      return "the connection ended before the answer was complete";
    case fetch_error::bad_answer:
      return "the answer is not HTTP";
    case fetch_error::head_too_large:
      return "the answer's head is too large";
    case fetch_error::body_too_large:
      return "the answer's body is too large";
    case fetch_error::too_many_interim:
      return "there were too many interim answers";
    case fetch_error::too_many_redirects:
      return "there were too many redirections";
    case fetch_error::bad_redirect:
      return "a redirection leads to what is no URL";
    case fetch_error::body_not_repeatable:
      return "a redirection asks for a body that can be sent only once";
    case fetch_error::source_failed:
      return "the request's body could not be had";
    case fetch_error::stopped:
      return "everything stops";
  }
  return {};  // only a value that was cast into the enum comes here
}

/// How a request is made. Zero time: no limit.
struct options {
  /// Beside those that the client writes: Host, Content-Length, Connection and the like. They are
  /// read while the request is made, so they and their texts have to stay.
  std::span<const field> fields = {};
  /// For everything, redirections and the body's last byte included.
  std::chrono::milliseconds deadline{30'000};
  /// For a connection, be it by waiting for one that others use.
  std::chrono::milliseconds connect_timeout{5'000};
  /// From the request's last byte to the end of the answer's head.
  std::chrono::milliseconds head_timeout{15'000};
  /// Between any two pieces of a body, of either direction.
  std::chrono::milliseconds bytes_timeout{15'000};
  /// Followed at most; 0: a redirection is the answer.
  std::uint32_t redirects_max = 5;
  /// Once more on a new connection, when a used one turns out to have been closed and the method is
  /// idempotent, RFC 9110 §9.2.2.
  bool retry = true;
  /// With "Expect: 100-continue" the body waits this long for the server to want it, RFC 9110
  /// §10.1.1. Zero: it doesn't wait.
  std::chrono::milliseconds expect_continue{0};
  /// Connects there instead of to the URL's host, for example to a Unix socket. Who redirects
  /// elsewhere is not believed to mean the same place.
  const endpoint* connect_to = nullptr;
  std::string_view user_agent = "nen";  ///< empty: none
};

/// Gives a request's body part by part, when there is room to send it.
class body_source {
 public:
  /// None.
  body_source() = default;
  /// @param from  outlives the fetch; task<std::optional<std::string_view>> from.next() gives the
  ///              next part, which is valid until it is called again; an empty one is the end, none
  ///              gives up
  template <class Source>
  explicit body_source(Source& from) noexcept
      : state_(&from), next_([](void* state) { return static_cast<Source*>(state)->next(); }) {}

  explicit operator bool() const noexcept { return next_ != nullptr; }
  /// @pre  not none
  task<std::optional<std::string_view>> next() const { return next_(state_); }

 private:
  void* state_ = nullptr;
  task<std::optional<std::string_view>> (*next_)(void*) = nullptr;
};

/// What is asked. What it names has to stay until it is answered, but for the URL.
struct request {
  nen::method method = nen::method::get;
  std::string_view url;
  std::string_view body = {};
  std::string_view content_type = {};  ///< empty: the field is not sent
  body_source source = {};             ///< instead of `body`
  /// Of what the source gives; without it the body is sent in chunks, which is only for servers
  /// that are known to speak HTTP/1.1 (RFC 9112 §6.1).
  std::optional<std::uint64_t> source_bytes = {};
  http::options options = {};
};

}  // namespace nen::http
