// http, L1: server-sent events (WHATWG HTML, "Server-sent events") on top of a streamed answer.
#pragma once

#include <nen/http/body_stream.hpp>
#include <nen/http/request.hpp>

#include <cstdint>
#include <string_view>
#include <type_traits>

namespace nen {

/// One event. What is not set is left out; without data a client sees no event.
struct event {
  std::string_view data = {};  ///< may be empty, and may have several lines
  std::string_view id = {};    ///< comes back as Last-Event-ID when the client reconnects
  std::string_view name = {};  ///< the type; "message" if empty
  std::uint32_t retry_ms =
      0;  ///< how long the client waits before it reconnects; 0: its own choice
};

/// The id of the last event that a reconnecting client has seen; empty for a new one.
inline std::string_view last_event_id(const request& req) noexcept {
  return req.field("last-event-id").value_or(std::string_view{});
}

/// Answers with an event stream; see response::stream for the producer. It has no end of its own,
/// so that it is finished when the server stops, between two events.
template <class Producer>
reply event_stream(response& res, Producer producer) noexcept {
  static_assert(std::is_invocable_r_v<void, Producer&, body_stream&>,
                "a callback that is called later takes and returns what its documentation says");
  res.field("Cache-Control", "no-store");
  return res.stream("text/event-stream", [producer](body_stream& out) mutable {
    if (!out.draining() || !out.finish()) return producer(out);
    body_stream last(body_stream::end{});
    producer(last);
  });
}

/// Writes events, each of them whole or not at all.
class event_writer {
 public:
  explicit event_writer(body_stream& out) noexcept : out_(out) {}

  /// @returns  false when it does not fit now
  /// @pre      id and name have no line break (asserted)
  bool write(const event& e) noexcept {
    NEN_ASSERT(is_line(e.id) && is_line(e.name));
    std::size_t size = 0;
    for_each_part(e, [&](std::string_view part) { size += part.size(); });
    if (!out_.open_chunk(size)) return false;
    for_each_part(e, [&](std::string_view part) { (void)out_.out_->append(part); });
    out_.close_chunk();
    return true;
  }

  /// A line that clients ignore, so that nothing between takes the connection for dead.
  bool write_keep_alive() noexcept { return out_.write(":\n\n"); }

 private:
  static bool is_line(std::string_view text) noexcept {
    return text.find_first_of(std::string_view("\r\n\0", 3)) == text.npos;
  }

  template <class F>
  static void for_each_part(const event& e, F take) noexcept {
    const auto line = [&](std::string_view name, std::string_view value) {
      take(name);
      take(value);
      take("\n");
    };
    if (!e.name.empty()) line("event: ", e.name);
    if (!e.id.empty()) line("id: ", e.id);
    if (e.retry_ms != 0) {
      char digits[10];
      const char* const end = write_decimal(digits, e.retry_ms);
      line("retry: ", {digits, static_cast<std::size_t>(end - digits)});
    }
    // Every way to end a line ends one here, so that data can't pretend to be another field.
    std::string_view rest = e.data;
    while (e.data.data() != nullptr) {
      const auto end = rest.find_first_of("\r\n");
      line("data: ", rest.substr(0, end));
      if (end == rest.npos) break;
      rest.remove_prefix(rest.substr(end).starts_with("\r\n") ? end + 2 : end + 1);
    }
    take("\n");
  }

  body_stream& out_;
};

}  // namespace nen
