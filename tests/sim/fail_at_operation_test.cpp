// Every operation of a busy day fails once, with every errno that it can: one connection may have
// to pay for it, nobody else, and the server goes on.
#include <nen/testing/simulated_server.hpp>

#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/world.hpp"
#include "support/catch.hpp"

namespace {

using nen::operation;
using nen::testing::failure;
using nen::testing::faults;
using nen::testing::simulated_client;
using namespace nen::test::scenarios;

using server_type = nen::testing::simulated_server<routes, usual>;
using errnos = std::vector<int>;

constexpr nen::listen_options options = {.write_timeout = std::chrono::milliseconds(400),
                                         .linger_timeout = std::chrono::milliseconds(200),
                                         .drain_timeout = std::chrono::milliseconds(1000)};

/// What an operation can fail with on Linux, and what a kernel that is short of memory may say.
errnos errnos_of(operation what) {
  switch (what) {
    case operation::accept:
      return {ECONNABORTED, EMFILE, ENFILE, ENOMEM, ENOBUFS, EINTR, EAGAIN, ECANCELED};
    case operation::receive:
      return {ECONNRESET, ETIMEDOUT, EHOSTUNREACH, ENOMEM, ENOBUFS, EINTR, EAGAIN, ECANCELED};
    case operation::send:
      return {EPIPE, ECONNRESET, ETIMEDOUT, EHOSTUNREACH, ENOMEM, ENOBUFS, EINTR, ECANCELED};
    case operation::shutdown:
      return {ENOTCONN, ECANCELED};
    case operation::disconnect:  // of a Unix socket
      return {EINVAL, ECANCELED};
    case operation::end:
      return {ENOMEM, ECANCELED};
    case operation::close:
      return {EIO, EINTR};
    case operation::wake:
      return {EINTR, EAGAIN, ENOMEM, ECANCELED};
    case operation::cancel:
      // A cancel says what became of it, and never fails: it found the operation, which completes
      // at once then; or it did not (ENOENT), because that has completed.
    case operation::connect:  // this app neither connects nor polls
    case operation::poll:
    case operation::write:
    case operation::none:
      break;
  }
  return {};
}

/// Failures that the connection survives, because the shard tries again.
bool is_harmless(operation what, int errno_value) {
  switch (what) {
    case operation::receive:
      return errno_value == ENOBUFS || errno_value == EINTR || errno_value == EAGAIN ||
             errno_value == ECANCELED;
    case operation::send:
      return false;
    default:
      return true;
  }
}

std::string without_dates(std::string text) {
  constexpr std::string_view begin = "\r\nDate: ";
  for (auto at = text.find(begin); at != text.npos; at = text.find(begin, at + 1))
    text.replace(at + begin.size(), text.find("\r\n", at + 2) - at - begin.size(), "some day");
  return text;
}

struct day {
  std::vector<std::string> received;  ///< by client
  /// By client: which of several times of the day found its connection closed by the server.
  std::vector<std::string> gone;
  std::vector<operation> history;
  bool is_over = false;
};

/// Clients of every kind, on a server with few slots.
class busy_day {
 public:
  busy_day(const faults& which, const failure& one) : server_(1, which, options, one) {
    server_.network().window = 3000;
  }

  day live() {
    for (const auto part :
         {&busy_day::ask_in_order, &busy_day::ask_in_pieces, &busy_day::read_slowly,
          &busy_day::wait_for_answers, &busy_day::leave, &busy_day::come_later, &busy_day::stop}) {
      (this->*part)();
      gone_.resize(clients_.size());
      for (std::size_t c = 0; c < clients_.size(); ++c)
        gone_[c] += clients_[c].server_is_gone() ? 'x' : '-';
    }
    day d;
    d.is_over = server_.is_over();
    if (d.is_over) nen::testing::check_nothing_held(server_.inside());
    for (const simulated_client& c : clients_) d.received.push_back(without_dates(c.received()));
    d.gone = gone_;
    d.history = server_.inside().io().history();
    return d;
  }

 private:
  std::size_t connect() {
    clients_.push_back(server_.connect());
    server_.settle();
    return clients_.size() - 1;
  }
  void send(std::size_t c, std::string_view bytes) {
    clients_[c].send(bytes);
    server_.settle();
  }

  void ask_in_order() {
    const auto keeps_alive = connect();
    send(keeps_alive, get_of("/"));
    const auto pipelines = connect();
    send(pipelines, get_of("/") + get_of("/other") + post_of("abc"));
    send(keeps_alive, get_of("/other"));
    clients_[pipelines].close();
  }
  void ask_in_pieces() {
    const auto body = connect();
    const std::string message = post_of(std::string(1000, 'b'));
    const auto head = connect();
    send(body, message.substr(0, 30));
    send(head, "GET / HTTP/1.1\r\nHo");
    send(body, message.substr(30, 500));
    send(head, "st: h\r\n\r\n");
    send(body, message.substr(530));
  }
  void read_slowly() {
    const auto slow = connect();
    clients_[slow].stop_reading();
    send(slow, get_of("/chunks/900/12") + get_of("/"));
    const auto never = connect();
    clients_[never].stop_reading();
    send(never, get_of("/large"));
    send(never, get_of("/"));
    server_.pass(100);
    for (int i = 0; i < 20; ++i) {
      clients_[slow].read(1000);
      server_.pass(5);
    }
    clients_[slow].start_reading();
    server_.pass(500);  // the other one is cut off
  }
  void wait_for_answers() {
    const auto alone = connect();
    send(alone, get_of("/later/50"));
    const auto watched = connect();
    send(watched, get_of("/later/50") + get_of("/"));
    const auto leaves = connect();
    send(leaves, get_of("/never") + get_of("/"));
    clients_[leaves].finish();
    const auto breaks = connect();
    send(breaks, get_of("/never") + get_of("/"));
    clients_[breaks].reset();
    server_.pass(150);
  }
  void leave() {
    const auto half = connect();
    clients_[half].send(get_of("/"));
    clients_[half].finish();
    server_.settle();
    const auto breaks = connect();
    send(breaks, "GET / HT");
    clients_[breaks].reset();
    const auto wrong = connect();
    send(wrong, "nonsense\r\n\r\n");
    const auto lingers = connect();
    send(lingers, "nonsense\r\n\r\n");
    clients_[wrong].close();
    server_.pass(300);
  }
  void come_later() {
    const auto late = connect();
    send(late, get_of("/"));
    const auto later = connect();
    send(later, get_of("/") + post_of("0123456789"));
  }
  void stop() {
    const auto busy = connect();
    send(busy, get_of("/later/100"));
    const auto forever = connect();
    send(forever, get_of("/never"));
    server_.stop();
    server_.pass(2500);
  }

  server_type server_;
  std::vector<simulated_client> clients_;
  std::vector<std::string> gone_;
};

day live(const faults& which, const failure& one) { return busy_day(which, one).live(); }

/// True when a client got the beginning of what it should have got, and then perhaps an answer that
/// says what went wrong, behind whole answers.
bool is_in_order(const std::string& got, const std::string& wanted) {
  if (wanted.starts_with(got)) return true;
  std::size_t same = 0;
  while (same < got.size() && same < wanted.size() && got[same] == wanted[same]) ++same;
  const auto begins = got.rfind("HTTP/1.1 ", same);
  if (begins == got.npos) return false;
  const std::string_view last = std::string_view(got).substr(begins);
  return wanted.starts_with(got.substr(0, begins)) && (last[9] == '4' || last[9] == '5') &&
         last.find("Connection: close\r\n") != last.npos && last.find("HTTP/1.1 ", 1) == last.npos;
}

/// True when a connection was closed when it should have been, or before.
bool is_no_later(const std::string& got, const std::string& wanted) {
  return got.find('x') <= wanted.find('x');
}

void check(const day& got, const day& wanted, bool harmless) {
  REQUIRE(got.received.size() == wanted.received.size());
  CHECK(got.is_over);
  int different = 0;
  for (std::size_t c = 0; c < wanted.received.size(); ++c) {
    if (got.received[c] == wanted.received[c] && got.gone[c] == wanted.gone[c]) continue;
    ++different;
    INFO("client " << c << " got: " << got.received[c]);
    CHECK(is_in_order(got.received[c], wanted.received[c]));
    CHECK(is_no_later(got.gone[c], wanted.gone[c]));
  }
  CHECK(different <= (harmless ? 0 : 1));
}

/// That a day without a failure is the one it is meant to be.
void check_ordinary(const day& d) {
  CHECK(d.is_over);
  // By client; who leaves or breaks off gets nothing, who never reads nothing to speak of.
  const std::vector<int> answers = {2, 3, 1, 1, 2, 0, 1, 2, 0, 0, 1, 0, 1, 1, 1, 2, 1, 0};
  REQUIRE(d.received.size() == answers.size());
  for (std::size_t c = 0; c < answers.size(); ++c) {
    INFO("client " << c << " got: " << d.received[c]);
    CHECK(answers_in(d.received[c]) == answers[c]);
  }
}

/// Lets every operation of one kind fail in turn. @returns  how many there were
int fail_each(operation kind, const faults& which) {
  const day wanted = live({}, {});
  const day quiet = live(which, {});
  check_ordinary(wanted);
  CHECK(quiet.received == wanted.received);
  CHECK(quiet.is_over);
  int count = 0;
  for (std::size_t n = 1; n <= quiet.history.size(); ++n) {
    if (quiet.history[n - 1] != kind) continue;
    ++count;
    for (const int errno_value : errnos_of(kind)) {
      INFO("operation " << n << " fails with " << ::strerrorname_np(errno_value));
      check(live(which, {n, errno_value}), wanted, is_harmless(kind, errno_value));
    }
  }
  return count;
}

/// An ordinary day, and one on which little comes at once and nothing in its order.
constexpr faults days[] = {{}, {.short_receive = 300, .multishot_stops = 300, .reordered = true}};

void fail_each(operation kind, int at_least) {
  for (const faults& which : days) CHECK(fail_each(kind, which) >= at_least);
}

}  // namespace

TEST_CASE("every accept may fail, and nobody notices", "[sim]") {
  fail_each(operation::accept, 30);
}

TEST_CASE("every receive may fail, and at most its own client notices", "[sim]") {
  fail_each(operation::receive, 20);
}

TEST_CASE("every send may fail, and at most its own client notices", "[sim]") {
  fail_each(operation::send, 25);
}

TEST_CASE("every shutdown may fail, and nobody notices", "[sim]") {
  fail_each(operation::shutdown, 2);
}

TEST_CASE("every watch for an end may fail, and nobody notices", "[sim]") {
  fail_each(operation::end, 4);
}

TEST_CASE("every close may fail, and nobody notices", "[sim]") { fail_each(operation::close, 15); }

TEST_CASE("the reading of the waker may fail, and the server goes on", "[sim]") {
  fail_each(operation::wake, 2);
}

TEST_CASE("a ring that cannot be opened is an error with a sentence, and nothing is held",
          "[sim]") {
  for (const int errno_value : {EPERM, ENOSYS, ENOMEM, EMFILE, EINVAL, EACCES}) {
    nen::testing::network network(1);
    network.open_errno = errno_value;
    auto shard = std::make_unique<server_type::shard>();
    shard->session().start(options, {});
    const auto opened = shard->open(0, 0, options);
    REQUIRE_FALSE(opened.has_value());
    CHECK(opened.error().code().value() == errno_value);
    CHECK(opened.error().message().find(std::strerror(errno_value)) != std::string_view::npos);
    nen::testing::check_nothing_held(*shard);
    network.open_errno = 0;  // the same shard, once more
    REQUIRE(shard->open(0, 0, options).has_value());
    shard->start();
    network.stop_listening();
    network.wake(1);
    while (!shard->is_over()) shard->turn();
    shard->finish();
  }
}
