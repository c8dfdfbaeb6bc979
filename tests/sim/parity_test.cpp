// The same scenarios on the kernel's ring and on the simulated one: what clients read, how their
// streams end, and what each connection asked of its ring have to be the same.
#include <nen/server/server.hpp>
#include <nen/testing/simulated_server.hpp>

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string>
#include <vector>

#include "sim/scenarios.hpp"
#include "sim/traced_ring.hpp"
#include "support/catch.hpp"
#include "support/client.hpp"

namespace {

using nen::test::trace;
using nen::test::traced;
using nen::test::scenarios::routes;
using nen::test::scenarios::scarce;
using nen::test::scenarios::scenario;
using nen::test::scenarios::stream_is;
using nen::test::scenarios::usual;
using nen::test::scenarios::world;

/// What one play has come to.
struct outcome {
  std::vector<std::string> traces;  ///< by connection, in the order of their accepts
  std::vector<std::string> received;
  std::vector<stream_is> ends;
  std::vector<int> broken;  ///< expectations, by their lines

  bool operator==(const outcome&) const = default;
};

/// What the simulation may decide as it likes.
struct variant {
  std::size_t window;
  std::uint64_t seed = 1;
  nen::testing::faults faults = {};
};

std::string to_text(const outcome& o) {
  std::string text;
  for (const auto& t : o.traces) text += t + "\n";
  for (std::size_t i = 0; i < o.received.size(); ++i)
    text += "client " + std::to_string(i) + ": " + std::to_string(o.received[i].size()) +
            " bytes, stream " + std::to_string(static_cast<int>(o.ends[i])) + "\n";
  return text;
}

/// The one thing in answers that is not the same at any two times.
std::string without_dates(std::string text) {
  constexpr std::string_view begin = "\r\nDate: ";
  for (auto at = text.find(begin); at != text.npos; at = text.find(begin, at + 1))
    text.replace(at + begin.size(), text.find("\r\n", at + 2) - at - begin.size(), "some day");
  return text;
}

template <nen::config Config>
class simulated_world : public world {
 public:
  simulated_world(const nen::listen_options& options, const variant& v)
      : server_(v.seed, v.faults, options) {
    server_.network().window = v.window;
  }

  int connect() override {
    clients_.push_back(server_.connect());
    left_.push_back(false);
    server_.settle();
    return static_cast<int>(clients_.size()) - 1;
  }
  void send(int i, std::string_view bytes) override { act(i, &client::send, bytes); }
  void send_and_finish(int i, std::string_view bytes) override {
    of(i).send(bytes);
    act(i, &client::finish);
  }
  void finish(int i) override { act(i, &client::finish); }
  void close(int i) override {
    leaves(i);
    act(i, &client::close);
  }
  void reset(int i) override {
    leaves(i);
    act(i, &client::reset);
  }
  void stop_reading(int i) override { act(i, &client::stop_reading); }
  void start_reading(int i) override { act(i, &client::start_reading); }
  void pass(std::uint32_t milliseconds) override { server_.pass(milliseconds); }
  void stop() override {
    server_.stop();
    server_.settle();
  }
  const std::string& received(int i) override { return of(i).received(); }
  stream_is state_of(int i) override {
    return left_[static_cast<std::size_t>(i)] ? stream_is::left
           : of(i).saw_end()                  ? stream_is::ended
           : of(i).was_reset()                ? stream_is::reset
                                              : stream_is::open;
  }

  outcome end() {
    stop();
    server_.run_to_end();
    outcome o;
    for (std::size_t i = 0; i < clients_.size(); ++i) {
      o.received.push_back(without_dates(received(static_cast<int>(i))));
      o.ends.push_back(state_of(static_cast<int>(i)));
    }
    return o;
  }

 private:
  using client = nen::testing::simulated_client;

  client& of(int i) { return clients_[static_cast<std::size_t>(i)]; }
  void leaves(int i) { left_[static_cast<std::size_t>(i)] = state_of(i) == stream_is::open; }
  template <class Act, class... Argument>
  void act(int i, Act what, Argument... argument) {
    (of(i).*what)(argument...);
    if (!server_.is_over()) server_.settle();
  }

  nen::testing::basic_simulated_server<traced<nen::testing::simulated_ring>::template ring, routes,
                                       Config>
      server_;
  std::vector<client> clients_;
  std::vector<bool> left_;
};

template <nen::config Config>
class kernel_world : public world {
 public:
  explicit kernel_world(nen::listen_options options) {
    trace::current().probe = ::eventfd(0, EFD_CLOEXEC);
    options.host = "127.0.0.1";
    options.port = 0;
    const auto started = server().start(options);
    if (!started) throw std::runtime_error(std::string(started.error().message()));
  }

  int connect() override {
    clients_.emplace_back(server().port());
    settle();
    return static_cast<int>(clients_.size()) - 1;
  }
  void send(int i, std::string_view bytes) override {
    (void)of(i).socket.try_send(bytes);
    settle();
  }
  void send_and_finish(int i, std::string_view bytes) override {
    const int descriptor = of(i).socket.descriptor();
    const auto sent = ::send(descriptor, bytes.data(), bytes.size(), MSG_MORE | MSG_NOSIGNAL);
    if (sent != static_cast<ssize_t>(bytes.size())) throw std::runtime_error("send");
    finish(i);
  }
  void finish(int i) override {
    of(i).socket.finish_sending();
    settle();
  }
  void close(int i) override {
    leaves(i);
    of(i).socket.close();
    settle();
  }
  void reset(int i) override {
    leaves(i);
    of(i).socket.reset();
    settle();
  }
  void stop_reading(int i) override { of(i).reads = false; }
  void start_reading(int i) override {
    of(i).reads = true;
    settle();
  }
  void pass(std::uint32_t milliseconds) override {
    ::usleep(milliseconds * 1000);
    settle();
  }
  void stop() override {
    server().stop();
    settle();
  }
  const std::string& received(int i) override { return of(i).received; }
  stream_is state_of(int i) override { return of(i).state; }

  outcome end() {
    stop();
    server().join();
    settle();
    ::close(trace::current().probe);
    outcome o;
    for (peer& p : clients_) {
      o.received.push_back(without_dates(p.received));
      o.ends.push_back(p.state);
    }
    return o;
  }

 private:
  using server_type = nen::basic_server<traced<nen::uring>::template ring, routes, Config>;
  static server_type& server() {
    static server_type only;
    return only;
  }
  struct peer {
    explicit peer(std::uint16_t port) : socket(port) {}
    nen::test::client socket;
    std::string received;
    stream_is state = stream_is::open;
    bool reads = true;
  };
  peer& of(int i) { return clients_[static_cast<std::size_t>(i)]; }
  void leaves(int i) {
    if (of(i).state == stream_is::open) of(i).state = stream_is::left;
  }

  /// Until the ring has gone round a few times without anything to write down, and nothing came.
  void settle() {
    for (int quiet = 0; quiet < 3;) {
      const auto before = trace::current().version();
      const bool is_running = trace::current().once_round();
      bool came = false;
      for (peer& p : clients_) came |= take_in(p);
      const bool moves = came || trace::current().version() != before || trace::current().is_busy();
      quiet = moves ? 0 : quiet + 1;
      if (!is_running && !came) return;
    }
  }

  /// @returns  true when something came
  static bool take_in(peer& p) {
    static char buffer[1 << 20];
    bool came = false;
    while (p.reads && p.state == stream_is::open && p.socket.descriptor() >= 0) {
      const auto got = ::recv(p.socket.descriptor(), buffer, sizeof buffer, MSG_DONTWAIT);
      if (got < 0 && (errno == EAGAIN || errno == EINTR)) break;
      came = true;
      if (got > 0) {
        p.received.append(buffer, static_cast<std::size_t>(got));
      } else {
        p.state = got == 0 ? stream_is::ended : stream_is::reset;
      }
    }
    return came;
  }

  std::vector<peer> clients_;
};

template <class World, class... More>
outcome play(const scenario& what, More... more) {
  trace written;
  outcome o = [&] {
    World w(what.options, more...);
    what.play(w);
    outcome done = w.end();
    done.broken = w.broken();
    return done;
  }();
  for (const auto& lines : written.connections()) {
    std::string text;
    for (const auto& line : lines) text += line + "; ";
    o.traces.push_back(text);
  }
  return o;
}

/// How much fits between the two ends is nobody's promise. A send that waits may be through in
/// part or not at all, which makes a difference when it is broken off.
constexpr std::size_t windows[] = {(4 << 20) - 100'000, 4 << 20};

/// True when the simulation can come to this with some seed, in which operations that complete at
/// the same time may do so in any order, and one a little later than the other.
template <nen::config Config>
bool is_possible(const scenario& what, const outcome& o) {
  constexpr nen::testing::faults any_order = {.late = 300, .reordered = true, .late_ms_max = 1};
  for (const std::size_t window : windows) {
    if (play<simulated_world<Config>>(what, variant{window}) == o) return true;
    for (std::uint64_t seed = 1; seed <= 40; ++seed)
      if (play<simulated_world<Config>>(what, variant{window, seed, any_order}) == o) return true;
  }
  return false;
}

template <nen::config Config>
void compare(const scenario& what) {
  INFO(what.name);
  const outcome simulated = play<simulated_world<Config>>(what, variant{windows[0]});
  CHECK(simulated.broken == std::vector<int>{});
  // The clock of the machine runs on while a scenario is played: if it stood still at the wrong
  // time, the kernel has another chance.
  outcome kernel;
  for (int i = 0; i < 3; ++i) {
    kernel = play<kernel_world<Config>>(what);
    if (kernel == simulated || is_possible<Config>(what, kernel)) return;
  }
  INFO("kernel:\n" << to_text(kernel) << "simulated:\n" << to_text(simulated));
  CHECK(kernel.traces == simulated.traces);
  CHECK(kernel.ends == simulated.ends);
  CHECK((kernel.received == simulated.received));
  CHECK(kernel.broken == simulated.broken);
}

}  // namespace

TEST_CASE("parity: the scenarios of an ordinary day are the same on both rings", "[sim]") {
  for (const scenario& s : nen::test::scenarios::usual_scenarios) compare<usual>(s);
}

TEST_CASE("parity: scenarios of shortage are the same on both rings", "[sim]") {
  for (const scenario& s : nen::test::scenarios::scarce_scenarios) compare<scarce>(s);
}
