// The loop of a thread, and the life of its connections.
#include "worker.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <nen/ws/handshake.hpp>

namespace load {
namespace {

constexpr std::uint64_t sweep_ns = 50'000'000;
constexpr std::uint64_t connect_ns_max = 20'000'000'000;
// The kernel wakes a sleeper late by some tens of microseconds, which would be taken for the
// server's: before a request is due, open loop waits awake.
constexpr std::uint64_t awake_ns = 300'000;

double thread_seconds() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

/// Of `total`, for one of `parts`: the first ones get one more.
std::uint64_t share(std::uint64_t total, unsigned parts, unsigned part) {
  return total / parts + (part < total % parts ? 1 : 0);
}

}  // namespace

void findings::add(const findings& other) {
  latencies.add(other.latencies);
  lags.add(other.lags);
  waited += other.waited;
  answers += other.answers;
  body_bytes += other.body_bytes;
  connections += other.connections;
  closed_idle += other.closed_idle;
  last_answer = std::max(last_answer, other.last_answer);
  cpu_seconds += other.cpu_seconds;
  wrong.add(other.wrong);
}

worker::worker(plan& shared, unsigned number) : plan_(shared), number_(number) {
  const options& o = plan_.chosen;
  const auto count = share(o.connections, o.threads, number);
  for (std::uint64_t i = 0; i < count; ++i) {
    connections_.emplace_back(plan_, i);
    // Otherwise each connection would be at the same request of the cycle at the same time.
    connections_.back().sends = connections_.back().expects = i % plan_.cycle.size();
  }
  stamps_.resize(count * o.pipeline);
  budget_ = o.requests == 0 ? UINT64_MAX : share(o.requests, o.threads, number);
}

void worker::run(const std::function<void()>& connected, const std::function<void()>& measuring,
                 const std::function<void()>& measured) {
  connect_all();
  connected();
  is_started_ = true;
  now_ = now();
  for (connection& c : connections_) go_on(c);
  // Looking at the server's CPU time takes a moment, which must not be in any measured latency.
  constexpr std::uint64_t before_ns = 5'000'000;
  bool is_measuring = false;
  double cpu_before = 0;
  bool is_measured = false;
  const auto end = [&] {
    measured();
    found_.cpu_seconds = thread_seconds() - cpu_before;
    is_measured = true;
  };
  while (!is_over()) {
    if (!is_measuring && now_ + before_ns >= plan_.measure_begin) {
      measuring();
      cpu_before = thread_seconds();
      is_measuring = true;
    }
    if (!is_measured && now_ >= plan_.measure_end) end();
    turn();
  }
  if (!is_measured) end();
  finish();
}

void worker::connect_all() {
  now_ = now();
  const std::uint64_t limit = now_ + connect_ns_max;
  for (std::size_t i = 0; i < connections_.size(); ++i) {
    open(i);
    if (i % 64 == 63) turn();
  }
  while (ready_ < connections_.size()) {
    turn();
    if (now_ > limit) fail("not all connections are there after 20 s", ETIMEDOUT);
  }
}

void worker::turn() {
  if (is_started_ && plan_.is_open_loop()) {
    send_all_due();
    wait();
  } else {
    ring_.wait(sweep_ns);
  }
  unsubmitted_ = 0;
  now_ = now();
  ring_.reap([this](std::uint64_t user_data, int result, unsigned flags) {
    connection& c = connections_[user_data & 0xffffffffU];
    const auto what = static_cast<operation>(user_data >> 32);
    if (what != operation::receive || (flags & IORING_CQE_F_MORE) == 0) --c.operations;
    switch (what) {
      case operation::connect:
        return on_connect(c, result);
      case operation::receive:
        return on_receive(c, result, flags);
      case operation::send:
        return on_send(c, result);
    }
  });
  if (now_ >= next_sweep_) sweep();
}

void worker::wait() {
  const std::uint64_t time = now();
  const std::uint64_t due = due_time(next_due_);
  const bool has_nothing_to_send = idle_.empty() || due >= plan_.measure_end || budget_ == 0;
  if (has_nothing_to_send) return ring_.wait(sweep_ns);
  if (due <= time + awake_ns) return ring_.poll();
  ring_.wait(std::min(due - time - awake_ns, sweep_ns));
}

/// Connections that have taken too long, and those that could not be opened at once.
void worker::sweep() {
  next_sweep_ = now_ + sweep_ns;
  if (!is_started_) return;
  const auto limit = nanoseconds(plan_.chosen.timeout_seconds);
  for (connection& c : connections_) {
    if (c.state == state::none && !is_stopped()) open(c.slot);
    const bool waits = c.state == state::connecting || c.state == state::handshaking ||
                       (c.state == state::open && (c.in_flight != 0 || c.is_last));
    if (!waits || now_ <= c.since + limit) continue;
    if (c.state != state::open) {
      give_up(c, failure::connect, "no connection in time");
    } else {
      give_up(c, failure::timed_out,
              c.in_flight != 0 ? "no whole answer in time" : "the server did not close in time");
    }
  }
}

/// Whether everything was sent that this run sends.
bool worker::is_stopped() const {
  if (budget_ == 0) return true;
  if (now_ < plan_.measure_end) return false;
  return !plan_.is_open_loop() || due_time(next_due_) >= plan_.measure_end;
}

bool worker::is_over() const {
  if (is_stopped() && in_flight_ == 0) return true;
  const auto limit = nanoseconds(plan_.chosen.timeout_seconds) + 2 * sweep_ns;
  return plan_.measure_end != UINT64_MAX && now_ > plan_.measure_end + limit;
}

void worker::finish() {
  found_.wrong.add(failure::unanswered, "requests were in flight at the end", in_flight_);
  if (!plan_.is_open_loop() || is_stopped()) return;
  std::uint64_t missing = 0;
  while (due_time(next_due_ + missing) < plan_.measure_end) ++missing;
  found_.wrong.add(failure::unanswered, "requests were due and never sent", missing);
}

void worker::open(std::size_t slot) {
  connection& c = connections_[slot];
  const int family = plan_.where.address.ss_family;
  c.fd = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (c.fd < 0) fail("socket", errno);
  const int on = 1;
  if (family != AF_UNIX) ::setsockopt(c.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  c.state = state::connecting;
  c.sent = 0;
  c.since = now_;
  c.is_last = false;
  c.expects = c.sends;
  c.response.reset();
  c.echo.reset();
  c.own_bytes.clear();
  ++c.operations;
  io_uring_prep_connect(ring_.next(tag(operation::connect, slot)), c.fd,
                        reinterpret_cast<const sockaddr*>(&plan_.where.address), plan_.where.size);
}

void worker::on_connect(connection& c, int result) {
  if (c.state == state::closing) return close_if_quiet(c);
  if (result < 0) {
    if (!is_started_) fail("connect", -result);
    found_.wrong.add(failure::connect, std::strerror(-result));
    ::close(c.fd);
    c.state = state::none;  // the next sweep tries again
    return;
  }
  ++found_.connections;
  receive(c);
  if (plan_.chosen.protocol != protocol::websocket) return be_open(c);
  c.state = state::handshaking;
  submit_send(c, plan_.handshake);
}

void worker::read_handshake(connection& c, std::string_view bytes) {
  c.own_bytes += bytes;
  const auto end = c.own_bytes.find("\r\n\r\n");
  if (end == std::string::npos) return;
  const auto accept = nen::ws::accept_key(websocket_key);
  const bool is_good = c.own_bytes.starts_with("HTTP/1.1 101 ") &&
                       c.own_bytes.find(std::string_view(accept.data(), accept.size())) < end;
  if (!is_good) {
    if (!is_started_) {
      std::fprintf(stderr, "load: no WebSocket: %.*s\n", static_cast<int>(c.own_bytes.find('\r')),
                   c.own_bytes.data());
      std::_Exit(1);
    }
    return give_up(c, failure::connect, "no WebSocket");
  }
  const bool is_unasked = end + 4 != c.own_bytes.size();
  be_open(c);
  if (is_unasked) give_up(c, failure::unasked, "bytes behind the handshake");
}

void worker::be_open(connection& c) {
  c.state = state::open;
  ++open_;
  ++ready_;
  if (is_started_) go_on(c);
}

/// The requests in flight fail, or the connection does when there are none.
void worker::give_up(connection& c, failure what, std::string_view sentence) {
  found_.wrong.add(what, sentence, std::max(1U, c.in_flight));
  retire(c);
}

void worker::retire(connection& c) {
  if (c.state == state::closing) return;
  if (c.state == state::open) --open_;
  in_flight_ -= c.in_flight;
  c.in_flight = 0;
  c.first_stamp = 0;
  c.state = state::closing;
  if (c.operations != 0) ::shutdown(c.fd, SHUT_RDWR);  // so that they end
  close_if_quiet(c);
}

void worker::close_if_quiet(connection& c) {
  if (c.state != state::closing || c.operations != 0) return;
  ::close(c.fd);
  c.state = state::none;
  if (!is_stopped()) open(c.slot);
}

}  // namespace load
