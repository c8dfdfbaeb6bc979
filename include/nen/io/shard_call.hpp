// io, L2: asking another shard. A small callable goes there as bytes, is called on its thread, and
// what it returns comes back as bytes.
#pragma once

#include <nen/core/assert.hpp>
#include <nen/io/context.hpp>
#include <nen/io/task.hpp>

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <type_traits>
#include <utility>

namespace nen {

/// What became of a question to another shard.
enum class shard_outcome : std::uint8_t {
  ok,
  no_slot,   ///< config::shard_calls of this shard are on their way already
  no_shard,  ///< there is no such shard, or it has stopped
  failed,    ///< an exception left the callable; listen_options::on_exception was told
};

/// What context::on_shard gives.
template <class T>
struct shard_result {
  shard_outcome status = shard_outcome::ok;
  T value{};  ///< valid when status is ok

  explicit operator bool() const noexcept { return status == shard_outcome::ok; }
};
template <>
struct shard_result<void> {
  shard_outcome status = shard_outcome::ok;

  explicit operator bool() const noexcept { return status == shard_outcome::ok; }
};

namespace detail {

class shard_wait;

/// A question on its way there or back. One shard at a time may touch it: the one that asks, and
/// from the moment that it is sent until the answer comes the one that is asked; but `who` is
/// always the asking one's.
struct shard_call {
  static constexpr std::size_t bytes_max = 48;

  shard_wait* who;  ///< null: nobody waits for the answer any more
  void (*run)(shard_call&, context& there);
  shard_outcome status;
  alignas(std::max_align_t) std::byte callable[bytes_max];
  alignas(std::max_align_t) std::byte result[bytes_max];
};

/// Waits for an answer. It can be destroyed at any time.
class shard_wait {
 public:
  shard_wait(const shard_wait&) = delete;
  shard_wait& operator=(const shard_wait&) = delete;
  ~shard_wait() {
    if (call_ != nullptr) call_->who = nullptr;
  }

  bool await_ready() const noexcept { return false; }

  /// The answer has come. This object may be gone afterwards.
  void has_come(const shard_call& answer) {
    call_ = nullptr;
    take_(*this, answer);
    waiter_.resume();
  }

 protected:
  shard_wait(context_host& host, std::uint32_t to,
             void (*take)(shard_wait&, const shard_call&) noexcept) noexcept
      : host_(host), to_(to), take_(take) {}

  /// @param write  puts the callable into a call
  /// @returns      true when it waits for the answer
  template <class Promise, class Write>
  bool ask(std::coroutine_handle<Promise> awaiting, Write write) {
    shard_call here;  // for a question to this shard itself
    shard_outcome problem = shard_outcome::ok;
    shard_call* const call = host_.asking->begin(host_, to_, here, problem);
    if (call == nullptr) {
      here.status = problem;
      take_(*this, here);
      return false;
    }
    write(*call);
    if (call == &here) {
      host_.asking->run(host_, here);
      take_(*this, here);
      return false;
    }
    call_ = call;
    call->who = this;
    waiter_.wait_as(awaiting);
    host_.asking->send(host_, to_, *call);
    return true;
  }

 private:
  context_host& host_;
  std::uint32_t to_;
  void (*take_)(shard_wait&, const shard_call&) noexcept;
  shard_call* call_ = nullptr;
  waiter waiter_{};
};

template <class F>
auto call_on_shard(F& f, context& there) {
  if constexpr (std::is_invocable_v<F&, context&>) {
    return f(there);
  } else {
    static_cast<void>(there);
    return f();
  }
}

template <class F>
class shard_question : public shard_wait {
  static_assert(std::is_invocable_v<F&> || std::is_invocable_v<F&, context&>,
                "what is called on another shard takes nothing, or the nen::context& there");
  static_assert(std::is_trivially_copyable_v<F> && sizeof(F) <= shard_call::bytes_max,
                "what is called on another shard goes there as bytes, at most 48: capture numbers, "
                "and pointers to what may be used by several threads");
  using value = decltype(call_on_shard(std::declval<F&>(), std::declval<context&>()));
  static constexpr bool returns_bytes() noexcept {
    if constexpr (std::is_void_v<value>) {
      return true;
    } else {
      return std::is_trivially_copyable_v<value> && std::is_default_constructible_v<value> &&
             sizeof(value) <= shard_call::bytes_max;
    }
  }
  static_assert(returns_bytes(),
                "what another shard's callable returns comes back as bytes, at most 48: return a "
                "number or a small struct of them by value");

 public:
  shard_question(context_host& host, std::uint32_t to, const F& f) noexcept
      : shard_wait(host, to,
                   [](shard_wait& self, const shard_call& answer) noexcept {
                     static_cast<shard_question&>(self).take(answer);
                   }),
        callable_(f) {}

  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> awaiting) {
    return ask(awaiting, [this](shard_call& call) {
      ::new (static_cast<void*>(call.callable)) F(callable_);
      call.run = run;
    });
  }
  shard_result<value> await_resume() const noexcept { return result_; }

 private:
  static void run(shard_call& call, context& there) {
    F& f = *std::launder(reinterpret_cast<F*>(call.callable));
    if constexpr (std::is_void_v<value>) {
      call_on_shard(f, there);
    } else {
      ::new (static_cast<void*>(call.result)) value(call_on_shard(f, there));
    }
  }
  void take(const shard_call& answer) noexcept {
    result_.status = answer.status;
    if constexpr (!std::is_void_v<value>)
      if (answer.status == shard_outcome::ok)
        std::memcpy(static_cast<void*>(&result_.value), answer.result, sizeof(value));
  }

  F callable_;
  shard_result<value> result_{};
};

}  // namespace detail

template <class F>
detail::shard_question<F> context::on_shard(std::uint32_t shard, F f) const noexcept {
  return {*host_, shard, f};
}

}  // namespace nen
