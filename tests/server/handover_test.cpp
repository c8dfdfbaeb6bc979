// Listeners that were there before the server: who accepts from them, what becomes of those who
// come while nobody does, and what systemd is told.
#include <fcntl.h>
#include <sys/stat.h>
#include <nen/server/systemd.hpp>

#include <array>
#include <optional>

#include "support/test_server.hpp"

namespace {

using nen::shard_counters;
using nen::test::child;
using nen::test::client;
using nen::test::ContainsSubstring;
using nen::test::milliseconds;
using nen::test::running;
using nen::test::stopwatch;

constexpr nen::config small = [] {
  nen::config c = nen::test::little;
  c.connections = 32;
  return c;
}();
constexpr nen::config twofold() {
  nen::config c = small;
  c.shards = 2;
  return c;
}

using routes = nen::router<nen::get<"/", [](nen::response& res) { return res.text("hello"); }>,
                           nen::get<"/block/:ms", [](std::uint32_t ms, nen::response& res) {
                             ::usleep(ms * 1000);
                             return res.text("blocked");
                           }>>;
nen::server<routes, small> server;
nen::server<routes, small> successor;
nen::server<routes, twofold()> two;
nen::systemd::notifier notifier;

/// Its shard does nothing else for a while when it stops.
struct sleeper {
  void on_data(nen::tcp::peer& p, std::string_view) {
    p.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  }
  void on_drain(nen::tcp::peer& p) {
    ::usleep(150'000);
    p.close();
  }
};
nen::tcp::server<sleeper, small> slow_to_stop;

const std::string hello = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

/// A listener that a test has made, as a supervisor would.
struct listener {
  nen::socket made;
  std::array<int, 1> descriptors{};

  explicit listener(const char* unix_path = nullptr, bool shared = false) {
    const auto where = unix_path == nullptr ? nen::endpoint::parse("127.0.0.1", 0)
                                            : nen::endpoint::unix_path(unix_path);
    auto opened = nen::listen_on(*where, {.reuse_port = shared});
    REQUIRE(opened);
    made = std::move(*opened);
    descriptors = {made.native_handle()};
  }
  std::uint16_t port() const { return nen::local_endpoint(made)->port(); }
  nen::listen_options options() const { return {.listeners = descriptors}; }
};

/// What a server says that is not started.
std::string refusal(const nen::listen_options& options) {
  const auto started = server.start(options);
  REQUIRE_FALSE(started);
  return std::string(started.error().message());
}

/// A server that runs beside others.
template <class Server>
class serving {
 public:
  serving(Server& which, const nen::listen_options& options) : server_(which) {
    REQUIRE(which.start(options));
  }
  ~serving() {
    server_.stop();
    server_.join();
  }
  serving(const serving&) = delete;
  serving& operator=(const serving&) = delete;

 private:
  Server& server_;
};

/// What a service manager hears.
class manager {
 public:
  manager() {
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    REQUIRE(::bind(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof(sa_family_t)) == 0);
    socklen_t size = sizeof address;  // the kernel has chosen an abstract name
    ::getsockname(descriptor_, reinterpret_cast<sockaddr*>(&address), &size);
    const std::string name(address.sun_path + 1, size - sizeof(sa_family_t) - 1);
    ::setenv("NOTIFY_SOCKET", ("@" + name).c_str(), 1);
  }
  ~manager() {
    ::close(descriptor_);
    for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) ::unsetenv(name);
  }
  void expect_watchdog(milliseconds interval) {
    ::setenv("WATCHDOG_USEC", std::to_string(interval.count() * 1000).c_str(), 1);
  }
  /// The next message, or nothing when there is none for so long.
  std::string hear(milliseconds longest = milliseconds(5000)) {
    pollfd asked = {descriptor_, POLLIN, 0};
    char text[512];
    if (::poll(&asked, 1, static_cast<int>(longest.count())) != 1) return "";
    const auto got = ::recv(descriptor_, text, sizeof text, MSG_DONTWAIT);
    return {text, static_cast<std::size_t>(got)};
  }
  /// How many pings there are in this time, and nothing else.
  int pings(milliseconds during) {
    const stopwatch watch;
    int count = 0;
    for (long left = 0; (left = during.count() - watch.milliseconds()) > 0;)
      count += hear(milliseconds(left)) == "WATCHDOG=1";
    return count;
  }

 private:
  int descriptor_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
};

}  // namespace

TEST_CASE("a server accepts from a listener that it was given, and leaves it as it was",
          "[server]") {
  const listener given;
  for (int i = 0; i < 3; ++i) {
    running run(server, given.options());
    CHECK(run.port() == given.port());
    client c = run.connect();
    CHECK(c.ask(hello).body == "hello");
    server.stop();
    const auto last = c.ask(hello);  // the idle connection has a second for one more
    CHECK(last.body == "hello");
    CHECK(last.says_close());
    CHECK(c.is_closed_next());
    c.close();
    run.wait();
  }
  CHECK(nen::check_listener(given.descriptors[0]));  // it listens on
}

TEST_CASE("who comes while nobody accepts waits for the next server", "[server]") {
  const listener given;
  {
    running run(server, given.options());
    client c = run.connect();
    CHECK(c.ask(hello).body == "hello");
    c.close();
  }
  client waits(given.port());
  waits.send(hello);
  CHECK(waits.is_quiet_for(100));
  running next(successor, given.options());
  CHECK(waits.read_answer().body == "hello");
}

TEST_CASE("two servers accept from one listener, and either may go", "[server]") {
  const listener given;
  running next(successor, given.options());
  for (int round = 0; round < 20; ++round) {
    running run(server, given.options());
    std::vector<client> crowd;
    for (int i = 0; i < 12; ++i) {
      crowd.emplace_back(given.port());
      if (i == round % 12) server.stop();
    }
    for (client& c : crowd) CHECK(c.ask(hello).body == "hello");
    crowd.clear();
    run.join();
  }
}

TEST_CASE("a connection that came as its server gave its accepts up is not left behind",
          "[server]") {
  // It wakes who has waited for longest, and that is who stops: another server sleeps on.
  for (int round = 0; round < 3; ++round) {
    const listener given;
    serving old(slow_to_stop, given.options());
    client holds_up(given.port());
    CHECK(holds_up.ask("x").status == 200);
    serving next(successor, given.options());
    ::usleep(50'000);  // the successor's accepts are submitted
    slow_to_stop.stop();
    ::usleep(50'000);  // on_drain sleeps, and the cancels are not submitted yet
    client c(given.port());
    c.send(hello);
    CHECK_FALSE(c.is_quiet_for(2000));
  }
}

TEST_CASE("servers take a listener over from each other under connections", "[server]") {
  const listener given;
  const auto ask = [&] {
    client c(given.port());
    CHECK(c.ask(hello).body == "hello");
  };
  std::optional<serving<decltype(successor)>> next;
  for (int round = 0; round < 100; ++round) {
    INFO(round);
    const serving old(server, given.options());
    ask();
    if (next) successor.stop();
    ask();
    next.reset();
    ask();
    next.emplace(successor, given.options());
    server.stop();
    ask();
  }
}

TEST_CASE("Unix listeners stay with their file", "[server]") {
  const char* const path = "/tmp/nen-handover-test.sock";
  const listener given(path);
  for (int i = 0; i < 2; ++i) {
    running run(server, given.options());
    CHECK(std::string(server.address()) == std::string("unix:") + path);
    client c = client::over_unix(path);
    CHECK(c.ask(hello).body == "hello");
  }
  struct stat found = {};
  CHECK(::stat(path, &found) == 0);
  ::unlink(path);
}

TEST_CASE("shards share listeners out: each has somebody who accepts from it", "[server]") {
  const listener one(nullptr, true);
  SECTION("one for all") {
    running run(two, one.options(), 2);
    for (int i = 0; i < 10; ++i) CHECK(client(one.port()).ask(hello).body == "hello");
  }
  SECTION("one each") {
    const listener other;
    const std::array both = {one.descriptors[0], other.descriptors[0]};
    running run(two, {.listeners = both}, 2);
    for (int i = 0; i < 10; ++i) {
      CHECK(client(one.port()).ask(hello).body == "hello");
      CHECK(client(other.port()).ask(hello).body == "hello");
    }
    CHECK(run.count(&shard_counters::connections_accepted, 0) == 10);
    CHECK(run.count(&shard_counters::connections_accepted, 1) == 10);
  }
  SECTION("more than shards are refused") {
    const listener other;
    const std::array both = {one.descriptors[0], other.descriptors[0]};
    CHECK_THAT(refusal({.listeners = both}), ContainsSubstring("2 inherited listeners"));
  }
}

TEST_CASE("what can't be inherited is said, and nothing is left", "[server]") {
  const int before = nen::test::open_descriptors();
  const listener given;
  const std::array nothing = {-1};
  const nen::socket datagrams(::socket(AF_INET, SOCK_DGRAM, 0));
  const std::array wrong = {datagrams.native_handle()};
  CHECK_THAT(refusal({.listeners = nothing}), ContainsSubstring("descriptor -1: it is not open"));
  CHECK_THAT(refusal({.listeners = wrong}), ContainsSubstring("not a stream socket"));
  CHECK_THAT(refusal({.socket_activation = nen::systemd::sockets}),
             ContainsSubstring("LISTEN_PID"));
  CHECK_THAT(refusal({.listeners = given.descriptors, .socket_activation = nen::systemd::sockets}),
             ContainsSubstring("which ones"));
  CHECK(nen::test::open_descriptors() == before + 2);
}

TEST_CASE("a server takes the listeners that systemd started it with, by their name", "[server]") {
  for (const bool named : {false, true}) {
    const listener web;
    const listener admin;
    child c([&] {
      ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
      ::setenv("LISTEN_FDS", "2", 1);
      ::setenv("LISTEN_FDNAMES", "web:admin", 1);
      const int from[] = {::fcntl(web.descriptors[0], F_DUPFD, 100),
                          ::fcntl(admin.descriptors[0], F_DUPFD, 100)};
      ::dup2(from[0], 3);
      ::dup2(from[1], 4);
      const auto run = [&](auto& which) {
        return which.run(
            {.socket_activation = nen::systemd::sockets, .socket_name = named ? "admin" : ""});
      };
      if (!named && run(server).exit_code() == 0) return 78;  // two listeners, one shard
      return named ? run(server).exit_code() : run(two).exit_code();
    });
    CHECK(client(admin.port()).ask(hello).body == "hello");
    client other(web.port());
    other.send(hello);
    CHECK(other.is_quiet_for(100) == named);
    other.close();
    c.signal(SIGTERM);
    CHECK(c.wait() == 0);
  }
}

TEST_CASE("systemd is told when a server listens and when it stops", "[server]") {
  for (const bool sharded : {false, true}) {
    manager heard;
    const auto check = [&](auto& which) {
      running run(which, {.systemd_notify = &notifier}, sharded ? 2 : 1);
      CHECK(heard.hear() ==
            "READY=1\nSTATUS=Listening on 127.0.0.1:" + std::to_string(which.port()));
      CHECK(heard.hear(milliseconds(50)).empty());  // no watchdog was asked for
      which.stop();
      CHECK(heard.hear().substr(0, 18) == "STOPPING=1\nSTATUS=");
      run.wait();
    };
    sharded ? check(two) : check(server);
  }
}

TEST_CASE("run tells systemd too, and takes a signal as soon as it has", "[server]") {
  manager heard;
  heard.expect_watchdog(milliseconds(200));
  child c([] {
    return server.run({.host = "127.0.0.1", .port = 0, .systemd_notify = &notifier}).exit_code();
  });
  CHECK(heard.hear().substr(0, 8) == "READY=1\n");
  CHECK(heard.pings(milliseconds(400)) >= 2);
  c.signal(SIGTERM);
  while (heard.hear() == "WATCHDOG=1") continue;
  CHECK(c.wait() == 0);
  CHECK(c.output.empty());
}

TEST_CASE("a Unix path cannot say anything to systemd but where it is", "[server]") {
  manager heard;
  const char* const path = "/tmp/nen-\nSTOPPING=1\n.sock";
  running run(server, {.unix_path = path, .systemd_notify = &notifier});
  CHECK(heard.hear() == "READY=1\nSTATUS=Listening on unix:/tmp/nen-?STOPPING=1?.sock");
}

TEST_CASE("the watchdog is fed while every shard's loop goes round, idle or not", "[server]") {
  manager heard;
  heard.expect_watchdog(milliseconds(400));
  running run(two, {.systemd_notify = &notifier}, 2);
  CHECK(heard.hear().substr(0, 8) == "READY=1\n");
  CHECK(heard.pings(milliseconds(800)) >= 4);  // twice in each interval at least

  // A handler that does not return stops it, whichever shard it is on.
  for (int i = 0; i < 2; ++i) {
    client c = run.connect();
    c.send("GET /block/1500 HTTP/1.1\r\nHost: h\r\n\r\n");
    (void)heard.pings(milliseconds(300));  // what was asked before it began may still be answered
    CHECK(heard.pings(milliseconds(800)) == 0);
    CHECK(c.read_answer().body == "blocked");
    CHECK(heard.pings(milliseconds(400)) >= 1);  // it goes round again
  }
  // One that is slow for less than the interval does not.
  client slow = run.connect();
  slow.send("GET /block/200 HTTP/1.1\r\nHost: h\r\n\r\n");
  CHECK(heard.pings(milliseconds(400)) >= 1);
  slow.close();
}

TEST_CASE("the watchdog is fed while the server finishes what is in hand", "[server]") {
  manager heard;
  heard.expect_watchdog(milliseconds(100));
  running run(two, {.systemd_notify = &notifier}, 2);
  client half = run.connect();
  CHECK(half.ask(hello).body == "hello");
  half.send("GET / HT");
  CHECK(heard.hear().substr(0, 8) == "READY=1\n");
  ::usleep(50'000);
  two.stop();
  while (heard.hear() == "WATCHDOG=1") continue;  // up to STOPPING=1
  CHECK(heard.pings(milliseconds(500)) >= 5);     // and one of the two shards has ended
  CHECK(half.ask("TP/1.1\r\nHost: h\r\n\r\n").body == "hello");
  half.close();
  run.wait();
}

TEST_CASE("what systemd has not set up is said, and nothing is left", "[server]") {
  const int before = nen::test::open_descriptors();
  const nen::listen_options wanted = {.host = "127.0.0.1", .port = 0, .systemd_notify = &notifier};
  ::setenv("NOTIFY_SOCKET", "/nobody/is/here", 1);
  CHECK_THAT(refusal(wanted), ContainsSubstring("cannot send to NOTIFY_SOCKET"));
  ::setenv("NOTIFY_SOCKET", "here", 1);
  CHECK_THAT(refusal(wanted), ContainsSubstring("NOTIFY_SOCKET=here"));
  ::setenv("WATCHDOG_USEC", "soon", 1);
  CHECK_THAT(refusal(wanted), ContainsSubstring("WATCHDOG_USEC"));
  ::unsetenv("NOTIFY_SOCKET");
  ::unsetenv("WATCHDOG_USEC");
  CHECK(nen::test::open_descriptors() == before);
  running run(server, wanted);  // nobody asked to be told
  CHECK(run.connect().ask(hello).body == "hello");
}
