// Requests and answers on a worker's connections.
#include <sys/socket.h>

#include <algorithm>

#include "worker.hpp"

namespace load {
namespace {

// More sends than this are not gathered: the last of them would be older by the time that the
// kernel needs for the others, and its latency longer.
constexpr unsigned sends_gathered_max = 32;

}  // namespace

// ---- sending ----

/// Lets the connection do what it can do now.
void worker::go_on(connection& c) {
  if (plan_.chosen.is_broadcast) return broadcast();
  if (c.state != state::open || c.sending || c.is_last) return;
  if (!plan_.is_open_loop()) {
    if (c.in_flight == 0 && !is_stopped()) send_batch(c);
  } else if (!c.is_waiting && c.in_flight < plan_.chosen.pipeline) {
    c.is_waiting = true;
    idle_.push_back(c.slot);
  }
}

/// Closed loop: the next batch.
void worker::send_batch(connection& c) {
  const std::uint64_t stamp = now();
  std::uint64_t count = plan_.chosen.pipeline;
  const std::uint64_t limit = plan_.chosen.requests_per_connection;
  if (limit != 0) count = std::min(count, limit - c.sent);
  if (plan_.chosen.requests != 0 && is_measured(stamp)) {
    count = std::min(count, budget_);
    budget_ -= count;
  }
  send(c, static_cast<unsigned>(count), stamp);
}

/// The next message, once everybody has the last one; also who is new because the last one failed.
/// Each connection waits for it as for an answer to a request of its own, from now on.
void worker::broadcast() {
  if (in_flight_ != 0 || open_ != connections_.size() || is_stopped()) return;
  connection& speaker = connections_[speaker_];
  if (speaker.sending) return;  // alone, it may have received already what it is sending
  const std::uint64_t stamp = now();
  if (plan_.chosen.requests != 0 && is_measured(stamp)) --budget_;
  for (connection& c : connections_) {
    stamps_[c.slot] = stamp;
    c.in_flight = 1;
    c.since = now_;
  }
  in_flight_ = connections_.size();
  speaker_ = (speaker_ + 1) % connections_.size();
  submit_send(speaker, plan_.cycle.at(0).bytes);
}

std::uint64_t worker::due_time(std::uint64_t index) const {
  const options& o = plan_.chosen;
  const double position = static_cast<double>(index * o.threads + number_);
  return plan_.begin + static_cast<std::uint64_t>(position / o.rate * 1e9);
}

/// Open loop: whatever is due, as long as there are connections for it.
void worker::send_all_due() {
  const std::uint64_t time = now();
  std::uint64_t due = due_time(next_due_);
  while (due <= time && due < plan_.measure_end && budget_ != 0 && !idle_.empty()) {
    connection& c = connections_[idle_.front()];
    idle_.pop_front();
    c.is_waiting = false;
    if (c.state != state::open || c.sending || c.is_last) continue;  // what it was is over
    send_due(c, due);
    due = due_time(++next_due_);
  }
  if (due <= time && idle_.empty()) blocked_until_ = time;
}

void worker::send_due(connection& c, std::uint64_t due) {
  if (is_measured(due)) {
    if (due <= blocked_until_) {
      ++found_.waited;
    } else {
      found_.lags.record(now() - due);
    }
    if (plan_.chosen.requests != 0) --budget_;
  }
  send(c, 1, due);
}

/// @param stamp  from when on the latency is counted
void worker::send(connection& c, unsigned count, std::uint64_t stamp) {
  const unsigned room = plan_.chosen.pipeline;
  for (unsigned i = 0; i < count; ++i)
    stamps_[c.slot * room + (c.first_stamp + c.in_flight + i) % room] = stamp;
  c.in_flight += count;
  c.sent += count;
  c.since = now_;
  in_flight_ += count;
  std::string_view bytes = plan_.cycle.batch(c.sends, count);
  if (c.sent == plan_.chosen.requests_per_connection) {
    c.is_last = true;
    c.own_bytes = plan_.cycle.batch(c.sends, count - 1);
    c.own_bytes += plan_.cycle.at(c.sends + count - 1).closing_bytes;
    bytes = c.own_bytes;
  }
  c.sends = (c.sends + count) % plan_.cycle.size();
  submit_send(c, bytes);
}

void worker::submit_send(connection& c, std::string_view bytes) {
  c.sending = true;
  c.send_size = bytes.size();
  ++c.operations;
  io_uring_prep_send(ring_.next(tag(operation::send, c.slot)), c.fd, bytes.data(), bytes.size(),
                     MSG_WAITALL | MSG_NOSIGNAL);
  if (++unsubmitted_ >= sends_gathered_max) {
    ring_.submit();
    unsubmitted_ = 0;
  }
}

void worker::on_send(connection& c, int result) {
  c.sending = false;
  if (c.state == state::closing) return close_if_quiet(c);
  // What the server said before it closed may still be to be read: the receive tells the end.
  if (result < 0 || static_cast<std::size_t>(result) != c.send_size) return;
  go_on(c);
}

// ---- receiving ----

void worker::receive(connection& c) {
  c.receiving = true;
  ++c.operations;
  io_uring_sqe* const sqe = ring_.next(tag(operation::receive, c.slot));
  io_uring_prep_recv_multishot(sqe, c.fd, nullptr, 0, 0);
  sqe->flags |= IOSQE_BUFFER_SELECT;
  sqe->buf_group = ring::buffer_group;
}

void worker::on_receive(connection& c, int result, unsigned flags) {
  c.receiving = (flags & IORING_CQE_F_MORE) != 0;
  if (result > 0) {
    const unsigned buffer = flags >> IORING_CQE_BUFFER_SHIFT;
    if (c.state == state::handshaking) {
      read_handshake(c, ring_.received(buffer, result));
    } else if (c.state == state::open) {
      on_bytes(c, ring_.received(buffer, result));
    }
    ring_.give_back(buffer);
  } else if (result != -ENOBUFS && c.state != state::closing) {
    return on_end(c);
  }
  if (c.state == state::closing) return close_if_quiet(c);
  const bool is_there = c.state == state::open || c.state == state::handshaking;
  if (is_there && !c.receiving) receive(c);
}

void worker::on_bytes(connection& c, std::string_view bytes) {
  while (!bytes.empty()) {
    if (c.in_flight == 0) return give_up(c, failure::unasked, "bytes without a request");
    const verdict found = read_answer(c, bytes);
    if (found == verdict::malformed)
      return give_up(c, failure::malformed, "an answer that breaks the protocol");
    if (found == verdict::complete) {
      on_answer(c);
      if (c.state != state::open) return;
    }
  }
  go_on(c);
}

verdict worker::read_answer(connection& c, std::string_view& bytes) {
  switch (plan_.chosen.protocol) {
    case protocol::http:
      return c.response.read(bytes, plan_.cycle.at(c.expects).is_head);
    case protocol::websocket:
      return c.echo.read_frames(bytes);
    case protocol::bytes:
      break;
  }
  return c.echo.read_bytes(bytes);
}

void worker::on_answer(connection& c) {
  const unsigned room = plan_.chosen.pipeline;
  const std::uint64_t stamp = stamps_[c.slot * room + c.first_stamp];
  // A short answer can be here in the same turn as its request.
  const std::uint64_t time = now_ > stamp ? now_ : now();
  if (is_measured(stamp)) found_.latencies.record(time - stamp);
  if (is_measured(time)) {
    ++found_.answers;
    found_.body_bytes +=
        plan_.chosen.protocol == protocol::http ? c.response.length() : c.echo.length();
  }
  found_.last_answer = time;
  c.since = time;
  answers_.store(answers() + 1, std::memory_order_relaxed);
  check_answer(c);
  c.first_stamp = (c.first_stamp + 1) % room;
  --c.in_flight;
  --in_flight_;
  c.expects = (c.expects + 1) % plan_.cycle.size();
  // The connection's end, which the answer announces or the request asked for, comes next.
  if (c.response.closes()) c.is_last = true;
}

void worker::check_answer(connection& c) {
  if (plan_.chosen.protocol != protocol::http) {
    if (c.echo.length() != plan_.payload.size()) {
      found_.wrong.add(failure::length, "an echo of " + std::to_string(c.echo.length()) +
                                            " bytes for " + std::to_string(plan_.payload.size()));
    } else if (!c.echo.is_equal()) {
      found_.wrong.add(failure::content, "an echo with other bytes");
    }
    return c.echo.next();
  }
  const int status = c.response.status();
  const auto length = static_cast<std::int64_t>(c.response.length());
  const int expected = plan_.chosen.status;
  if (expected == 0 ? status / 100 != 2 : status != expected) {
    const std::string& asked = plan_.cycle.at(c.expects).bytes;
    found_.wrong.add(failure::status, "status " + std::to_string(status) + " for \"" +
                                          asked.substr(0, asked.find('\r')) + '"');
  } else if (auto& e = plan_.expectations[c.expects]; !e.fits(length)) {
    found_.wrong.add(failure::length, "a body of " + std::to_string(length) + " bytes where " +
                                          std::to_string(e.length) + " were expected");
  }
}

/// The server sends no more.
void worker::on_end(connection& c) {
  if (c.state == state::handshaking) return give_up(c, failure::connect, "no handshake");
  if (plan_.chosen.protocol == protocol::http && c.in_flight != 0 && c.response.end()) on_answer(c);
  if (c.in_flight != 0) return give_up(c, failure::closed, "a connection ended before the answer");
  if (!c.is_last) ++found_.closed_idle;
  retire(c);
}

}  // namespace load
