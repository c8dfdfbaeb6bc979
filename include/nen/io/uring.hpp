// io, L2: the kernel's ring, and the one file that includes liburing. Direct descriptors, a
// provided buffer ring for receives, one system call a turn.
#pragma once

#include <nen/core/assert.hpp>
#include <nen/core/result.hpp>
#include <nen/core/smallest.hpp>
#include <nen/io/accepted_name.hpp>
#include <nen/io/completion.hpp>
#include <nen/io/ring.hpp>

#include <liburing.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <span>
#include <string_view>

namespace nen {

namespace detail {

/// All of a ring that does not depend on its sizes.
class uring_base {
 public:
  static constexpr std::size_t vector_parts_max = 8;

  uring_base() = default;
  uring_base(const uring_base&) = delete;
  uring_base& operator=(const uring_base&) = delete;

  [[gnu::noinline]] void accept(token t, int listener, std::uint32_t place,
                                accepted_name* who = nullptr) noexcept {
    io_uring_sqe* const sqe = next_sqe_of_rare();
    io_uring_prep_accept_direct(sqe, listener, who == nullptr ? nullptr : &who->any,
                                who == nullptr ? nullptr : &who->size, 0, place);
    sqe->user_data = t.value;
  }

  [[gnu::cold]] static bool has_backlog(int listener) noexcept {
    pollfd asked = {listener, POLLIN, 0};
    return ::poll(&asked, 1, 0) == 1 && (asked.revents & POLLIN) != 0;
  }

  [[gnu::noinline]] void connect(token t, std::uint32_t place, const endpoint& to) noexcept {
    make_socket(place, to.family());
    if (vectors_used_ == vectors_.size()) flush();
    io_uring_sqe* const sqe = next_sqe_of_rare();
    vector& v = vectors_[vectors_used_++];
    std::memcpy(&v.address, to.data(), to.size());
    io_uring_prep_connect(sqe, static_cast<int>(place), reinterpret_cast<sockaddr*>(&v.address),
                          to.size());
    sqe->flags |= IOSQE_FIXED_FILE;
    sqe->user_data = t.value;
  }

  void receive(token t, std::uint32_t place) noexcept {
    io_uring_sqe* const sqe = next_sqe();
    io_uring_prep_recv_multishot(sqe, static_cast<int>(place), nullptr, 0, 0);
    // Waits before it tries, else it would end with ENOBUFS at once when no buffer is free just
    // now.
    sqe->ioprio |= IORING_RECVSEND_POLL_FIRST;
    lease(sqe, t);
  }

  void receive_once(token t, std::uint32_t place) noexcept {
    io_uring_sqe* const sqe = next_sqe();
    io_uring_prep_recv(sqe, static_cast<int>(place), nullptr, 0, 0);
    lease(sqe, t);
  }

  void send(token t, std::uint32_t place, std::string_view bytes) noexcept {
    io_uring_sqe* const sqe = next_sqe();
    io_uring_prep_send(sqe, static_cast<int>(place), bytes.data(), bytes.size(),
                       MSG_WAITALL | MSG_NOSIGNAL);
    sqe->flags |= IOSQE_FIXED_FILE;
    sqe->user_data = t.value;
  }

  [[gnu::noinline]] void send_vector(token t, std::uint32_t place,
                                     std::span<const std::string_view> parts) noexcept {
    NEN_ASSERT(!parts.empty() && parts.size() <= vector_parts_max);
    if (vectors_used_ == vectors_.size()) flush();
    io_uring_sqe* const sqe = next_sqe_of_rare();
    vector& v = vectors_[vectors_used_++];  // free again once submitted (IORING_FEAT_SUBMIT_STABLE)
    for (std::size_t i = 0; i < parts.size(); ++i)
      v.parts[i] = {const_cast<char*>(parts[i].data()), parts[i].size()};
    v.header = {};
    v.header.msg_iov = v.parts.data();
    v.header.msg_iovlen = parts.size();
    io_uring_prep_sendmsg(sqe, static_cast<int>(place), &v.header, MSG_WAITALL | MSG_NOSIGNAL);
    sqe->flags |= IOSQE_FIXED_FILE;
    sqe->user_data = t.value;
  }

  [[gnu::noinline]] void shutdown(token t, std::uint32_t place) noexcept {
    io_uring_sqe* const sqe = next_sqe_of_rare();
    io_uring_prep_shutdown(sqe, static_cast<int>(place), SHUT_WR);
    sqe->flags |= IOSQE_FIXED_FILE;
    sqe->user_data = t.value;
  }

  [[gnu::noinline]] void disconnect(token t, std::uint32_t place) noexcept {
    // Connecting to nothing dissolves a connection (connect(2)); TCP then resets its peer.
    static constexpr sockaddr nothing{AF_UNSPEC, {}};
    io_uring_sqe* const sqe = next_sqe_of_rare();
    io_uring_prep_connect(sqe, static_cast<int>(place), &nothing, sizeof nothing);
    sqe->flags |= IOSQE_FIXED_FILE;
    sqe->user_data = t.value;
  }

  [[gnu::noinline]] void watch_end(token t, std::uint32_t place) noexcept {
    static_assert(end_by_reset == POLLERR);
    io_uring_sqe* const sqe = next_sqe_of_rare();
    io_uring_prep_poll_add(sqe, static_cast<int>(place), POLLRDHUP);
    sqe->flags |= IOSQE_FIXED_FILE;
    sqe->user_data = t.value;
  }

  [[gnu::noinline]] void cancel(token t, token which) noexcept {
    io_uring_sqe* const sqe = next_sqe_of_rare();
    io_uring_prep_cancel64(sqe, which.value, 0);
    sqe->user_data = t.value;
  }

  [[gnu::noinline]] void close(token t, std::uint32_t place) noexcept {
    io_uring_sqe* const sqe = next_sqe_of_rare();
    io_uring_prep_close_direct(sqe, place);
    sqe->user_data = t.value;
  }

  [[gnu::noinline]] void poll(token t, int descriptor, readiness what) noexcept {
    io_uring_sqe* const sqe = next_sqe_of_rare();
    io_uring_prep_poll_add(sqe, descriptor, what == readiness::readable ? POLLIN : POLLOUT);
    sqe->user_data = t.value;
  }

  [[gnu::noinline]] void write(token t, int descriptor, std::string_view bytes) noexcept {
    constexpr auto at_its_position = ~std::uint64_t{0};
    io_uring_sqe* const sqe = next_sqe_of_rare();
    io_uring_prep_write(sqe, descriptor, bytes.data(), static_cast<unsigned>(bytes.size()),
                        at_its_position);
    sqe->user_data = t.value;
  }

  [[gnu::noinline]] void watch(token t, int descriptor) noexcept {
    io_uring_sqe* const sqe = next_sqe_of_rare();
    io_uring_prep_read(sqe, descriptor, &watched_, sizeof watched_, 0);
    sqe->user_data = t.value;
  }

  std::uint64_t watched() const noexcept { return watched_; }
  [[gnu::cold]] static void refuse(int listener) noexcept { (void)::shutdown(listener, SHUT_RDWR); }

  static void wake(int descriptor, std::uint64_t amount) noexcept {
    (void)!::write(descriptor, &amount, sizeof amount);
  }

  void shut() noexcept {
    if (opened_) io_uring_queue_exit(&ring_);
    opened_ = false;
  }

  std::uint32_t now_ms() const noexcept { return now_ms_; }
  std::uint64_t now_ns() const noexcept { return now_ns_; }
  std::int64_t unix_seconds() const noexcept { return unix_seconds_; }

  static std::uint64_t clock_ns() noexcept {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 +
           static_cast<std::uint64_t>(now.tv_nsec);
  }

  /// Of what overflows, none is ever lost (IORING_FEAT_NODROP): the kernel keeps it.
  const ring_counters& counters() const noexcept { return counters_; }

 protected:
  static constexpr std::uint16_t buffer_group = 0;

  [[nodiscard]] result<void> set_up(const ring_sizes& sizes) noexcept;
  [[nodiscard]] result<void> provide(io_uring_buf* entries, char* memory,
                                     const ring_sizes& sizes) noexcept;
  /// Puts a buffer at the tail of the ring of provided buffers. The tail lies in what the first
  /// entry does not use (struct io_uring_buf_ring).
  void add_buffer(io_uring_buf* entries, const ring_sizes& sizes, std::uint16_t id,
                  char* bytes) noexcept {
    io_uring_buf& entry = entries[buffers_tail_ & (sizes.receive_buffers - 1)];
    entry.addr = reinterpret_cast<std::uintptr_t>(bytes);
    entry.len = sizes.receive_buffer_bytes;
    entry.bid = id;
    __atomic_store_n(&entries[0].resv, ++buffers_tail_, __ATOMIC_RELEASE);
  }

  /// Submits everything queued and sleeps until there is a completion or the deadline has come.
  void submit_and_wait(const std::uint32_t* deadline_ms) noexcept {
    vectors_used_ = 0;
    if (io_uring_cq_has_overflow(&ring_)) [[unlikely]]
      counters_.overflows.add();
    counters_.waits.add();
    counters_.submissions.add(io_uring_sq_ready(&ring_));
    io_uring_cqe* first = nullptr;
    int status = 0;
    if (deadline_ms == nullptr) {
      status = io_uring_submit_and_wait(&ring_, 1);
    } else {
      const auto left = detail::largest(0, static_cast<std::int32_t>(*deadline_ms - clock_ms()));
      __kernel_timespec timeout{left / 1000, static_cast<long long>(left % 1000) * 1'000'000};
      status = io_uring_submit_and_wait_timeout(&ring_, &first, 1, &timeout, nullptr);
    }
    // ETIME: the deadline; EINTR: a signal; EBUSY, EAGAIN: the kernel wants completions reaped
    // first.
    NEN_ASSERT(status >= 0 || status == -ETIME || status == -EINTR || status == -EBUSY ||
               status == -EAGAIN);
    read_clocks();
  }

  template <class OnCompletion>
  void reap(OnCompletion&& on_completion) noexcept(noexcept(on_completion(completion{}))) {
    // The tail is read once: what handlers cause to complete meanwhile waits for the next turn.
    unsigned head = *ring_.cq.khead;
    const unsigned tail = io_uring_smp_load_acquire(ring_.cq.ktail);
    const unsigned mask = *ring_.cq.kring_mask;
    for (; head != tail; ++head) {
      const io_uring_cqe& cqe = ring_.cq.cqes[head & mask];
      completion done;
      done.token = token(cqe.user_data);
      done.result = cqe.res;
      if (cqe.flags & IORING_CQE_F_BUFFER)
        done.lease = static_cast<std::uint16_t>(cqe.flags >> IORING_CQE_BUFFER_SHIFT);
      done.more = (cqe.flags & IORING_CQE_F_MORE) != 0;
      io_uring_smp_store_release(ring_.cq.khead, head + 1);
      on_completion(done);
    }
  }

 private:
  /// What the kernel reads when an operation is submitted.
  struct vector {
    msghdr header;
    union {
      std::array<iovec, vector_parts_max> parts;
      sockaddr_storage address;
    };
  };

  /// Puts a new socket into a place. Where none can be had the place stays empty, and whatever is
  /// done with it completes with EBADF. Plain calls, none of which waits: the kernels that nen
  /// supports have no operation that sets socket options.
  void make_socket(std::uint32_t place, int family) noexcept {
    const int made = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (made < 0) return;
    const int on = 1;
    if (family != AF_UNIX) ::setsockopt(made, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    (void)io_uring_register_files_update(&ring_, place, &made, 1);
    ::close(made);  // the place keeps the socket
  }

  static void lease(io_uring_sqe* sqe, token t) noexcept {
    sqe->flags |= IOSQE_FIXED_FILE | IOSQE_BUFFER_SELECT;
    sqe->buf_group = buffer_group;
    sqe->user_data = t.value;
  }

  io_uring_sqe* next_sqe() noexcept {
    io_uring_sqe* sqe = io_uring_get_sqe(&ring_);
    while (sqe == nullptr) {
      flush();
      sqe = io_uring_get_sqe(&ring_);
    }
    return sqe;
  }

  /// The same for operations that are rare: all of them share this copy.
  [[gnu::noinline]] io_uring_sqe* next_sqe_of_rare() noexcept { return next_sqe(); }

  [[gnu::cold, gnu::noinline]] void flush() noexcept {
    counters_.submissions.add(io_uring_sq_ready(&ring_));
    const int status = io_uring_submit(&ring_);
    NEN_ASSERT(status >= 0 || status == -EBUSY || status == -EAGAIN || status == -EINTR);
    vectors_used_ = 0;
  }

  /// Wraps with the 32 bits.
  static std::uint32_t clock_ms() noexcept {
    return static_cast<std::uint32_t>(clock_ns() / 1'000'000);
  }

  void read_clocks() noexcept {
    now_ns_ = clock_ns();
    now_ms_ = static_cast<std::uint32_t>(now_ns_ / 1'000'000);
    timespec wall{};
    ::clock_gettime(CLOCK_REALTIME_COARSE, &wall);
    unix_seconds_ = wall.tv_sec;
  }

  io_uring ring_;
  std::array<vector, 64> vectors_;
  std::size_t vectors_used_;
  std::uint64_t watched_;  // the counter that watch reads into
  std::int64_t unix_seconds_;
  std::uint64_t now_ns_;
  std::uint32_t now_ms_;
  ring_counters counters_;
  std::uint16_t buffers_tail_;  // of the ring of provided buffers
  bool opened_;
};

}  // namespace detail

/// The kernel's ring, with the receive buffers in it. Belongs in static storage: zero is its shut
/// state.
template <ring_sizes Sizes>
class uring : public detail::uring_base {
  static_assert(std::has_single_bit(Sizes.receive_buffers) && Sizes.receive_buffers <= 32768,
                "config::receive_buffers must be a power of two, at most 32768");
  static_assert(Sizes.receive_buffer_bytes >= 1, "config::receive_buffer_bytes must be at least 1");

 public:
  [[nodiscard]] result<void> open() noexcept {
    auto done = set_up(Sizes);
    if (done) done = provide(entries_, memory_, Sizes);
    if (!done) shut();
    return done;
  }

  char* lease_bytes(std::uint16_t lease) noexcept {
    NEN_ASSERT(lease < Sizes.receive_buffers);
    return memory_ + std::size_t{lease} * Sizes.receive_buffer_bytes;
  }

  void give_back(std::uint16_t lease) noexcept {
    add_buffer(entries_, Sizes, lease, lease_bytes(lease));
  }

  template <class OnCompletion>
  void wait(const std::uint32_t* deadline_ms, OnCompletion&& on_completion) {
    submit_and_wait(deadline_ms);
    reap(on_completion);
  }

 private:
  // The kernel wants the entries on a page of their own.
  alignas(4096) io_uring_buf entries_[Sizes.receive_buffers];
  alignas(64) char memory_[std::size_t{Sizes.receive_buffers} * Sizes.receive_buffer_bytes];
};

}  // namespace nen

#include <nen/io/uring.ipp>
