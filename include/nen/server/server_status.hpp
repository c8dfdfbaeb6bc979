// server, L3: how a shard is, for handlers that tell a load balancer.
#pragma once

namespace nen {

/// A handler takes it as `const nen::server_status&`. It tells of the shard that the handler runs
/// on.
class server_status {
 public:
  struct functions {
    bool (*draining)(const void* shard) noexcept;
    bool (*overloaded)(const void* shard) noexcept;
  };

  server_status() = default;
  server_status(const void* shard, const functions& call) noexcept : shard_(shard), call_(&call) {}

  /// The server stops: what is in hand is finished, and nobody new is taken.
  bool is_draining() const noexcept { return call_->draining(shard_); }
  /// Somebody waits for memory or for a connection that others hold.
  bool is_overloaded() const noexcept { return call_->overloaded(shard_); }

 private:
  const void* shard_;
  const functions* call_;
};

}  // namespace nen
