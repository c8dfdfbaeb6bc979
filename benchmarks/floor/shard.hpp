// The floor's server: one shard of canned answers on io_uring. It counts the ends of requests
// (requests.hpp) and sends that many copies of one fixed response; it has no parser, no router and
// no timeouts. Or it sends back what it gets.
#pragma once

#include <liburing.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <latch>
#include <memory>
#include <vector>

#include "requests.hpp"

namespace nen::floor {

constexpr unsigned connections_max = 4096;  // a connection's slot is its direct descriptor
constexpr unsigned accepts_max = 16;
constexpr unsigned submissions_max = 4096;
constexpr unsigned completions_max = 4 * submissions_max;  // never overflows: see shard
constexpr int buffer_group = 0;
constexpr unsigned answers_due_max = 4096;  // more stop the receive
[[noreturn]] inline void fail(const char* what, int errno_value) {
  std::fprintf(stderr, "floor: %s: %s\n", what, std::strerror(errno_value));
  std::_Exit(1);
}

struct connection {
  request_counter requests;
  bool receiving = false;     // true exactly when a receive is in flight
  bool ended = false;         // true exactly when nothing more will be received
  std::uint32_t sending = 0;  // bytes of the send in flight; 0 when there is none
  std::uint32_t due = 0;      // answers that no send carries yet
  std::uint32_t served = 0;   // answers that were sent or are being sent
  // What is sent back: a list of buffers (+ 1) in the order in which they came. The first one is
  // being sent.
  unsigned first_echo = 0;
  unsigned last_echo = 0;
  bool starved = false;  // in the list of those for whom no buffer was left
};

enum class operation : std::uint8_t { stop, accept, receive, send, cancel, close };

constexpr std::uint64_t tag(operation what, unsigned slot) {
  return static_cast<std::uint64_t>(what) << 32 | slot;
}

/// One thread's server. A connection's slot is freed only when its last operation has completed, so
/// that an operation and a slot are enough to name a completion. What can be in flight is bounded
/// by the connections and the buffers, and the completion queue holds all of it.
class shard {
 public:
  /// Serves until `stop` becomes readable. `ready` is counted down once connections are accepted.
  void run(int listener, int stop, const work& chosen, std::latch& ready) {
    listener_ = listener;
    work_ = &chosen;
    set_up();
    io_uring_prep_poll_add(next(operation::stop, 0), stop, POLLIN);
    for (unsigned i = 0; i < connections_max; ++i) free_[i] = connections_max - 1 - i;
    arm_accepts();
    ready.count_down();
    while (!stopped_) {
      const int result = io_uring_submit_and_wait(&ring_, 1);
      if (result < 0 && result != -EINTR) fail("io_uring_enter", -result);
      reap();
    }
    io_uring_queue_exit(&ring_);
  }

  std::uint64_t answered() const { return answered_; }

 private:
  void set_up() {
    constexpr std::array<unsigned, 3> choices = {
        IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN, IORING_SETUP_COOP_TASKRUN, 0};
    int result = -EINVAL;
    for (std::size_t i = 0; i < choices.size() && result == -EINVAL; ++i) {
      io_uring_params params{};
      params.flags = choices[i] | IORING_SETUP_CQSIZE;
      params.cq_entries = completions_max;
      result = io_uring_queue_init_params(submissions_max, &ring_, &params);
    }
    if (result < 0) fail("io_uring_setup", -result);
    if (result = io_uring_register_ring_fd(&ring_); result < 0) fail("register ring", -result);
    result = io_uring_register_files_sparse(&ring_, connections_max);
    if (result < 0) fail("register direct descriptors", -result);

    buffers_ = std::make_unique_for_overwrite<char[]>(work_->buffer_count * work_->buffer_bytes);
    buffer_ring_ = reinterpret_cast<io_uring_buf_ring*>(buffer_ring_memory_.data());
    io_uring_buf_ring_init(buffer_ring_);
    io_uring_buf_reg registration{};
    registration.ring_addr = reinterpret_cast<std::uintptr_t>(buffer_ring_);
    registration.ring_entries = work_->buffer_count;
    registration.bgid = buffer_group;
    result = io_uring_register_buf_ring(&ring_, &registration, 0);
    if (result < 0) fail("register receive buffers", -result);
    for (unsigned i = 0; i < work_->buffer_count; ++i) give_back(i);
  }

  char* bytes_of(unsigned buffer) { return buffers_.get() + buffer * work_->buffer_bytes; }

  void give_back(unsigned buffer) {
    io_uring_buf_ring_add(
        buffer_ring_, bytes_of(buffer), static_cast<unsigned>(work_->buffer_bytes),
        static_cast<unsigned short>(buffer), static_cast<int>(work_->buffer_count) - 1, 0);
    io_uring_buf_ring_advance(buffer_ring_, 1);
  }

  /// Sets user_data first: from liburing 2.3 on, the prep functions leave it alone.
  io_uring_sqe* next(operation what, unsigned slot) {
    io_uring_sqe* sqe = io_uring_get_sqe(&ring_);
    while (sqe == nullptr) {
      const int result = io_uring_submit(&ring_);
      if (result < 0) fail("io_uring_submit", -result);
      sqe = io_uring_get_sqe(&ring_);
    }
    io_uring_sqe_set_data64(sqe, tag(what, slot));
    return sqe;
  }

  void arm_accepts() {
    while (accepts_ < accepts_max && used_ < connections_max) {
      const unsigned slot = free_[connections_max - 1 - used_++];
      ++accepts_;
      io_uring_prep_accept_direct(next(operation::accept, slot), listener_, nullptr, nullptr, 0,
                                  slot);
    }
  }

  void reap() {
    unsigned head = 0;
    unsigned seen = 0;
    io_uring_cqe* cqe = nullptr;
    io_uring_for_each_cqe(&ring_, head, cqe) {
      complete(*cqe);
      ++seen;
    }
    io_uring_cq_advance(&ring_, seen);
  }

  void complete(const io_uring_cqe& cqe) {
    const auto slot = static_cast<unsigned>(cqe.user_data & 0xffffffffU);
    switch (static_cast<operation>(cqe.user_data >> 32)) {
      case operation::stop:
        stopped_ = true;
        return;
      case operation::accept:
        return on_accept(slot, cqe.res);
      case operation::receive:
        return on_receive(slot, cqe.res, cqe.flags);
      case operation::send:
        return on_send(slot, cqe.res);
      case operation::cancel:
        return;  // The receive that it ends has a completion of its own.
      case operation::close:
        return release(slot);
    }
  }

  void release(unsigned slot) {
    free_[connections_max - used_--] = slot;
    arm_accepts();
  }

  void on_accept(unsigned slot, int result) {
    --accepts_;
    if (result == -EBADF || result == -EINVAL || result == -ENXIO) fail("accept", -result);
    if (result < 0) return release(slot);  // The peer left before it was accepted.
    connections_[slot] = connection{};
    go_on(slot);
    arm_accepts();
  }

  void on_receive(unsigned slot, int result, unsigned flags) {
    connection& peer = connections_[slot];
    peer.receiving = (flags & IORING_CQE_F_MORE) != 0;
    const unsigned buffer = flags >> IORING_CQE_BUFFER_SHIFT;
    if (result > 0 && work_->echoes) return send_back(slot, buffer, result);
    if (result > 0) {
      peer.due += peer.requests.feed({bytes_of(buffer), static_cast<std::size_t>(result)},
                                     work_->body_bytes);
    } else if (result == -ENOBUFS && work_->echoes) {
      peer.starved = true;
      return starved_.push_back(slot);
    } else if (result != -ENOBUFS && result != -ECANCELED) {
      peer.ended = true;  // After ENOBUFS it asks again: every buffer is back when this turn ends.
    }
    if ((flags & IORING_CQE_F_BUFFER) != 0) give_back(buffer);
    if (peer.due > answers_due_max) stop_receiving(slot);
    go_on(slot);
  }

  void on_send(unsigned slot, int result) {
    connection& peer = connections_[slot];
    if (result != static_cast<int>(peer.sending)) {
      peer.ended = true;
      peer.due = 0;
      drop_echoes(peer);
      stop_receiving(slot);
    }
    peer.sending = 0;
    if (peer.first_echo != 0) take_back(peer);
    go_on(slot);
  }

  /// The buffer that was sent. A connection that had none can go on.
  void take_back(connection& peer) {
    const unsigned buffer = peer.first_echo - 1;
    peer.first_echo = next_echo_[buffer];
    give_back(buffer);
    if (starved_.empty()) return;
    const unsigned slot = starved_.back();
    starved_.pop_back();
    connections_[slot].starved = false;
    go_on(slot);
  }

  void send_back(unsigned slot, unsigned buffer, int bytes) {
    connection& peer = connections_[slot];
    ++answered_;
    echo_bytes_[buffer] = static_cast<std::uint32_t>(bytes);
    next_echo_[buffer] = 0;
    (peer.first_echo == 0 ? peer.first_echo : next_echo_[peer.last_echo - 1]) = buffer + 1;
    peer.last_echo = buffer + 1;
    go_on(slot);
  }

  /// For a peer that left: all but the first, which the completion of its send gives back.
  void drop_echoes(connection& peer) {
    if (peer.first_echo == 0) return;
    for (unsigned i = next_echo_[peer.first_echo - 1]; i != 0;) {
      const unsigned buffer = i - 1;
      i = next_echo_[buffer];
      give_back(buffer);
    }
    next_echo_[peer.first_echo - 1] = 0;
    peer.last_echo = peer.first_echo;
  }

  void send(unsigned slot, const char* bytes, std::size_t size) {
    connections_[slot].sending = static_cast<std::uint32_t>(size);
    io_uring_sqe* sqe = next(operation::send, slot);
    io_uring_prep_send(sqe, static_cast<int>(slot), bytes, size, MSG_WAITALL | MSG_NOSIGNAL);
    sqe->flags |= IOSQE_FIXED_FILE;
  }

  void stop_receiving(unsigned slot) {
    if (!connections_[slot].receiving) return;
    io_uring_prep_cancel64(next(operation::cancel, slot), tag(operation::receive, slot), 0);
  }

  /// Starts what the connection can do next: one send at a time, and a multishot receive where none
  /// is in flight. A receive that was stopped starts again only once every answer is on its way, so
  /// that a peer who does not read is not read from for ever.
  void go_on(unsigned slot) {
    connection& peer = connections_[slot];
    if (peer.sending == 0 && peer.first_echo != 0) {
      send(slot, bytes_of(peer.first_echo - 1), echo_bytes_[peer.first_echo - 1]);
    }
    if (peer.sending == 0 && peer.due != 0) {
      const unsigned count = std::min(peer.due, work_->answers_per_send);
      peer.due -= count;
      peer.served += count;
      answered_ += count;
      send(slot, work_->answers.data(), count * work_->answer_bytes);
      if (work_->answers_per_connection != 0 && peer.served >= work_->answers_per_connection) {
        peer.ended = true;
        stop_receiving(slot);
      }
    }
    if (!peer.receiving && !peer.ended && peer.due == 0 && !peer.starved) {
      peer.receiving = true;
      io_uring_sqe* sqe = next(operation::receive, slot);
      io_uring_prep_recv_multishot(sqe, static_cast<int>(slot), nullptr, 0, 0);
      sqe->flags |= IOSQE_FIXED_FILE | IOSQE_BUFFER_SELECT;
      sqe->buf_group = buffer_group;
    }
    if (peer.ended && !peer.receiving && peer.sending == 0 && peer.due == 0 &&
        peer.first_echo == 0) {
      io_uring_prep_close_direct(next(operation::close, slot), slot);
    }
  }

  io_uring ring_{};
  io_uring_buf_ring* buffer_ring_ = nullptr;
  int listener_ = -1;
  const work* work_ = nullptr;
  bool stopped_ = false;
  unsigned accepts_ = 0;  // accepts in flight, each of which holds a slot
  unsigned used_ = 0;     // slots not free; free_ is a stack of the others
  std::uint64_t answered_ = 0;
  std::vector<unsigned> starved_;
  std::array<unsigned, work::buffer_count_max> next_echo_{};  // + 1; 0 ends a list
  std::array<std::uint32_t, work::buffer_count_max> echo_bytes_{};
  std::array<unsigned, connections_max> free_{};
  std::array<connection, connections_max> connections_{};
  alignas(4096) std::array<io_uring_buf, work::buffer_count_max> buffer_ring_memory_;
  std::unique_ptr<char[]> buffers_;
};

}  // namespace nen::floor
