// One shard of a server on the ring that is not counted, whatever it speaks.
#pragma once

#include <nen/config.hpp>
#include <nen/server/built_in_states.hpp>
#include <nen/server/tcp_shard.hpp>
#include <nen/testing/invariants.hpp>
#include <nen/testing/network.hpp>

#include <tuple>

#include "metered_ring.hpp"

namespace instructions {

/// What the traffic sees of it.
class metered_server {
 public:
  virtual ~metered_server() = default;

  /// One turn of the loop; its instructions are counted, its ring's are not.
  virtual void turn() = 0;
  /// True when nothing can happen before a client acts.
  virtual bool is_quiet() const = 0;
  /// Closes everything, and asserts that nothing is held then.
  virtual void end() = 0;

  nen::testing::network network{/*seed*/ 1};
};

/// A static object, so that its memory is zero without having been touched, as it is in programs.
template <class Session, nen::config Config, class... State>
class metered_shard final : public metered_server {
  using shard = nen::tcp_shard<Session, Config, metered_ring>;

 public:
  metered_shard() {
    // All bytes of a large body are on their way at once, as on a loopback device.
    network.window = 8 * nen::MiB;
    nen::detail::start_session<1>(&shard_, 0, built_in_, options_,
                                  [&]<class T>() -> T& { return std::get<T>(states_); });
    const auto opened = shard_.open(0, 0, options_);
    NEN_ASSERT(opened.has_value());
    shard_.start();
  }

  void turn() override {
    metered([](void* self) { static_cast<shard*>(self)->turn(); }, &shard_);
  }
  bool is_quiet() const override { return const_cast<shard&>(shard_).io().is_quiet(); }
  void end() override {
    constexpr std::uint64_t a_day_ms = 24 * 3600 * 1000;
    network.stop_listening();
    network.wake(shard::wake_to_abort);
    network.horizon_ms = network.now_ms() + a_day_ms;
    while (!shard_.is_over()) shard_.turn();
    nen::testing::check_nothing_held(shard_);
    shard_.finish();
  }

 private:
  nen::listen_options options_;
  std::tuple<State...> states_;
  nen::detail::built_in_objects built_in_;
  shard shard_;
};

/// The target's routes and sizes. @pre  called once
metered_server& http_server();
/// An echo of raw TCP. @pre  called once
metered_server& tcp_server();

}  // namespace instructions
