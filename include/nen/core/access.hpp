// core, L0: who may come in: two lists of prefixes, and a place in which they are replaced while
// servers look at them.
#pragma once

#include <nen/core/cidr.hpp>
#include <nen/core/client_address.hpp>

#include <sched.h>

#include <atomic>
#include <cstdint>

namespace nen {

/// The longest prefix that an address is in decides, whatever the order; where both lists have it,
/// deny does. Who is in none may come in exactly if nobody is allowed by name. So `allow` alone
/// keeps all others out, `deny` alone lets all others in, and exceptions are longer prefixes.
/// Whoever has no IP address (a Unix socket) is in none of the lists and may always come in: its
/// file's permissions say who can.
struct access_rules {
  cidr_list allow;
  cidr_list deny;

  [[nodiscard]] constexpr bool admits(const client_address& who) const noexcept {
    if (!who.is_ip()) return true;
    const cidr* const allowed = longest_match(allow, who);
    const cidr* const denied = longest_match(deny, who);
    if (denied == nullptr) return allowed != nullptr || allow.empty();
    return allowed != nullptr && allowed->bits > denied->bits;
  }
};

/// Rules that can be replaced while servers use them. It outlives them; zero lets everybody in.
class access_control {
 public:
  access_control() = default;
  explicit constexpr access_control(const access_rules& first) noexcept : rules_(&first) {}
  access_control(const access_control&) = delete;
  access_control& operator=(const access_control&) = delete;

  /// From any thread but a server's own: these rules hold from now on, for connections that come
  /// and for requests. They, and what they view, stay as they are until others replace them. When
  /// this returns, nobody looks at the ones before any more: they may be changed or freed. (It
  /// waits for lookups that are under way, which take microseconds and wait for nothing.)
  void replace(const access_rules& rules) noexcept { put(&rules); }
  /// The same with none: everybody may come in.
  void clear() noexcept { put(nullptr); }

  /// From any thread.
  [[nodiscard]] bool admits(const client_address& who) const noexcept {
    // The order of these three is the same for everybody (sequential consistency): whoever is not
    // counted when replace() looks, will find the new rules.
    readers_.fetch_add(1);
    const access_rules* const rules = rules_.load();
    const bool may = rules == nullptr || rules->admits(who);
    readers_.fetch_sub(1);
    return may;
  }

 private:
  void put(const access_rules* rules) noexcept {
    rules_.store(rules);
    while (readers_.load() != 0) ::sched_yield();
  }

  std::atomic<const access_rules*> rules_{nullptr};
  mutable std::atomic<std::uint32_t> readers_{0};
};

}  // namespace nen
