// server, L3: the members of a group on one shard.
#pragma once

#include <nen/core/assert.hpp>
#include <nen/core/intrusive_list.hpp>
#include <nen/server/websocket_peer.hpp>

#include <atomic>
#include <cstdint>

namespace nen::detail {

struct of_group;
class group_members;

/// One peer in one group; in the list of the group and in that of the peer.
struct membership : list_hook<of_group>, list_hook<of_peer> {
  group_members* group;
  websocket_host* host;
  websocket_name name;
};

/// All of them that does not depend on how many there can be.
class group_members {
 public:
  using release_function = void (*)(group_members&, membership&) noexcept;
  explicit group_members(release_function f) noexcept : release_(f) {}

  void add(membership& m, const ws::peer& who) {
    websocket_host& host = *websocket_access::host(who);
    m.group = this;
    m.host = &host;
    m.name = websocket_access::name(who);
    members_.push_back(m);
    host.call->memberships(host, m.name).push_back(m);
    count.fetch_add(1, std::memory_order_release);
  }
  /// Ends a membership.
  void end(membership& m) noexcept {
    intrusive_list<membership, of_group>::remove(m);
    intrusive_list<membership, of_peer>::remove(m);
    count.fetch_sub(1, std::memory_order_relaxed);
    release_(*this, m);
  }
  membership* find(const ws::peer& who) const {
    websocket_host& host = *websocket_access::host(who);
    auto& list = host.call->memberships(host, websocket_access::name(who));
    auto* m = list.front();
    while (m != nullptr && m->group != this) m = list.next(*m);
    return m;
  }

  /// Hands everybody the payload.
  /// @returns  how many it is on its way to
  std::uint32_t broadcast(const websocket_payload& what, ws::slow_peer slow) {
    if (members_.empty()) return 0;
    websocket_host& host = *members_.front()->host;
    const std::uint32_t shared = host.call->share(host, what);
    std::uint32_t reached = 0;
    // Each goes to the end of the list as his turn comes: whatever a member's functions do to the
    // group meanwhile, the next one is at its front. Who joins stands behind the round's end.
    membership end_of_round{};
    end_of_round.host = &host;
    members_.push_back(end_of_round);
    for (auto* m = members_.pop_front(); m != &end_of_round; m = members_.pop_front()) {
      members_.push_back(*m);
      if (m->group == nullptr) continue;  // the end of the round within which this one was called
      const websocket_name name = m->name;
      const auto result = shared != 0 ? host.call->send_shared(host, name, shared, slow)
                                      : host.call->send(host, name, what, slow);
      reached += result == ws::send_result::sent;
    }
    if (shared != 0) host.call->unshare(host, shared);
    return reached;
  }

  std::atomic<std::uint32_t> count = 0;  ///< written on its shard; who reads more than 0
                                         ///< sees the shard as it was when it began

 private:
  intrusive_list<membership, of_group> members_{};
  release_function release_;
};

}  // namespace nen::detail
