// Raw TCP on the kernel's ring: bytes come back exactly, peers who don't read are held back and
// hurt nobody else, and connections end as they should.
#include <nen/nen.hpp>

#include <unistd.h>

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "server/tcp_sessions.hpp"
#include "support/catch.hpp"
#include "support/test_server.hpp"

namespace {

using nen::shard_counters;
using nen::test::client;
using nen::test::echo_session;
using nen::test::eventually;
using nen::test::running;
using nen::test::small_tcp;
using nen::test::stream_end;
using reason = nen::tcp::close_reason;

nen::tcp::server<echo_session, small_tcp> small;
nen::tcp::server<echo_session> usual;
nen::tcp::server<echo_session, nen::config{.shards = 2, .connections = 64}> sharded;

std::string noise(std::size_t size, unsigned seed) {
  std::mt19937 chance(seed);
  std::string text(size, '\0');
  for (char& c : text) c = static_cast<char>(chance());
  return text;
}

/// Sends all in pieces of every size and reads as much now and then.
void echo_in_pieces(client& c, const std::string& all, unsigned seed) {
  std::mt19937 chance(seed);
  std::string back;
  for (std::size_t at = 0; at != all.size();) {
    const auto size =
        std::min<std::size_t>(1 + chance() % (chance() % 8 == 0 ? 9000 : 90), all.size() - at);
    c.send(std::string_view(all).substr(at, size));
    at += size;
    if (const auto due = at - back.size(); chance() % 4 == 0 && due != 0)
      back += c.read_bytes(1 + chance() % due);
  }
  back += c.read_bytes(all.size() - back.size());
  CHECK(back == all);
}

/// The echo of a whole message at once.
void echoes(client c, const std::string& all) {
  c.send_while_reading(all);
  CHECK(c.read_bytes(all.size()) == all);
  c.finish_sending();
  CHECK(c.is_closed_next());
}

template <class Server>
std::uint64_t closes(const Server& s, reason why) {
  return s.counters().closes[why].value();
}

}  // namespace

TEST_CASE("tcp: an echo is exact, whatever pieces the bytes come in") {
  const running run(small);
  std::vector<client> clients;
  for (int i = 0; i < 4; ++i) clients.push_back(run.connect());
  for (unsigned round = 0; round < 8; ++round)
    for (auto& c : clients) echo_in_pieces(c, noise(20'000, round), round * 7);
  for (auto& c : clients) {
    c.finish_sending();
    CHECK(c.is_closed_next());
  }
}

TEST_CASE("tcp: an echo is exact when much is under way in both directions") {
  const running run(usual);
  echoes(run.connect(), noise(20'000'000, 1));
  echoes(run.connect(4096), noise(2'000'000, 2));  // a small window, for a slow reader
}

TEST_CASE("tcp: IPv4, IPv6 and Unix sockets") {
  const std::string text = noise(100'000, 3);
  {
    const running run(small, {.host = "127.0.0.1"});
    CHECK(small.address().view().starts_with("127.0.0.1:"));
    echoes(run.connect(), text);
  }
  {
    const running run(small, {.host = "::1"});
    echoes(client::over_ipv6(run.port()), text);
  }
  const std::string path = "/tmp/nen-tcp-echo-" + std::to_string(::getpid());
  {
    const running run(small, {.unix_path = path});
    CHECK(small.address().view() == "unix:" + path);
    echoes(client::over_unix(path), text);
  }
  CHECK(::access(path.c_str(), F_OK) != 0);
}

TEST_CASE("tcp: several shards serve one port") {
  const running run(sharded, {}, 2);
  std::vector<client> clients;
  for (int i = 0; i < 40; ++i) clients.push_back(run.connect());
  for (auto& c : clients) c.send("hello");
  for (auto& c : clients) CHECK(c.read_bytes(5) == "hello");
  const auto served = [&](std::uint32_t i) {
    return run.count(&shard_counters::connections_accepted, i);
  };
  CHECK(served(0) + served(1) == 40);
  CHECK(served(0) > 0);
  CHECK(served(1) > 0);
}

TEST_CASE("tcp: a peer who sends without reading is held back, and the others are served") {
  const running run(small, {.write_timeout = std::chrono::milliseconds(0)});
  client greedy = run.connect(4096);
  const std::string flood(1 << 20, 'f');
  std::size_t sent = 0;
  std::size_t before = 1;
  while (sent != before) {  // until nothing moves any more
    before = sent;
    for (int i = 0; i < 20; ++i) {
      sent += greedy.send_what_fits(flood);
      ::usleep(2000);
    }
    REQUIRE(sent < (64 << 20));
  }
  for (unsigned i = 0; i < 5; ++i) echoes(run.connect(), noise(50'000, i));
  // All that was taken in comes back.
  CHECK(greedy.read_bytes(sent) == std::string(sent, 'f'));
  greedy.finish_sending();
  CHECK(greedy.is_closed_next());
}

TEST_CASE(
    "tcp: everybody sends without reading until the memory is used up, and all of it comes "
    "back free") {
  running run(small, {.write_timeout = std::chrono::milliseconds(300)});
  {
    std::vector<client> greedy;
    const std::string flood(1 << 20, 'f');
    for (std::uint32_t i = 0; i < small_tcp.connections; ++i) greedy.push_back(run.connect(4096));
    for (int round = 0; round < 50; ++round)
      for (auto& c : greedy) (void)c.send_what_fits(flood);
    CHECK(eventually([&] {
      for (auto& c : greedy) (void)c.send_what_fits(flood);
      return closes(small, reason::write_timeout) + closes(small, reason::evicted) >= 4;
    }));
  }
  echoes(run.connect(), noise(50'000, 9));
  CHECK(run.is_empty());
  run.end();
  CHECK(small.shard_at(0).send_slots().in_use() == 0);
}

TEST_CASE("tcp: a reset by the peer is counted as one") {
  const running run(small);
  const auto before = closes(small, reason::peer_reset);
  client c = run.connect();
  c.send("hello");
  CHECK(c.read_bytes(5) == "hello");
  c.reset();
  CHECK(eventually([&] { return closes(small, reason::peer_reset) == before + 1; }));
}

namespace {

/// Does what its peer asks for.
struct obedient {
  bool is_last = false;

  void on_data(nen::tcp::peer& me, std::string_view bytes) {
    if (is_last) return;
    if (bytes == "abort") return me.abort();
    if (bytes == "finish") {
      is_last = true;
      me.send("last words");
      return me.finish();
    }
    if (bytes.starts_with("close")) {
      me.send("bye");
      return me.close();
    }
    if (bytes == "time") return me.set_timeout(50);
  }
  void on_timeout(nen::tcp::peer& me) {
    me.send("time is up");
    me.close();
  }
  void on_end(nen::tcp::peer& me) {
    me.send("you first");
    me.close();
  }
};
nen::tcp::server<obedient, small_tcp> obedients;

}  // namespace

TEST_CASE("tcp: an abort resets the peer (a Unix socket's just sees the end)") {
  {
    const running run(obedients);
    client c = run.connect();
    c.send("abort");
    CHECK(c.read_end() == stream_end::reset);
  }
  const running run(obedients, {.unix_path = "@nen-tcp-abort"});
  client c = client::over_unix("@nen-tcp-abort");
  c.send("abort");
  CHECK(c.read_end() == stream_end::closed);
}

TEST_CASE("tcp: either side may end its half first") {
  const running run(obedients);
  client c = run.connect();
  c.send("finish");
  CHECK(c.read_end() == stream_end::closed);
  CHECK(c.rest() == "last words");
  c.send("the server goes on reading");
  CHECK(run.count(&shard_counters::connections_closed) == 0);
  c.finish_sending();
  CHECK(run.is_empty());

  client other = run.connect();
  other.finish_sending();
  CHECK(other.read_bytes(9) == "you first");
  CHECK(other.is_closed_next());
}

TEST_CASE("tcp: what was sent before a close arrives, although the peer goes on sending") {
  const running run(obedients);
  for (int i = 0; i < 20; ++i) {
    client c = run.connect();
    c.send("close");
    (void)c.try_send(std::string(100'000, 'x'));
    CHECK(c.read_end() == stream_end::closed);
    CHECK(c.rest() == "bye");
  }
}

TEST_CASE("tcp: a session's timeout runs") {
  const running run(obedients);
  client c = run.connect();
  const nen::test::stopwatch watch;
  c.send("time");
  CHECK(c.read_bytes(10) == "time is up");
  CHECK(watch.milliseconds() >= 47);
}
