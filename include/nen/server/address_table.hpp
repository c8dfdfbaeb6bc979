// server, L3: what a shard remembers of each client by its address: open connections, how fast it
// connects and asks, what it did wrong. Fixed memory, O(1), oldest forgotten first.
#pragma once

#include <nen/config.hpp>
#include <nen/core/assert.hpp>
#include <nen/core/client_address.hpp>
#include <nen/core/intrusive_list.hpp>
#include <nen/core/pool.hpp>
#include <nen/core/sip_hash.hpp>
#include <nen/core/smallest.hpp>
#include <nen/core/timer_wheel.hpp>
#include <nen/server/counters.hpp>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace nen {

/// What becomes of a client's connection or request.
enum class client_verdict : std::uint8_t { admitted, too_many, too_fast, blacklisted };

namespace detail {

/// So many a second in the long run, and so many at once. Counted in thousandths, so that each
/// millisecond brings a whole number of them.
struct client_rate {
  static constexpr std::uint32_t one = 1000;
  /// Of anything that is counted; more would not fit into thousandths.
  static constexpr std::uint32_t most = 4'000'000;

  std::uint32_t per_ms;  ///< thousandths that come back; 0: no limit
  std::uint32_t burst;   ///< thousandths that there are at most

  static constexpr client_rate of(std::uint32_t per_second, std::uint32_t burst) noexcept {
    if (per_second == 0) return {0, 0};
    const std::uint32_t at_once = burst == 0 ? per_second : burst;
    return {smallest(per_second, most), smallest(at_once, most) * one};
  }
  constexpr std::uint32_t after(std::uint32_t level, tick passed) const noexcept {
    const std::uint64_t filled = level + std::uint64_t{passed} * per_ms;
    return filled < burst ? static_cast<std::uint32_t>(filled) : burst;
  }
  /// @returns  false when there is less than one
  constexpr bool take(std::uint32_t& level) const noexcept {
    if (per_ms == 0) return true;
    if (level < one) return false;
    level -= one;
    return true;
  }
  /// Milliseconds until there is one.
  constexpr std::uint32_t wait(std::uint32_t level) const noexcept {
    return level >= one || per_ms == 0 ? 0 : (one - level + per_ms - 1) / per_ms;
  }
};

struct recent_tag;

/// One client. It is in the list of those who were seen last, or of those on the blacklist, exactly
/// as long as it has no open connection.
struct client_slot : list_hook<recent_tag> {
  std::uint64_t prefix;       // all of an IPv4 address, the first half of an IPv6 one
  std::uint32_t home;         // the place in the index that its address's hash points to
  std::uint32_t connections;  // open
  std::uint32_t request_level;
  std::uint32_t connection_level;
  tick seen;  // when both levels were right
  tick offences_began;
  tick blacklisted_until;
  std::uint16_t offences;  // since then
  client_address::kind family;
  bool is_blacklisted;
};

}  // namespace detail

/// An open-addressing hash table in static memory: an index that is never more than half full, of
/// slots that never move. So each connection keeps the number of its client's slot, and as long as
/// it does, that can't be given to somebody else. That is why there have to be more slots than
/// connections: then one can always be had, of a client without connections. IPv6 clients are told
/// apart by their first 64 bits, because whoever has one such address has all of them (RFC 6177).
///
/// Ticks wrap: sweep() has to be called at least every ten days or so, lest what is long over comes
/// back.
template <std::uint32_t Slots>
class address_table {
  using slot = detail::client_slot;
  using rate = detail::client_rate;

 public:
  /// No client: whoever has no IP address is not counted, and always admitted.
  static constexpr std::uint32_t nobody = 0;

  address_table() = default;

  /// @param key  random, so that nobody can choose addresses that fall into one place
  /// @pre  it is empty, or nobody has a connection; what it remembers stays
  void start(const limit_options& options, const sip_key& key, shard_counters& counters) noexcept {
    NEN_ASSERT(counters_ == nullptr || counters_ == &counters);
    if (counters_ == nullptr) key_ = key;  // what is there was found by the first one
    counters_ = &counters;
    connections_max_ = options.connections_per_client;
    connection_rate_ = rate::of(options.connections_per_second, options.connection_burst);
    request_rate_ = rate::of(options.requests_per_second, options.request_burst);
    offences_max_ = options.offences_max;
    offence_window_ = detail::to_milliseconds(options.offence_window);
    blacklist_time_ = detail::to_milliseconds(options.blacklist_time);
  }

  /// A client has connected.
  /// @param client  its slot, when it is admitted: to be given back with leave()
  client_verdict enter(const client_address& who, tick now, std::uint32_t& client) noexcept {
    client = nobody;
    if (!who.is_ip()) return client_verdict::admitted;
    slot& s = find_or_take(who, now);
    if (s.is_blacklisted) return client_verdict::blacklisted;
    if (connections_max_ != 0 && s.connections >= connections_max_)
      return offend(s, now), client_verdict::too_many;
    if (!connection_rate_.take(s.connection_level)) return offend(s, now), client_verdict::too_fast;
    ++s.connections;
    unlist(s);
    client = slots_.index_of(s) + 1;
    return client_verdict::admitted;
  }
  /// It has closed.
  void leave(std::uint32_t client, tick now) noexcept {
    slot& s = slots_[client - 1];
    NEN_ASSERT(slots_.is_held(client - 1) && s.connections != 0 && !s.linked());
    refresh(s, now);
    if (--s.connections == 0) list(s);
  }

  /// A client asks.
  /// @param wait_ms  if it is not admitted: how long it will be before it is
  client_verdict ask(std::uint32_t client, tick now, std::uint32_t& wait_ms) noexcept {
    wait_ms = 0;
    if (client == nobody) return client_verdict::admitted;
    NEN_ASSERT(slots_.is_held(client - 1));
    slot& s = slots_[client - 1];
    refresh(s, now);
    return ask(s, now, wait_ms);
  }
  /// The same for one whose connection this is not, because a proxy passes on what it asks.
  client_verdict ask(const client_address& who, tick now, std::uint32_t& wait_ms) noexcept {
    wait_ms = 0;
    if (!who.is_ip()) return client_verdict::admitted;
    return ask(find_or_take(who, now), now, wait_ms);
  }

  /// It has done something wrong.
  void offend(std::uint32_t client, tick now) noexcept {
    if (client != nobody) offend(slots_[client - 1], now);
  }

  /// Forgets what is over, in every slot.
  [[gnu::cold]] void sweep(tick now) noexcept {
    for (std::uint32_t i = 0; i < slots_.high_water(); ++i) {
      if (!slots_.is_held(i)) continue;
      slot& s = slots_[i];
      refresh(s, now);
      if (s.offences != 0 && now - s.offences_began >= offence_window_) s.offences = 0;
    }
  }

  const auto& slots() const noexcept { return slots_; }
  /// Open connections of a client; 0 when it is not known.
  std::uint32_t connections_of(const client_address& who) noexcept {
    const std::uint32_t found = find(prefix_of(who), who.what);
    return found == nobody ? 0 : slots_[found - 1].connections;
  }
  bool is_blacklisted(const client_address& who, tick now) noexcept {
    const std::uint32_t found = find(prefix_of(who), who.what);
    if (found == nobody) return false;
    refresh(slots_[found - 1], now);
    return slots_[found - 1].is_blacklisted;
  }
  /// Every slot is found by its address, and is listed exactly if it has no open connection; they
  /// have this many together. O(slots), for tests.
  bool consistent(std::uint64_t open_connections) noexcept {
    std::uint32_t held = 0;
    std::uint64_t open = 0;
    std::uint32_t listed = 0;
    for (std::uint32_t i = 0; i < slots_.high_water(); ++i) {
      if (!slots_.is_held(i)) continue;
      ++held;
      const slot& s = slots_[i];
      if (find(s.prefix, s.family) != i + 1 || s.linked() != (s.connections == 0)) return false;
      listed += s.linked();
      open += s.connections;
    }
    std::uint32_t counted = 0;
    for (auto* all : {&recent_, &blacklisted_})
      for (slot* s = all->front(); s != nullptr; s = all->next(*s)) ++counted;
    return slots_.consistent() && held == slots_.in_use() && counted == listed &&
           open == open_connections;
  }

  static constexpr std::size_t slot_bytes = sizeof(slot);

 private:
  using slot_list = intrusive_list<slot, detail::recent_tag>;
  static constexpr std::uint32_t places = std::bit_ceil(2 * Slots);

  static std::uint64_t prefix_of(const client_address& who) noexcept {
    const std::size_t size = who.what == client_address::kind::ipv4 ? 4 : 8;
    std::uint64_t prefix = 0;
    for (std::size_t i = 0; i < size; ++i) prefix = prefix << 8 | who.bytes[i];
    return prefix;
  }
  std::uint32_t home_of(std::uint64_t prefix, client_address::kind family) const noexcept {
    return sip_hash(key_, prefix, static_cast<std::uint64_t>(family)) & (places - 1);
  }
  static std::uint32_t behind(std::uint32_t place) noexcept { return (place + 1) & (places - 1); }

  std::uint32_t find(std::uint64_t prefix, client_address::kind family) noexcept {
    std::uint32_t at = home_of(prefix, family);
    while (index_[at] != nobody) {
      const slot& s = slots_[index_[at] - 1];
      if (s.prefix == prefix && s.family == family) break;
      at = behind(at);
    }
    return index_[at];
  }

  slot& find_or_take(const client_address& who, tick now) noexcept {
    const std::uint64_t prefix = prefix_of(who);
    const std::uint32_t found = find(prefix, who.what);
    if (found == nobody) return take(prefix, who.what, now);
    slot& s = slots_[found - 1];
    refresh(s, now);
    if (s.linked()) list(s);  // now it is the one that was seen last
    return s;
  }

  slot& take(std::uint64_t prefix, client_address::kind family, tick now) noexcept {
    // Two of the oldest for each new one, as far as nothing would be lost with them: so the table
    // has hardly more clients than there is something to remember of.
    for (slot_list* old : {&recent_, &blacklisted_})
      if (slot* const s = old->front(); s != nullptr && is_as_new(*s, now)) forget(*s);
    std::uint32_t index = slots_.try_acquire();
    if (index == slots_.none) {
      slot* const oldest = recent_.empty() ? blacklisted_.front() : recent_.front();
      NEN_ASSERT(oldest != nullptr);  // there are more slots than connections
      counters_->client_slots_evicted.add();
      forget(*oldest);
      index = slots_.try_acquire();
    }
    slot& s = slots_[index];
    s = slot{};
    s.prefix = prefix;
    s.family = family;
    s.seen = now;
    s.request_level = request_rate_.burst;
    s.connection_level = connection_rate_.burst;
    s.home = home_of(prefix, family);
    std::uint32_t at = s.home;
    while (index_[at] != nobody) at = behind(at);
    index_[at] = index + 1;
    list(s);
    return s;
  }

  void forget(slot& s) noexcept {
    NEN_ASSERT(s.connections == 0);
    const std::uint32_t link = slots_.index_of(s) + 1;
    std::uint32_t hole = s.home;
    while (index_[hole] != link) hole = behind(hole);
    // Whoever is found by way of this place moves up, and leaves the next hole.
    for (std::uint32_t at = behind(hole); index_[at] != nobody; at = behind(at)) {
      const std::uint32_t home = slots_[index_[at] - 1].home;
      if (((at - home) & (places - 1)) < ((at - hole) & (places - 1))) continue;
      index_[hole] = index_[at];
      hole = at;
    }
    index_[hole] = nobody;
    unlist(s);
    slots_.release(link - 1);
  }

  /// True when a slot tells no more than one that was never there.
  bool is_as_new(slot& s, tick now) noexcept {
    refresh(s, now);
    return s.connections == 0 && !s.is_blacklisted && s.request_level == request_rate_.burst &&
           s.connection_level == connection_rate_.burst &&
           (s.offences == 0 || now - s.offences_began >= offence_window_);
  }

  /// Lets what has happened in time happen.
  void refresh(slot& s, tick now) noexcept {
    const tick passed = now - s.seen;
    s.request_level = request_rate_.after(s.request_level, passed);
    s.connection_level = connection_rate_.after(s.connection_level, passed);
    s.seen = now;
    if (!s.is_blacklisted || tick_before(now, s.blacklisted_until)) return;
    s.is_blacklisted = false;
    if (s.linked()) list(s);
  }

  client_verdict ask(slot& s, tick now, std::uint32_t& wait_ms) noexcept {
    if (!s.is_blacklisted) {
      if (request_rate_.take(s.request_level)) return client_verdict::admitted;
      offend(s, now);
    }
    wait_ms = s.is_blacklisted ? s.blacklisted_until - now : request_rate_.wait(s.request_level);
    return s.is_blacklisted ? client_verdict::blacklisted : client_verdict::too_fast;
  }

  void offend(slot& s, tick now) noexcept {
    if (offences_max_ == 0 || s.is_blacklisted) return;
    if (s.offences == 0 || now - s.offences_began >= offence_window_) {
      s.offences = 0;
      s.offences_began = now;
    }
    constexpr std::uint16_t most = 0xffff;
    if (s.offences != most) ++s.offences;
    if (s.offences < detail::smallest(offences_max_, std::uint32_t{most})) return;
    counters_->clients_blacklisted.add();
    s.offences = 0;
    s.is_blacklisted = true;
    s.blacklisted_until = now + blacklist_time_;
    if (s.linked()) list(s);
  }

  void list(slot& s) noexcept {
    unlist(s);
    (s.is_blacklisted ? blacklisted_ : recent_).push_back(s);
  }
  static void unlist(slot& s) noexcept {
    if (s.linked()) slot_list::remove(s);
  }

  pool<slot, Slots> slots_;
  /// The number of a slot + 1, in the first free place from its home on; nobody: free.
  std::array<std::uint32_t, places> index_;
  slot_list recent_;  // without connections, the one that was seen longest ago first
  slot_list blacklisted_;
  sip_key key_;
  shard_counters* counters_;
  rate connection_rate_;
  rate request_rate_;
  std::uint32_t connections_max_;
  std::uint32_t offences_max_;
  std::uint32_t offence_window_;
  std::uint32_t blacklist_time_;
};

}  // namespace nen
