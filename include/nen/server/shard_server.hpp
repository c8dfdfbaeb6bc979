// server, L3: the server that applications make, whatever it speaks: shards, their threads and the
// application's state in one object that is all the memory it will ever use.
#pragma once

#include <nen/config.hpp>
#include <nen/core/this_shard.hpp>
#include <nen/server/built_in_states.hpp>
#include <nen/server/log_file.hpp>
#include <nen/server/memory_bill.hpp>
#include <nen/server/shard_threads.hpp>
#include <nen/server/tcp_shard.hpp>

#include <array>
#include <cstddef>
#include <cstdint>

namespace nen {

namespace detail {

/// One of the application's objects. Constructed at run time on purpose: a constant with a value
/// other than zero would put the whole server, pools included, into .data.
template <class T>
struct state_holder {
  T value;
  state_holder() : value() { asm volatile(""); }
};

template <class... State>
struct state_holders : state_holder<State>... {};

}  // namespace detail

/// A server with a given ring; applications use nen::server and nen::tcp::server.
/// @tparam Protocol  what it speaks: the shards' `session`; check(const listen_options&), which
///                   says what of them can't be; list_memory(memory_items&, shards), which adds
///                   what the session consists of
template <template <ring_sizes> class Ring, class Protocol, config Config, class... State>
class shard_server : detail::shard_threads {
  using threads = detail::shard_threads;

  static_assert(Config.shards >= 1 && Config.shards <= 1024, "config::shards must be 1 to 1024");
  static_assert(Config.connections >= 1 && Config.connections <= 1'000'000,
                "config::connections must be 1 to 1,000,000 a shard");

 public:
  using shard = tcp_shard<typename Protocol::session, Config, Ring>;

  /// A server is made in static storage (or by new): its memory has to be zero when it starts.
  shard_server() = default;
  shard_server(const shard_server&) = delete;
  shard_server& operator=(const shard_server&) = delete;

  /// Serves until SIGINT, SIGTERM or stop(); then lets what is in hand finish, and returns. A
  /// second signal closes at once.
  run_result run(const listen_options& options = {}) noexcept {
    if (auto ready = prepare(options); !ready) return ready;
    const auto outcome = threads::run(program, options, shard_threads_);
    close_log();
    return outcome;
  }

  /// The same without signals, for a server inside a larger program: returns when all shards
  /// listen.
  [[nodiscard]] run_result start(const listen_options& options = {}) noexcept {
    if (auto ready = prepare(options); !ready) return ready;
    const auto outcome = threads::start(program, options, shard_threads_);
    if (!outcome) close_log();
    return outcome;
  }
  /// Waits for the end of a started server.
  void join() noexcept {
    threads::join();
    close_log();
  }

  /// Stops accepting, lets what is in hand finish, closes idle connections. From any thread.
  void stop() noexcept { threads::stop(); }

  /// Closes everything at once.
  void abort() noexcept { threads::abort(); }

  /// Opens the file of the access log anew (access_log_options::path), after somebody has renamed
  /// it: what is written from now on goes to the new one. From any thread and from signal handlers.
  /// @returns  false when there is none, or it can't be opened; then the old one is written on
  /// @pre  started, and join() has not returned
  bool reopen_log() const noexcept requires(Config.log_bytes != 0) { return log_.file.reopen(); }

  /// The port that is listened on, and the whole address. @pre  started
  std::uint16_t port() const noexcept { return threads::address().port(); }
  endpoint_text address() const noexcept { return threads::address().to_string(); }

  /// The application's object of this type, shared by all shards: with more than one shard,
  /// handlers of several threads see it at once.
  template <class T>
  T& state() noexcept {
    return static_cast<detail::state_holder<T>&>(states_).value;
  }

  /// What a shard counted so far; may be read while it runs.
  const shard_counters& counters(std::uint32_t shard_index = 0) const noexcept {
    return shards_[shard_index].counters();
  }
  /// A shard's pools, for tests and for looking inside. @pre  not running, or on the shard's thread
  const shard& shard_at(std::uint32_t index) const noexcept { return shards_[index]; }

  /// All the memory of this server, pool by pool.
  static constexpr memory_bill memory() noexcept {
    constexpr std::size_t n = Config.shards;
    memory_bill bill;
    bill.total = sizeof(shard_server);
    bill.items.add("connections", n * shard::places, sizeof(typename shard::connection));
    bill.items.add("receive buffers", n * Config.receive_buffers, Config.receive_buffer_bytes);
    bill.items.add("send slots", n * Config.send_slots, Config.send_slot_bytes);
    bill.items.add("clients", n * Config.client_limits, shard::gate::slot_bytes);
    bill.items.add("access log", n, Config.log_bytes);
    Protocol::list_memory(bill.items, n);
    bill.items.add({"application state", sizeof...(State), (sizeof(State) + ... + std::size_t{0})});
    std::size_t named = 0;
    for (const memory_item& i : bill.items) named += i.bytes;
    bill.items.add({"bookkeeping", 1, bill.total - named});
    return bill;
  }

 private:
  static constexpr bool has_log = Config.log_bytes != 0;

  [[gnu::cold]] result<void> prepare(const listen_options& options) noexcept {
    if (auto checked = Protocol::check(options); !checked) return checked;
    if constexpr (has_log) return log_.file.open(options.access_log);
    if (!options.access_log.is_wanted()) return {};
    return make_error(EINVAL, "cannot write an access log: config::log_bytes is 0");
  }
  void close_log() noexcept {
    if constexpr (has_log) log_.file.close();
  }
  static void reopen(threads& base) noexcept {
    if constexpr (has_log) (void)static_cast<shard_server&>(base).log_.file.reopen();
  }

  [[gnu::cold]] static result<void> open_shard(threads& base,
                                               const detail::shard_thread& self) noexcept {
    auto& server = static_cast<shard_server&>(base);
    detail::this_shard = {&server, sizeof server, self.index};
    shard& opened = server.shards_[self.index];
    if constexpr (shard::outgoing_max != 0)
      opened.session().set_shards(server.shards_.data(), self.index);
    detail::start_session<Config.shards>(
        server.shards_.data(), self.index, server.built_in_[self.index], base.options(),
        [&]<class T>() -> T& { return server.template state<T>(); });
    auto done = opened.open(self.listener, self.waker, base.options(), self.is_local);
    if constexpr (has_log)
      opened.log().open(server.log_.file.descriptor(),
                        server.log_.file.write_bytes_max(Config.log_bytes));
    return done;
  }
  static void run_shard(threads& base, const detail::shard_thread& self) {
    static_cast<shard_server&>(base).shards_[self.index].run();
  }

  static std::uint64_t pulse_of(const detail::shard_thread& which) noexcept {
    return static_cast<const shard_server&>(static_cast<const threads&>(*which.owner))
        .shards_[which.index]
        .pulse();
  }

  static constexpr threads::program program = {open_shard,
                                               run_shard,
                                               shard::places,
                                               shard::wake_to_abort,
                                               has_log ? reopen : nullptr,
                                               {pulse_of, shard::wake_for_mail}};

  std::array<detail::shard_thread, Config.shards> shard_threads_;
  std::array<shard, Config.shards> shards_;
  std::array<detail::built_in_objects, Config.shards> built_in_;
  [[no_unique_address]] detail::log_file_holder<has_log> log_;
  detail::state_holders<State...> states_;
};

}  // namespace nen
