// server, L3: the questions between the shards of one server: slots for those that a shard asks,
// and queues with one writer and one reader for what is on its way between two of them.
#pragma once

#include <nen/core/assert.hpp>
#include <nen/core/pool.hpp>
#include <nen/io/shard_call.hpp>

#include <array>
#include <cstdint>

namespace nen::detail {

/// Something that several threads share, zero at first, so that it can lie in .bss.
template <class T>
class shared_value {
 public:
  T load() const noexcept { return __atomic_load_n(&value_, __ATOMIC_SEQ_CST); }
  void store(T value) noexcept { __atomic_store_n(&value_, value, __ATOMIC_SEQ_CST); }
  T exchange(T value) noexcept { return __atomic_exchange_n(&value_, value, __ATOMIC_SEQ_CST); }

 private:
  T value_;
};

/// Calls in order. There are never more than the shard that asks has slots, so it is never full.
template <std::uint32_t Calls>
class call_queue {
 public:
  /// By the shard that writes.
  void push(shard_call& call) noexcept {
    const std::uint32_t at = written_.load();
    NEN_ASSERT(at - taken_.load() < Calls);
    calls_[at % Calls] = &call;
    written_.store(at + 1);
  }
  /// By the shard that reads. @returns  null: there is none
  shard_call* take() noexcept {
    const std::uint32_t at = taken_.load();
    if (at == written_.load()) return nullptr;
    shard_call* const call = calls_[at % Calls];
    taken_.store(at + 1);
    return call;
  }
  /// By one of them, while the other cannot call.
  void clear() noexcept { taken_.store(written_.load()); }

 private:
  std::array<shard_call*, Calls> calls_;
  alignas(64) shared_value<std::uint32_t> written_;
  alignas(64) shared_value<std::uint32_t> taken_;
};

/// One shard's part.
template <std::uint32_t Calls, std::uint32_t Shards>
class shard_calls {
 public:
  static constexpr std::uint32_t no_slot = pool<shard_call, Calls>::none;

  /// Its shard begins to run: what is left of an earlier run is of nobody's interest.
  void open() noexcept {
    for (auto& q : asked_by_) q.clear();
    for (auto& q : answered_by_) q.clear();
    for (std::uint32_t i = 0; i < slots_.high_water(); ++i)
      if (slots_.is_held(i)) slots_.release(i);
    has_mail_.store(false);
    is_open_.store(true);
  }
  /// Nobody asks it any more.
  void close() noexcept { is_open_.store(false); }
  bool is_open() const noexcept { return is_open_.load(); }

  /// @returns  null: every slot is taken
  shard_call* acquire() noexcept {
    const auto index = slots_.try_acquire();
    return index == no_slot ? nullptr : &slots_[index];
  }

  /// Called by shard `from`. @returns  true when this one's shard is to be woken
  bool ask(std::uint32_t from, shard_call& call) noexcept {
    asked_by_[from].push(call);
    return !has_mail_.exchange(true);
  }
  bool answer(std::uint32_t from, shard_call& call) noexcept {
    answered_by_[from].push(call);
    return !has_mail_.exchange(true);
  }

  /// @param run  void(std::uint32_t from, shard_call&): runs a call and sends it back
  template <class Run>
  void look(Run run) {
    if (!has_mail_.load()) return;
    has_mail_.store(false);  // before it looks: who writes behind that wakes it again
    for (std::uint32_t from = 0; from < Shards; ++from) {
      while (shard_call* const call = asked_by_[from].take()) run(from, *call);
      while (shard_call* const call = answered_by_[from].take()) {
        shard_wait* const who = call->who;
        if (who != nullptr) who->has_come(*call);
        slots_.release(slots_.index_of(*call));
      }
    }
  }

  const auto& slots() const noexcept { return slots_; }

 private:
  pool<shard_call, Calls> slots_;  // of what it asks
  std::array<call_queue<Calls>, Shards> asked_by_;
  std::array<call_queue<Calls>, Shards> answered_by_;
  shared_value<bool> has_mail_;
  shared_value<bool> is_open_;
};

}  // namespace nen::detail
