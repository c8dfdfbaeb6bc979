// server, L3: the descriptors of others that a shard's coroutines wait for. A slot is free again
// when the ring has nothing more to say about it, so that no late completion finds a later owner.
#pragma once

#include <nen/core/assert.hpp>
#include <nen/core/pool.hpp>
#include <nen/io/completion.hpp>
#include <nen/io/poll.hpp>
#include <nen/io/ring.hpp>

#include <cstdint>
#include <utility>

namespace nen::detail {

template <std::uint32_t Count>
class poll_slots {
 public:
  /// @returns  index + 1; 0: every slot is taken
  template <class Ring>
  std::uint32_t begin(Ring& ring, std::uint32_t first, poll_wait& who, int descriptor,
                      readiness what) noexcept {
    const auto index = slots_.try_acquire();
    if (index == decltype(slots_)::none) return 0;
    slot& s = slots_[index];
    s.who = &who;
    s.operations = 1;
    ++operations_;
    ring.poll(token(operation::poll, s.generation, first + index), descriptor, what);
    return index + 1;
  }

  /// Nobody waits for it any more. @pre  it was begun, and nobody was told that it ended
  template <class Ring>
  void end(Ring& ring, std::uint32_t first, std::uint32_t number) noexcept {
    slot& s = slots_[number - 1];
    NEN_ASSERT(slots_.is_held(number - 1) && s.who != nullptr && s.operations == 1);
    s.who = nullptr;
    ++s.operations;
    ++operations_;
    ring.cancel(token(operation::cancel, s.generation, first + number - 1),
                token(operation::poll, s.generation, first + number - 1));
  }

  /// @returns  who is to be told; null: nobody
  poll_wait* complete(std::uint32_t first, token done) noexcept {
    const std::uint32_t index = done.slot() - first;
    NEN_ASSERT(slots_.is_held(index));
    slot& s = slots_[index];
    NEN_ASSERT(s.generation == done.generation() && s.operations != 0);
    --operations_;
    poll_wait* const who =
        done.operation() == operation::poll ? std::exchange(s.who, nullptr) : nullptr;
    if (--s.operations == 0) {
      s.generation = (s.generation + 1) & token::generation_mask;
      slots_.release(index);
    }
    return who;
  }

  /// Submitted and not completed, cancels included.
  std::uint32_t operations() const noexcept { return operations_; }
  const auto& slots() const noexcept { return slots_; }

 private:
  struct slot {
    poll_wait* who;            // null exactly when it is cancelled
    std::uint32_t generation;  // raised when it is freed
    std::uint32_t operations;  // submitted and not completed
  };

  pool<slot, Count> slots_;
  std::uint32_t operations_;
};

}  // namespace nen::detail
