// server, L3: who is told how a server is. What a server knows of them; systemd.hpp is one.
#pragma once

#include <nen/core/result.hpp>
#include <nen/net/address.hpp>
#include <nen/server/shard_listeners.hpp>

#include <span>

namespace nen {

/// Is told of one run of a server at a time.
struct service_observer {
  struct functions {
    /// Before anything else.
    result<void> (*open)(service_observer&) noexcept;
    /// Every shard accepts connections; their loops may be asked from now on.
    result<void> (*ready)(service_observer&, const endpoint&, const detail::shard_pulses&,
                          std::span<detail::shard_thread>) noexcept;
    /// From any thread and from a signal handler, maybe often.
    void (*stopping)(const service_observer&) noexcept;
    /// No shard runs any more. Also after an open that failed.
    void (*close)(service_observer&) noexcept;
  };
  const functions* call;
};

}  // namespace nen
