// server, L3: what a shard decides about clients by their addresses: whom it believes, whom it lets
// in, how much they may. Programs include it whose config has client_rules, client_limits or
// proxy_protocol; with any other there is no trace of it.
#pragma once

#include <nen/config.hpp>
#include <nen/core/access.hpp>
#include <nen/core/cidr.hpp>
#include <nen/core/client_address.hpp>
#include <nen/core/result.hpp>
#include <nen/core/timer_wheel.hpp>
#include <nen/http/fields.hpp>
#include <nen/http/forwarded.hpp>
#include <nen/net/proxy_header.hpp>
#include <nen/server/address_table.hpp>
#include <nen/server/close_reason.hpp>
#include <nen/server/connection.hpp>
#include <nen/server/counters.hpp>
#include <nen/server/gate_choice.hpp>

#include <sys/random.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace nen::detail {

/// What it keeps of each connection, beside whose it is.
template <bool HasTable>
struct gate_slot_state {
  std::uint32_t client_slot;  ///< of the table, 0: none
};
template <>
struct gate_slot_state<false> {};
template <bool ReadsHeaders>
struct gate_header_state {
  proxy_header_reader header;
  bool awaits_header;  ///< true exactly as long as no byte is its session's
};
template <>
struct gate_header_state<false> {};

template <bool HasTable, bool ReadsHeaders>
struct gate_connection_state : gate_slot_state<HasTable>, gate_header_state<ReadsHeaders> {
  client_address peer;  ///< who is at the other end; a proxy's client may be another one
  bool is_proxy;        ///< true exactly when that is believed for whom it speaks
  bool is_inside;       ///< true exactly when its session has heard of it
};

/// The table, and when it is looked through.
template <std::uint32_t Slots>
struct gate_table {
  timer sweep_timer;
  address_table<Slots> clients;
};
struct no_gate_table {};

template <config Config>
class client_gate<Config, true> {
 public:
  static constexpr bool has_table = Config.client_limits != 0;
  static constexpr bool reads_headers = Config.proxy_protocol;
  using header_status = proxy_header_status;
  using connection_state = gate_connection_state<has_table, reads_headers>;

 private:
  static constexpr std::uint32_t slots = has_table ? Config.client_limits : 1;
  static_assert(!has_table || slots > Config.connections + shed_slots,
                "config::client_limits must be 0 or more than config::connections + 8");

 public:
  static constexpr std::size_t slot_bytes = has_table ? address_table<slots>::slot_bytes : 0;

  /// Takes over what concerns it of the options.
  /// @returns  EINVAL with a sentence when they ask for what can't be
  [[gnu::cold]] result<void> open(const listen_options& options,
                                  shard_counters& counters) noexcept {
    if (auto right = check(options); !right) return right;
    counters_ = &counters;
    access_ = options.access;
    trusted_ = options.trusted_proxies;
    trusts_unix_ = options.trusts_unix_sockets;
    expected_ = options.proxy_protocol;
    forwarded_ = options.forwarded;
    header_timeout_ = to_milliseconds(options.header_timeout);
    if constexpr (has_table) {
      sip_key key{};
      if (::getrandom(&key, sizeof key, 0) != sizeof key)
        return make_error(errno, "cannot get random numbers: %s", std::strerror(errno));
      table_.clients.start(options.limits, key, counters);
    }
    return {};
  }

  /// True for peers that are believed when they say for whom they speak.
  bool trusts(const client_address& peer) const noexcept {
    if (peer.what == client_address::kind::unix_socket) return trusts_unix_;
    return is_in(trusted_, peer);
  }
  bool expects_header(bool is_trusted) const noexcept {
    return expected_ == proxy_protocol::from_all ||
           (expected_ == proxy_protocol::from_trusted && is_trusted);
  }
  std::uint32_t header_timeout() const noexcept { return header_timeout_; }

  /// A connection is there, and whose it is known.
  /// @returns  why it is closed; zero: it is not
  template <class Connection>
  tcp::close_reason admit(Connection& c, tick now) noexcept {
    c.peer = c.client;
    c.is_proxy = trusts(c.client);
    if (c.is_proxy) return {};
    if (access_ != nullptr && !access_->admits(c.client)) {
      counters_->connections_denied.add();
      return tcp::close_reason::denied;
    }
    if constexpr (has_table) {
      switch (table_.clients.enter(c.client, now, c.client_slot)) {
        case client_verdict::admitted:
          break;
        case client_verdict::too_many:
        case client_verdict::too_fast:
          counters_->connections_limited.add();
          return tcp::close_reason::limited;
        case client_verdict::blacklisted:
          counters_->connections_blacklisted.add();
          return tcp::close_reason::blacklisted;
      }
    }
    return {};
  }
  /// It closes, whether it was admitted or not.
  template <class Connection>
  void leave(Connection& c, tick now) noexcept {
    if constexpr (has_table) {
      if (c.client_slot == 0) return;
      table_.clients.leave(c.client_slot, now);
      c.client_slot = 0;
    }
  }

  /// A request has come: finds out whose it is, and whether it may go on. Fields of whoever is no
  /// trusted proxy are not looked at.
  template <class Connection>
  request_refusal judge(Connection& c, const fields& all, tick now) noexcept {
    client_verdict verdict = client_verdict::admitted;
    std::uint32_t wait_ms = 0;
    if (!c.is_proxy) {
      if constexpr (has_table) verdict = table_.clients.ask(c.client_slot, now, wait_ms);
    } else if (learn_client(c, all); !trusts(c.client)) {
      // Whoever can't be told from the proxy itself is not limited: that asks for everybody.
      if (access_ != nullptr && !access_->admits(c.client)) {
        counters_->requests_denied.add();
        return {403, false, 0};
      }
      if constexpr (has_table) verdict = table_.clients.ask(c.client, now, wait_ms);
    }
    if (verdict == client_verdict::admitted) return {};
    counters_->requests_limited.add();
    // A proxy's connection is also the other clients'.
    const bool closes = verdict == client_verdict::blacklisted && !c.is_proxy;
    return {429, closes, wait_ms / 1000 + 1};
  }

  /// What came on this connection is malformed. Of a proxy's, nobody knows whose it is.
  template <class Connection>
  void offend(Connection& c, tick now) noexcept {
    if constexpr (has_table) table_.clients.offend(c.client_slot, now);
  }

  // Where there is a table.
  auto& table() noexcept { return table_.clients; }
  const auto& table() const noexcept { return table_.clients; }
  timer& sweep_timer() noexcept { return table_.sweep_timer; }
  /// Looks through the table once a day: ticks wrap, and what is long over must not come back.
  void sweep(timer_wheel& timers) noexcept {
    constexpr tick day_ms = 24 * 3'600'000;
    table_.clients.sweep(timers.now());
    timers.arm(table_.sweep_timer, timers.now() + day_ms);
  }

 private:
  static result<void> check(const listen_options& options) noexcept {
    const limit_options& limits = options.limits;
    if (!has_table && (limits.connections_per_client != 0 || limits.connections_per_second != 0 ||
                       limits.requests_per_second != 0 || limits.offences_max != 0))
      return make_error(EINVAL,
                        "limits need memory for clients: set config::client_limits, to more than "
                        "config::connections + 8");
    if (!reads_headers && options.proxy_protocol != proxy_protocol::off)
      return make_error(EINVAL, "proxy_protocol needs config::proxy_protocol = true");
    if (!options.trusted_proxies.empty() || options.trusts_unix_sockets) return {};
    if (options.forwarded != forwarded_field::none)
      return make_error(EINVAL,
                        "forwarded is what a trusted proxy tells, and nobody is trusted: set "
                        "trusted_proxies or trusts_unix_sockets");
    if (options.proxy_protocol == proxy_protocol::from_trusted)
      return make_error(EINVAL,
                        "a PROXY header is expected from trusted proxies, and nobody is trusted: "
                        "set trusted_proxies or trusts_unix_sockets");
    return {};
  }

  template <class Connection>
  void learn_client(Connection& c, const fields& all) noexcept {
    if (forwarded_ != forwarded_field::none)
      c.client = forwarded_client(all, forwarded_, c.peer, trusted_);
  }

  [[no_unique_address]] std::conditional_t<has_table, gate_table<slots>, no_gate_table> table_;
  shard_counters* counters_;
  const access_control* access_;
  cidr_list trusted_;
  std::uint32_t header_timeout_;
  proxy_protocol expected_;
  forwarded_field forwarded_;
  bool trusts_unix_;
};

}  // namespace nen::detail
