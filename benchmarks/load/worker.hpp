// One thread of the load: its connections, and what it measured on them.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "echo_reader.hpp"
#include "failure.hpp"
#include "histogram.hpp"
#include "plan.hpp"
#include "response_reader.hpp"
#include "ring.hpp"

namespace load {

/// What a thread found, to be added to what the others did.
struct findings {
  histogram latencies;  ///< of requests that were sent, or due, while it was measured
  histogram lags;       ///< open loop: how late requests were sent for which a connection was free
  std::uint64_t waited = 0;       ///< open loop: requests that had to wait for a connection
  std::uint64_t answers = 0;      ///< that came while it was measured
  std::uint64_t body_bytes = 0;   ///< of those
  std::uint64_t connections = 0;  ///< opened over the whole run
  std::uint64_t closed_idle = 0;  ///< connections that the server closed between two requests
  std::uint64_t last_answer = 0;  ///< when
  double cpu_seconds = 0;         ///< of this thread, while it was measured
  failures wrong;

  void add(const findings& other);
};

class worker {
 public:
  /// @param number  of this thread
  worker(plan& shared, unsigned number);

  /// Connects, calls connected(), which returns when all threads are connected and the plan is
  /// started, and then loads the server. measuring() and measured() are called on the way.
  void run(const std::function<void()>& connected, const std::function<void()>& measuring,
           const std::function<void()>& measured);

  /// All answers so far, of warming up too. For any thread.
  std::uint64_t answers() const { return answers_.load(std::memory_order_relaxed); }

  const findings& found() const { return found_; }

 private:
  enum class operation : std::uint8_t { connect, receive, send };
  enum class state : std::uint8_t { none, connecting, handshaking, open, closing };

  struct connection {
    connection(const plan& p, std::size_t number)
        : slot(number), echo(p.payload, p.chosen.is_text) {}

    const std::size_t slot;
    load::worker::state state = state::none;
    int fd = -1;
    bool receiving = false;
    bool sending = false;
    bool is_last = false;       // the present batch ends what this connection is for
    bool is_waiting = false;    // in idle_
    unsigned operations = 0;    // in flight; the descriptor is closed at 0
    unsigned in_flight = 0;     // requests
    unsigned first_stamp = 0;   // where the oldest one's time is in its part of stamps_
    std::size_t expects = 0;    // the request of the cycle that is answered next
    std::size_t sends = 0;      // the one that is sent next
    std::size_t send_size = 0;  // of the send in flight
    std::uint64_t sent = 0;     // requests on this connection
    std::uint64_t since = 0;    // when it was opened, sent last or was answered last
    response_reader response;
    echo_reader echo;
    std::string own_bytes;  // a handshake's answer, or a batch with "Connection: close"
  };

  static std::uint64_t tag(operation what, std::size_t slot) {
    return static_cast<std::uint64_t>(what) << 32 | slot;
  }

  // The life of a connection.
  void open(std::size_t slot);
  void on_connect(connection& c, int result);
  void read_handshake(connection& c, std::string_view bytes);
  void be_open(connection& c);
  void give_up(connection& c, failure what, std::string_view sentence);
  void retire(connection& c);
  void close_if_quiet(connection& c);

  // Requests and answers.
  void receive(connection& c);
  void on_receive(connection& c, int result, unsigned flags);
  void on_bytes(connection& c, std::string_view bytes);
  void on_end(connection& c);
  void on_send(connection& c, int result);
  void on_answer(connection& c);
  verdict read_answer(connection& c, std::string_view& bytes);
  void check_answer(connection& c);
  void go_on(connection& c);
  void send_batch(connection& c);
  void broadcast();
  void send_due(connection& c, std::uint64_t due);
  void send(connection& c, unsigned count, std::uint64_t stamp);
  void submit_send(connection& c, std::string_view bytes);

  // Time.
  void connect_all();
  void turn();
  void send_all_due();
  void wait();
  void sweep();
  bool is_over() const;
  bool is_stopped() const;
  bool is_measured(std::uint64_t stamp) const {
    return stamp >= plan_.measure_begin && stamp < plan_.measure_end;
  }
  std::uint64_t due_time(std::uint64_t index) const;
  void finish();

  plan& plan_;
  const unsigned number_;
  load::ring ring_;
  std::deque<connection> connections_;
  std::vector<std::uint64_t> stamps_;  // `pipeline` of them for each connection
  std::deque<std::size_t> idle_;       // open loop: connections that could send
  bool is_started_ = false;
  unsigned ready_ = 0;           // connections that were open, before the start
  unsigned open_ = 0;            // connections that are
  std::size_t speaker_ = 0;      // broadcasts: the connection that sends next
  unsigned unsubmitted_ = 0;     // sends that the kernel has not seen
  std::uint64_t in_flight_ = 0;  // of all connections
  std::uint64_t budget_ = 0;     // measured requests that may still be sent
  std::uint64_t now_ = 0;        // when this turn began
  std::uint64_t next_sweep_ = 0;
  std::uint64_t next_due_ = 0;       // open loop: the request that is due next
  std::uint64_t blocked_until_ = 0;  // open loop: what was due until then had no connection
  std::uint64_t starts_ = 0;         // requests that were sent
  std::atomic<std::uint64_t> answers_{0};
  findings found_;
};

}  // namespace load
