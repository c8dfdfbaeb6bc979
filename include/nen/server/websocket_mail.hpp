// server, L3: messages from one shard to another: queues with one writer and one reader each.
#pragma once

#include <nen/core/intrusive_list.hpp>
#include <nen/server/websocket_peer.hpp>

#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>

namespace nen::detail {

struct of_shard;

/// Something on a shard that others write to. Its shard calls `open` when it was called for.
struct mailbox : list_hook<of_shard> {
  using open_function = void (*)(mailbox&);
  explicit mailbox(open_function f) noexcept : list_hook<of_shard>{}, open(f) {}

  open_function open;
  std::atomic<bool> has_mail = false;  ///< its shard was called, and has not looked yet
};

/// The WebSockets of the shard whose thread this is.
inline thread_local websocket_host* websockets_here = nullptr;

/// Letters from one shard to another, in order.
template <std::uint32_t Letters, std::uint32_t BytesMax>
class letter_queue {
 public:
  /// Called by the one shard that writes.
  /// @returns  false when it is too long, or every place is taken
  bool push(const websocket_payload& what, ws::slow_peer slow) noexcept {
    const std::uint32_t at = written_.load(std::memory_order_relaxed);
    if (what.bytes.size() > BytesMax || at - taken_.load(std::memory_order_acquire) == Letters)
      return false;
    letter& l = letters_[at % Letters];
    l.opcode = what.opcode;
    l.slow = slow;
    l.size = static_cast<std::uint32_t>(what.bytes.size());
    if (!what.bytes.empty()) std::memcpy(l.bytes, what.bytes.data(), what.bytes.size());
    written_.store(at + 1, std::memory_order_release);
    return true;
  }

  /// Called by the one shard that reads: take(payload, slow) for each.
  template <class F>
  void take_all(F take) {
    std::uint32_t at = taken_.load(std::memory_order_relaxed);
    for (; at != written_.load(std::memory_order_acquire); ++at) {
      const letter& l = letters_[at % Letters];
      take(websocket_payload{l.opcode, {l.bytes, l.size}, 0}, l.slow);
      taken_.store(at + 1, std::memory_order_release);
    }
  }

 private:
  struct letter {
    ws::opcode opcode;
    ws::slow_peer slow;
    std::uint32_t size;
    char bytes[BytesMax];
  };

  std::array<letter, Letters> letters_;
  alignas(64) std::atomic<std::uint32_t> written_ = 0;
  alignas(64) std::atomic<std::uint32_t> taken_ = 0;
};

}  // namespace nen::detail
