// client, L3: connections to others that are used again: kept per endpoint while nobody uses them,
// lent to one coroutine at a time. All of its memory is fixed.
#pragma once

#include <nen/config.hpp>
#include <nen/core/assert.hpp>
#include <nen/core/intrusive_list.hpp>
#include <nen/core/pool.hpp>
#include <nen/core/smallest.hpp>
#include <nen/io/context.hpp>
#include <nen/io/stream.hpp>
#include <nen/io/task.hpp>
#include <nen/net/address.hpp>

#include <cstdint>
#include <new>
#include <utility>

namespace nen {
namespace tcp {

class client;
class lease;

}  // namespace tcp

namespace detail {

struct origin_tag;
struct idle_tag;
struct all_idle_tag;
struct queue_tag;
struct pool_access;
class idle_connection;

/// What is known of one endpoint. Zero: nothing.
struct origin : list_hook<origin_tag> {
  alignas(endpoint) std::byte address[sizeof(endpoint)];
  intrusive_list<idle_connection, idle_tag> idle;  // used last first
  std::uint32_t open;      // connections: those in use, idle, and being made
  std::uint32_t asking;    // coroutines that ask for one just now
  std::uint32_t failures;  // connects that failed since one did not
  tick retry_at;           // valid with failures
  tcp::outcome last;       // of a connect that failed
  bool known;

  const endpoint& where() const noexcept {
    return *std::launder(reinterpret_cast<const endpoint*>(address));
  }
  bool is_needed() const noexcept { return open != 0 || asking != 0; }
};

/// A connection that nobody uses, watched for its peer's end, and for its time.
class idle_connection : public stream_wait,
                        public list_hook<idle_tag>,
                        public list_hook<all_idle_tag> {
 public:
  idle_connection(tcp::stream&& kept, origin& from, tcp::client& in, std::uint32_t idle_ms) noexcept
      : stream_wait(kept.state(), idle_ms, over),
        list_hook<idle_tag>{},
        list_hook<all_idle_tag>{},
        kept_(std::move(kept)),
        of_(&from),
        in_(&in) {
    wait_in(state_->reader);
  }
  tcp::stream& kept() noexcept { return kept_; }
  origin& of() const noexcept { return *of_; }

 private:
  static void over(stream_wait& self);

  tcp::stream kept_;
  origin* of_;
  tcp::client* in_;
};

struct idle_memory {
  alignas(idle_connection) std::byte bytes[sizeof(idle_connection)];
};

/// Who waits for a connection to be given back, in the order of asking.
class pool_wait : public alarm, public list_hook<queue_tag> {
 public:
  pool_wait(stream_host& host, intrusive_list<pool_wait, queue_tag>& queue, const origin& from,
            std::uint32_t timeout_ms) noexcept
      : alarm{{}, [](alarm& self) { static_cast<pool_wait&>(self).is_due(); }},
        list_hook<queue_tag>{},
        host_(host),
        queue_(queue),
        of_(from),
        timeout_ms_(timeout_ms) {}
  pool_wait(const pool_wait&) = delete;
  pool_wait& operator=(const pool_wait&) = delete;
  ~pool_wait() {
    unlink();
    host_.timers->cancel(*this);
  }

  bool await_ready() const noexcept { return false; }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> awaiting) noexcept {
    waiter_.wait_as(awaiting);
    queue_.push_back(*this);
    host_.timers->arm(*this, host_.call->now(host_) + timeout_ms_);
  }
  /// @returns  false when the time is over
  bool await_resume() const noexcept { return called_; }

  /// It is worth trying again, in the next turn.
  void call() noexcept {
    unlink();
    called_ = true;
    host_.timers->arm(*this, host_.call->now(host_));
  }
  const origin& of() const noexcept { return of_; }

 private:
  void is_due() {
    unlink();
    waiter_.resume();
  }
  void unlink() noexcept {
    if (list_hook<queue_tag>::linked()) intrusive_list<pool_wait, queue_tag>::remove(*this);
  }

  stream_host& host_;
  intrusive_list<pool_wait, queue_tag>& queue_;
  const origin& of_;
  std::uint32_t timeout_ms_;
  bool called_ = false;
  waiter waiter_{};
};

}  // namespace detail

namespace tcp {

/// A connection in use. Its destruction closes it, unless keep() was called.
class lease {
 public:
  lease() noexcept = default;
  explicit lease(outcome why) noexcept : status_(why) {}
  inline lease(client& in, detail::origin& from) noexcept;
  lease(lease&& other) noexcept { take(other); }
  lease& operator=(lease&& other) noexcept {
    if (this == &other) return *this;
    give_back(false);
    take(other);
    return *this;
  }
  ~lease() { give_back(false); }

  explicit operator bool() const noexcept { return status_ == outcome::ok; }
  /// Why there is none, if there is none.
  [[nodiscard]] outcome status() const noexcept { return status_; }
  /// True when somebody used it before: the peer may be closing it just now.
  [[nodiscard]] bool is_reused() const noexcept { return reused_; }
  stream* operator->() noexcept { return &lent_; }
  stream& operator*() noexcept { return lent_; }

  /// Gives it back for the next one who asks for this endpoint, if it is fit for that.
  void keep() noexcept { give_back(true); }

 private:
  friend class client;

  void take(lease& other) noexcept {
    in_ = std::exchange(other.in_, nullptr);
    of_ = other.of_;
    lent_ = std::move(other.lent_);
    status_ = std::exchange(other.status_, outcome::closed);
    reused_ = other.reused_;
  }
  lease&& with(stream&& connection, bool is_reused) noexcept {
    lent_ = std::move(connection);
    reused_ = is_reused;
    status_ = outcome::ok;
    return std::move(*this);
  }
  inline void give_back(bool to_keep) noexcept;

  client* in_ = nullptr;  // null: it counts for nobody
  detail::origin* of_ = nullptr;
  stream lent_;
  outcome status_ = outcome::closed;
  bool reused_ = false;
};

/// A shard's connections to others, by endpoint; context::tcp() is it. Zero: not bound.
class client {
 public:
  client() = default;
  client(const client&) = delete;
  client& operator=(const client&) = delete;

  /// Lends a connection: one that is open and unused, else a new one, else the next that is given
  /// back. Those who wait are called in the order in which they came.
  /// @param timeout_ms  for all of it
  /// @param fresh       a new one in any case
  /// @returns           a lease, or one that is false and says why: timed_out while waiting or
  ///                    connecting, no_slot when more than config::endpoints are in use, or what
  ///                    the last connect failed with, as long as it is too early to try again
  task<lease> get(endpoint to, std::uint32_t timeout_ms, bool fresh = false) {
    detail::origin* const from = find(to);
    if (from == nullptr) co_return lease(outcome::no_slot);
    const asking asks(*from);
    const tick until = now() + timeout_ms;
    bool was_called = false;
    for (auto left = timeout_ms; left != 0; left = left_until(until)) {
      if (!was_called && is_waited_for(*from)) {  // they have asked before
        was_called = co_await detail::pool_wait(*host_, queue_, *from, left);
        continue;
      }
      if (!fresh && !from->idle.empty()) {
        lease used(*this, *from);
        stream connection = take_idle(*from->idle.front());
        if (connection.is_quiet()) co_return used.with(std::move(connection), true);
        continue;
      }
      if (from->failures != 0 && tick_before(now(), from->retry_at)) co_return lease(from->last);
      if (from->open < connections_per_endpoint_) {
        lease made(*this, *from);
        const auto most = detail::smallest(left, connect_timeout_ms_);
        auto connected = co_await detail::stream_connect(*host_, to, most);
        if (connected) {
          from->failures = 0;
          co_return made.with(std::move(connected.connection), false);
        }
        if (connected.status != outcome::no_slot) {
          note_failure(*from, connected.status);
          co_return lease(connected.status);
        }
        // Every connection is taken, perhaps by some that nobody uses; or is just being closed.
        if (detail::idle_connection* const oldest = idle_.back()) close_idle(*oldest);
      }
      constexpr std::uint32_t look_again_ms = 5;
      const bool may_come_unannounced = from->open < connections_per_endpoint_;
      const auto most = may_come_unannounced && look_again_ms < left ? look_again_ms : left;
      was_called |= co_await detail::pool_wait(*host_, queue_, *from, most);
    }
    co_return lease(outcome::timed_out);
  }

  /// Closes what nobody uses; nothing is kept from now on.
  void drain() noexcept {
    draining_ = true;
    while (detail::idle_connection* const oldest = idle_.back()) close_idle(*oldest);
  }
  [[nodiscard]] std::uint32_t idle() const noexcept { return idle_count_; }

  void bind(detail::stream_host& host, detail::origin* origins, std::uint32_t count,
            detail::idle_memory* memory, const client_options& options) noexcept {
    host_ = &host;
    memory_ = memory;
    connections_per_endpoint_ = options.connections_per_endpoint;
    idle_timeout_ms_ = detail::to_milliseconds(options.idle_timeout);
    connect_timeout_ms_ = detail::to_milliseconds(options.connect_timeout);
    backoff_ms_ = detail::to_milliseconds(options.backoff);
    backoff_ms_max_ = detail::to_milliseconds(options.backoff_max);
    draining_ = false;
    for (std::uint32_t i = 0; i < count; ++i)
      if (!origins[i].linked()) origins_.push_back(origins[i]);
  }

 private:
  friend class lease;
  friend class detail::idle_connection;
  friend detail::pool_access;

  /// Counts who asks, so that what is known of his endpoint stays.
  class asking {
   public:
    explicit asking(detail::origin& of) noexcept : of_(of) { ++of_.asking; }
    asking(const asking&) = delete;
    asking& operator=(const asking&) = delete;
    ~asking() { --of_.asking; }

   private:
    detail::origin& of_;
  };

  tick now() const noexcept { return host_->call->now(*host_); }
  std::uint32_t left_until(tick then) const noexcept {
    return tick_before(now(), then) ? then - now() : 0;
  }

  /// What is known of an endpoint. One that was not used for longest is forgotten for a new one.
  /// @returns  null when all are in use
  detail::origin* find(const endpoint& to) noexcept {
    detail::origin* oldest_free = nullptr;
    detail::origin* at = origins_.front();
    for (; at != nullptr; at = origins_.next(*at)) {
      if (at->known && at->where() == to) break;
      if (!at->is_needed()) oldest_free = at;
    }
    if (at == nullptr && oldest_free == nullptr) return nullptr;
    if (at == nullptr) {
      at = oldest_free;
      new (at->address) endpoint(to);
      at->known = true;
      at->failures = 0;
    }
    intrusive_list<detail::origin, detail::origin_tag>::remove(*at);
    origins_.push_front(*at);
    return at;
  }

  /// The time to the next attempt doubles with each failure and is varied, so that many clients of
  /// one server don't come back at the same moment.
  void note_failure(detail::origin& from, outcome why) noexcept {
    const auto doublings = detail::smallest(from.failures, 16U);
    const auto wait = static_cast<std::uint32_t>(
        detail::smallest<std::uint64_t>(std::uint64_t{backoff_ms_} << doublings, backoff_ms_max_));
    ++from.failures;
    from.last = why;
    dice_ = dice_ * 6364136223846793005U + 1442695040888963407U + now();
    const auto varied = wait / 2 + static_cast<std::uint32_t>(dice_ >> 33) % (wait / 2 + 1);
    from.retry_at = now() + varied;
  }

  void put_idle(stream&& connection, detail::origin& from) noexcept {
    auto* const made = new (memory_[connection.state()->slot].bytes)
        detail::idle_connection(std::move(connection), from, *this, idle_timeout_ms_);
    from.idle.push_front(*made);
    idle_.push_front(*made);
    ++from.open;
    ++idle_count_;
  }
  stream take_idle(detail::idle_connection& kept) noexcept {
    intrusive_list<detail::idle_connection, detail::idle_tag>::remove(kept);
    intrusive_list<detail::idle_connection, detail::all_idle_tag>::remove(kept);
    --kept.of().open;
    --idle_count_;
    stream connection = std::move(kept.kept());
    kept.~idle_connection();
    return connection;
  }
  void close_idle(detail::idle_connection& kept) noexcept {
    detail::origin& from = kept.of();
    take_idle(kept).close();
    call_next(from);
  }

  void give_back(detail::origin& from, stream&& connection, bool to_keep) noexcept {
    --from.open;
    if (to_keep && !draining_ && connection.is_quiet()) {
      put_idle(std::move(connection), from);
    } else {
      connection.close();
    }
    call_next(from);
  }

  /// Who has waited longest for this endpoint.
  detail::pool_wait* first_waiting(const detail::origin& from) noexcept {
    for (auto* w = queue_.front(); w != nullptr; w = queue_.next(*w))
      if (&w->of() == &from) return w;
    return nullptr;
  }
  bool is_waited_for(const detail::origin& from) noexcept {
    return !queue_.empty() && first_waiting(from) != nullptr;
  }
  void call_next(const detail::origin& from) noexcept {
    if (detail::pool_wait* const first = first_waiting(from)) first->call();
  }

  detail::stream_host* host_;
  detail::idle_memory* memory_;  // of each stream's slot
  std::uint32_t connections_per_endpoint_;
  std::uint32_t idle_timeout_ms_;
  std::uint32_t connect_timeout_ms_;
  std::uint32_t backoff_ms_;
  std::uint32_t backoff_ms_max_;
  intrusive_list<detail::origin, detail::origin_tag> origins_;  // used last first
  intrusive_list<detail::idle_connection, detail::all_idle_tag> idle_;
  intrusive_list<detail::pool_wait, detail::queue_tag> queue_;
  std::uint64_t dice_;
  std::uint32_t idle_count_;
  bool draining_;
};

inline lease::lease(client& in, detail::origin& from) noexcept : in_(&in), of_(&from) {
  ++from.open;
}

inline void lease::give_back(bool to_keep) noexcept {
  status_ = outcome::closed;
  if (client* const in = std::exchange(in_, nullptr))
    in->give_back(*of_, std::exchange(lent_, stream{}), to_keep);
}

}  // namespace tcp

inline void detail::idle_connection::over(stream_wait& self) {
  auto& kept = static_cast<idle_connection&>(self);
  kept.in_->close_idle(kept);
}

}  // namespace nen
