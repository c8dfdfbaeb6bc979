// io, L2: what a task can ask of the shard that it runs on.
#pragma once

#include <nen/core/timer_wheel.hpp>
#include <nen/io/sleep.hpp>
#include <nen/io/stream.hpp>

#include <cstdint>

namespace nen {

namespace tcp {
class client;
}  // namespace tcp
namespace http {
class client;
}  // namespace http

namespace detail {

/// The shard as contexts see it, without its type.
struct context_host : stream_host {
  tcp::client* client;
  http::client* http_client;
};

/// A std::chrono::duration, told by its shape, so that <chrono> stays with those who use it.
template <class D>
concept duration = requires(const D& d) {
  d.count();
  D::period::num;
  D::period::den;
};

/// Rounded up: nobody is woken before the time. Less than nothing is nothing; what is beyond
/// 2^62 ms (146 million years) is that long.
template <duration D>
constexpr std::uint64_t milliseconds_of(const D& d) noexcept {
  constexpr std::uint64_t longest = std::uint64_t{1} << 62;
  const double ms = static_cast<double>(d.count()) *
                    (1000.0 * static_cast<double>(D::period::num)) /
                    static_cast<double>(D::period::den);
  if (!(ms > 0)) return 0;
  if (ms >= static_cast<double>(longest)) return longest;
  const auto whole = static_cast<std::uint64_t>(ms);
  return static_cast<double>(whole) < ms ? whole + 1 : whole;
}

}  // namespace detail

/// A task's way to the outside: `co_await ctx.sleep(50ms)`. It belongs to a shard, lives as long,
/// and is used on its thread alone. What it returns is awaited where it is written.
class context {
 public:
  context() = default;
  explicit context(detail::context_host& host) noexcept : host_(&host) {}

  /// The shard's clock: milliseconds that wrap.
  [[nodiscard]] tick now_ms() const noexcept { return host_->call->now(*host_); }

  /// Awaited, it lets other work run and goes on when the time is over, counted from this call.
  [[nodiscard]] detail::sleeper sleep(std::uint32_t ms) const noexcept {
    return detail::sleeper(*host_->timers, now_ms(), ms);
  }
  /// @param how_long  a std::chrono::duration; rounded up to milliseconds
  template <detail::duration D>
  [[nodiscard]] detail::sleeper sleep(const D& how_long) const noexcept {
    return detail::sleeper(*host_->timers, now_ms(), detail::milliseconds_of(how_long));
  }

  /// Awaited, it lets what is ready run first: a long computation yields now and then.
  [[nodiscard]] detail::sleeper yield() const noexcept { return sleep(std::uint32_t{0}); }

  /// The shard's connections to others that are used again, see client/connection_pool.hpp.
  [[nodiscard]] tcp::client& tcp() const noexcept { return *host_->client; }

  /// The shard's HTTP client, see client/http_client.hpp.
  [[nodiscard]] http::client& http() const noexcept { return *host_->http_client; }

  /// Awaited, connects to a listener: a tcp::connect_result.
  /// @param timeout_ms  0: as long as the kernel tries, which is minutes
  [[nodiscard]] detail::stream_connect connect(const endpoint& to,
                                               std::uint32_t timeout_ms = 0) const noexcept {
    return detail::stream_connect(*host_, to, timeout_ms);
  }

  [[nodiscard]] detail::context_host& host() const noexcept { return *host_; }

 private:
  detail::context_host* host_;
};

}  // namespace nen
