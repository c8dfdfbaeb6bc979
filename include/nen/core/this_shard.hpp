// core, L0: which shard the calling thread serves, for what each shard keeps apart.
#pragma once

#include <cstddef>
#include <cstdint>

namespace nen::detail {

/// A shard's thread, and the object that all of its server lies in.
struct shard_place {
  const void* server = nullptr;
  std::size_t server_bytes = 0;
  std::uint32_t index = 0;

  /// True exactly when the thread serves the server that `part` is a part of: another server's
  /// shards have the same indices.
  bool serves(const void* part) const noexcept {
    const auto distance =
        reinterpret_cast<std::uintptr_t>(part) - reinterpret_cast<std::uintptr_t>(server);
    return distance < server_bytes;
  }
};

/// Set by a server on its shards' threads. Elsewhere it serves nothing.
inline constinit thread_local shard_place this_shard{};

}  // namespace nen::detail
