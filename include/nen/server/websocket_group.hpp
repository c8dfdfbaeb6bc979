// server, L3: peers that hear the same, of one shard or of several: a message is encoded once a
// shard, and all members' sends point to it.
#pragma once

#include <nen/core/assert.hpp>
#include <nen/core/pool.hpp>
#include <nen/server/websocket_mail.hpp>
#include <nen/server/websocket_members.hpp>
#include <nen/server/websocket_peer.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace nen::ws {

/// What shapes a group whose members are on several shards.
struct group_config {
  std::uint32_t shards = 1;  ///< as many as the server has, or more
  /// Messages that wait from one shard to another; those that find no place there are missed.
  std::uint32_t letters = 64;
  std::uint32_t letter_bytes_max = 4096;  ///< longer messages do not reach other shards
};

/// Up to `MembersMax` peers of each shard. An object of the application's state: hand it to the
/// server, and sessions take it by reference. All functions may be called by any handler or
/// session.
template <std::uint32_t MembersMax, group_config Config = group_config{}>
class group {
  static_assert(Config.shards >= 1 && Config.letters >= 1 && Config.letter_bytes_max >= 1,
                "nen::ws::group_config: shards, letters and letter_bytes_max must be at least 1");

 public:
  /// For who shows how groups are.
  static constexpr bool is_websocket_group = true;

  group() noexcept {
    for (std::uint32_t i = 0; i < Config.shards; ++i) {
      branches_[i].owner = this;
      branches_[i].index = i;
    }
  }
  group(const group&) = delete;
  group& operator=(const group&) = delete;

  /// Who closes leaves by himself. To join again changes nothing.
  /// @returns  false when the group is full on this shard, or has too few shards for it
  ///           (group_config::shards), or the peer is not open
  bool join(const peer& who) {
    if (!who.is_open()) return false;
    branch* const b = branch_of(*nen::detail::websocket_access::host(who));
    if (b == nullptr) return false;
    if (b->find(who) != nullptr) return true;
    const auto index = b->memberships.try_acquire();
    if (index == b->memberships.none) return false;
    b->memberships[index] = {};
    b->add(b->memberships[index], who);
    return true;
  }
  void leave(const peer& who) noexcept {
    if (!who.is_open()) return;
    branch* const b = branch_of(*nen::detail::websocket_access::host(who));
    if (b == nullptr) return;
    if (auto* const m = b->find(who)) b->end(*m);
  }
  bool contains(const peer& who) noexcept {
    if (!who.is_open()) return false;
    branch* const b = branch_of(*nen::detail::websocket_access::host(who));
    return b != nullptr && b->find(who) != nullptr;
  }
  /// Members on all shards; on others than one's own it may have changed meanwhile.
  std::uint32_t size() const noexcept {
    std::uint32_t sum = 0;
    for (const branch& b : branches_) sum += b.count.load(std::memory_order_relaxed);
    return sum;
  }
  /// Messages that did not reach another shard, for want of a letter or because they were too long.
  std::uint64_t missed() const noexcept { return missed_.load(std::memory_order_relaxed); }

  /// Sends a message to every member.
  /// @returns  how many of this shard it is on its way to
  std::uint32_t broadcast(std::string_view text, slow_peer slow) {
    return broadcast({opcode::text, text, 0}, slow);
  }
  std::uint32_t broadcast_binary(std::string_view bytes, slow_peer slow) {
    return broadcast({opcode::binary, bytes, 0}, slow);
  }
  std::uint32_t broadcast(const message& m, slow_peer slow) {
    return broadcast({m.is_text ? opcode::text : opcode::binary, m.bytes, m.slot}, slow);
  }

 private:
  using letter_queue = nen::detail::letter_queue<Config.letters, Config.letter_bytes_max>;

  /// The members on one shard, and what other shards have for them.
  struct branch : nen::detail::group_members, nen::detail::mailbox {
    branch() noexcept : group_members(give_back), mailbox(open_mail) {}

    group* owner = nullptr;
    std::uint32_t index = 0;
    std::atomic<nen::detail::websocket_host*> host = nullptr;
    pool<nen::detail::membership, MembersMax> memberships{};

    static void give_back(group_members& members, nen::detail::membership& m) noexcept {
      auto& own = static_cast<branch&>(members).memberships;
      own.release(own.index_of(m));
    }
    static void open_mail(mailbox& box) {
      auto& self = static_cast<branch&>(box);
      self.owner->take_mail(self);
    }
  };

  /// The branch of a shard; called on its thread. The first call takes one.
  /// @returns  nullptr when group_config::shards are less than the server's
  branch* branch_of(nen::detail::websocket_host& host) {
    for (branch& b : branches_) {
      nen::detail::websocket_host* found = b.host.load(std::memory_order_acquire);
      if (found == nullptr &&
          b.host.compare_exchange_strong(found, &host, std::memory_order_acq_rel)) {
        host.call->add_mailbox(host, b);
        found = &host;
      }
      if (found == &host) return &b;
    }
    return nullptr;
  }

  std::uint32_t broadcast(const nen::detail::websocket_payload& what, slow_peer slow) {
    NEN_ASSERT(nen::detail::websockets_here != nullptr);  // called by a handler or a session
    branch* const mine = branch_of(*nen::detail::websockets_here);
    if (mine == nullptr) {
      missed_.fetch_add(1, std::memory_order_relaxed);
      return 0;
    }
    branch& here = *mine;
    if constexpr (Config.shards > 1) {
      for (branch& there : branches_)
        if (&there != &here && there.count.load(std::memory_order_acquire) != 0)
          send_mail(here, there, what, slow);
    }
    return here.broadcast(what, slow);
  }

  letter_queue& queue(const branch& from, const branch& to) noexcept {
    return queues_[std::size_t{from.index} * Config.shards + to.index];
  }
  void send_mail(branch& from, branch& to, const nen::detail::websocket_payload& what,
                 slow_peer slow) {
    if (!queue(from, to).push(what, slow)) {
      missed_.fetch_add(1, std::memory_order_relaxed);
      return;
    }
    if (to.has_mail.exchange(true)) return;  // somebody called, and it has not come yet
    nen::detail::websocket_host& host = *to.host.load(std::memory_order_acquire);
    host.call->call_for_mail(host);
  }
  void take_mail(branch& here) {
    here.has_mail.store(false);  // before it looks: who writes behind that calls again
    for (const branch& from : branches_)
      if (&from != &here)
        queue(from, here).take_all([&](const nen::detail::websocket_payload& what, slow_peer slow) {
          (void)here.broadcast(what, slow);
        });
  }

  std::array<branch, Config.shards> branches_;
  std::array<letter_queue, Config.shards == 1 ? 0 : std::size_t{Config.shards} * Config.shards>
      queues_;
  std::atomic<std::uint64_t> missed_ = 0;
};

}  // namespace nen::ws
