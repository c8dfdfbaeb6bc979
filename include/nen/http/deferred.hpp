// http, L1: an answer that comes later: the handle by which a timer or another request completes
// it.
#pragma once

#include <nen/core/function_ref.hpp>
#include <nen/core/small_callback.hpp>
#include <nen/http/reply.hpp>

#include <cstdint>
#include <span>
#include <type_traits>
#include <utility>

namespace nen {

struct body_part;
class body_stream;
class context;
class request;
class response;

/// What became of an attempt to answer later.
enum class completion_outcome : std::uint8_t {
  answered,  ///< the answer is on its way, or the callback deferred it once more
  gone,      ///< nobody waits: the client left, the handler timeout came, or it was
             ///< answered already
  no_room,   ///< every send slot is taken: still owed, try again later
};

namespace detail {

struct deferred_access;
struct websocket_host;

/// What a handler that is a coroutine works with, for as long as it runs.
struct task_ground {
  const nen::request* request;
  nen::response* response;
  nen::context* context;
  char* scratch;  // where values from the path are decoded
  std::size_t scratch_bytes;
};

using deferred_callback = small_callback<reply(const request&, response&)>;
using stream_callback = small_callback<void(body_stream&)>;
using body_callback = small_callback<reply(const body_part&, response&)>;

/// Which request of which connection: of no later owner of its slot, and not its next request.
struct request_name {
  std::uint32_t connection = 0;
  std::uint32_t generation = 0;
  std::uint32_t request = 0;

  friend constexpr bool operator==(const request_name&, const request_name&) noexcept = default;
};

/// The server's side of handles. All calls are made on the thread of the shard that owns the
/// request.
struct deferred_host {
  using answer_function = function_ref<reply(const request&, response&)>;
  struct functions {
    bool (*pending)(deferred_host&, const request_name&) noexcept;
    completion_outcome (*complete)(deferred_host&, const request_name&, answer_function);
    bool (*after)(deferred_host&, const request_name&, std::uint32_t milliseconds,
                  const deferred_callback&) noexcept;
    bool (*wake)(deferred_host&, const request_name&) noexcept;
    /// Where the handler that is running puts its stream's producer.
    stream_callback& (*stream)(deferred_host&) noexcept;
    /// Where it puts what takes the request's body.
    body_callback& (*receive)(deferred_host&) noexcept;
    /// Keeps the request of the handler that is called, which is a coroutine.
    /// @returns  null when there is no room for one more
    task_ground* (*begin_task)(deferred_host&, nen::response&) noexcept;
    void (*abandon_task)(deferred_host&, task_ground&) noexcept;
    /// Runs it.
    /// @param made  a task<reply>, which is moved from
    reply (*run_task)(deferred_host&, task_ground&, nen::response&, void* made);
  };
  const functions* call;
  websocket_host* websockets;  // null where no route asks for one
};

}  // namespace detail

/// Names a request that was not answered at once. A small value: copy it, keep it in the
/// application's state, forget it. It belongs to the shard whose handler got it and is used on that
/// shard only. The request itself (head and body) is kept until it is answered; handles of requests
/// that are over do nothing.
class deferred {
 public:
  /// Names nothing.
  constexpr deferred() noexcept = default;

  /// True while the client waits for this answer, or for more of it.
  bool pending() const noexcept { return host_ != nullptr && host_->call->pending(*host_, name_); }

  /// Answers, unless it is too late.
  /// @param f  reply(const request&, response&): called with the request that was kept, before this
  ///           returns, or not at all
  template <class F>
  completion_outcome complete(F f) const {
    static_assert(
        std::is_invocable_r_v<reply, F&, const request&, response&>,
        "what completes a deferred answer takes (const nen::request&, nen::response&) and "
        "returns nen::reply");
    return host_ == nullptr ? completion_outcome::gone : host_->call->complete(*host_, name_, f);
  }

  /// Has `f` answer after this time (unless somebody completes it sooner). One callback waits at a
  /// time: a later one replaces it. If there is no room to answer then, it is tried again.
  /// @returns  false when nobody waits
  template <class F>
  bool after(std::uint32_t milliseconds, F f) const noexcept {
    detail::deferred_callback callback{};
    callback.set(f);
    return host_ != nullptr && host_->call->after(*host_, name_, milliseconds, callback);
  }

  /// Has the producer of a streamed answer, or what takes a streamed body, called again, soon: for
  /// one that waits.
  /// @returns  false when nobody waits
  bool wake() const noexcept { return host_ != nullptr && host_->call->wake(*host_, name_); }

 private:
  friend struct detail::deferred_access;

  detail::deferred_host* host_ = nullptr;
  detail::request_name name_;
};

namespace detail {

/// Makes handles, for sessions.
struct deferred_access {
  static deferred make(deferred_host& host, const request_name& name) noexcept {
    deferred d;
    d.host_ = &host;
    d.name_ = name;
    return d;
  }
  static deferred_host* host(const deferred& d) noexcept { return d.host_; }
  static const request_name& name(const deferred& d) noexcept { return d.name_; }
  static websocket_host* websockets(const deferred& d) noexcept {
    return d.host_ == nullptr ? nullptr : d.host_->websockets;
  }
};

}  // namespace detail

}  // namespace nen
