// The same steps on the kernel's ring and on the simulated one, a ring at a time, without a server:
// what completes is put down in words that are equal when the two behave the same.
#pragma once

#include <nen/io/uring.hpp>
#include <nen/net/socket.hpp>
#include <nen/testing/simulated_ring.hpp>

#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/catch.hpp"
#include "support/client.hpp"

namespace nen::test {

inline constexpr ring_sizes two_rings_sizes{4, 4, 64};
inline constexpr std::size_t much_bytes = 24 << 20;
using log_lines = std::vector<std::string>;

constexpr token name_of(operation what, std::uint32_t place, std::uint32_t generation = 1) {
  return {what, generation, place};
}

inline const char* to_text(operation what) {
  constexpr const char* names[] = {"none", "accept",     "receive", "send", "shutdown",
                                   "end",  "cancel",     "close",   "wake", "connect",
                                   "poll", "disconnect", "write"};
  return names[static_cast<std::size_t>(what)];
}

/// "receive 5 more lease", "send ECONNRESET"; how much of much_bytes was sent is nobody's promise.
inline std::string to_text(const completion& done) {
  std::string text = to_text(done.token.operation());
  if (done.result == much_bytes) return text + " all";
  if (done.result > 10'000) return text + " part";
  const char* const problem = done.result < 0 ? ::strerrorname_np(-done.result) : nullptr;
  text += ' ' + (problem != nullptr ? std::string(problem) : std::to_string(done.result));
  if (done.more) text += " more";
  if (done.lease != completion::no_lease) text += " lease";
  return text;
}

/// Where a connection goes: to a listener, to nobody, or to one that never answers.
enum class who { listener, nobody, silent };

/// What a script does with either ring. Its clients are numbered by the place that accepted them.
/// @tparam Side  has a ring, connect_client(), the clients' acts, and wait_until_quiet()
template <class Side>
class bench : public Side {
 public:
  /// Connects a client and has it accepted into a place.
  void connect(std::uint32_t place) {
    this->ring().accept(name_of(operation::accept, place), this->listener(), place);
    this->connect_client();
    step();
  }
  /// Lets everything happen that can, and puts it down.
  void step() { step(25); }
  void step_briefly() { step(1); }
  void step(std::uint32_t patience_ms) {
    this->wait_until_quiet(patience_ms, [this](const completion& done) {
      log.push_back(to_text(done));
      if (done.lease == completion::no_lease) return;
      received.append(this->ring().lease_bytes(done.lease), static_cast<std::size_t>(done.result));
      held.push_back(done.lease);
      if (gives_back) give_all_back();
    });
  }
  void give_all_back() {
    for (const std::uint16_t lease : std::exchange(held, {})) this->ring().give_back(lease);
  }
  /// Puts down what a client has read and how its stream stands.
  void look(std::uint32_t client) {
    log.push_back("client " + std::to_string(client) + ' ' + this->read_of(client));
  }

  // The verbs, with the names that all scripts use.
  void receive(std::uint32_t p) { this->ring().receive(name_of(operation::receive, p), p); }
  /// Connects a place to somebody, who is a client of the next number from then on.
  void dial(std::uint32_t p, who answers) {
    this->ring().connect(name_of(operation::connect, p), p, this->address_of(answers));
  }
  void poll(std::uint32_t p, readiness what) {
    this->ring().poll(name_of(operation::poll, p), this->polled(), what);
  }
  void receive_once(std::uint32_t p) {
    this->ring().receive_once(name_of(operation::receive, p), p);
  }
  void send(std::uint32_t p, std::string_view b) {
    this->ring().send(name_of(operation::send, p), p, b);
  }
  void shutdown(std::uint32_t p) { this->ring().shutdown(name_of(operation::shutdown, p), p); }
  void disconnect(std::uint32_t p) {
    this->ring().disconnect(name_of(operation::disconnect, p), p);
  }
  void watch_end(std::uint32_t p) { this->ring().watch_end(name_of(operation::end, p), p); }
  void cancel(operation what, std::uint32_t p) {
    this->ring().cancel(name_of(operation::cancel, p), name_of(what, p));
  }
  void close(std::uint32_t p) { this->ring().close(name_of(operation::close, p), p); }

  log_lines log;
  std::string received;  ///< by the ring, of all places
  std::vector<std::uint16_t> held;
  bool gives_back = true;  ///< each lease, at once
};

class kernel_side {
 public:
  using ring_type = uring<two_rings_sizes>;

  kernel_side() {
    auto where = endpoint::parse("127.0.0.1", 0);
    auto made = listen_on(*where);
    listener_ = std::move(*made);
    port_ = local_endpoint(listener_)->port();
    if (auto opened = ring().open(); !opened)
      throw std::runtime_error(std::string(opened.error().message()));
    waker_ = ::eventfd(0, EFD_CLOEXEC);
    if (::pipe2(pipe_, O_CLOEXEC) != 0) throw std::runtime_error("pipe");
  }
  ~kernel_side() {
    ring().shut();
    for (const int descriptor : {waker_, pipe_[0], pipe_[1]}) ::close(descriptor);
  }

  endpoint address_of(who answers) {
    if (answers == who::listener) return *local_endpoint(listener_);
    auto made = listen_on(*endpoint::parse("127.0.0.1", 0), {.backlog = 0});
    const endpoint there = *local_endpoint(*made);
    if (answers == who::nobody) return there;  // its listener is closed on return
    silent_ = std::move(*made);
    waiting_.emplace_back(there.port());  // a full backlog: who comes next is not answered
    return there;
  }
  /// The other end of a connection that was dialled.
  void answer_dialled() {
    clients_.push_back(client::accepted(::accept(listener(), nullptr, nullptr)));
  }
  int polled() const { return pipe_[0]; }
  void make_ready() const {
    if (::write(pipe_[1], "x", 1) != 1) throw std::runtime_error("write");
  }

  static ring_type& ring() {
    static ring_type only;
    return only;
  }
  int listener() const { return listener_.native_handle(); }
  void stop_listening() const { ::shutdown(listener(), SHUT_RDWR); }
  void watch() { ring().watch(name_of(operation::wake, 0), waker_); }
  void wake(std::uint64_t amount) const {
    if (::write(waker_, &amount, sizeof amount) != sizeof amount) throw std::runtime_error("wake");
  }

  void connect_client() { clients_.emplace_back(port_); }
  void client_sends(std::uint32_t i, std::string_view bytes) { clients_[i].send(bytes); }
  void client_finishes(std::uint32_t i) { clients_[i].finish_sending(); }
  void client_closes(std::uint32_t i) { clients_[i].close(); }
  void client_resets(std::uint32_t i) { clients_[i].reset(); }
  void client_reads(std::uint32_t, bool) {}  // it reads when it is looked at, at the earliest
  std::size_t bytes_read_of(std::uint32_t i) { return read_of(i).find(' '); }
  std::string read_of(std::uint32_t i) {
    std::string all;
    static char buffer[1 << 20];
    while (true) {
      const auto got = ::recv(clients_[i].descriptor(), buffer, sizeof buffer, MSG_DONTWAIT);
      if (got > 0) {
        all.append(buffer, static_cast<std::size_t>(got));
        continue;
      }
      if (got < 0 && errno == EINTR) continue;
      return all + (got == 0 ? " end" : errno == EAGAIN ? " open" : " reset");
    }
  }

  template <class F>
  void wait_until_quiet(std::uint32_t patience_ms, F on_completion) {
    for (bool quiet = false; !quiet;) {
      quiet = true;
      const auto until = ring().now_ms() + patience_ms;
      do {
        ring().wait(&until, [&](const completion& done) {
          quiet = false;
          on_completion(done);
        });
      } while (quiet && static_cast<std::int32_t>(until - ring().now_ms()) > 0);
    }
  }

 private:
  socket listener_;
  std::uint16_t port_ = 0;
  int waker_ = -1;
  int pipe_[2] = {-1, -1};
  socket silent_;
  std::vector<client> waiting_;
  std::vector<client> clients_;
};

class simulated_side {
 public:
  using ring_type = testing::simulated_ring<two_rings_sizes>;

  simulated_side() : network(1) {
    network.window = 4 << 20;  // about what the kernel's buffers hold
    if (auto opened = ring().open(); !opened)
      throw std::runtime_error(std::string(opened.error().message()));
  }
  ~simulated_side() { ring().shut(); }

  endpoint address_of(who answers) {
    network.listeners[80] = answers == who::listener ? testing::connect_answer::accepted
                            : answers == who::nobody ? testing::connect_answer::refused
                                                     : testing::connect_answer::silent;
    return *endpoint::parse("127.0.0.1", 80);
  }
  void answer_dialled() {
    wires_.push_back(network.went_out.front().connected);
    network.went_out.pop_front();
  }
  static int polled() { return 7; }
  void make_ready() { network.set_ready(polled(), readiness::readable); }

  ring_type& ring() { return *ring_; }
  int listener() const { return 0; }
  void stop_listening() { network.stop_listening(); }
  void watch() { ring().watch(name_of(operation::wake, 0), 0); }
  void wake(std::uint64_t amount) { network.wake(amount); }

  void connect_client() { wires_.push_back(network.connect()); }
  void client_sends(std::uint32_t i, std::string_view bytes) { wires_[i]->client_sends(bytes); }
  void client_finishes(std::uint32_t i) { wires_[i]->client_finishes(); }
  void client_closes(std::uint32_t i) { wires_[i]->client_closes(); }
  void client_resets(std::uint32_t i) { wires_[i]->client_resets(); }
  void client_reads(std::uint32_t i, bool reads) { wires_[i]->client_reads(reads); }
  std::size_t bytes_read_of(std::uint32_t i) {
    const std::size_t read = read_of(i).find(' ');
    wires_[i]->client_reads(false);
    return read;
  }
  std::string read_of(std::uint32_t i) {
    testing::wire& w = *wires_[i];
    w.client_reads(true);
    const std::string all = w.received();
    w.forget_received();
    return all + (w.client_saw_end() ? " end" : w.was_reset() ? " reset" : " open");
  }

  template <class F>
  void wait_until_quiet(std::uint32_t, F on_completion) {
    do {
      const std::uint32_t now = ring().now_ms();
      ring().wait(&now, on_completion);
    } while (!ring().is_quiet());
  }

  testing::network network;

 private:
  std::unique_ptr<ring_type> ring_ = std::make_unique<ring_type>();
  std::vector<std::shared_ptr<testing::wire>> wires_;
};

using kernel_bench = bench<kernel_side>;
using simulated_bench = bench<simulated_side>;

/// Runs a script on both rings.
template <class Script>
void both_do(const log_lines& expected, Script script) {
  {
    kernel_bench kernel;
    script(kernel);
    INFO("the kernel's ring");
    CHECK(kernel.log == expected);
  }
  {
    simulated_bench simulated;
    script(simulated);
    INFO("the simulated ring");
    CHECK(simulated.log == expected);
  }
}

}  // namespace nen::test
