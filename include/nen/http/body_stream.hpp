// http, L1: an answer's body that is written in parts, as the client reads it.
#pragma once

#include <nen/core/assert.hpp>
#include <nen/core/output.hpp>
#include <nen/http/fields.hpp>
#include <nen/http/response.hpp>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string_view>

namespace nen {

/// What a producer writes with. A producer is called when there is room, again and again: after it
/// wrote something, as soon as the client has taken that; after wait() or sleep() when it is woken;
/// after finish() never more. One that wrote nothing and said nothing waits.
class body_stream {
 public:
  /// What the producer wants next.
  enum class next_step : std::uint8_t { more, wait, sleep, finished, failed };

  /// @param chunked   false: the body ends with the connection, for HTTP/1.0
  /// @param draining  the server stops
  body_stream(output& out, bool chunked, bool draining = false) noexcept
      : out_(&out), chunked_(chunked), draining_(draining) {}
  /// For the last call of all.
  struct end {};
  explicit body_stream(end) noexcept {}
  body_stream(const body_stream&) = delete;
  body_stream& operator=(const body_stream&) = delete;

  /// Writes the parts, one behind the other, all or nothing.
  /// @returns  false when they do not fit now: return, and write them when called again
  /// Parts that could never fit, because they are together longer than config::response_bytes_max
  /// (less 12 bytes for the chunk around them), end the answer short, so that the client sees it.
  bool write(std::initializer_list<std::string_view> parts) noexcept {
    std::size_t size = 0;
    for (const auto part : parts) size += part.size();
    if (size == 0) return !ended();
    if (!open_chunk(size)) return false;
    for (const auto part : parts) (void)out_->append(part);
    close_chunk();
    return true;
  }
  bool write(std::string_view part) noexcept { return write({part}); }

  /// How many bytes one write takes now.
  std::size_t room() const noexcept {
    if (ended()) return 0;
    const std::size_t left = out_->body_left();
    return left <= chunk_frame_bytes_max ? 0 : left - chunk_frame_bytes_max;
  }
  /// Calls again as soon as there is room, although nothing was written.
  void more() noexcept { set_step(next_step::more); }
  /// Ends the answer short, so that the client sees it: for what cannot go on.
  void cut() noexcept { set_step(next_step::failed); }

  /// Ends the body.
  /// @param trailers  fields behind it, RFC 9112 §7.1.2; left out where the body is not chunked
  /// @returns  false when they do not fit now
  bool finish(std::initializer_list<field> trailers = {}) noexcept;

  /// Calls again when deferred::wake() says so.
  void wait() noexcept { set_step(next_step::wait); }
  /// Calls again after this time, or when woken.
  void sleep(std::uint32_t milliseconds) noexcept {
    set_step(next_step::sleep);
    sleep_ms_ = milliseconds;
  }

  /// True when the server stops: a body that has no end of its own finishes now. One that rests is
  /// called for this. What is not finished when listen_options::drain_timeout has passed is cut
  /// off, and its client sees that it is not whole.
  bool draining() const noexcept { return draining_; }

  /// True in the last call: nothing can be written any more.
  bool ended() const noexcept { return out_ == nullptr; }

  next_step step() const noexcept { return step_; }
  /// Bytes of the body that were written with it, without what frames them.
  std::uint64_t written() const noexcept { return written_; }
  std::uint32_t sleep_ms() const noexcept { return sleep_ms_; }

 private:
  friend class event_writer;

  static constexpr std::size_t chunk_frame_bytes_max = 8 + 2 + 2;  // size, CRLF, CRLF

  void set_step(next_step step) noexcept {
    NEN_ASSERT(step_ != next_step::finished);
    if (step_ != next_step::failed) step_ = step;
  }

  bool open_chunk(std::size_t size) noexcept;
  void close_chunk() noexcept {
    if (chunked_) (void)out_->append("\r\n");
  }

  output* out_ = nullptr;  // null exactly in the last call
  bool chunked_ = false;
  bool draining_ = false;
  next_step step_ = next_step::wait;
  std::uint32_t sleep_ms_ = 0;
  std::uint64_t written_ = 0;
};

/// Begins a chunk (RFC 9112 §7.1) of exactly `size` bytes if all of it fits.
inline bool body_stream::open_chunk(std::size_t size) noexcept {
  NEN_ASSERT(step_ != next_step::finished);
  if (ended() || step_ == next_step::failed) return false;
  if (size > 0xffff'ffff || size + chunk_frame_bytes_max > out_->body_bytes_max()) {
    step_ = next_step::failed;
    return false;
  }
  step_ = next_step::more;
  if (size + chunk_frame_bytes_max > out_->body_left()) return false;
  written_ += size;
  if (!chunked_) return true;
  char text[10];
  std::size_t digits = 0;
  for (int shift = 28; shift >= 0; shift -= 4) {
    const auto digit = size >> shift & 15;
    if (digit != 0 || digits != 0) text[digits++] = "0123456789abcdef"[digit];
  }
  text[digits++] = '\r';
  text[digits++] = '\n';
  return out_->append({text, digits});
}

inline bool body_stream::finish(std::initializer_list<field> trailers) noexcept {
  NEN_ASSERT(step_ != next_step::finished);
  if (step_ == next_step::failed) return false;
  if (chunked_ && !ended()) {
    std::size_t size = 5;
    for (const field& trailer : trailers) {
      NEN_ASSERT(detail::is_field_name(trailer.name) && detail::is_field_value(trailer.value));
      size += trailer.name.size() + trailer.value.size() + 4;
    }
    if (size > out_->body_left()) {
      step_ = next_step::more;
      return false;
    }
    (void)out_->append("0\r\n");
    for (const field& trailer : trailers)
      for (const auto part :
           {trailer.name, std::string_view(": "), trailer.value, std::string_view("\r\n")})
        (void)out_->append(part);
    (void)out_->append("\r\n");
  }
  step_ = next_step::finished;
  return true;
}

}  // namespace nen
