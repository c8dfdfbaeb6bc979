// client, L3: which of a host's several addresses is used: the first one that answers, RFC 8305.
#pragma once

#include <nen/client/connection_pool.hpp>
#include <nen/client/resolver.hpp>
#include <nen/core/timer_wheel.hpp>
#include <nen/io/context.hpp>
#include <nen/io/signal.hpp>
#include <nen/io/stream.hpp>
#include <nen/io/task.hpp>
#include <nen/io/when.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>
#include <variant>

namespace nen::detail {

/// What can be seen of a pool without asking it for anything.
struct pool_access {
  /// True when a connection to there is open, and nobody uses it.
  static bool has_idle(tcp::client& in, const endpoint& to) noexcept {
    for (auto* at = in.origins_.front(); at != nullptr; at = in.origins_.next(*at))
      if (at->known && at->where() == to) return !at->idle.empty();
    return false;
  }
};

/// Connects to one of several addresses.
class eyeballs {
 public:
  /// RFC 8305 §5, the Connection Attempt Delay.
  static constexpr std::uint32_t delay_ms = 250;

  /// @param to     at least one, the one to be tried first in front; outlives the task
  /// @param fresh  a new connection in any case
  eyeballs(context& ctx, const resolved& to, std::uint32_t timeout_ms, bool fresh) noexcept
      : ctx_(ctx), to_(to), until_(ctx.now_ms() + timeout_ms), fresh_(fresh) {}

  /// Awaited, it gives a lease of the first address that could be connected to, or of one that a
  /// kept connection leads to; or why the last one could not. This object outlives it.
  task<tcp::lease> connect() {
    for (std::size_t at = 0; !fresh_ && at < to_.size(); ++at)
      if (pool_access::has_idle(ctx_.tcp(), to_[at])) return get(at);
    return from(0);
  }

 private:
  task<tcp::lease> get(std::size_t at) {
    const tick now = ctx_.now_ms();
    return ctx_.tcp().get(to_[at], tick_before(now, until_) ? until_ - now : 0, fresh_);
  }

  /// Tries this address and those behind it.
  task<tcp::lease> from(std::size_t at) { return at + 1 == to_.size() ? get(at) : both(at); }
  task<tcp::lease> both(std::size_t at) {
    signal failed{};
    auto first = co_await when_any(try_one(at, failed), try_others(at + 1, failed));
    if (first.index == 0) co_return std::get<0>(std::move(first.value));
    co_return std::get<1>(std::move(first.value));
  }
  /// Ends only when it has succeeded.
  task<tcp::lease> try_one(std::size_t at, signal& failed) {
    auto got = co_await get(at);
    if (!got) {
      failed.set();
      co_await never{};
    }
    co_return std::move(got);
  }
  /// Begins when the one before has failed, or takes long; and fails when that has failed too.
  task<tcp::lease> try_others(std::size_t at, signal& failed) {
    co_await wait_for(failed, delay_ms);
    auto got = co_await from(at);
    if (!got) co_await wait_for(failed, 0);
    co_return std::move(got);
  }
  signal_wait wait_for(signal& which, std::uint32_t ms) noexcept {
    return {which, *ctx_.host().timers, ctx_.now_ms(), ms};
  }

  context& ctx_;
  const resolved& to_;
  tick until_;
  bool fresh_;
};

}  // namespace nen::detail
