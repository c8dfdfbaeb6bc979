// testing, L3: what lies between the simulated ring and the clients of a test: connections in
// memory, a clock that only moves when nothing else can happen, and one generator for all chance.
#pragma once

#include <nen/core/assert.hpp>
#include <nen/io/accepted_name.hpp>
#include <nen/io/ring.hpp>
#include <nen/net/address.hpp>
#include <nen/testing/faults.hpp>
#include <nen/testing/random.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nen::testing {

/// One connection with both of its ends. It behaves as TCP over loopback does on Linux: bytes that
/// arrived before a reset can still be read, and an error is told once, to whoever asks first. To
/// who has seen the other side's end, a reset is a broken pipe.
class wire {
 public:
  explicit wire(std::size_t window, const endpoint& client = {}) noexcept
      : window_(window), client_(client) {}

  // The client's end.

  /// Queues bytes; the server is sent what its window takes, the rest when there is room.
  void client_sends(std::string_view bytes) {
    if (client_finished_ || client_closed_ || reset_) return;
    if (server_closed_) return break_off();  // there is no socket any more: RST
    outbox_.append(bytes);
    move();
  }
  /// How much the server has not taken in yet, of what has not even left the client.
  std::size_t unsent() const noexcept { return outbox_.size(); }
  void client_finishes() {
    client_finished_ = true;
    move();
  }
  /// Closes: in order when everything was read, by a reset when something was not. What it sent
  /// before still arrives, as far as nobody answers.
  void client_closes() {
    move();
    if (!to_client_.empty()) return client_resets();
    client_finished_ = client_closed_ = true;
    move();
  }
  void client_resets() noexcept {
    outbox_.clear();
    client_closed_ = true;
    break_off();
  }
  void client_reads(bool reads) {
    client_reads_ = reads;
    move();
  }
  /// Reads at most this much, for clients that don't read by themselves.
  void client_reads_some(std::size_t bytes) {
    bytes = std::min(bytes, to_client_.size());
    received_.append(to_client_, 0, bytes);
    to_client_.erase(0, bytes);
  }
  const std::string& received() const noexcept { return received_; }
  void forget_received() noexcept { received_.clear(); }

  /// The server ended the connection, or its half of it, in order; everything was read.
  bool client_saw_end() const noexcept { return end_left_ && to_client_.empty(); }
  /// It ended in another way.
  bool was_reset() const noexcept { return reset_ && !end_left_; }
  bool server_is_gone() const noexcept { return server_closed_; }

  // The server's end.

  /// What an accept tells of the client.
  accepted_name client_name() const noexcept {
    accepted_name name{};
    name.size = client_.size();
    std::memcpy(&name.any, client_.data(), std::min<std::size_t>(name.size, sizeof name.v6));
    return name;
  }
  std::size_t readable() const noexcept { return to_server_.size(); }
  bool at_end() const noexcept { return to_server_.empty() && end_arrived_; }
  bool is_broken() const noexcept { return reset_; }
  /// True once nothing can be sent and nothing more will come.
  bool is_over() const noexcept { return reset_ || (end_left_ && end_arrived_); }
  /// True once a reset or the client's end has arrived, whatever is unread.
  bool has_hung_up() const noexcept { return reset_ || end_arrived_; }
  std::size_t writable() const noexcept {
    if (client_closed_) return window_;  // nobody is there to hold anything back
    return window_ - std::min(window_, to_client_.size());
  }
  /// The error of a broken connection: what broke it first, then `after`.
  int take_error(int after) noexcept {
    if (!std::exchange(error_is_new_, false)) return after;
    return end_arrived_ ? EPIPE : ECONNRESET;
  }

  std::size_t server_takes(char* into, std::size_t bytes) {
    bytes = std::min(bytes, to_server_.size());
    to_server_.copy(into, bytes);
    to_server_.erase(0, bytes);
    move();
    return bytes;
  }
  void server_puts(std::string_view bytes) {
    if (client_closed_) return break_off();  // the other side has no socket any more: RST
    to_client_.append(bytes);
    move();
  }
  void server_finishes() noexcept { end_left_ = end_left_ || !reset_; }
  void server_closes() noexcept {
    server_closed_ = true;
    if (!to_server_.empty() || !outbox_.empty()) break_off();
    server_finishes();
  }
  void break_off() noexcept {
    if (reset_) return;
    reset_ = error_is_new_ = true;
    outbox_.clear();
  }

 private:
  /// Lets everything that has room flow.
  void move() {
    const auto room = window_ - std::min(window_, to_server_.size());
    if (const auto moving = std::min(room, outbox_.size()); moving != 0) {
      to_server_.append(outbox_, 0, moving);
      outbox_.erase(0, moving);
    }
    if (client_finished_ && outbox_.empty()) end_arrived_ = true;
    if (client_reads_) client_reads_some(to_client_.size());
  }

  std::size_t window_;  // of either direction
  endpoint client_;
  std::string outbox_;     // sent by the client, and the server's window is full
  std::string to_server_;  // arrived, not received
  std::string to_client_;  // arrived, not read
  std::string received_;
  bool client_finished_ = false;
  bool client_closed_ = false;
  bool client_reads_ = true;
  bool end_arrived_ = false;
  bool end_left_ = false;  // the server's, before any reset
  bool server_closed_ = false;
  bool reset_ = false;
  bool error_is_new_ = false;
};

/// What becomes of a connection that the server under test asks for.
enum class connect_answer : std::uint8_t { refused, accepted, silent, unreachable };

/// The network of one test. The ring of the server under test finds it by itself, so that one lives
/// at a time on a thread.
class network {
 public:
  explicit network(std::uint64_t seed, const testing::faults& which = {}) noexcept
      : faults(which), chance(seed), now_ms_(chance.below(std::uint64_t{1} << 32)) {
    NEN_ASSERT(current_ == nullptr);
    current_ = this;
  }
  ~network() { current_ = nullptr; }
  network(const network&) = delete;
  network& operator=(const network&) = delete;

  static network& current() noexcept {
    NEN_ASSERT(current_ != nullptr);  // a simulated_ring needs a network on its thread
    return *current_;
  }

  testing::faults faults;
  testing::random chance;
  testing::failure failure;
  int open_errno = 0;              ///< not 0: the ring can't be opened
  std::size_t window = 64 * 1024;  ///< bytes in flight in one direction of a new connection

  /// A client connects; it waits in the backlog until the server accepts it.
  /// @param from  its address; without one it is of 127.0.0.1, with a port of its own
  std::shared_ptr<wire> connect() {
    constexpr std::uint16_t first_port = 32'768;
    next_port_ = static_cast<std::uint16_t>(next_port_ + 1) | first_port;
    return connect(*endpoint::parse("127.0.0.1", next_port_));
  }
  std::shared_ptr<wire> connect(const endpoint& from) {
    auto made = std::make_shared<wire>(window, from);
    if (listening_) {
      backlog_.push_back(made);
    } else {
      made->break_off();
    }
    return made;
  }
  bool has_backlog() const noexcept { return !backlog_.empty(); }
  bool is_listening() const noexcept { return listening_; }
  std::shared_ptr<wire> accept() {
    auto first = backlog_.front();
    backlog_.pop_front();
    return first;
  }
  /// Refuses who comes from now on, and who waits.
  void stop_listening() {
    listening_ = false;
    for (auto& waiting : backlog_) waiting->break_off();
    backlog_.clear();
  }

  // Connections that go out: the test is the other side, with the client's end of the wire.

  /// Who answers, by port; a Unix socket's is 0. Everything else is refused.
  std::array<connect_answer, 65536> listeners{};

  /// A connection that went out, in order.
  struct dialled {
    endpoint to;
    std::shared_ptr<wire> connected;
  };
  std::deque<dialled> went_out;

  /// @returns  0 when a socket made with this wire is connected, EINPROGRESS when nobody answers,
  ///           or why it is not
  int dial(const endpoint& to, const std::shared_ptr<wire>& made) {
    switch (listeners[to.port()]) {
      case connect_answer::accepted:
        went_out.push_back({to, made});
        return 0;
      case connect_answer::refused:
        return ECONNREFUSED;
      case connect_answer::silent:
        return EINPROGRESS;
      case connect_answer::unreachable:
        return EHOSTUNREACH;
    }
    NEN_ASSERT(false);
    return 0;
  }

  /// Somebody else's descriptors, as far as they are ready.
  void set_ready(int descriptor, readiness what, bool is_ready = true) {
    if (is_ready) {
      ready_.insert({descriptor, what});
    } else {
      ready_.erase({descriptor, what});
    }
  }
  bool is_ready(int descriptor, readiness what) const {
    return ready_.count({descriptor, what}) != 0;
  }

  /// What was written to somebody else's descriptor, write by write.
  struct sink {
    std::deque<std::string> writes;
    bool is_stuck = false;  ///< it takes nothing, as a pipe that nobody reads
    int errno_value = 0;    ///< not 0: writing fails with this

    std::string text() const {
      std::string all;
      for (const std::string& one : writes) all += one;
      return all;
    }
  };
  sink& sink_of(int descriptor) {
    for (auto& [of, found] : sinks_)
      if (of == descriptor) return found;
    return sinks_.emplace_back(descriptor, sink{}).second;
  }

  /// Counts the server's waker up, as a stop from another thread does.
  void wake(std::uint64_t amount) noexcept { waker_ += amount; }
  std::uint64_t waker() const noexcept { return waker_; }
  std::uint64_t take_waker() noexcept { return std::exchange(waker_, 0); }

  /// Milliseconds; the ring's clock is their lower 32 bits, which may wrap in any test.
  std::uint64_t now_ms() const noexcept { return now_ms_; }
  void pass_until(std::uint64_t then) noexcept { now_ms_ = std::max(now_ms_, then); }

  /// Time does not pass this point on its own.
  std::uint64_t horizon_ms = ~std::uint64_t{0};

 private:
  static inline thread_local network* current_ = nullptr;

  std::deque<std::shared_ptr<wire>> backlog_;
  std::set<std::pair<int, readiness>> ready_;
  std::deque<std::pair<int, sink>> sinks_;
  std::uint64_t now_ms_;
  std::uint64_t waker_ = 0;
  std::uint16_t next_port_ = 0;
  bool listening_ = true;
};

}  // namespace nen::testing
