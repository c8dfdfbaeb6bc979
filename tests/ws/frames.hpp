// Frames as a peer would send them, right or wrong, and readers that are fed them in pieces: each
// piece ends where memory ends, and what was found is one text.
#pragma once

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <nen/ws/frame_reader.hpp>
#include <nen/ws/message_reader.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "ws/guarded.hpp"

namespace nen::test {

/// The bytes of these numbers.
inline std::string bytes(std::initializer_list<int> numbers) {
  std::string result;
  for (const int n : numbers) result += static_cast<char>(static_cast<unsigned char>(n));
  return result;
}

inline constexpr std::string_view test_key = "\x37\xfa\x21\x3d";

/// A frame with every detail chosen: its first byte, whether it is masked, how many bytes the
/// extended length has (0, 2 or 8).
inline std::string raw_frame(int first, bool masked, int length_bytes, std::string_view payload) {
  std::string result = bytes({first});
  const std::uint64_t size = payload.size();
  const auto mask_bit = masked ? 0x80 : 0;
  result += bytes({mask_bit | (length_bytes == 0   ? static_cast<int>(size)
                               : length_bytes == 2 ? 126
                                                   : 127)});
  for (int i = length_bytes - 1; i >= 0; --i) {
    result += bytes({static_cast<int>(size >> (8 * i) & 0xff)});
  }
  if (!masked) return result += payload;
  result += test_key;
  for (std::size_t i = 0; i < payload.size(); ++i) {
    result += static_cast<char>(payload[i] ^ test_key[i % 4]);
  }
  return result;
}

/// A frame as a client sends it.
inline std::string frame(int first, std::string_view payload = {}, bool masked = true) {
  return raw_frame(first, masked,
                   payload.size() < 126      ? 0
                   : payload.size() <= 65535 ? 2
                                             : 8,
                   payload);
}

/// Feeds bytes to a reader and writes down what it finds.
template <class Reader>
class feeder {
 public:
  explicit feeder(const nen::ws::frame_rules& rules, bool gives_room_when_asked = false)
      : rules_(rules), gives_room_when_asked_(gives_room_when_asked) {}

  /// @returns  false when the reader has refused something
  bool feed(std::string_view piece) {
    char* at = pieces_.place(piece);
    char* const end = at + piece.size();
    for (;;) {
      char* room = room_.last(nen::ws::control_bytes_max);
      if (gives_room_when_asked_ && !reader_.holds_control()) room = nullptr;
      auto event = reader_.next(at, end, rules_, room);
      if (is_room_wanted(event)) {
        NEN_ASSERT(room == nullptr && at < end);
        event = reader_.next(at, end, rules_, room_.last(nen::ws::control_bytes_max));
        NEN_ASSERT(!is_room_wanted(event));
      }
      if (!reader_.note(event)) return false;
      if (reader_.is_idle(event)) {
        NEN_ASSERT(at == end);
        return true;
      }
    }
  }

  std::string found() const { return reader_.found(); }

 private:
  template <class Event>
  static bool is_room_wanted(const Event& event) {
    return event.kind == decltype(event.kind)::need_control_room;
  }

  nen::ws::frame_rules rules_;
  bool gives_room_when_asked_;
  inline static const guarded pieces_{300'000};
  inline static const guarded room_{nen::ws::control_bytes_max};
  Reader reader_;
};

/// What both kinds of readers note of messages.
struct notes {
  std::string done;
  std::string open;  // of the message that has begun
  std::string refused;

  std::string all() const { return done + open + refused; }

  template <class Event>
  void add_data(const Event& event, std::string_view kind) {
    if (event.is_first) {
      NEN_ASSERT(open.empty());
      open = std::string(kind) + (event.is_compressed ? "+rsv1(" : "(");
    }
    NEN_ASSERT(!open.empty());
    open += event.bytes;
    if (event.is_last) {
      done += open + ") ";
      open.clear();
    }
  }
  void add(std::string_view kind, std::string_view text) {
    done += std::string(kind) + "(" + std::string(text) + ") ";
  }
};

/// A frame_reader that notes.
struct noting_frame_reader {
  nen::ws::frame_reader reader{};
  notes text;

  nen::ws::frame_event next(char*& at, char* end, const nen::ws::frame_rules& rules, char* room) {
    return reader.next(at, end, rules, room);
  }
  bool holds_control() const { return reader.holds_control(); }
  static bool is_idle(const nen::ws::frame_event& event) {
    return event.kind == nen::ws::frame_event_kind::need_more;
  }
  std::string found() const { return text.all(); }

  bool note(const nen::ws::frame_event& event) {
    using nen::ws::opcode;
    switch (event.kind) {
      case nen::ws::frame_event_kind::need_more:
      case nen::ws::frame_event_kind::need_control_room:
        return true;
      case nen::ws::frame_event_kind::data:
        text.add_data(event, event.opcode == opcode::text ? "text" : "binary");
        return true;
      case nen::ws::frame_event_kind::control:
        text.add(event.opcode == opcode::close  ? "close"
                 : event.opcode == opcode::ping ? "ping"
                                                : "pong",
                 event.bytes);
        return true;
      case nen::ws::frame_event_kind::rejected:
        break;
    }
    text.refused = std::to_string(static_cast<int>(event.code));
    return false;
  }
};

/// A message_reader that notes. Pieces of a message that is then refused are left out: how many
/// there were depends on the cuts.
struct noting_message_reader {
  nen::ws::message_reader reader{};
  notes text;

  nen::ws::message_event next(char*& at, char* end, const nen::ws::frame_rules& rules, char* room) {
    return reader.next(at, end, rules, room);
  }
  bool holds_control() const { return reader.frames().holds_control(); }
  static bool is_idle(const nen::ws::message_event& event) {
    return event.kind == nen::ws::message_event_kind::need_more;
  }
  std::string found() const { return text.all(); }

  bool note(const nen::ws::message_event& event) {
    switch (event.kind) {
      case nen::ws::message_event_kind::need_more:
      case nen::ws::message_event_kind::need_control_room:
        return true;
      case nen::ws::message_event_kind::data:
        text.add_data(event, event.is_text ? "text" : "binary");
        return true;
      case nen::ws::message_event_kind::ping:
        text.add("ping", event.bytes);
        return true;
      case nen::ws::message_event_kind::pong:
        text.add("pong", event.bytes);
        return true;
      case nen::ws::message_event_kind::close:
        text.add("close",
                 std::to_string(static_cast<int>(event.code)) + " " + std::string(event.bytes));
        return true;
      case nen::ws::message_event_kind::rejected:
        break;
    }
    text.open.clear();
    text.refused = std::to_string(static_cast<int>(event.code));
    return false;
  }
};

/// What a reader finds in bytes that come in one piece.
template <class Reader = noting_frame_reader>
std::string read_whole(std::string_view input, const nen::ws::frame_rules& rules = {}) {
  feeder<Reader> reader(rules);
  reader.feed(input);
  return reader.found();
}

/// How many bytes, one at a time, are taken before one is refused: all of them if none is.
template <class Reader = noting_frame_reader>
std::size_t bytes_taken(std::string_view input, const nen::ws::frame_rules& rules = {}) {
  feeder<Reader> reader(rules);
  for (std::size_t i = 0; i < input.size(); ++i) {
    if (!reader.feed(input.substr(i, 1))) return i;
  }
  return input.size();
}

/// What a reader finds in bytes that are cut at each place, into two pieces, into pieces of one
/// size, and asked for room or not: what read_whole() finds, or else a text that says what differs.
template <class Reader = noting_frame_reader>
std::string read_cut(std::string_view input, const nen::ws::frame_rules& rules = {}) {
  const std::string whole = read_whole<Reader>(input, rules);
  for (const bool when_asked : {false, true}) {
    for (std::size_t cut = 0; cut <= input.size(); ++cut) {
      feeder<Reader> reader(rules, when_asked);
      if (reader.feed(input.substr(0, cut))) reader.feed(input.substr(cut));
      if (reader.found() != whole) return "cut at " + std::to_string(cut) + ": " + reader.found();
    }
    for (std::size_t size = 1; size <= std::min<std::size_t>(input.size(), 9); ++size) {
      feeder<Reader> reader(rules, when_asked);
      for (std::size_t at = 0; at < input.size() && reader.feed(input.substr(at, size));) {
        at += size;
      }
      if (reader.found() != whole) return "in " + std::to_string(size) + "s: " + reader.found();
    }
  }
  return whole;
}

}  // namespace nen::test
