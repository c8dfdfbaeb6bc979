// server, L3: says what a server has to say: to the application where it wants to know, else on
// stderr, but never so much or so slowly that the loop would feel it.
#pragma once

#include <nen/config.hpp>
#include <nen/core/log_event.hpp>
#include <nen/core/smallest.hpp>
#include <nen/http/log_text.hpp>
#include <nen/http/method.hpp>
#include <nen/http/request.hpp>

#include <poll.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <string_view>

namespace nen {

namespace detail {

/// What is shown where there is no request: it has nothing.
inline const request& no_request() noexcept {
  static constexpr request_head nothing{};
  static constexpr request empty(nothing, "", nullptr, {});
  return empty;
}

/// Lets so many a second through, of all threads together. Seconds begin with the first one.
class said_per_second {
 public:
  static constexpr std::uint32_t lines_max = 20;

  /// @param left_out  how many were not let through in the second before, once
  bool take(std::int64_t second, std::uint32_t& left_out) noexcept {
    left_out = 0;
    if (__atomic_exchange_n(&second_, second, __ATOMIC_RELAXED) != second) {
      const auto taken = __atomic_exchange_n(&taken_, 0U, __ATOMIC_RELAXED);
      if (taken > lines_max) left_out = taken - lines_max;
    }
    return __atomic_add_fetch(&taken_, 1U, __ATOMIC_RELAXED) <= lines_max;
  }

 private:
  std::int64_t second_ = 0;
  std::uint32_t taken_ = 0;
};

inline said_per_second said_on_stderr;

/// Writes a line, unless stderr has no room for it just now: a pipe that nobody reads would hold
/// the thread. A line is short enough for a pipe to take it whole.
inline void write_to_stderr(std::string_view line) noexcept {
  pollfd room{STDERR_FILENO, POLLOUT, 0};
  if (::poll(&room, 1, 0) == 1 && (room.revents & POLLOUT) != 0)
    (void)!::write(STDERR_FILENO, line.data(), line.size());
}

/// "nen: an exception left the handler of GET /path: what", with what is hostile escaped.
[[gnu::cold, gnu::noinline]] inline void say_event(const log_event& event) {
  std::uint32_t left_out = 0;
  const bool is_let_through = said_on_stderr.take(::time(nullptr), left_out);
  char line[1024];
  char* at = line;
  if (left_out != 0) {
    const int size = std::snprintf(line, sizeof line, "nen: %u more were left out\n", left_out);
    write_to_stderr({line, static_cast<std::size_t>(size)});
  }
  if (!is_let_through) return;
  const auto put = [&](std::string_view text) {
    const auto room = static_cast<std::size_t>(line + sizeof line - 1 - at);
    at = put_log_text<combined_piece>(at, text, room);
  };
  put("nen: ");
  put(event.sentence.substr(0, 400));
  if (event.request != nullptr && event.request != &no_request()) {
    put(" (");
    put(to_string(event.request->method()));
    put(" ");
    put(event.request->path().substr(0, 400));
    put(")");
  }
  *at++ = '\n';
  write_to_stderr({line, static_cast<std::size_t>(at - line)});
}

/// Where a shard or its session says something.
class event_log {
 public:
  event_log() = default;
  explicit event_log(const listen_options& options) noexcept
      : on_log_(options.on_log != nullptr ? options.on_log : say_event),
        on_exception_(options.on_exception) {}

  /// @param which  no_request(): not a request's
  void exception(const request& which, const char* what) const {
    if (on_exception_ != nullptr) return on_exception_(which, what);
    char sentence[512];
    const int size =
        std::snprintf(sentence, sizeof sentence, "an exception left a handler: %s", what);
    say(log_severity::error, log_code::exception, sentence, size,
        &which != &no_request() ? &which : nullptr);
  }

  /// The kernel said no.
  [[gnu::cold, gnu::noinline]] void failed(log_code code, const char* what, int errno_value) const {
    char sentence[512];
    const int size =
        std::snprintf(sentence, sizeof sentence, "%s: %s", what, std::strerror(errno_value));
    say(log_severity::warning, code, sentence, size, nullptr);
  }

 private:
  void say(log_severity severity, log_code code, const char (&sentence)[512], int size,
           const request* which) const {
    const auto bytes = smallest(static_cast<std::size_t>(size), sizeof sentence - 1);
    on_log_({severity, code, {sentence, bytes}, which});
  }

  void (*on_log_)(const log_event&);
  void (*on_exception_)(const request&, const char* what);
};

}  // namespace detail

}  // namespace nen
