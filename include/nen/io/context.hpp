// io, L2: what a task can ask of the shard that it runs on.
#pragma once

#include <nen/core/timer_wheel.hpp>
#include <nen/io/poll.hpp>
#include <nen/io/sleep.hpp>
#include <nen/io/stream.hpp>
#include <nen/io/task.hpp>

#include <cstdint>
#include <string_view>
#include <utility>

namespace nen {

class request;
class response;
enum class shard_outcome : std::uint8_t;

namespace tcp {
class client;
}  // namespace tcp
namespace http {
class client;
}  // namespace http

namespace detail {

class body_opening;
class part_wait;
struct http_exchange;
struct shard_call;
template <class F>
class shard_question;
struct context_host;

/// How a shard asks another one.
struct shard_asking {
  /// @param here  used, and given back, for a question to this shard itself
  /// @returns     null: `problem` says why
  shard_call* (*begin)(context_host&, std::uint32_t shard, shard_call& here,
                       shard_outcome& problem) noexcept;
  void (*run)(context_host&, shard_call&);
  void (*send)(context_host&, std::uint32_t shard, shard_call&) noexcept;
};

/// The shard as contexts see it, without its type.
struct context_host : stream_host, poll_host {
  const shard_asking* asking;
  tcp::client* client;
  http::client* http_client;
  /// Runs a coroutine that nobody awaits.
  bool (*spawn)(context_host&, task<void>&&) noexcept;
  /// What the handler whose tree of tasks this is answers. @pre  it is a handler's (asserted)
  http_exchange& (*exchange_of)(context_host&, task_owner&) noexcept;
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

  /// Awaited, waits until somebody else's descriptor can be read, or written: a poll_outcome. It
  /// has to stay open meanwhile.
  /// @param timeout_ms  0: no limit
  [[nodiscard]] detail::poll_wait readable(int descriptor,
                                           std::uint32_t timeout_ms = 0) const noexcept {
    return {*host_, *host_->timers, now_ms(), descriptor, readiness::readable, timeout_ms};
  }
  [[nodiscard]] detail::poll_wait writable(int descriptor,
                                           std::uint32_t timeout_ms = 0) const noexcept {
    return {*host_, *host_->timers, now_ms(), descriptor, readiness::writable, timeout_ms};
  }

  /// Runs a coroutine that nobody awaits, soon. It goes on when whoever started it has ended; when
  /// the server stops, it is destroyed where it waits as soon as the last client is gone. What
  /// leaves it as an exception goes to listen_options::on_exception.
  /// @returns  false when it will not run: it has no frame, or there are config::tasks already, or
  ///           the last client is gone
  [[nodiscard]] bool spawn(task<void> background) const noexcept {
    return host_->spawn(*host_, std::move(background));
  }

  /// Awaited in a handler, begins to answer with a body that is written part by part, chunked or up
  /// to the connection's end for HTTP/1.0: a body_writer, see io/exchange.hpp. 503 when
  /// config::streams are open already.
  /// @code  auto out = co_await ctx.stream(res, "text/csv");
  ///        for (…) co_await out.write(line);
  ///        co_return out.end();  @endcode
  /// @pre  the request's body has come whole, nothing of the answer's was written (asserted)
  [[nodiscard]] inline detail::body_opening stream(response& res,
                                                   std::string_view content_type) const noexcept;

  /// Awaited in the handler of a nen::streamed route, gives the next part of the request's body as
  /// soon as it has come: a std::optional<std::string_view>, nothing when all was given; then
  /// request::trailers() are there. The client is held back meanwhile. In other routes the whole
  /// body is the only part.
  /// @code  while (const auto part = co_await ctx.next_part(req)) use(*part);  @endcode
  /// @returns  bytes that are valid until the next call
  [[nodiscard]] inline detail::part_wait next_part(const request& req) const noexcept;

  /// Awaited, calls `f` on the thread of another shard of the server, or at once on this one: a
  /// shard_result of what it returns, see io/shard_call.hpp. It goes there and comes back as bytes,
  /// at most 48 each way, and must not wait. What it may touch there is what belongs to that
  /// thread, or to all.
  /// @param shard  0 … config::shards − 1
  /// @param f      T() or T(nen::context& there)
  template <class F>
  [[nodiscard]] detail::shard_question<F> on_shard(std::uint32_t shard, F f) const noexcept;

  [[nodiscard]] detail::context_host& host() const noexcept { return *host_; }

 private:
  detail::context_host* host_;
};

}  // namespace nen
