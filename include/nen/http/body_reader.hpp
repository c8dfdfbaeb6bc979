// Gathers a request's body into one contiguous view, and the lines of its trailer fields into
// another, each in place or in a buffer of the caller. http, L1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <nen/core/assert.hpp>
#include <nen/http/chunk_decoder.hpp>
#include <nen/http/parse_result.hpp>
#include <nen/http/request_head.hpp>
#include <nen/http/status.hpp>
#include <string_view>

namespace nen {

/// Reads the body that a head announces: Content-Length bytes, or chunks whose content is moved
/// together, and the trailer section behind them. Zero is the state before the body's first byte.
class body_reader {
 public:
  /// Reads on, see request_parser::feed.
  /// @returns need_more, message_complete or rejected
  parse_result feed(char* begin, char* end, const request_head& head, const parse_limits& limits) {
    // In place, a later piece is moved down to the earlier ones: they have to be in one buffer.
    NEN_ASSERT(is_elsewhere_ || size_ == 0 || begin == next_);
    next_ = end;
    return head.chunked ? feed_chunks(begin, end, head, limits)
                        : feed_sized(begin, end, head, limits);
  }

  /// Forgets the content that has come. What comes next is gathered where it lies.
  void drop_content() {
    dropped_ += size_;
    size_ = 0;
    data_ = nullptr;
    is_elsewhere_ = false;
  }

  /// Says where the body begins when nothing of it has come.
  void expect_at(char* begin) { next_ = begin; }

  /// Moves what has come of the content to `data` and gathers the rest there.
  /// @pre there is room for limits.body_bytes_max bytes
  void move_into(char* data) {
    if (size_ > 0) std::memmove(data, data_, static_cast<std::size_t>(size_));
    data_ = data;
    is_elsewhere_ = true;
  }

  /// The same for the lines of trailer fields, which have at most limits.head_bytes_max bytes
  /// together with the head.
  void move_trailers_into(char* lines) {
    if (trailer_bytes_ > 0) std::memmove(lines, trailers_, trailer_bytes_);
    trailers_ = lines;
    trailers_elsewhere_ = true;
  }

  /// Follows a message that was moved: what was gathered in place has moved with it.
  void rebase(const char* old_base, char* new_base) {
    if (next_ != nullptr) next_ = new_base + (next_ - old_base);
    if (data_ != nullptr && !is_elsewhere_) data_ = new_base + (data_ - old_base);
    if (trailers_ != nullptr && !trailers_elsewhere_) trailers_ = new_base + (trailers_ - old_base);
  }

  /// What has come so far.
  std::string_view content() const { return {data_, static_cast<std::size_t>(size_)}; }
  std::uint64_t size() const { return size_; }

  /// The lines of trailer fields that have come so far, each with its CRLF.
  std::string_view trailers() const { return {trailers_, trailer_bytes_}; }

 private:
  parse_result feed_sized(char* begin, char* end, const request_head& head,
                          const parse_limits& limits);
  parse_result feed_chunks(char* begin, char* end, const request_head& head,
                           const parse_limits& limits);
  void gather_trailer(char* piece, std::size_t size);
  bool gather(char* piece, std::size_t size, const parse_limits& limits);

  static parse_result reject(status answer) { return {parse_status::rejected, answer, 0}; }
  static parse_result consume(parse_status status, const char* begin, const char* end) {
    return {status, {}, static_cast<std::size_t>(end - begin)};
  }

  /// How many bytes the body may still get.
  std::uint64_t room(const parse_limits& limits) const {
    return limits.body_bytes_max - dropped_ - size_;
  }

  char* data_;          ///< the first byte gathered, or null
  char* next_;          ///< the byte after the last one consumed
  std::uint64_t size_;  ///< how many bytes were gathered
  chunk_decoder chunks_;
  std::uint64_t dropped_;        ///< how many bytes came before those
  char* trailers_;               ///< the first byte of the first trailer field, or null
  std::uint32_t trailer_bytes_;  ///< at most 65,535, like head_bytes_max
  bool is_elsewhere_;            ///< true exactly when move_into was called
  bool trailers_elsewhere_;      ///< true exactly when move_trailers_into was called
};

inline parse_result body_reader::feed_sized(char* begin, char* end, const request_head& head,
                                            const parse_limits& limits) {
  const std::uint64_t missing = head.content_length - dropped_ - size_;
  const auto available = static_cast<std::uint64_t>(end - begin);
  const auto size = static_cast<std::size_t>(available < missing ? available : missing);
  if (missing > room(limits) || !gather(begin, size, limits)) {
    return reject(status::content_too_large);
  }
  const bool is_whole = size == missing;
  return consume(is_whole ? parse_status::message_complete : parse_status::need_more, begin,
                 begin + size);
}

inline parse_result body_reader::feed_chunks(char* begin, char* end, const request_head& head,
                                             const parse_limits& limits) {
  // Counted with the head, so that where that was kept there is room for the trailers behind it.
  const std::uint32_t extra_max = limits.head_bytes_max - head.head_bytes;
  const char* at = begin;
  for (;;) {
    switch (chunks_.next(at, end, extra_max)) {
      case chunk_event::need_more:
        return consume(parse_status::need_more, begin, end);
      case chunk_event::chunk:
        if (chunks_.chunk_left() > room(limits)) return reject(status::content_too_large);
        break;
      case chunk_event::data: {
        const std::size_t size = chunks_.data_size();
        char* const piece = begin + (at - begin) - size;
        if (!gather(piece, size, limits)) return reject(status::content_too_large);
        break;
      }
      case chunk_event::trailer:
        gather_trailer(begin + (at - begin) - chunks_.data_size(), chunks_.data_size());
        break;
      case chunk_event::done:
        return consume(parse_status::message_complete, begin, at);
      case chunk_event::malformed:
        return reject(status::bad_request);
      case chunk_event::extra_full:
        return reject(status::request_header_fields_too_large);
    }
  }
}

/// Puts a piece of a trailer field's line behind what has come. In place it is there already: lines
/// follow each other without a gap.
inline void body_reader::gather_trailer(char* piece, std::size_t size) {
  if (trailers_ == nullptr) trailers_ = piece;
  char* const to = trailers_ + trailer_bytes_;
  NEN_ASSERT(trailers_elsewhere_ || to == piece);
  if (to != piece) std::memmove(to, piece, size);
  trailer_bytes_ += static_cast<std::uint32_t>(size);
}

/// Puts a piece of content behind what has come.
/// @returns false when it does not fit
inline bool body_reader::gather(char* piece, std::size_t size, const parse_limits& limits) {
  if (size > room(limits)) return false;
  if (size == 0) return true;  // An empty piece has no place that the body could start at.
  if (data_ == nullptr) {
    data_ = piece;
  } else if (data_ + size_ != piece) {
    std::memmove(data_ + size_, piece, size);
  }
  size_ += size;
  return true;
}

}  // namespace nen
