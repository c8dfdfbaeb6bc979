// The floor's server: one shard of canned answers on io_uring. It counts the ends of request heads
// and sends that many copies of one fixed response; it has no parser, no router and no timeouts. Or
// it sends back what it gets, for clients that wait for their echo.
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
#include <string>
#include <string_view>

namespace nen::floor {

constexpr unsigned connections_max = 4096;  // a connection's slot is its direct descriptor
constexpr unsigned accepts_max = 16;
constexpr unsigned buffer_count = 1024;  // a power of two, as the kernel's buffer ring demands
constexpr unsigned buffer_bytes = 4096;
constexpr unsigned submissions_max = 4096;
constexpr unsigned completions_max = 4 * submissions_max;  // never overflows: see shard
constexpr int buffer_group = 0;
constexpr unsigned answers_per_send_max = 256;
constexpr unsigned answers_due_max = 16 * answers_per_send_max;  // more stop the receive

constexpr std::string_view answer =
    "HTTP/1.1 200 OK\r\n"
    "Server: nen\r\n"
    "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
    "Content-Type: text/plain; charset=utf-8\r\n"
    "Content-Length: 13\r\n"
    "\r\n"
    "Hello, World!";

/// The answer, repeated: a send of n answers is a prefix of it.
inline const std::string answers = [] {
  std::string bytes;
  for (unsigned i = 0; i < answers_per_send_max; ++i) bytes += answer;
  return bytes;
}();

[[noreturn]] inline void fail(const char* what, int errno_value) {
  std::fprintf(stderr, "floor: %s: %s\n", what, std::strerror(errno_value));
  std::_Exit(1);
}

/// Counts the blank lines ("\r\n\r\n") that end request heads, over reads that may split one
/// anywhere.
class head_counter {
 public:
  unsigned feed(std::string_view bytes) {
    const char* at = bytes.data();
    const char* const end = at + bytes.size();
    unsigned heads = 0;
    while (at != end && matched_ != 0) heads += step(*at++);
    while (end - at >= 4) {  // The fourth byte alone tells how far the next possible start is.
      if (at[3] == '\n') {
        const bool found = at[0] == '\r' && at[1] == '\n' && at[2] == '\r';
        heads += found ? 1U : 0U;
        at += found ? 4 : 2;
      } else {
        at += at[3] == '\r' ? 1 : 4;
      }
    }
    while (at != end) heads += step(*at++);
    return heads;
  }

 private:
  unsigned step(char byte) {
    if (byte != "\r\n\r\n"[matched_]) {
      matched_ = byte == '\r' ? 1 : 0;
      return 0;
    }
    matched_ = static_cast<std::uint8_t>((matched_ + 1) % 4);
    return matched_ == 0 ? 1 : 0;
  }

  std::uint8_t matched_ = 0;  // bytes of a blank line that the stream ends with
};

struct connection {
  head_counter heads;
  bool receiving = false;     // true exactly when a receive is in flight
  bool ended = false;         // true exactly when nothing more will be received
  std::uint32_t sending = 0;  // bytes of the send in flight; 0 when there is none
  std::uint32_t due = 0;      // answers that no send carries yet
  unsigned echoed = 0;        // the buffer that is being sent back, + 1
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
  void run(int listener, int stop, bool echoes, std::latch& ready) {
    listener_ = listener;
    echoes_ = echoes;
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

    buffer_ring_ = reinterpret_cast<io_uring_buf_ring*>(buffer_ring_memory_.data());
    io_uring_buf_ring_init(buffer_ring_);
    io_uring_buf_reg registration{};
    registration.ring_addr = reinterpret_cast<std::uintptr_t>(buffer_ring_);
    registration.ring_entries = buffer_count;
    registration.bgid = buffer_group;
    result = io_uring_register_buf_ring(&ring_, &registration, 0);
    if (result < 0) fail("register receive buffers", -result);
    for (unsigned i = 0; i < buffer_count; ++i) give_back(i);
  }

  void give_back(unsigned buffer) {
    io_uring_buf_ring_add(buffer_ring_, buffers_[buffer].data(), buffer_bytes,
                          static_cast<unsigned short>(buffer), buffer_count - 1, 0);
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
    if (result > 0 && echoes_) return send_back(slot, buffer, result);
    if (result > 0) {
      peer.due += peer.heads.feed({buffers_[buffer].data(), static_cast<std::size_t>(result)});
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
      stop_receiving(slot);
    }
    peer.sending = 0;
    if (peer.echoed != 0) give_back(peer.echoed - 1);
    peer.echoed = 0;
    go_on(slot);
  }

  void send_back(unsigned slot, unsigned buffer, int bytes) {
    connection& peer = connections_[slot];
    if (peer.sending != 0) {  // it did not wait: not what this is for
      give_back(buffer);
      peer.ended = true;
      return stop_receiving(slot);
    }
    ++answered_;
    peer.echoed = buffer + 1;
    peer.sending = static_cast<std::uint32_t>(bytes);
    io_uring_sqe* sqe = next(operation::send, slot);
    io_uring_prep_send(sqe, static_cast<int>(slot), buffers_[buffer].data(), peer.sending,
                       MSG_WAITALL | MSG_NOSIGNAL);
    sqe->flags |= IOSQE_FIXED_FILE;
    go_on(slot);
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
    if (peer.sending == 0 && peer.due != 0) {
      const unsigned count = std::min(peer.due, answers_per_send_max);
      peer.due -= count;
      answered_ += count;
      peer.sending = count * static_cast<std::uint32_t>(answer.size());
      io_uring_sqe* sqe = next(operation::send, slot);
      io_uring_prep_send(sqe, static_cast<int>(slot), answers.data(), peer.sending,
                         MSG_WAITALL | MSG_NOSIGNAL);
      sqe->flags |= IOSQE_FIXED_FILE;
    }
    if (!peer.receiving && !peer.ended && peer.due == 0) {
      peer.receiving = true;
      io_uring_sqe* sqe = next(operation::receive, slot);
      io_uring_prep_recv_multishot(sqe, static_cast<int>(slot), nullptr, 0, 0);
      sqe->flags |= IOSQE_FIXED_FILE | IOSQE_BUFFER_SELECT;
      sqe->buf_group = buffer_group;
    }
    if (peer.ended && !peer.receiving && peer.sending == 0 && peer.due == 0) {
      io_uring_prep_close_direct(next(operation::close, slot), slot);
    }
  }

  io_uring ring_{};
  io_uring_buf_ring* buffer_ring_ = nullptr;
  int listener_ = -1;
  bool stopped_ = false;
  bool echoes_ = false;
  unsigned accepts_ = 0;  // accepts in flight, each of which holds a slot
  unsigned used_ = 0;     // slots not free; free_ is a stack of the others
  std::uint64_t answered_ = 0;
  std::array<unsigned, connections_max> free_{};
  std::array<connection, connections_max> connections_{};
  alignas(4096) std::array<io_uring_buf, buffer_count> buffer_ring_memory_;
  alignas(4096) std::array<std::array<char, buffer_bytes>, buffer_count> buffers_;
};

}  // namespace nen::floor
