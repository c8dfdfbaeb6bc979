// The message syntax of RFC 9112 §2 and §7, as far as it decides where a response ends.
#include "response_reader.hpp"

#include <algorithm>
#include <cstring>
#include <nen/core/ascii.hpp>

namespace load {
namespace {

constexpr std::size_t head_bytes_max = 64 * 1024;

/// The end of the head that begins the view (behind its empty line), or 0.
std::size_t end_of_head(std::string_view bytes) {
  const char* at = bytes.data();
  const char* const end = at + bytes.size();
  while (at != end) {
    const auto* const line_end =
        static_cast<const char*>(std::memchr(at, '\n', static_cast<std::size_t>(end - at)));
    if (line_end == nullptr) return 0;
    if (line_end == at || (line_end == at + 1 && *at == '\r'))
      return static_cast<std::size_t>(line_end + 1 - bytes.data());
    at = line_end + 1;
  }
  return 0;
}

}  // namespace

verdict response_reader::read(std::string_view& bytes, bool is_head) {
  switch (state_) {
    case state::head:
      return read_head(bytes, is_head);
    case state::body:
      return skip(bytes) ? finish() : verdict::more;
    case state::until_close:
      length_ += bytes.size();
      bytes = {};
      return verdict::more;
    default:
      return read_chunked(bytes);
  }
}

verdict response_reader::read_head(std::string_view& bytes, bool is_head) {
  std::size_t size = 0;
  std::string_view head;
  if (head_.empty()) {
    size = end_of_head(bytes);
    head = bytes.substr(0, size);
    if (size == 0) head_ = bytes;
  } else {
    const std::size_t before = head_.size();
    head_ += bytes;
    const std::size_t whole = end_of_head(head_);
    if (whole != 0) {
      size = whole - before;
      head = std::string_view(head_).substr(0, whole);
    }
  }
  if (size == 0) {
    bytes = {};
    return head_.size() > head_bytes_max ? verdict::malformed : verdict::more;
  }
  bytes.remove_prefix(size);
  const bool is_good = parse_head(head, is_head);
  head_.clear();
  if (!is_good) return verdict::malformed;
  if (is_interim_) return bytes.empty() ? verdict::more : read_head(bytes, is_head);
  if (state_ == state::head) return verdict::complete;
  return bytes.empty() ? verdict::more : read(bytes, is_head);
}

/// Sets the state that follows the head: head again where there is no body.
bool response_reader::parse_head(std::string_view head, bool is_head) {
  const bool has_version = head.size() >= 13 && head.starts_with("HTTP/1.") && head[8] == ' ' &&
                           nen::is_digit(head[9]) && nen::is_digit(head[10]) &&
                           nen::is_digit(head[11]);
  if (!has_version) return false;
  status_ = (head[9] - '0') * 100 + (head[10] - '0') * 10 + (head[11] - '0');
  closes_ = head[7] == '0';
  length_ = left_ = 0;
  bool has_length = false;
  bool is_chunked = false;
  std::uint64_t content_length = 0;
  for (auto at = head.find('\n') + 1; at < head.size();) {
    const auto end = head.find('\n', at);
    const char first = nen::to_lower(head[at]);
    // Every other field is of no interest here, and there are many.
    if ((first == 'c' || first == 't') &&
        !parse_field(head.substr(at, end - at), content_length, has_length, is_chunked))
      return false;
    at = end + 1;
  }
  is_interim_ = status_ < 200 && status_ != 101;
  state_ = state::head;
  if (is_interim_ || is_head || status_ == 204 || status_ == 304 || status_ == 101) return true;
  if (is_chunked) {
    state_ = state::chunk_size;
    size_digits_ = 0;
  } else if (!has_length) {
    state_ = state::until_close;
    closes_ = true;
  } else if (content_length != 0) {
    state_ = state::body;
    left_ = content_length;
  }
  return true;
}

bool response_reader::parse_field(std::string_view line, std::uint64_t& content_length,
                                  bool& has_length, bool& is_chunked) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  const auto colon = line.find(':');
  if (colon == line.npos) return false;
  const std::string_view name = line.substr(0, colon);
  const std::string_view value = nen::trim_ows(line.substr(colon + 1));
  if (nen::equals_ignoring_case(name, "content-length")) {
    const auto parsed = nen::parse_decimal<std::uint64_t>(value);
    if (!parsed || (has_length && *parsed != content_length)) return false;
    has_length = true;
    content_length = *parsed;
  } else if (nen::equals_ignoring_case(name, "transfer-encoding")) {
    if (!nen::equals_ignoring_case(value, "chunked")) return false;
    is_chunked = true;
  } else if (nen::equals_ignoring_case(name, "connection")) {
    if (nen::equals_ignoring_case(value, "close")) closes_ = true;
    if (nen::equals_ignoring_case(value, "keep-alive")) closes_ = false;
  }
  return true;
}

/// Uses what is left of the body or of the chunk. Whether that was all of it.
bool response_reader::skip(std::string_view& bytes) {
  const auto used = std::min<std::uint64_t>(left_, bytes.size());
  bytes.remove_prefix(static_cast<std::size_t>(used));
  left_ -= used;
  length_ += used;
  return left_ == 0;
}

/// A byte of the line with the chunk's size. Whether it may be there.
bool response_reader::read_chunk_size(char c) {
  const int digit = state_ == state::chunk_size ? nen::hex_value(c) : -1;
  if (digit >= 0) {
    left_ = left_ * 16 + static_cast<std::uint64_t>(digit);
    return ++size_digits_ <= 15;
  }
  if (size_digits_ == 0) return false;
  if (c != '\n') {
    state_ = state::chunk_extension;
    return true;
  }
  size_digits_ = 0;
  state_ = left_ == 0 ? state::trailer : state::chunk;
  line_is_empty_ = true;
  return true;
}

verdict response_reader::read_chunked(std::string_view& bytes) {
  while (!bytes.empty()) {
    if (state_ == state::chunk) {
      if (!skip(bytes)) return verdict::more;
      state_ = state::chunk_end;
      continue;
    }
    const char c = bytes.front();
    bytes.remove_prefix(1);
    if (state_ == state::chunk_size || state_ == state::chunk_extension) {
      if (!read_chunk_size(c)) return verdict::malformed;
    } else if (state_ == state::chunk_end) {
      if (c != '\r' && c != '\n') return verdict::malformed;
      if (c == '\n') state_ = state::chunk_size;
    } else if (c == '\n') {  // the trailer section ends with an empty line
      if (line_is_empty_) return finish();
      line_is_empty_ = true;
    } else if (c != '\r') {
      line_is_empty_ = false;
    }
  }
  return verdict::more;
}

}  // namespace load
