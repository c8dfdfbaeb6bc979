// testing, L3: one shard of a server in memory, whatever it speaks, and its clients: no socket, no
// thread, no waiting. The same seed gives the same run.
#pragma once

#include <nen/config.hpp>
#include <nen/core/result.hpp>
#include <nen/core/state_refs.hpp>
#include <nen/core/unique_number.hpp>
#include <nen/server/built_in_states.hpp>
#include <nen/server/counters.hpp>
#include <nen/server/tcp_shard.hpp>
#include <nen/testing/faults.hpp>
#include <nen/testing/invariants.hpp>
#include <nen/testing/network.hpp>
#include <nen/testing/simulated_ring.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

namespace nen::testing {

/// A client of a simulated server; its destruction closes the connection. What it does takes effect
/// at once; what the server does about it happens in the server's settle() or pass().
class simulated_client {
 public:
  explicit simulated_client(std::shared_ptr<wire> connected) : wire_(std::move(connected)) {}
  simulated_client(simulated_client&&) = default;
  simulated_client& operator=(simulated_client&& other) noexcept {
    std::swap(wire_, other.wire_);
    return *this;
  }
  ~simulated_client() {
    if (wire_ != nullptr) wire_->client_closes();
  }

  /// Sends bytes, or queues what the server has no window for.
  void send(std::string_view bytes) { wire_->client_sends(bytes); }
  /// Bytes that the server's window holds back.
  std::size_t unsent() const noexcept { return wire_->unsent(); }
  /// Says that it will send no more, and goes on reading.
  void finish() { wire_->client_finishes(); }
  void close() { wire_->client_closes(); }
  void reset() noexcept { wire_->client_resets(); }

  /// Everything that was read so far.
  const std::string& received() const noexcept { return wire_->received(); }
  /// The same, and forgets it.
  std::string take() {
    std::string taken = wire_->received();
    wire_->forget_received();
    return taken;
  }
  /// Reads nothing more by itself, until start_reading().
  void stop_reading() { wire_->client_reads(false); }
  void start_reading() { wire_->client_reads(true); }
  void read(std::size_t bytes) { wire_->client_reads_some(bytes); }

  /// The server ended the connection in order, and everything was read.
  bool saw_end() const noexcept { return wire_->client_saw_end(); }
  bool was_reset() const noexcept { return wire_->was_reset(); }
  /// True when the server holds nothing of this connection any more.
  bool server_is_gone() const noexcept { return wire_->server_is_gone(); }

 private:
  std::shared_ptr<wire> wire_;
};

/// One shard of a server on a given ring that is, or wraps, the simulated one; applications use
/// simulated_server and simulated_tcp_server.
/// @tparam Session  the shard's
template <template <ring_sizes> class Ring, class Session, config Config, class... State>
class simulated_shard {
 public:
  using shard = tcp_shard<Session, Config, Ring>;

  /// Listens.
  /// @param seed  decides every fault, every order and the clock
  explicit simulated_shard(std::uint64_t seed = 1, const faults& which = {},
                           const listen_options& options = {}, const failure& one = {})
      : network_(seed, which),
        shard_(std::make_unique<shard>()),
        delays_drain_(options.drain_delay.count() > 0),
        inherits_listener_(nen::detail::inherits_listeners(options)) {
    network_.failure = one;
    nen::detail::numbers_of_thread.seed(seed);  // ids are the same in each run
    nen::detail::start_session<1>(shard_.get(), 0, built_in_, options,
                                  [&]<class T>() -> T& { return std::get<T>(states_); });
    opened_ = shard_->open(0, 0, options);
    if (opened_) shard_->start();
  }
  /// Closes everything at once, and asserts that nothing is held then.
  ~simulated_shard() {
    if (!opened_) return;
    abort();
    run_to_end();
    shard_->finish();
  }

  /// Connects a client; the server accepts it when it runs.
  simulated_client connect() { return simulated_client(network_.connect()); }
  /// The same for a client of this address.
  simulated_client connect(const endpoint& from) {
    return simulated_client(network_.connect(from));
  }

  /// Connects, sends, and waits for what comes of it, without letting time pass.
  /// @returns  all the bytes that were answered
  std::string answer_to(std::string_view bytes) {
    simulated_client c = connect();
    c.send(bytes);
    settle();
    return c.take();
  }

  /// Runs until nothing more happens; time passes only as far as completions are late.
  void settle() {
    do {
      const std::uint64_t due = shard_->io().next_due_ms();
      turn(due == ~std::uint64_t{0} ? network_.now_ms() : due);
    } while (!is_over() && !shard_->io().is_quiet());
  }

  /// Lets time pass, exactly this much.
  void pass(std::uint64_t milliseconds) {
    const std::uint64_t then = network_.now_ms() + milliseconds;
    do {
      turn(then);
    } while (!is_over() && (network_.now_ms() < then || shard_->io().has_work()));
  }

  /// As server::stop and server::abort do; pass() or run_to_end() lets it happen. With
  /// listen_options::listeners, whoever connects waits on in the backlog.
  void stop() noexcept {
    if (!delays_drain_ && !inherits_listener_) network_.stop_listening();
    network_.wake(1);
  }
  void abort() noexcept {
    if (!inherits_listener_) network_.stop_listening();
    network_.wake(shard::wake_to_abort);
  }
  bool is_over() const noexcept { return shard_->is_over(); }

  /// Runs until every connection is closed. @pre  stop() or abort() was called
  void run_to_end() {
    constexpr std::uint64_t a_day_ms = 24 * 3600 * 1000;
    while (!is_over()) turn(network_.now_ms() + a_day_ms);
  }

  /// Why it does not listen, if it does not.
  const result<void>& opened() const noexcept { return opened_; }

  template <class T>
  T& state() noexcept {
    return std::get<T>(states_);
  }
  const shard_counters& counters() const noexcept { return shard_->counters(); }
  /// Where faults and windows can be changed while it runs.
  testing::network& network() noexcept { return network_; }
  shard& inside() noexcept { return *shard_; }

 private:
  /// One turn of the loop, in which time passes at most up to `horizon_ms`.
  void turn(std::uint64_t horizon_ms) {
    constexpr std::uint64_t turns_max = 10'000'000;
    NEN_ASSERT(++turns_ < turns_max);  // something goes on for ever without time passing
    network_.horizon_ms = horizon_ms;
    shard_->turn();
    check_invariants(*shard_);
  }

  testing::network network_;
  std::unique_ptr<shard> shard_;
  bool delays_drain_;
  bool inherits_listener_;
  std::tuple<State...> states_{};
  nen::detail::built_in_objects built_in_{};
  result<void> opened_;
  std::uint64_t turns_ = 0;
};

}  // namespace nen::testing
