// What listen_options say is what a server does; and where it can listen.
#include <sys/stat.h>

#include <thread>

#include "support/test_server.hpp"

namespace {

using nen::shard_counters;
using nen::test::client;
using nen::test::running;

constexpr nen::config small = {.connections = 64,
                               .receive_buffers = 16,
                               .receive_buffer_bytes = 1024,
                               .send_slots = 16,
                               .send_slot_bytes = 1024,
                               .response_bytes_max = 2048,
                               .head_slots = 4,
                               .head_bytes_max = 1024,
                               .target_bytes_max = 256,
                               .body_slots = 4,
                               .body_bytes_max = 2048};
constexpr nen::config with_shards(std::uint32_t shards) {
  nen::config c = small;
  c.shards = shards;
  return c;
}

nen::reply name_of_thread(nen::response& res) {
  char name[16] = {};
  ::pthread_getname_np(::pthread_self(), name, sizeof name);
  return res.text(name);
}
using routes = nen::router<nen::get<"/", [](nen::response& res) { return res.text("hello"); }>,
                           nen::get<"/thread", name_of_thread>>;
nen::server<routes, small> server;
nen::server<routes, with_shards(2)> two;
nen::server<routes, with_shards(4)> four;

const std::string hello = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
const std::string thread = "GET /thread HTTP/1.1\r\nHost: h\r\n\r\n";

/// The descriptor of this process that listens on a port, or -1.
int listener_on(std::uint16_t port) {
  for (int fd = 3; fd < 1024; ++fd) {
    sockaddr_in bound{};
    socklen_t size = sizeof bound;
    int listens = 0;
    socklen_t listens_size = sizeof listens;
    if (::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &listens_size) == 0 && listens != 0 &&
        ::getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &size) == 0 &&
        ntohs(bound.sin_port) == port)
      return fd;
  }
  return -1;
}

std::string temporary_path(const char* name) {
  return "/tmp/nen-test-" + std::to_string(::getpid()) + "-" + name;
}

/// Connects again and again; every answer tells its shard.
template <class Server>
void spread(Server& served, std::uint32_t shards, nen::listen_options options) {
  running run(served, options, shards);
  std::vector<int> answers(shards);
  for (int i = 0; i < 64 * static_cast<int>(shards); ++i) {
    client c = options.unix_path.empty() ? run.connect() : client::over_unix(options.unix_path);
    const auto name = c.ask(thread).body;
    REQUIRE(name.substr(0, 10) == "nen-shard-");
    const auto shard = static_cast<std::size_t>(name[10] - '0');
    REQUIRE(shard < shards);
    ++answers[shard];
    CHECK(c.ask(thread).body == name);  // a connection stays where it is
  }
  for (std::uint32_t i = 0; i < shards; ++i) {
    INFO(i);
    if (options.unix_path.empty()) CHECK(answers[i] > 0);
    CHECK(run.count(&shard_counters::requests, i) == 2 * static_cast<std::uint64_t>(answers[i]));
  }
}

}  // namespace

TEST_CASE("connections are spread over shards, and each is answered", "[server]") {
  spread(two, 2, {});
  spread(four, 4, {});
}

TEST_CASE("shards may share one listener", "[server]") {
  const auto path = temporary_path("shared");
  spread(four, 4, {.unix_path = path});
}

TEST_CASE("all shards of a server serve at once", "[server]") {
  running run(four, {}, 4);
  std::vector<client> clients;
  for (int i = 0; i < 100; ++i) clients.push_back(run.connect());
  for (int round = 0; round < 10; ++round) {
    for (client& c : clients) c.send(hello + hello);
    for (client& c : clients) {
      CHECK(c.read_answer().body == "hello");
      CHECK(c.read_answer().body == "hello");
    }
  }
  clients.clear();
  std::uint64_t requests = 0;
  for (std::uint32_t i = 0; i < 4; ++i) requests += run.count(&shard_counters::requests, i);
  CHECK(requests == 2000);
}

TEST_CASE("a connection is closed after its last allowed request", "[server]") {
  running run(server, {.requests_per_connection_max = 3});
  client c = run.connect();
  for (int i = 0; i < 2; ++i) CHECK_FALSE(c.ask(hello).says_close());
  c.send(hello + hello + hello);
  const auto a = c.read_answer();
  CHECK(a.status == 200);
  CHECK(a.says_close());
  CHECK(c.is_closed_next());
  CHECK(run.count(&shard_counters::requests) == 3);
  client next = run.connect();  // counts anew
  CHECK_FALSE(next.ask(hello).says_close());
}

TEST_CASE("the Server field is the application's choice", "[server]") {
  const auto named = [](std::string_view name) {
    running run(server, {.server_name = name});
    client c = run.connect();
    const auto a = c.ask(hello);
    CHECK(a.count("Date") == 1);
    CHECK(a.field("Date").size() == 29);
    CHECK(c.ask("GET /nowhere HTTP/1.1\r\nHost: h\r\n\r\n").count("Server") == a.count("Server"));
    return a.count("Server") == 0 ? "none" : a.field("Server");
  };
  CHECK(named("nen") == "nen");
  CHECK(named("") == "none");
  CHECK(named("my server/1.0") == "my server/1.0");
  CHECK(named(std::string(64, 's')) == std::string(64, 's'));
  CHECK_THROWS_WITH(named(std::string(65, 's')), nen::test::ContainsSubstring("at most 64"));
}

TEST_CASE("a server name that would break the head never reaches it", "[server]") {
  // Either start refuses it or the field is left out; a field of the attacker's choice is not
  // there.
  nen::listen_options o{.host = "127.0.0.1", .port = 0, .server_name = "a\r\nX-Injected: b"};
  const int before = nen::test::open_descriptors();
  const auto started = server.start(o);
  if (started) {
    client c(server.port());
    CHECK(c.ask(hello).count("X-Injected") == 0);
    c.close();
    server.stop();
    server.join();
  } else {
    CHECK_FALSE(started.error().message().empty());
  }
  CHECK(nen::test::open_descriptors() == before);
}

TEST_CASE("IPv6 is served, and :: serves IPv4 as well", "[server]") {
  {
    running run(server, {.host = "::1"});
    CHECK(std::string(server.address().view()) == "[::1]:" + std::to_string(run.port()));
    client c = client::over_ipv6(run.port());
    CHECK(c.ask(hello).status == 200);
    CHECK_THROWS(run.connect());
  }
  running run(server, {.host = "::"});
  client six = client::over_ipv6(run.port());
  client four_bytes = run.connect();
  CHECK(six.ask(hello).status == 200);
  CHECK(four_bytes.ask(hello).status == 200);
}

TEST_CASE("a Unix socket is served, and its file goes when the server does", "[server]") {
  const auto path = temporary_path("socket");
  for (int round = 0; round < 2; ++round) {
    running run(server, {.unix_path = path});
    CHECK(std::string(server.address().view()) == "unix:" + path);
    client c = client::over_unix(path);
    CHECK(c.ask(hello).status == 200);
    client other = client::over_unix(path);
    CHECK(other.ask(hello).status == 200);
    c.close();
    other.close();
    run.end();
    struct stat status {};
    CHECK(::stat(path.c_str(), &status) != 0);
  }
}

TEST_CASE("an abstract Unix socket is served", "[server]") {
  const auto name = "@nen-test-" + std::to_string(::getpid());
  running run(server, {.unix_path = name});
  client c = client::over_unix(name);
  CHECK(c.ask(hello).status == 200);
}

TEST_CASE("a server that can't have its path doesn't take it from the one that has it",
          "[server]") {
  const auto path = temporary_path("taken");
  { running earlier(server, {.unix_path = path}); }
  running owner(two, {.unix_path = path}, 2);
  const auto refused = server.start({.unix_path = path});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == std::errc::address_in_use);
  client c = client::over_unix(path);
  CHECK(c.ask(hello).status == 200);
}

TEST_CASE("port 0 gives a port that is free, and on_listening tells it", "[server]") {
  static std::string told;
  nen::listen_options o;
  o.on_listening = [](std::string_view address) { told = address; };
  running first(server, o);
  CHECK(told == "127.0.0.1:" + std::to_string(first.port()));
  running second(two, o, 2);
  CHECK(told == "127.0.0.1:" + std::to_string(second.port()));
  CHECK(first.port() != second.port());
  client a = first.connect();
  client b = second.connect();
  CHECK(a.ask(hello).status == 200);
  CHECK(b.ask(hello).status == 200);
}

TEST_CASE("a given port is the one that is listened on", "[server]") {
  std::uint16_t port = 0;
  {
    running run(server);
    port = run.port();
  }
  running run(server, {.port = port});
  CHECK(run.port() == port);
  client c(port);
  CHECK(c.ask(hello).status == 200);
}

TEST_CASE("the listener is set up as asked, and accepted sockets inherit it", "[server]") {
  for (const bool on : {true, false}) {
    running run(server, {.backlog = 17, .tcp_nodelay = on});
    const int listener = listener_on(run.port());
    REQUIRE(listener >= 0);
    int value = -1;
    socklen_t size = sizeof value;
    CHECK(::getsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &value, &size) == 0);
    CHECK((value != 0) == on);
    tcp_info info{};
    size = sizeof info;
    CHECK(::getsockopt(listener, IPPROTO_TCP, TCP_INFO, &info, &size) == 0);
    CHECK(info.tcpi_sacked == 17);  // of a listening socket, this is the backlog's limit
    client c = run.connect();
    CHECK(c.ask(hello).status == 200);
  }
}

TEST_CASE("a port is never shared with another server", "[server]") {
  running first(two, {}, 2);
  CHECK_FALSE(server.start({.host = "127.0.0.1", .port = first.port()}));
  CHECK_FALSE(four.start({.host = "127.0.0.1", .port = first.port()}));
  CHECK_FALSE(four.start({.host = "127.0.0.1", .port = first.port(), .reuse_port = false}));
  client c = first.connect();
  CHECK(c.ask(hello).status == 200);
}
