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

  /// The server stops: what is in hand is finished, and nobody new is taken, or will be when
  /// listen_options::drain_delay has passed.
  bool is_draining() const noexcept { return call_->draining(shard_); }
  /// At the end of a turn of the loop, at most a tenth of a second ago, somebody had to wait for
  /// what others hold: for a receive buffer, for send slots, for room for a WebSocket's message; or
  /// all connections were taken, or accepting had failed for lack of descriptors or memory.
  bool is_overloaded() const noexcept { return call_->overloaded(shard_); }

 private:
  const void* shard_;
  const functions* call_;
};

}  // namespace nen
