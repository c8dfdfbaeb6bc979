// Echoes: where a message of a WebSocket server, or a run of raw bytes, ends, and whether it is
// what was sent. Pings are read over: nobody has to answer one on a connection that is closed a
// moment later, and a connection that is never idle gets none.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "response_reader.hpp"

namespace load {

class echo_reader {
 public:
  /// @param expected  the payload of each message; outlives the reader
  echo_reader(std::string_view expected, bool is_text) : expected_(expected), is_text_(is_text) {}

  verdict read_bytes(std::string_view& bytes) {
    take(bytes, bytes.substr(0, std::min(bytes.size(), expected_.size() - length_)));
    return length_ == expected_.size() ? verdict::complete : verdict::more;
  }

  /// Frames of RFC 6455 §5.2 as a server sends them: not masked, no extension.
  verdict read_frames(std::string_view& bytes) {
    while (true) {
      if (left_ != 0) {
        const auto part =
            bytes.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size())));
        left_ -= part.size();
        if (is_control_) {
          bytes.remove_prefix(part.size());
        } else {
          take(bytes, part);
        }
        if (left_ != 0) return verdict::more;
      } else {
        if (bytes.empty()) return verdict::more;
        head_[head_size_++] = static_cast<unsigned char>(bytes.front());
        bytes.remove_prefix(1);
        if (!parse_head()) return verdict::malformed;
        if (head_size_ != 0 || left_ != 0) continue;
      }
      if (!is_control_ && is_last_) return verdict::complete;
    }
  }

  /// Of the message that was complete.
  std::uint64_t length() const { return length_; }
  bool is_equal() const { return is_equal_; }

  /// For the next message.
  void next() {
    length_ = 0;
    is_equal_ = true;
  }

  /// For the next connection.
  void reset() { *this = echo_reader(expected_, is_text_); }

 private:
  void take(std::string_view& bytes, std::string_view part) {
    if (length_ + part.size() > expected_.size() ||
        std::memcmp(part.data(), expected_.data() + length_, part.size()) != 0)
      is_equal_ = false;
    length_ += part.size();
    bytes.remove_prefix(part.size());
  }

  /// Looks at the head once it is whole, and then forgets it. False when no server may send it.
  bool parse_head() {
    if (head_size_ < 2) return true;
    const unsigned length_bits = head_[1] & 0x7fU;
    const std::size_t size = length_bits == 127 ? 10 : length_bits == 126 ? 4 : 2;
    if (head_size_ < size) return true;
    left_ = size == 2 ? length_bits : 0;
    for (std::size_t i = 2; i < size; ++i) left_ = left_ << 8 | head_[i];
    const unsigned opcode = head_[0] & 0x0fU;
    const unsigned first = is_text_ ? 1 : 2;
    const bool is_masked_or_extended = (head_[1] & 0x80U) != 0 || (head_[0] & 0x70U) != 0;
    head_size_ = 0;
    is_control_ = opcode >= 9;
    if (!is_control_) {
      if (opcode != (is_last_ ? first : 0U)) return false;  // also a close frame
      is_last_ = (head_[0] & 0x80U) != 0;
    }
    return !is_masked_or_extended;
  }

  std::string_view expected_;
  bool is_text_;
  bool is_equal_ = true;
  bool is_control_ = false;
  bool is_last_ = true;  // no message is begun, or this is its last frame
  std::size_t head_size_ = 0;
  unsigned char head_[10] = {};
  std::uint64_t left_ = 0;  // of the frame's payload
  std::uint64_t length_ = 0;
};

}  // namespace load
