// server, L3: whether a shard decides about clients by their addresses. One that does has
// server/client_gate.hpp; any other has nothing.
#pragma once

#include <nen/config.hpp>
#include <nen/core/result.hpp>

#include <cerrno>
#include <cstddef>
#include <cstdint>

namespace nen {

struct shard_counters;

/// What a request is answered instead of its handler's answer.
struct request_refusal {
  std::uint16_t code = 0;           ///< 0: none, it is admitted; 403, or 429
  bool closes = false;              ///< no more is wanted of this connection
  std::uint32_t retry_seconds = 0;  ///< with 429: for Retry-After
};

namespace detail {

constexpr bool is_gated(const config& c) noexcept {
  return c.client_rules || c.client_limits != 0 || c.proxy_protocol;
}

/// Without one: options that would need it are refused at start-up.
template <config Config, bool Gated>
class client_gate {
  static_assert(!Gated,
                "config::client_rules, client_limits, proxy_protocol need "
                "<nen/server/client_gate.hpp>");

 public:
  static constexpr bool has_table = false;
  static constexpr bool reads_headers = false;
  static constexpr std::size_t slot_bytes = 0;

  struct connection_state {};

  result<void> open(const listen_options& options, shard_counters&) noexcept {
    const limit_options& limits = options.limits;
    const bool is_needed = options.access != nullptr || !options.trusted_proxies.empty() ||
                           options.trusts_unix_sockets || options.forwarded != forwarded_field{} ||
                           limits.connections_per_client != 0 ||
                           limits.connections_per_second != 0 || limits.requests_per_second != 0 ||
                           limits.offences_max != 0 || options.proxy_protocol != proxy_protocol{};
    if (!is_needed) return {};
    return make_error(EINVAL,
                      "access, trusted_proxies, trusts_unix_sockets, forwarded, limits and "
                      "proxy_protocol need a server with config::client_rules, "
                      "config::client_limits or config::proxy_protocol");
  }
};

}  // namespace detail

}  // namespace nen
