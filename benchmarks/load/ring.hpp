// The kernel's ring, with the receive buffers that it picks from, as one thread of the load uses
// it.
#pragma once

#include <liburing.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <vector>

namespace load {

[[noreturn]] inline void fail(const char* what, int errno_value) {
  std::fprintf(stderr, "load: %s: %s\n", what, std::strerror(errno_value));
  std::exit(1);
}

class ring {
 public:
  static constexpr int buffer_group = 0;

  ring() : memory_(buffer_count * buffer_stride) {
    io_uring_params params{};
    params.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_CQSIZE;
    params.cq_entries = 8 * entries;
    int result = io_uring_queue_init_params(entries, &ring_, &params);
    if (result == -EINVAL) {  // a kernel before 6.1
      params = {};
      params.flags = IORING_SETUP_CQSIZE;
      params.cq_entries = 8 * entries;
      result = io_uring_queue_init_params(entries, &ring_, &params);
    }
    if (result < 0) fail("io_uring_setup", -result);
    io_uring_register_ring_fd(&ring_);
    buffers_ = static_cast<io_uring_buf_ring*>(
        std::aligned_alloc(4096, buffer_count * sizeof(io_uring_buf)));
    if (buffers_ == nullptr) fail("memory for receive buffers", ENOMEM);
    io_uring_buf_ring_init(buffers_);
    io_uring_buf_reg registration{};
    registration.ring_addr = reinterpret_cast<std::uintptr_t>(buffers_);
    registration.ring_entries = buffer_count;
    registration.bgid = buffer_group;
    result = io_uring_register_buf_ring(&ring_, &registration, 0);
    if (result < 0) fail("register receive buffers", -result);
    for (unsigned i = 0; i < buffer_count; ++i) give_back(i);
  }
  ~ring() {
    io_uring_queue_exit(&ring_);
    std::free(buffers_);
  }
  ring(const ring&) = delete;
  ring& operator=(const ring&) = delete;

  /// An entry to fill in; what was queued is submitted when there is no room.
  io_uring_sqe* next(std::uint64_t tag) {
    io_uring_sqe* sqe = io_uring_get_sqe(&ring_);
    while (sqe == nullptr) {
      submit();
      sqe = io_uring_get_sqe(&ring_);
    }
    io_uring_sqe_set_data64(sqe, tag);
    return sqe;
  }

  void submit() { check(io_uring_submit(&ring_)); }

  /// Submits, and takes what has completed, without waiting.
  void poll() { check(io_uring_submit_and_get_events(&ring_)); }

  /// Submits and waits for a completion.
  void wait(std::uint64_t nanoseconds_max) {
    __kernel_timespec time{};
    time.tv_sec = static_cast<long long>(nanoseconds_max / 1'000'000'000);
    time.tv_nsec = static_cast<long long>(nanoseconds_max % 1'000'000'000);
    io_uring_cqe* first = nullptr;
    check(io_uring_submit_and_wait_timeout(&ring_, &first, 1, &time, nullptr));
  }

  /// Calls f(tag, result, flags) for what has completed.
  template <class F>
  void reap(F f) {
    unsigned head = 0;
    unsigned seen = 0;
    io_uring_cqe* cqe = nullptr;
    io_uring_for_each_cqe(&ring_, head, cqe) {
      f(cqe->user_data, cqe->res, cqe->flags);
      ++seen;
    }
    io_uring_cq_advance(&ring_, seen);
  }

  std::string_view received(unsigned buffer, int bytes) const {
    return {memory_.data() + buffer * buffer_stride, static_cast<std::size_t>(bytes)};
  }

  void give_back(unsigned buffer) {
    io_uring_buf_ring_add(buffers_, memory_.data() + buffer * buffer_stride, buffer_bytes,
                          static_cast<unsigned short>(buffer), buffer_count - 1, 0);
    io_uring_buf_ring_advance(buffers_, 1);
  }

 private:
  static constexpr unsigned entries = 2048;
  static constexpr unsigned buffer_count = 256;  // a power of two, as the kernel demands
  static constexpr unsigned buffer_bytes = 32 * 1024;
  // Two lines more, so that the buffers' first lines are not in the same set of the cache.
  static constexpr std::size_t buffer_stride = buffer_bytes + 128;

  static void check(int result) {
    const bool is_usual = result >= 0 || result == -ETIME || result == -EINTR ||
                          result == -EAGAIN || result == -EBUSY;
    if (!is_usual) fail("io_uring_enter", -result);
  }

  io_uring ring_{};
  io_uring_buf_ring* buffers_ = nullptr;
  std::vector<char> memory_;
};

}  // namespace load
