// server, L3: everything that a server counts and measures, of all its shards, for handlers that
// show it. A handler that takes one turns the measuring of routes on.
#pragma once

#include <nen/core/function_ref.hpp>
#include <nen/http/router.hpp>
#include <nen/io/ring.hpp>
#include <nen/server/counters.hpp>
#include <nen/server/exposed_states.hpp>

#include <cstdint>
#include <span>
#include <string_view>

namespace nen {

struct route_metrics;
struct loop_metrics;

/// How full a pool is.
struct pool_figures {
  std::string_view name;  ///< "send slots", as in server::memory()
  std::uint32_t in_use;
  std::uint32_t high_water;  ///< the most that were in use at once
  std::uint32_t size;
};

namespace detail {

template <class Pool>
void show_pool(function_ref<void(const pool_figures&)> show, std::string_view name,
               const Pool& pool) {
  show({name, pool.in_use(), pool.high_water(), Pool::capacity()});
}

}  // namespace detail

/// A handler takes it as `const nen::server_metrics&`. All of it may be read while the shards go
/// on: each number is what it was at some moment.
class server_metrics {
 public:
  /// What a server does for it; zero where no handler asks.
  struct functions {
    std::uint32_t shards;
    std::span<const route_info> routes;
    const shard_counters& (*counters)(const void* server, std::uint32_t shard) noexcept;
    const ring_counters& (*ring)(const void* server, std::uint32_t shard) noexcept;
    const loop_metrics& (*loop)(const void* server, std::uint32_t shard) noexcept;
    const route_metrics& (*route)(const void* server, std::uint32_t shard,
                                  std::uint32_t which) noexcept;
    void (*pools)(const void* server, std::uint32_t shard,
                  function_ref<void(const pool_figures&)> show);
    void (*groups)(const void* server, function_ref<void(const group_figures&)> show);
    void (*expose)(const void* server, exposition& to);
  };

  server_metrics() = default;
  server_metrics(const void* server, const functions& call) noexcept
      : server_(server), call_(&call) {}

  std::uint32_t shards() const noexcept { return call_->shards; }
  /// The server's routes with their full patterns.
  std::span<const route_info> routes() const noexcept { return call_->routes; }

  const shard_counters& counters(std::uint32_t shard) const noexcept {
    return call_->counters(server_, shard);
  }
  const ring_counters& ring(std::uint32_t shard) const noexcept {
    return call_->ring(server_, shard);
  }
  const loop_metrics& loop(std::uint32_t shard) const noexcept {
    return call_->loop(server_, shard);
  }
  /// @param index  of the route in routes()
  const route_metrics& route(std::uint32_t shard, std::uint32_t index) const noexcept {
    return call_->route(server_, shard, index + 1);
  }
  /// Answers to what no route was found for: 404, 405, OPTIONS, and what was refused before.
  const route_metrics& unrouted(std::uint32_t shard) const noexcept {
    return call_->route(server_, shard, 0);
  }
  /// Shows every pool of a shard.
  void pools(std::uint32_t shard, function_ref<void(const pool_figures&)> show) const {
    call_->pools(server_, shard, show);
  }
  /// Shows every nen::ws::group among the states, in their order.
  void groups(function_ref<void(const group_figures&)> show) const { call_->groups(server_, show); }
  /// Writes what the application's states have to show: each one's expose(to).
  void expose_states(exposition& to) const { call_->expose(server_, to); }

 private:
  const void* server_;
  const functions* call_;
};

}  // namespace nen
