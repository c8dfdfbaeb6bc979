// server, L3: the HTTP server that applications make: routes, sizes and state in one object that is
// all the memory the server will ever use.
#pragma once

#include <nen/config.hpp>
#include <nen/http/router.hpp>
#include <nen/io/uring.hpp>
#include <nen/server/http_session.hpp>
#include <nen/server/shard_threads.hpp>
#include <nen/server/tcp_shard.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace nen {

/// One line of a server's memory bill.
struct memory_item {
  std::string_view name;
  std::size_t count;  ///< slots in all shards
  std::size_t bytes;  ///< of all of them
};

/// What a server's object consists of; the items add up to sizeof(server).
struct memory_bill {
  std::array<memory_item, 12> items;
  std::size_t total;

  /// Bytes that hold neither a request, an answer, a connection nor the application's state.
  constexpr std::size_t bookkeeping() const noexcept { return items.back().bytes; }
};

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

/// An HTTP/1.1 server with a given ring; applications use nen::server.
template <template <ring_sizes> class Ring, class Routes, config Config, class... State>
class basic_server : detail::shard_threads {
  using threads = detail::shard_threads;

  static_assert(Config.shards >= 1 && Config.shards <= 1024, "config::shards must be 1 to 1024");
  static_assert(Config.connections >= 1 && Config.connections <= 1'000'000,
                "config::connections must be 1 to 1,000,000 a shard");
  static_assert(Config.head_slots >= 1 && Config.body_slots >= 1 && Config.streams >= 1,
                "config::head_slots, config::body_slots and config::streams must be at least 1");

 public:
  using shard = tcp_shard<session_for<Routes, Config, State...>, Config, Ring>;

  /// A server is made in static storage (or by new): its memory has to be zero when it starts.
  basic_server() = default;
  basic_server(const basic_server&) = delete;
  basic_server& operator=(const basic_server&) = delete;

  /// Serves until SIGINT, SIGTERM or stop(); then lets requests in hand finish, and returns. A
  /// second signal closes at once.
  run_result run(const listen_options& options = {}) noexcept {
    if (auto checked = check(options); !checked) return checked;
    return threads::run(program, options, shard_threads_);
  }

  /// The same without signals, for a server inside a larger program: returns when all shards
  /// listen.
  [[nodiscard]] run_result start(const listen_options& options = {}) noexcept {
    if (auto checked = check(options); !checked) return checked;
    return threads::start(program, options, shard_threads_);
  }
  /// Waits for the end of a started server.
  void join() noexcept { threads::join(); }

  /// Stops accepting, lets requests in hand finish, closes idle connections. From any thread.
  void stop() noexcept { threads::stop(); }

  /// Closes everything at once.
  void abort() noexcept { threads::abort(); }

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
    memory_bill bill{};
    bill.total = sizeof(basic_server);
    const auto item = [&](std::size_t i, std::string_view name, std::size_t count,
                          std::size_t bytes_each) {
      bill.items[i] = {name, n * count, n * count * bytes_each};
    };
    item(0, "connections", shard::places, sizeof(typename shard::connection));
    item(1, "receive buffers", Config.receive_buffers, Config.receive_buffer_bytes);
    item(2, "send slots", Config.send_slots, Config.send_slot_bytes);
    item(3, "head slots", Config.head_slots, Config.head_bytes_max);
    item(4, "body slots", Config.body_slots, Config.body_bytes_max);
    item(5, "streams", Config.streams, sizeof(detail::stream_slot));
    bill.items[6] = {"application state", sizeof...(State), (sizeof(State) + ... + std::size_t{0})};
    item(7, "WebSockets", Config.websockets, shard::session_type::websocket_bytes);
    constexpr bool with_websockets = shard::session_type::websocket_bytes != 0;
    item(8, "WebSocket messages", Config.ws_message_slots, shard::session_type::message_bytes);
    item(9, "broadcast frames", Config.ws_broadcast_slots,
         with_websockets ? Config.ws_broadcast_bytes_max : 0);
    item(10, "send views", Config.ws_views, with_websockets ? sizeof(send_view) : 0);
    std::size_t named = 0;
    for (const memory_item& i : bill.items) named += i.bytes;
    bill.items[11] = {"bookkeeping", 1, bill.total - named};
    return bill;
  }

 private:
  /// What would make every answer malformed is refused at start-up.
  static result<void> check(const listen_options& options) noexcept {
    if (!detail::is_field_value(options.server_name) ||
        options.server_name.size() > detail::common_lines::server_name_bytes_max)
      return make_error(EINVAL,
                        "cannot use this server_name: it has to be at most %zu visible characters",
                        detail::common_lines::server_name_bytes_max);
    return {};
  }
  static result<void> open_shard(threads& base, const detail::shard_thread& self) noexcept {
    auto& server = static_cast<basic_server&>(base);
    shard& opened = server.shards_[self.index];
    opened.session().start(base.options(), {server.template state<State>()...});
    return opened.open(self.listener, self.waker, base.options());
  }
  static void run_shard(threads& base, const detail::shard_thread& self) {
    static_cast<basic_server&>(base).shards_[self.index].run();
  }

  static constexpr threads::program program = {open_shard, run_shard, shard::places,
                                               shard::wake_to_abort};

  std::array<detail::shard_thread, Config.shards> shard_threads_;
  std::array<shard, Config.shards> shards_;
  detail::state_holders<State...> states_;
};

/// An HTTP/1.1 server on the kernel's io_uring.
/// @tparam Routes  a nen::router
/// @tparam Config  the sizes of everything
/// @tparam State   types of which the server has one object each, for handlers that ask for them
template <class Routes, config Config = config{}, class... State>
class server : public basic_server<uring, Routes, Config, State...> {};

}  // namespace nen
