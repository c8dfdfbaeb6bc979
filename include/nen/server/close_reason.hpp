// server, L3: why a connection ended.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace nen::tcp {

/// Why a connection ended, as the side that ends it last knows it: a session that closes in good
/// order while its peer resets the connection ended by the reset. No reason is zero.
enum class close_reason : std::uint8_t {
  peer_finished = 1,  ///< the peer had sent all, and so had we
  peer_reset,         ///< it reset the connection, or that broke in another way
  session,            ///< the session wanted it
  stalled,        ///< the session left bytes unused while nothing could make it use them any more
  idle_timeout,   ///< a time that the peer was given had passed
  write_timeout,  ///< the peer did not read what was sent
  evicted,        ///< it held, unused, memory or a slot that others waited for
  shed,           ///< it came when every slot was taken (overload::shed)
  drained,        ///< the server stops, and nothing was left to be sent
  aborted,        ///< cut off: by server::abort, or because the drain timeout had passed
  limited,        ///< not read: its client has too many connections, or makes them too fast
  denied,         ///< not read: listen_options::access does not admit its client
  blacklisted,    ///< not read: its client did too much that it should not
  proxy_header,   ///< it had to begin with a PROXY header and did not
};
inline constexpr std::size_t close_reasons = 14;

constexpr std::string_view to_string(close_reason why) noexcept {
  constexpr std::string_view names[close_reasons + 1] = {
      "none",         "peer_finished", "peer_reset", "session",     "stalled",
      "idle_timeout", "write_timeout", "evicted",    "shed",        "drained",
      "aborted",      "limited",       "denied",     "blacklisted", "proxy_header"};
  const auto index = static_cast<std::size_t>(why);
  return index <= close_reasons ? names[index] : names[0];
}

}  // namespace nen::tcp
