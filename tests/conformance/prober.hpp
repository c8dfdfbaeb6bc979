// Sends raw bytes to the real server, many connections at once, in one write or in pieces that the
// server reads apart, and says in words what came back.
#pragma once

#include <nen/nen.hpp>

#include <fcntl.h>

#include <algorithm>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "support/catch.hpp"
#include "support/client.hpp"
#include "support/test_server.hpp"

namespace nen::test::conformance {

/// Text that may have NULs in it.
struct bytes {
  std::string text;
  template <std::size_t N>
  bytes(const char (&literal)[N]) : text(literal, N - 1) {}
  bytes(std::string built) : text(std::move(built)) {}
};

/// One message and what has to come of it. `GET /next` is sent right behind the message.
struct row {
  const char* clause;  ///< what decides the case
  bytes input;
  /// The statuses in order, "next" for the answer to /next, and how it ends: "close" when the
  /// server closes in order, "waits" when it wants more bytes; without either the connection is
  /// kept.
  const char* outcome;
  const char* seen = nullptr;  ///< the first answer's body, which is what the handler saw
};

/// What is sent behind each message.
inline constexpr std::string_view next_request = "GET /next HTTP/1.1\r\nHost: n\r\n\r\n";

/// How a message is delivered: where it is cut, in ascending order.
struct delivery {
  const row* of;
  std::vector<std::size_t> cuts;
};

/// Splits what a server sent into answers.
class reading {
 public:
  /// @param received  everything that came
  /// @param to_head   the first answer is to HEAD
  reading(std::string_view received, bool to_head) : rest_(received), to_head_(to_head) {
    while (!rest_.empty() && take()) {
    }
  }

  std::vector<answer> answers;  ///< without those of status 100
  int continues = 0;            ///< answers of status 100

  /// What is no complete answer.
  std::string_view rest() const { return rest_; }

 private:
  bool take() {
    const auto end = rest_.find("\r\n\r\n");
    if (end == rest_.npos) return false;
    answer a = parse_answer_head(rest_.substr(0, end + 2));
    const bool bodiless = a.status < 200 || a.status == 204 || (to_head_ && answers.empty());
    std::size_t size = 0;
    if (a.status >= 200 && a.status != 204) {
      if (a.count("Content-Length") != 1)
        throw std::runtime_error("not exactly one Content-Length");
      size = std::stoul(a.field("Content-Length"));
    }
    if (bodiless) size = 0;
    if (rest_.size() - end - 4 < size) return false;
    a.body = rest_.substr(end + 4, size);
    rest_.remove_prefix(end + 4 + size);
    if (a.status == 100) {
      ++continues;
    } else {
      answers.push_back(std::move(a));
    }
    return true;
  }

  std::string_view rest_;
  bool to_head_;
};

/// True for "Sun, 06 Nov 1994 08:49:37 GMT", RFC 9110 §5.6.7.
inline bool is_imf_fixdate(std::string_view date) {
  constexpr std::string_view shape = "Aaa, 00 Aaa 0000 00:00:00 GMT";
  if (date.size() != shape.size()) return false;
  for (std::size_t i = 0; i + 4 < shape.size(); ++i) {
    const char c = date[i];
    const bool fits = shape[i] == 'A'   ? c >= 'A' && c <= 'Z'
                      : shape[i] == 'a' ? c >= 'a' && c <= 'z'
                      : shape[i] == '0' ? is_digit(c)
                                        : c == shape[i];
    if (!fits) return false;
  }
  return date.substr(25) == " GMT";
}

/// One connection on which one message is tried.
class attempt {
 public:
  explicit attempt(const delivery& how)
      : of(how.of), cuts_(how.cuts), wire_(of->input.text + std::string(next_request)) {
    cuts_.push_back(wire_.size());
    const std::string_view wanted = of->outcome;
    closes_ = wanted.ends_with("close");
    waits_ = wanted.ends_with("waits");
    const auto words = 1 + std::count(wanted.begin(), wanted.end(), ' ');
    answers_ = static_cast<std::size_t>(words) - (closes_ || waits_ ? 1 : 0);
    const auto begin = wire_.find_first_not_of("\r\n");
    to_head_ = wire_.compare(begin, 5, "HEAD ") == 0;
  }
  attempt(const attempt&) = delete;
  attempt& operator=(const attempt&) = delete;
  ~attempt() { ::close(fd_); }

  /// Sends the next piece. @returns  true when there are more
  bool send_piece() {
    const std::size_t end = cuts_[piece_];
    // Who was answered with a close may find the connection gone: that is not judged here.
    (void)::send(fd_, wire_.data() + sent_, end - sent_, MSG_NOSIGNAL);
    sent_ = end;
    return ++piece_ < cuts_.size();
  }
  bool all_sent() const { return piece_ == cuts_.size(); }

  /// Reads what is there. @pre  open
  void read_some() {
    char buffer[16384];
    for (;;) {
      const auto size = ::recv(fd_, buffer, sizeof buffer, MSG_DONTWAIT);
      if (size > 0) {
        received_.append(buffer, static_cast<std::size_t>(size));
        continue;
      }
      if (size == 0) end_ = stream_end::closed;
      if (size < 0 && errno != EAGAIN) end_ = stream_end::reset;
      return;
    }
  }

  bool is_over() const { return end_ != stream_end::still_open; }

  /// True when nothing is left to wait for.
  bool is_settled() const {
    if (is_over() || waits_) return true;
    // An answer too many: it has gone wrong already, and the end may never come.
    const std::size_t came = reading(received_, to_head_).answers.size();
    return closes_ ? came > answers_ : came >= answers_;
  }

  /// What happened, in the words of row::outcome; with a remark when an answer is not as it should
  /// be.
  std::string outcome() const {
    const reading got(received_, to_head_);
    std::string text;
    for (std::size_t i = 0; i < got.answers.size(); ++i) {
      const answer& a = got.answers[i];
      const bool last = i + 1 == got.answers.size();
      text += a.status == 200 && a.body == "next" ? "next " : std::to_string(a.status) + " ";
      if (!is_imf_fixdate(a.field("Date"))) text += "(bad Date) ";
      if (a.says_close() && !(last && is_over())) text += "(says close) ";
      if (last && is_over() && !a.says_close()) text += "(does not say close) ";
    }
    if (got.continues > 1) text += "(100 repeated) ";
    if (!got.rest().empty()) text += "(more bytes: " + std::string(got.rest()) + ") ";
    // What a client sends behind its own close, which RFC 9112 §9.6 forbids it, may be answered
    // with a reset; behind an error answer the server has to wait (§9.6: it closes in stages).
    const bool asked_for_it = !got.answers.empty() && got.answers.back().status < 400;
    if (end_ == stream_end::reset) text += asked_for_it ? "close " : "reset ";
    if (end_ == stream_end::closed) text += "close ";
    if (!is_over() && !text.ends_with("next ")) text += "waits ";
    text.pop_back();
    return text;
  }

  /// The first answer's body.
  std::string seen() const {
    const reading got(received_, to_head_);
    return got.answers.empty() ? "" : got.answers[0].body;
  }

  /// "whole", or where the message was cut.
  std::string how() const {
    if (cuts_.size() == 1) return "whole";
    if (cuts_.size() > 2) return "byte by byte";
    return "cut before byte " + std::to_string(cuts_[0]);
  }

  /// Connects from an address of its own choice: one address has not enough ports for all cases.
  void connect(std::uint16_t port, std::uint32_t from) {
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int on = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ::setsockopt(fd_, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + from % 200);
    const auto* const any = reinterpret_cast<const sockaddr*>(&address);
    if (::bind(fd_, any, sizeof address) != 0) throw std::runtime_error("bind");
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd_, any, sizeof address) != 0) throw std::runtime_error("connect");
  }
  int descriptor() const { return fd_; }

  const row* of;

 private:
  std::vector<std::size_t> cuts_;
  std::string wire_;
  std::string received_;
  std::size_t answers_ = 0;  // how many are wanted
  std::size_t piece_ = 0;
  std::size_t sent_ = 0;
  int fd_ = -1;
  stream_end end_ = stream_end::still_open;
  bool closes_ = false;
  bool waits_ = false;
  bool to_head_ = false;
};

/// Tries deliveries on a server, a batch of connections at a time.
class prober {
 public:
  static constexpr std::size_t batch_size = 64;

  /// @pre  the server has one shard and a route that answers `/next` with "next"
  explicit prober(std::uint16_t port) : port_(port), fence_(port) {}

  /// @param done  done(const attempt&), for each in order
  template <class F>
  void run(std::span<const delivery> all, F done) {
    while (!all.empty()) {
      const auto size = std::min(all.size(), batch_size);
      run_batch(all.first(size), done);
      all = all.subspan(size);
    }
  }

  /// Returns when the server has read everything that was sent before. A shard takes its
  /// connections' bytes in the order in which they came, so an answer on one of them says so of the
  /// others; the second one is for a connection that was only being accepted.
  void wait_until_read() {
    for (int i = 0; i < 2; ++i)
      if (fence_.ask(next_request).body != "next") throw std::runtime_error("no answer to /next");
  }

 private:
  template <class F>
  void run_batch(std::span<const delivery> some, F done) {
    std::deque<attempt> attempts;
    for (const delivery& how : some) attempts.emplace_back(how).connect(port_, ++from_);
    wait_until_read();
    for (bool more = true; more;) {
      more = false;
      for (attempt& a : attempts)
        if (!a.all_sent()) more = a.send_piece() || more;
      wait_until_read();
    }
    while (wait_for_some(attempts)) {
    }
    // Whatever the server may have sent beyond what was expected is there behind the fence.
    wait_until_read();
    for (attempt& a : attempts) {
      if (!a.is_over()) a.read_some();
      done(std::as_const(a));
    }
  }

  /// @returns  false when nothing is left to wait for, or nothing comes any more
  static bool wait_for_some(std::deque<attempt>& attempts) {
    std::vector<pollfd> waiting;
    std::vector<attempt*> whose;
    for (attempt& a : attempts) {
      if (a.is_settled()) continue;
      waiting.push_back({a.descriptor(), POLLIN, 0});
      whose.push_back(&a);
    }
    if (waiting.empty() || ::poll(waiting.data(), waiting.size(), 2000) <= 0) return false;
    for (std::size_t i = 0; i < waiting.size(); ++i)
      if (waiting[i].revents != 0) whose[i]->read_some();
    return true;
  }

  std::uint16_t port_;
  client fence_;
  std::uint32_t from_ = 0;
};

}  // namespace nen::test::conformance
