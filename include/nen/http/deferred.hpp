// http, L1: an answer that comes later: the handle by which a timer or another request completes
// it.
#pragma once

#include <nen/http/reply.hpp>

#include <cstddef>
#include <cstdint>
#include <new>
#include <type_traits>
#include <utility>

namespace nen {

class request;
class response;

/// What became of an attempt to answer later.
enum class completion_outcome : std::uint8_t {
  answered,  ///< the answer is on its way, or the callback deferred it once more
  gone,     ///< nobody waits: the client left, the handler timeout came, or it was answered already
  no_room,  ///< every send slot is taken: still owed, try again later
};

namespace detail {

struct deferred_access;

/// A callback with what it captured, held by value so that it can wait without memory of its own.
class deferred_callback {
 public:
  static constexpr std::size_t capture_bytes_max = 48;

  template <class F>
  void set(F f) noexcept {
    static_assert(std::is_trivially_copyable_v<F> && std::is_trivially_destructible_v<F>,
                  "a callback that answers later is copied as bytes: capture numbers, pointers and "
                  "references only");
    static_assert(
        sizeof(F) <= capture_bytes_max,
        "a callback that answers later captures at most 48 bytes: capture a pointer to the "
        "rest");
    static_assert(std::is_invocable_r_v<reply, F&, const request&, response&>,
                  "a callback that answers later takes (const nen::request&, nen::response&) and "
                  "returns nen::reply");
    ::new (static_cast<void*>(capture_)) F(f);
    call_ = [](void* capture, const request& req, response& res) -> reply {
      return (*std::launder(static_cast<F*>(capture)))(req, res);
    };
  }
  void clear() noexcept { call_ = nullptr; }
  explicit operator bool() const noexcept { return call_ != nullptr; }
  reply operator()(const request& req, response& res) { return call_(capture_, req, res); }

 private:
  reply (*call_)(void*, const request&, response&);
  alignas(std::max_align_t) unsigned char capture_[capture_bytes_max];
};

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
  using answer_function = reply (*)(void*, const request&, response&);
  struct functions {
    bool (*pending)(deferred_host&, const request_name&) noexcept;
    completion_outcome (*complete)(deferred_host&, const request_name&, answer_function, void*);
    /// @returns  where to put the callback, or nullptr when nobody waits
    deferred_callback* (*after)(deferred_host&, const request_name&,
                                std::uint32_t milliseconds) noexcept;
  };
  const functions* call;
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

  /// True while the client waits for this answer.
  bool pending() const noexcept { return host_ != nullptr && host_->call->pending(*host_, name_); }

  /// Answers.
  /// @param f  reply(const request&, response&): called before this returns, with the request that
  /// was
  ///           kept, or not at all
  template <class F>
  completion_outcome complete(F&& f) const {
    if (host_ == nullptr) return completion_outcome::gone;
    using function = std::remove_reference_t<F>;
    return host_->call->complete(
        *host_, name_,
        [](void* callable, const request& req, response& res) -> reply {
          return (*static_cast<function*>(callable))(req, res);
        },
        const_cast<void*>(static_cast<const void*>(&f)));
  }

  /// Has `f` answer after this time (unless somebody completes it sooner). One callback waits at a
  /// time: a later one replaces it. If there is no room to answer then, it is tried again.
  /// @returns  false when nobody waits
  template <class F>
  bool after(std::uint32_t milliseconds, F f) const noexcept {
    detail::deferred_callback* const place =
        host_ == nullptr ? nullptr : host_->call->after(*host_, name_, milliseconds);
    if (place == nullptr) return false;
    place->set(f);
    return true;
  }

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
};

}  // namespace detail

}  // namespace nen
