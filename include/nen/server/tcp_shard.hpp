// server, L3: one shard of a TCP server: accepts, receives, sends, times out and closes, for
// sessions that turn bytes in into bytes out. One thread, one ring, one set of pools.
#pragma once

#include <nen/config.hpp>
#include <nen/core/function_ref.hpp>
#include <nen/core/pool.hpp>
#include <nen/io/event_loop.hpp>
#include <nen/io/ring.hpp>
#include <nen/metrics/gauge.hpp>
#include <nen/server/access_log.hpp>
#include <nen/server/connection.hpp>
#include <nen/server/counters.hpp>
#include <nen/server/event_log.hpp>
#include <nen/server/gate_choice.hpp>
#include <nen/server/route_metrics.hpp>
#include <nen/server/send_queue.hpp>
#include <nen/server/server_metrics.hpp>
#include <nen/server/shard_peer.hpp>

#include <array>
#include <cerrno>
#include <cstdint>
#include <span>
#include <string_view>

namespace nen {

/// One thread's worth of a server.
///
/// A session is one object per shard; what it keeps per connection is Session::connection_state,
/// zero when the connection opens. Its functions:
///   bind(tcp_shard&)           once, on the shard's thread, before anything else
///   on_open(peer&)             a connection was accepted, or one that it asked for is there
///   on_data(peer&, span)       bytes came; returns how many it used. The rest is offered again
///                              when there is room to send, and no more is read until then
///   on_room(peer&)             there is room, for a session that asked: peer::want_room
///   on_end(peer&)              the peer will send no more
///                              (nen::reads_to_the_end, and connections to others: when it has used
///                              all bytes, even if paused)
///   on_timeout(peer&, kind)    the time that it gave has passed
///   on_shed(peer&)             says that there is no room for this connection
///   on_close(peer&)            gives back what it holds for the connection, which may never have
///                              been there; peer::reason()
///   on_drain(peer&)            the server stops: ends what need not be waited for
/// and, where Session::outgoing is not 0, its connections to others (connect):
///   on_connect_failed(peer&, errno)  there will be none; on_close follows
///   on_timer(timer&)           one that it armed itself (timers()) is due
///   on_completion(completion, places)  of what it submitted itself, for slots from `places` on
///   operations()               how many of those are in flight
///   on_last_client_gone()      the server stops, and has no client any more; or closes everything
template <class Session, config Config, template <ring_sizes> class Ring>
class tcp_shard {
 public:
  static constexpr std::uint32_t shed_slots = detail::shed_slots;
  /// Accepts in flight at once, each for a slot that is free: none is accepted that has no slot.
  static constexpr std::uint32_t accepts_max = 16;
  /// What a waker is counted up by: 1 to drain, this to close everything at once, or that to look
  /// for what other shards have sent. A waker counts many of each before one is mistaken.
  static constexpr std::uint64_t wake_to_abort = std::uint64_t{1} << 32;
  static constexpr std::uint64_t wake_for_mail = std::uint64_t{1} << 48;

  /// Slots for connections that the session asks for.
  static constexpr std::uint32_t outgoing_max = Session::outgoing;
  static constexpr std::uint32_t places = Config.connections + shed_slots + outgoing_max;
  static constexpr std::uint32_t none = 0xffff'ffff;

  using session_type = Session;
  /// True when the shard measures its answers and its loop.
  static constexpr bool measures = [] {
    if constexpr (requires { Session::measures; }) return Session::measures;
    return false;
  }();
  /// More answers of different routes, in one slot, count as handed to the kernel when written.
  static constexpr std::uint32_t answer_marks_per_slot = 8;
  /// True when each connection keeps whose it is.
  static constexpr bool gated = detail::is_gated(Config);
  static constexpr bool keeps_clients = Config.client_addresses || gated || Config.log_bytes != 0;
  using gate = detail::client_gate<Config, gated>;
  using connection = nen::connection<typename Session::connection_state, keeps_clients,
                                     typename gate::connection_state>;
  using send_queue =
      nen::send_queue<Config.send_slot_bytes, Config.send_slots, Config.response_bytes_max,
                      Session::send_views, measures ? answer_marks_per_slot : 0>;
  using ring = Ring<ring_sizes{places, Config.receive_buffers, Config.receive_buffer_bytes}>;

  using peer = shard_peer<tcp_shard>;

  tcp_shard() = default;

  /// Acts on a connection from outside its own turn: act(peer&). What it wrote is sent; bytes that
  /// waited for it are offered at the end of the shard's turn.
  void act_on(std::uint32_t index, function_ref<void(peer&)> act);
  /// The same for act(peer&) that only sets a timeout.
  void set_timer(std::uint32_t index, function_ref<void(peer&)> act) {
    connection& c = connections_[index];
    peer p(*this, c);
    act(p);
    if (!c.running) settle_timer(c);
  }

  /// Asks for a connection to somebody: on_open or on_connect_failed tells what became of it.
  /// @returns   its index, or none: every slot for such connections is taken, or all is being
  ///            closed
  std::uint32_t connect(const endpoint& to) noexcept requires(Session::outgoing != 0);
  /// Gives up a connection that is asked for and not there yet.
  /// @returns  false when it is there
  bool give_up(std::uint32_t index) noexcept {
    connection& c = connections_[index];
    if (c.state != connection_state::connecting) return false;
    close(c, tcp::close_reason::session);
    return true;
  }

  /// True while a function of the session is running for this connection.
  bool is_running(std::uint32_t index) const noexcept { return connections_[index].running; }

  /// True when this slot has an open connection of this generation.
  bool is_open(std::uint32_t index, std::uint32_t generation) const noexcept {
    const connection& c = connections_[index];
    return c.state == connection_state::open && c.generation == generation && !c.close_when_sent;
  }

  typename Session::connection_state& session_state(std::uint32_t index) noexcept {
    return connections_[index].session;
  }
  /// Whose connection this is; nobody's where that is not kept.
  const client_address& client(std::uint32_t index) noexcept {
    return peer(*this, connections_[index]).client();
  }
  tick now() const noexcept { return loop_.now(); }
  bool draining() const noexcept { return draining_; }
  timer_wheel& timers() noexcept { return loop_.timers(); }
  std::size_t buffered(std::uint32_t index) noexcept {
    return queue_.buffered(connections_[index]);
  }
  bool has_room(std::uint32_t index) const noexcept {
    return queue_.has_room_for(connections_[index]);
  }
  shard_counters& session_counters() noexcept { return counters_; }
  void set_view_owner(const view_owner& owner) noexcept { queue_.set_view_owner(owner); }
  void miss_sends() noexcept { misses_sends_ = true; }

  Session& session() noexcept { return session_; }
  const Session& session() const noexcept { return session_; }
  const auto& connections() const noexcept { return connections_; }
  const auto& send_slots() const noexcept { return queue_.slots(); }
  /// Slots, and views of what is sent from elsewhere.
  std::uint32_t sends_held() const noexcept { return queue_.in_use(); }
  const shard_counters& counters() const noexcept { return counters_; }
  auto& clients() noexcept requires(gate::has_table) { return gate_.table(); }
  ring& io() noexcept { return loop_.ring(); }
  const ring& io() const noexcept { return loop_.ring(); }
  const loop_metrics& loop_figures() const noexcept requires(measures) { return loop_figures_; }
  /// True from a stop on, also before it begins to drain.
  bool stopping() const noexcept { return stopping_; }
  /// What server_status says. Each timer outlasts by its time what it was armed for, so that what
  /// is over within a turn is no overload, and what is not is one for at least so long.
  bool is_overloaded() const noexcept { return relief_timer_.armed() || accept_timer_.armed(); }
  /// Shows how full each pool is, to any thread.
  void show_pools(function_ref<void(const pool_figures&)> show) const;

  /// Sets up the ring on the calling thread, which is the shard's from then on.
  /// @param listener  listening socket; −1: nobody is accepted
  /// @param waker     eventfd: counted up it drains; by wake_to_abort, it closes everything at once
  [[nodiscard]] result<void> open(int listener, int waker, const listen_options& options) noexcept {
    return open(listener, waker, options, !options.unix_path.empty());
  }
  /// @param is_local  the listener is a Unix socket
  [[nodiscard]] result<void> open(int listener, int waker, const listen_options& options,
                                  bool is_local) noexcept;

  /// Serves until the waker was counted up and every connection is closed.
  void run() {
    start();
    while (!is_over()) turn();
    finish();
  }

  [[gnu::cold]] void start();
  void turn() {
    if constexpr (outgoing_max != 0) {
      const detail::frames_in_use its(session_.frames());
      loop_.turn(*this);
    } else {
      loop_.turn(*this);
    }
    if constexpr (measures) measure_turn();
  }
  bool is_over() const noexcept {
    if constexpr (outgoing_max != 0)
      if (session_.operations() != 0) return false;
    return draining_ && connections_.in_use() == 0 && log_.is_over();
  }
  [[gnu::cold]] void finish();

  static constexpr bool has_log = Config.log_bytes != 0;
  access_log<Config.log_bytes>& log() noexcept { return log_; }

  /// From any thread: another number after a wake that was heard.
  std::uint64_t pulse() const noexcept { return wakes_.value(); }

  /// From any thread: has the session look for what other shards have sent.
  void call_for_mail() const noexcept { ring::wake(waker_, wake_for_mail); }

  // What the event loop calls.
  void on_completion(const completion& done);
  [[gnu::cold]] void on_timer(timer& due);
  void on_turn_end();

 private:
  friend peer;

  /// One send takes at most this much, so that the write timeout measures progress.
  static constexpr std::size_t send_bytes_max = 256 * KiB;
  /// Bytes that are read and thrown away while lingering, before the connection is cut off.
  /// A proxy may have a whole body on its way; the linger timeout is what limits it.
  static constexpr std::uint32_t linger_bytes_max = 64 * MiB;

  /// While others wait, nobody may hold a receive buffer or a send slot longer than this without
  /// reading (with many buffers: a share of it).
  static constexpr std::uint32_t hold_ms_max = 1000;
  /// While all connection slots are taken, how long one may be kept without a word.
  static constexpr std::uint32_t silent_ms_max = 250;
  /// While memory is short, how often to look for who holds it: at the waiting ones, at all.
  static constexpr std::uint32_t relief_ms = 10;
  static constexpr std::uint32_t survey_ms = 100;

  /// A received buffer in its connection's chain.
  struct lease {
    std::uint16_t next;  // buffer + 1, 0: the last
    std::uint32_t bytes;
  };

  struct nothing_measured {};

  /// True as long as its session has not heard of it: the gate has it.
  static bool is_at_gate(const connection& c) noexcept;
  bool pass_gate(connection& c) noexcept;
  bool let_in(connection& c) noexcept;
  void wait_for_header(connection& c) noexcept;
  bool read_header(connection& c);

  using waiting_list = intrusive_list<connection_base, waiting_tag>;

  token name(operation what, const connection& c) const noexcept {
    return {what, c.generation, connections_.index_of(c)};
  }
  /// Names an operation about to be submitted and counts it.
  token begin(operation what, connection& c) noexcept {
    NEN_ASSERT(c.operations < 0xff);
    ++c.operations;
    return name(what, c);
  }

  /// Has the kernel give up an operation of a connection's.
  [[gnu::noinline]] void cancel(connection& c, operation which) noexcept {
    loop_.ring().cancel(begin(operation::cancel, c), name(which, c));
  }

  /// Runs a function of the session for a connection.
  void run(connection& c, function_ref<void(peer&)> act) {
    NEN_ASSERT(!c.running);
    c.running = true;
    ++running_;
    peer p(*this, c);
    act(p);
    --running_;
    c.running = false;
  }

  /// The same; if the session asks for the connection's end, this is why.
  void run_because(connection& c, tcp::close_reason why, function_ref<void(peer&)> act) {
    c.presume(why);
    run(c, act);
    c.forget_reason_if_open();
  }

  // Accepting.
  void top_up_accepts() noexcept;
  [[gnu::noinline]] void submit_accept(connection& c) noexcept;
  [[gnu::noinline]] void accepted(connection& c, std::int32_t result);
  [[gnu::cold]] void shed(connection& c) noexcept;
  /// Slots that clients have, or that wait for them.
  std::uint32_t incoming() const noexcept { return connections_.in_use() - outgoing_; }

  // Connecting.
  void connected(connection& c, std::int32_t result);

  void measure_turn() noexcept;

  // Bytes in.
  static bool wants_every_byte(const connection& c) noexcept {
    return reads_to_the_end<Session> || (outgoing_max != 0 && c.outgoing);
  }
  void start_receive(connection& c) noexcept;
  void received(connection& c, const completion& done);
  [[gnu::noinline]] void run_session(connection& c);
  void end_seen(connection& c, std::int32_t result);
  void append_lease(connection& c, std::uint16_t lease, std::int32_t bytes) noexcept;
  void drop_first_lease(connection& c) noexcept;
  void drop_leases(connection& c) noexcept {
    while (c.has_input()) drop_first_lease(c);
  }
  void stop_receiving(connection& c) noexcept;
  void stop_waiting(connection& c) noexcept {
    if (c.waiting()) waiting_list::remove(c);
  }
  void resume_waiting();

  // Bytes out.
  [[gnu::noinline]] void start_send(connection& c) noexcept;
  [[gnu::noinline]] void send_parts(connection& c, token t) noexcept;
  void sent(connection& c, std::int32_t result);

  // One place decides what a connection does next, after whatever happened to it.
  [[gnu::noinline]] void settle(connection& c) noexcept;
  [[gnu::cold]] void wait_with_input(connection& c) noexcept;
  bool read_time_runs(const connection& c) const noexcept;
  void settle_timer(connection& c) noexcept;

  // When memory stays short.
  bool is_short_of_memory() const noexcept;
  bool is_out_of_connections() const noexcept;
  [[gnu::cold]] void relieve() noexcept;
  [[gnu::cold]] void evict_holder() noexcept;
  [[gnu::cold]] void evict_stalled() noexcept;
  [[gnu::cold]] void evict_silent() noexcept;

  // The end of a connection.
  void all_sent(connection& c) noexcept;
  [[gnu::cold]] void shut(connection& c) noexcept;
  [[gnu::noinline]] void close(connection& c, tcp::close_reason why) noexcept;
  [[gnu::noinline]] void settle_closing(connection& c) noexcept;
  [[gnu::noinline]] void release(connection& c) noexcept;

  // The end of the shard.
  void watch_waker() noexcept { loop_.ring().watch(token(operation::wake, 0, 0), waker_); }
  [[gnu::cold]] void woken() noexcept;
  [[gnu::cold]] void stop() noexcept;
  [[gnu::cold]] void drain() noexcept;
  [[gnu::cold]] void sweep_backlog() noexcept;
  [[gnu::cold]] void abort_all() noexcept;
  void for_each_connection(function_ref<void(connection&)> act) noexcept {
    for (std::uint32_t i = 0; i < connections_.high_water(); ++i)
      if (connections_.is_held(i)) act(connections_[i]);
  }

  event_loop<ring> loop_;
  Session session_;
  pool<connection, places> connections_;
  send_queue queue_;
  waiting_list waiting_for_buffer_;  // their receive found none
  waiting_list waiting_for_slots_;   // they hold leases that can't be answered
                                     // for lack of send slots
  waiting_list waiting_for_peer_;    // they hold leases that can't be answered
                                     // until the peer reads
  timer drain_timer_;   // while stopping: when to drain, and then when to close what is left
  timer accept_timer_;  // armed exactly while accepting rests after a failure
  timer relief_timer_;  // armed exactly while memory is short
  [[no_unique_address]] gate gate_;
  shard_counters counters_;
  counter wakes_;  // the waker's that were heard
  [[no_unique_address]] std::conditional_t<measures, loop_metrics, nothing_measured> loop_figures_;
  detail::event_log events_;
  [[no_unique_address]] access_log<Config.log_bytes> log_;
  std::array<lease, Config.receive_buffers> lease_chains_;
  gauge leases_;             // receive buffers that the kernel filled and that are
                             // not given back
  tick last_survey_;         // when all connections were last looked at for somebody to evict
  std::uint32_t running_;    // connections for which a function of the session runs, nested
  std::uint32_t accepting_;  // connections in the accepting state
  std::uint32_t outgoing_;   // connections that the session asked for
  std::uint32_t write_timeout_;
  std::uint32_t idle_timeout_;
  std::uint32_t linger_timeout_;
  std::uint32_t drain_delay_;
  std::uint32_t drain_timeout_;
  int listener_;
  int waker_;
  nen::overload overload_;
  bool stopping_;              // true exactly when it was told to stop
  bool draining_;              // true exactly when nobody is accepted any more because of that
  std::uint32_t sweeps_left_;  // connections that are still looked for in a backlog when it drains
  bool is_local_;              // true exactly when it listens at a Unix socket
  bool inherits_listener_;     // true exactly when others accept from its listener after it
  bool aborted_;               // true exactly when everything was told to close at once
  std::uint32_t completions_;  // of this turn, where that is measured
  bool misses_sends_;          // a session was refused what stuck sends may hold
};

}  // namespace nen

#include <nen/server/tcp_shard.ipp>
#include <nen/server/tcp_shard_bytes.ipp>
#include <nen/server/tcp_shard_figures.ipp>
#include <nen/server/tcp_shard_gate.ipp>
#include <nen/server/tcp_shard_life.ipp>
#include <nen/server/tcp_shard_relief.ipp>
