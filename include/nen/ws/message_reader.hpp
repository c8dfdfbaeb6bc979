// What a WebSocket session sees of its peer: pieces of messages whose text is UTF-8 so far, pings,
// pongs, a close, or the code to close with. ws, L1.
#pragma once

#include <cstdint>
#include <nen/ws/close_code.hpp>
#include <nen/ws/close_payload.hpp>
#include <nen/ws/frame_reader.hpp>
#include <nen/ws/utf8.hpp>
#include <string_view>

namespace nen::ws {

enum class message_event_kind : std::uint8_t {
  need_more,          ///< all bytes were taken and nothing is complete
  need_control_room,  ///< a control frame is cut: call again with room for its payload
  data,               ///< a piece of a message
  ping,               ///< answer with a pong that has the same bytes (RFC 6455 §5.5.2)
  pong,
  close,     ///< the peer closes; answer with a close unless one was sent (RFC 6455 §5.5.1)
  rejected,  ///< the peer broke a rule: answer with the code and read no more
};

struct message_event {
  message_event_kind kind = message_event_kind::need_more;
  bool is_text = false;        ///< of data: the message is text, and else binary
  bool is_first = false;       ///< of data: nothing of the message was handed out before
  bool is_last = false;        ///< of data: the message ends with these bytes
  bool is_compressed = false;  ///< of data: to be inflated, then checked with check_inflated
  /// Of close what the peer says, no_status_received when it says nothing; of rejected what to say.
  close_code code = close_code::none;
  /// Of data a piece of the message, possibly empty; of ping and pong what they carry; of close the
  /// reason. Where they lie is said in frame_event.
  std::string_view bytes = {};
};

/// Reads what one peer sends. Zero is the state behind the handshake.
class message_reader {
 public:
  /// The next event; see frame_reader::next for the parameters. A message that came whole, in one
  /// frame, is one event that is both first and last.
  inline message_event next(char*& at, char* end, const frame_rules& rules,
                            char* control_room) noexcept;

  /// Checks what a compressed text message inflates to, in pieces like the message itself.
  /// @param is_last  the message ends with this piece
  /// @returns        false when it is no UTF-8: close with invalid_frame_payload_data
  bool check_inflated(std::string_view piece, bool is_last) noexcept {
    return text_.feed(piece) && (!is_last || text_.finish());
  }

  const frame_reader& frames() const noexcept { return frames_; }

 private:
  inline message_event data(const frame_event& event) noexcept;
  static inline message_event control(const frame_event& event) noexcept;

  frame_reader frames_;
  utf8_validator text_;  // of the text message that is being read; it ends as it begins, at 0
  close_code fault_;     // what was found above the frames, or none
};

inline message_event message_reader::next(char*& at, char* end, const frame_rules& rules,
                                          char* control_room) noexcept {
  if (fault_ != close_code::none) return {.kind = message_event_kind::rejected, .code = fault_};
  const frame_event event = frames_.next(at, end, rules, control_room);
  message_event result;
  switch (event.kind) {
    case frame_event_kind::need_more:
      return {};
    case frame_event_kind::need_control_room:
      return {.kind = message_event_kind::need_control_room};
    case frame_event_kind::data:
      result = data(event);
      break;
    case frame_event_kind::control:
      result = control(event);
      break;
    case frame_event_kind::rejected:
      result = {.kind = message_event_kind::rejected, .code = event.code};
      break;
  }
  if (result.kind == message_event_kind::rejected) fault_ = result.code;
  return result;
}

inline message_event message_reader::data(const frame_event& event) noexcept {
  const bool is_text = event.opcode == opcode::text;
  if (is_text && !event.is_compressed && !check_inflated(event.bytes, event.is_last)) {
    return {.kind = message_event_kind::rejected, .code = close_code::invalid_frame_payload_data};
  }
  return {.kind = message_event_kind::data,
          .is_text = is_text,
          .is_first = event.is_first,
          .is_last = event.is_last,
          .is_compressed = event.is_compressed,
          .bytes = event.bytes};
}

inline message_event message_reader::control(const frame_event& event) noexcept {
  if (event.opcode == opcode::ping) return {.kind = message_event_kind::ping, .bytes = event.bytes};
  if (event.opcode == opcode::pong) return {.kind = message_event_kind::pong, .bytes = event.bytes};
  const close_payload close = parse_close_payload(event.bytes);
  if (close.fault != close_code::none) {
    return {.kind = message_event_kind::rejected, .code = close.fault};
  }
  return {.kind = message_event_kind::close, .code = close.code, .bytes = close.reason};
}

}  // namespace nen::ws
