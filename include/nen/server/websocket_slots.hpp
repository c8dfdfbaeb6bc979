// server, L3: what WebSockets take of a shard's memory: their state and session objects, messages
// that come in pieces, frames that many are sent.
#pragma once

#include <nen/config.hpp>
#include <nen/core/assert.hpp>
#include <nen/core/intrusive_list.hpp>
#include <nen/core/pool.hpp>
#include <nen/core/timer_wheel.hpp>
#include <nen/server/websocket_members.hpp>
#include <nen/server/websocket_peer.hpp>
#include <nen/ws/message_reader.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace nen::detail {

struct websocket_functions;

/// Where a message lies that a coroutine may look at.
enum class held_message_is : std::uint8_t { none, in_lease, in_slot };

/// One WebSocket, but for the session's object.
struct websocket_state {
  const websocket_functions* session;
  const ws::options* options;
  intrusive_list<membership, of_peer> memberships;
  ws::message_reader reader;
  std::uint32_t connection;
  std::uint32_t message;        // slot + 1 of the message that is being gathered; 0: none is
  std::uint32_t message_bytes;  // of it so far
  std::uint32_t control_room;   // + 1, for a control frame that came in pieces; 0: none
  tick silence_deadline;        // for a ping, a pong or a close frame
  union {                       // a message that is looked at has ended, and the next has not begun
    tick message_deadline;      // for the last byte of the message that has begun
    std::uint32_t held_message;  // slot + 1 of what a coroutine may look at; if it holds a slot
  };

  // Each is true exactly when …
  bool is_open;      // … neither side has begun to close
  bool is_ended;     // … the session was told of the end, and its object is gone
  bool awaits_pong;  // … nothing came since a ping was sent
  bool wants_drain;  // … a send was refused, and the session is to be told when it may try again
  bool wants_view;   // … that was for want of a view
  bool minds_silence;  // … its silence deadline counts
  bool times_message;  // … its message deadline counts

  held_message_is holds;  // what its session, a coroutine, may look at
  bool holds_lease() const noexcept { return holds == held_message_is::in_lease; }
};

struct of_unfinished;

template <std::size_t ObjectBytes, class Compression>
struct websocket_slot {
  std::uint32_t generation;
  websocket_state state;
  [[no_unique_address]] typename Compression::peer compression;
  alignas(std::max_align_t) char object[ObjectBytes];
};

/// A message in one piece: lent to on_message, and to sends of it.
template <std::uint32_t Bytes>
struct message_slot : list_hook<of_unfinished> {
  std::uint32_t uses;
  std::uint32_t websocket;  // of one of which more is to come: whose it is, and since when
  tick began;
  char bytes[Bytes];
};

/// A whole frame, sent to many.
template <std::uint32_t Bytes>
struct shared_frame {
  std::uint32_t uses;
  std::uint32_t size;
  std::uint32_t head_size;  // of it
  std::uint32_t shorter;  // owner of the same, compressed; its own: there is none; 0: not known yet
  char bytes[Bytes];

  std::string_view whole() const noexcept { return {bytes, size}; }
  std::string_view payload() const noexcept { return whole().substr(head_size); }
};

/// All of one shard. Views in send queues name their owner: a message slot + 1, or a shared frame
/// behind those.
template <config Config, std::size_t ObjectBytes, class Compression>
class websocket_store {
 public:
  using slot = websocket_slot<ObjectBytes, Compression>;

  /// Of a message as it comes: one that does not compress becomes a little longer by it.
  static constexpr std::uint32_t message_slot_bytes =
      Config.ws_message_bytes_max +
      (Compression::exists ? Config.ws_message_bytes_max / 256 + 64 : 0);

  slot* open(std::uint32_t& index) noexcept {
    index = slots_.try_acquire();
    if (index == slots_.none) return nullptr;
    slot& s = slots_[index];
    std::memset(static_cast<void*>(&s.state), 0, sizeof s.state);
    s.compression = {};
    return &s;
  }
  slot& operator[](std::uint32_t index) noexcept { return slots_[index]; }
  std::uint32_t index_of(const slot& s) const noexcept { return slots_.index_of(s); }
  void close(slot& s) noexcept {
    NEN_ASSERT(s.state.is_ended && s.state.memberships.empty());
    drop_message(s.state);
    drop_control_room(s.state);
    s.generation = s.generation + 1;
    slots_.release(slots_.index_of(s));
  }
  bool is_current(const websocket_name& n) const noexcept {
    return slots_.is_held(n.slot) && slots_[n.slot].generation == n.generation;
  }

  // Messages that are gathered.
  bool take_message(slot& s, tick now) noexcept {
    websocket_state& w = s.state;
    NEN_ASSERT(w.message == 0);
    w.message = take_message();
    w.message_bytes = 0;
    if (w.message == 0) return false;
    auto& m = messages_[w.message - 1];
    m.websocket = index_of(s);
    m.began = now;
    unfinished_.push_back(m);
    return true;
  }
  /// All of it has come: nobody is given it in his place any more.
  void finish_message(websocket_state& w) noexcept {
    unfinished_list::remove(messages_[w.message - 1]);
  }
  /// Whose message has been unfinished for longest, and since when.
  slot* longest_unfinished(tick& began) noexcept {
    auto* const m = unfinished_.front();
    if (m == nullptr) return nullptr;
    began = m->began;
    return &slots_[m->websocket];
  }
  /// Forgets a message of which more would have come.
  void give_up_message(websocket_state& w) noexcept {
    if (w.message != 0 && messages_[w.message - 1].linked()) drop_message(w);
  }
  void gather(websocket_state& w, std::string_view bytes) noexcept {
    NEN_ASSERT(w.message_bytes + bytes.size() <= message_slot_bytes);
    if (!bytes.empty())
      std::memcpy(messages_[w.message - 1].bytes + w.message_bytes, bytes.data(), bytes.size());
    w.message_bytes += static_cast<std::uint32_t>(bytes.size());
  }
  std::string_view gathered(const websocket_state& w) const noexcept {
    return {messages_[w.message - 1].bytes, w.message_bytes};
  }
  /// Room for a whole message besides.
  /// @returns  its slot + 1; 0: there is none
  std::uint32_t take_message() noexcept {
    const auto index = messages_.try_acquire();
    if (index == messages_.none) return 0;
    messages_[index].uses = 1;
    return index + 1;
  }
  std::span<char> room_of(std::uint32_t message) noexcept { return messages_[message - 1].bytes; }
  void drop_message(websocket_state& w) noexcept {
    if (w.message == 0) return;
    if (messages_[w.message - 1].linked()) finish_message(w);
    release(w.message);
    w.message = 0;
  }

  // Control frames in pieces.
  bool take_control_room(websocket_state& w) noexcept {
    if (w.control_room != 0) return true;
    const auto index = control_rooms_.try_acquire();
    if (index == control_rooms_.none) return false;
    w.control_room = index + 1;
    return true;
  }
  char* control_room(const websocket_state& w) noexcept {
    return w.control_room == 0 ? nullptr : control_rooms_[w.control_room - 1].bytes;
  }
  void drop_control_room(websocket_state& w) noexcept {
    if (w.control_room != 0) control_rooms_.release(w.control_room - 1);
    w.control_room = 0;
  }

  // Frames for many.
  std::uint32_t share(ws::opcode opcode, std::string_view payload) noexcept {
    return share({.opcode = opcode}, payload);
  }
  std::uint32_t share(ws::frame_head head, std::string_view payload) noexcept {
    if (payload.size() > Config.ws_broadcast_bytes_max) return 0;
    const auto index = shared_.try_acquire();
    if (index == shared_.none) return 0;
    auto& frame = shared_[index];
    frame.uses = 1;
    frame.shorter = 0;
    char* const at = ws::write_frame_head(frame.bytes, head, payload.size());
    if (!payload.empty()) std::memcpy(at, payload.data(), payload.size());
    frame.head_size = static_cast<std::uint32_t>(at - frame.bytes);
    frame.size = frame.head_size + static_cast<std::uint32_t>(payload.size());
    return index + 1 + Config.ws_message_slots;
  }
  auto& shared(std::uint32_t owner) noexcept {
    return shared_[owner - 1 - Config.ws_message_slots];
  }

  /// One more, or one less, sends what this owner has.
  void use(std::uint32_t owner) noexcept { ++uses(owner); }
  void release(std::uint32_t owner) noexcept {
    NEN_ASSERT(uses(owner) != 0);
    if (--uses(owner) != 0) return;
    if (owner <= Config.ws_message_slots) return messages_.release(owner - 1);
    const std::uint32_t shorter = shared(owner).shorter;
    shared_.release(owner - 1 - Config.ws_message_slots);
    if (shorter != 0 && shorter != owner) release(shorter);
  }

  Compression& compression() noexcept { return compression_; }

  const auto& slots() const noexcept { return slots_; }
  const auto& messages() const noexcept { return messages_; }
  const auto& shared_frames() const noexcept { return shared_; }
  const auto& control_rooms() const noexcept { return control_rooms_; }

 private:
  using unfinished_list = intrusive_list<message_slot<message_slot_bytes>, of_unfinished>;

  struct room {
    char bytes[ws::control_bytes_max];
  };

  std::uint32_t& uses(std::uint32_t owner) noexcept {
    return owner <= Config.ws_message_slots ? messages_[owner - 1].uses
                                            : shared_[owner - 1 - Config.ws_message_slots].uses;
  }

  [[no_unique_address]] Compression compression_;
  unfinished_list unfinished_;  // the oldest first
  pool<slot, Config.websockets> slots_;
  pool<message_slot<message_slot_bytes>, Config.ws_message_slots> messages_;
  pool<shared_frame<Config.ws_broadcast_bytes_max + ws::frame_head_bytes_max>,
       Config.ws_broadcast_slots>
      shared_;
  pool<room, Config.head_slots> control_rooms_;
};

}  // namespace nen::detail
