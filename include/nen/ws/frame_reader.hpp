// Takes WebSocket frames apart where their bytes lie, in pieces of any size (RFC 6455 §5). ws, L1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <nen/core/assert.hpp>
#include <nen/core/smallest.hpp>
#include <nen/ws/close_code.hpp>
#include <nen/ws/close_payload.hpp>
#include <nen/ws/frame.hpp>
#include <nen/ws/mask.hpp>
#include <string_view>

namespace nen::ws {

/// Which side of the connection reads. Servers take masked frames only, clients only unmasked ones.
enum class side : std::uint8_t { server, client };

/// What a reader holds frames against; the same for a whole connection.
struct frame_rules {
  ws::side side = side::server;
  bool compression = false;  ///< permessage-deflate was agreed on: a message may have RSV1
  /// The longest message that is not compressed, in bytes over all its frames.
  std::uint64_t message_bytes_max = 65'536;
  /// The same for compressed bytes. They say little about the size of the message, which is to be
  /// bounded while it is inflated; so there is no limit unless one is set.
  std::uint64_t compressed_bytes_max = ~std::uint64_t{0};
};

/// What a reader found.
enum class frame_event_kind : std::uint8_t {
  need_more,          ///< all bytes were taken and nothing is complete
  need_control_room,  ///< a control frame is cut: call again with room for its payload
  data,               ///< a piece of a message
  control,            ///< a close, ping or pong with its whole payload
  rejected,           ///< the peer broke a rule: answer with the code and read no more
};

struct frame_event {
  frame_event_kind kind = frame_event_kind::need_more;
  /// Of data, text or binary also for the later frames of the message.
  ws::opcode opcode = opcode::continuation;
  bool is_first = false;               ///< of data: nothing of the message was handed out before
  bool is_last = false;                ///< of data: the message ends with these bytes
  bool is_compressed = false;          ///< of data: the message had RSV1, RFC 7692 §6
  close_code code = close_code::none;  ///< of rejected
  /// Unmasked; of data, it may be empty. It lies in the bytes that were read or, of a control frame
  /// that was cut, in the room that was given for it.
  std::string_view bytes = {};
};

/// Reads the frames of one connection. Zero is the state before the first one. What it finds does
/// not depend on where the bytes are cut, but for data, of which each piece is handed out as it
/// comes. A rule that is broken is found with the first byte that breaks it.
class frame_reader {
 public:
  /// Goes on at `at` up to the end of the next event. Payloads are unmasked in place.
  /// @param at            moved behind what was taken; to `end` when more is needed
  /// @param rules         the same in every call
  /// @param control_room  control_bytes_max bytes where the payload of a control frame that is cut
  ///                      is gathered; the same ones as long as holds_control(). It may be nullptr
  ///                      until need_control_room asks for it.
  /// Behind a close frame all bytes are taken and none is looked at (RFC 6455 §1.4, §5.5.1).
  inline frame_event next(char*& at, char* end, const frame_rules& rules,
                          char* control_room) noexcept;

  /// True exactly when a part of a control frame's payload lies in the control room.
  bool holds_control() const noexcept { return control_size_ != 0; }

  /// True exactly when a message has begun and its last byte was not read yet.
  bool in_message() const noexcept { return message_opcode_ != opcode::continuation; }

  /// True exactly when a frame has begun and its last byte was not read yet.
  bool in_frame() const noexcept { return stage_ != stage::first && stage_ < stage::closed; }

  /// How long the message is so far by the heads of its frames, in bytes. With frame_left() it
  /// tells how many of them were handed out.
  std::uint64_t message_bytes() const noexcept { return message_bytes_; }

  /// How many bytes of the payload of the frame whose head was read are still to come.
  std::uint64_t frame_left() const noexcept { return stage_ == stage::payload ? left_ : 0; }

 private:
  enum class stage : std::uint8_t {
    first,    ///< before a frame
    second,   ///< before its second byte
    length,   ///< in the extended length
    key,      ///< in the masking key
    payload,  ///< behind the head
    closed,   ///< behind a close frame
    failed,   ///< a rule was broken
  };

  inline void read_head(char*& at, char* end, const frame_rules& rules) noexcept;
  inline close_code begin_frame(unsigned byte, const frame_rules& rules) noexcept;
  inline close_code begin_length(unsigned byte, const frame_rules& rules) noexcept;
  inline close_code read_length(unsigned byte, const frame_rules& rules) noexcept;
  inline close_code end_length(const frame_rules& rules) noexcept;
  inline frame_event take_data(char*& at, char* end, const frame_rules& rules) noexcept;
  inline frame_event take_control(char*& at, char* end, const frame_rules& rules,
                                  char* control_room) noexcept;

  opcode frame_opcode() const noexcept { return static_cast<opcode>(first_ & 0x0f); }

  std::uint64_t left_;           // of the payload; while it is read, the extended length so far
  std::uint64_t message_bytes_;  // 0 between messages
  masking_key key_;
  close_code fault_;
  stage stage_;
  std::uint8_t first_;         // byte of the frame
  std::uint8_t head_left_;     // bytes of the extended length or of the key
  std::uint8_t phase_;         // bytes of the frame's data so far, modulo 4
  std::uint8_t control_size_;  // bytes in the control room
  opcode message_opcode_;      // continuation between messages
  bool is_compressed_;         // the message had RSV1; of the last one between messages
  bool is_announced_;          // an event told of the message
};

static_assert(sizeof(frame_reader) <= 32, "every WebSocket has one");

inline frame_event frame_reader::next(char*& at, char* end, const frame_rules& rules,
                                      char* control_room) noexcept {
  while (stage_ < stage::payload) {
    if (at == end) return {};
    read_head(at, end, rules);
  }
  if (stage_ == stage::payload) {
    return is_control(frame_opcode()) ? take_control(at, end, rules, control_room)
                                      : take_data(at, end, rules);
  }
  if (stage_ == stage::failed) return {.kind = frame_event_kind::rejected, .code = fault_};
  at = end;
  return {};
}

/// Takes what there is of the part of the head that comes next, at least one byte.
inline void frame_reader::read_head(char*& at, char* end, const frame_rules& rules) noexcept {
  const auto next_byte = [&at] { return static_cast<unsigned char>(*at++); };
  close_code fault = close_code::none;
  switch (stage_) {
    case stage::first:
      fault = begin_frame(next_byte(), rules);
      break;
    case stage::second:
      fault = begin_length(next_byte(), rules);
      break;
    case stage::length:
      fault = read_length(next_byte(), rules);
      break;
    case stage::key:
      while (head_left_ > 0 && at != end) key_[4U - head_left_--] = next_byte();
      if (head_left_ == 0) stage_ = stage::payload;
      break;
    case stage::payload:
    case stage::closed:
    case stage::failed:
      break;
  }
  if (fault != close_code::none) {
    fault_ = fault;
    stage_ = stage::failed;
  }
}

inline close_code frame_reader::begin_frame(unsigned byte, const frame_rules& rules) noexcept {
  first_ = static_cast<std::uint8_t>(byte);
  const unsigned reserved = byte & 0x70;
  stage_ = stage::second;
  switch (frame_opcode()) {
    case opcode::continuation:
      // There has to be something to continue (§5.4), and RSV1 is for the first frame alone
      // (RFC 7692 §6.1).
      return in_message() && reserved == 0 ? close_code::none : close_code::protocol_error;
    case opcode::text:
    case opcode::binary:
      // The frames of two messages are never interleaved (§5.4). Reserved bits need an extension
      // that gives them a meaning (§5.2).
      if (in_message() || (reserved & (rules.compression ? 0x30U : 0x70U)) != 0) {
        return close_code::protocol_error;
      }
      message_opcode_ = frame_opcode();
      is_compressed_ = reserved != 0;
      return close_code::none;
    case opcode::close:
    case opcode::ping:
    case opcode::pong:
      // Control frames are whole (§5.5) and never compressed (RFC 7692 §6.1).
      return (byte & 0x80) != 0 && reserved == 0 ? close_code::none : close_code::protocol_error;
  }
  return close_code::protocol_error;  // The other opcodes are reserved, §5.2.
}

inline close_code frame_reader::begin_length(unsigned byte, const frame_rules& rules) noexcept {
  const bool is_masked = (byte & 0x80) != 0;
  if (is_masked != (rules.side == side::server)) return close_code::protocol_error;  // §5.1
  const unsigned length = byte & 0x7f;
  if (is_control(frame_opcode())) {
    if (length > control_bytes_max) return close_code::protocol_error;  // §5.5
    // A close frame has a code of two bytes, or nothing (§5.5.1).
    if (frame_opcode() == opcode::close && length == 1) return close_code::protocol_error;
  }
  if (length < 126) {
    left_ = length;
    return end_length(rules);
  }
  left_ = 0;
  head_left_ = length == 126 ? 2 : 8;
  stage_ = stage::length;
  return close_code::none;
}

/// The extended length is in network order. It has to be one that fits into no shorter form, and
/// its highest bit is 0 (§5.2); both are seen as early as they can be.
inline close_code frame_reader::read_length(unsigned byte, const frame_rules& rules) noexcept {
  if (head_left_ == 8 && (byte & 0x80) != 0) return close_code::protocol_error;
  left_ = left_ << 8 | byte;
  --head_left_;
  // Only of a length in eight bytes are two left: six zeros say that two would have done.
  if (head_left_ == 2 && left_ == 0) return close_code::protocol_error;
  if (head_left_ > 0) return close_code::none;
  if (left_ < 126) return close_code::protocol_error;
  return end_length(rules);
}

inline close_code frame_reader::end_length(const frame_rules& rules) noexcept {
  if (!is_control(frame_opcode())) {
    const std::uint64_t most =
        is_compressed_ ? rules.compressed_bytes_max : rules.message_bytes_max;
    NEN_ASSERT(message_bytes_ <= most);  // the rules are the same in every call
    if (left_ > most - message_bytes_) return close_code::message_too_big;
    message_bytes_ += left_;
  }
  phase_ = 0;
  head_left_ = 4;
  stage_ = rules.side == side::server ? stage::key : stage::payload;
  return close_code::none;
}

inline frame_event frame_reader::take_data(char*& at, char* end,
                                           const frame_rules& rules) noexcept {
  if (left_ != 0 && at == end) return {};
  const auto size =
      static_cast<std::size_t>(nen::detail::smallest(left_, static_cast<std::uint64_t>(end - at)));
  if (rules.side == side::server) mask(at, size, key_, phase_);
  frame_event event{.kind = frame_event_kind::data,
                    .opcode = message_opcode_,
                    .is_first = !is_announced_,
                    .is_compressed = is_compressed_,
                    .bytes = {at, size}};
  at += size;
  left_ -= size;
  phase_ = static_cast<std::uint8_t>((phase_ + size) % 4);
  is_announced_ = true;
  if (left_ == 0) {
    stage_ = stage::first;
    if ((first_ & 0x80) != 0) {
      event.is_last = true;
      message_opcode_ = opcode::continuation;
      message_bytes_ = 0;
      is_announced_ = false;
    }
  }
  return event;
}

inline frame_event frame_reader::take_control(char*& at, char* end, const frame_rules& rules,
                                              char* control_room) noexcept {
  const auto size =
      static_cast<std::size_t>(nen::detail::smallest(left_, static_cast<std::uint64_t>(end - at)));
  char* payload = at;
  if (size < left_ || control_size_ != 0) {
    if (size == 0) return {};
    if (control_room == nullptr) return {.kind = frame_event_kind::need_control_room};
    std::memcpy(control_room + control_size_, at, size);
    payload = control_room;
  }
  at += size;
  left_ -= size;
  const std::size_t gathered = control_size_ + size;
  if (left_ != 0) {
    control_size_ = static_cast<std::uint8_t>(gathered);
    return {};
  }
  if (rules.side == side::server) mask(payload, gathered, key_);
  control_size_ = 0;
  stage_ = frame_opcode() == opcode::close ? stage::closed : stage::first;
  return {
      .kind = frame_event_kind::control, .opcode = frame_opcode(), .bytes = {payload, gathered}};
}

}  // namespace nen::ws
