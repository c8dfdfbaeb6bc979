// Gathers a request's body into one contiguous view, in place or in a buffer of the caller. http,
// L1.
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
/// together. Zero is the state before the body's first byte.
class body_reader {
 public:
  /// Reads on, see request_parser::feed.
  /// @returns need_more, message_complete or rejected
  parse_result feed(char* begin, char* end, const request_head& head, const parse_limits& limits) {
    // In place, a later piece is moved down to the earlier ones: they have to be in one buffer.
    NEN_ASSERT(is_elsewhere_ || size_ == 0 || begin == next_);
    next_ = end;
    return head.chunked ? feed_chunks(begin, end, limits) : feed_sized(begin, end, head, limits);
  }

  /// From now on content is dropped by the caller as it comes (drop_content), and has no limit.
  void stream() { streams_ = true; }

  /// Forgets the content that has come. What comes next is gathered where it lies.
  void drop_content() {
    dropped_ += size_;
    size_ = 0;
    data_ = nullptr;
    is_elsewhere_ = false;
  }

  /// Says where the body begins when nothing of it has come.
  void expect_at(char* begin) { next_ = begin; }

  /// Moves what has come to `data` and gathers the rest there.
  /// @pre what has come fits into `capacity` (asserted)
  void move_into(char* data, std::uint64_t capacity) {
    NEN_ASSERT(size_ <= capacity);
    if (size_ > 0) std::memmove(data, data_, static_cast<std::size_t>(size_));
    data_ = data;
    capacity_ = capacity;
    is_elsewhere_ = true;
  }

  /// Follows a message that was moved: what was gathered in place has moved with it.
  void rebase(const char* old_base, char* new_base) {
    if (next_ != nullptr) next_ = new_base + (next_ - old_base);
    if (data_ != nullptr && !is_elsewhere_) data_ = new_base + (data_ - old_base);
  }

  /// What has come so far.
  std::string_view content() const { return {data_, static_cast<std::size_t>(size_)}; }

 private:
  parse_result feed_sized(char* begin, char* end, const request_head& head,
                          const parse_limits& limits);
  parse_result feed_chunks(char* begin, char* end, const parse_limits& limits);
  bool gather(char* piece, std::size_t size, const parse_limits& limits);

  static parse_result reject(status answer) { return {parse_status::rejected, answer, 0}; }
  static parse_result consume(parse_status status, const char* begin, const char* end) {
    return {status, {}, static_cast<std::size_t>(end - begin)};
  }

  /// How many bytes the body may still get.
  std::uint64_t room(const parse_limits& limits) const {
    if (streams_) return ~std::uint64_t{0};
    const bool is_smaller = is_elsewhere_ && capacity_ < limits.body_bytes_max;
    return (is_smaller ? capacity_ : limits.body_bytes_max) - size_;
  }

  char* data_;              ///< the first byte gathered, or null
  char* next_;              ///< the byte after the last one consumed
  std::uint64_t size_;      ///< how many bytes were gathered
  std::uint64_t capacity_;  ///< valid when is_elsewhere_
  chunk_decoder chunks_;
  std::uint64_t dropped_;   ///< how many bytes came before those
  bool streams_;       ///< true exactly when stream was called
  bool is_elsewhere_;  ///< true exactly when move_into was called
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

inline parse_result body_reader::feed_chunks(char* begin, char* end, const parse_limits& limits) {
  const char* at = begin;
  for (;;) {
    switch (chunks_.next(at, end, limits.head_bytes_max)) {
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
      case chunk_event::done:
        return consume(parse_status::message_complete, begin, at);
      case chunk_event::malformed:
        return reject(status::bad_request);
      case chunk_event::extra_full:
        return reject(status::request_header_fields_too_large);
    }
  }
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
