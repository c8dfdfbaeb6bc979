// How bytes flow through sessions of raw TCP: what is accepted, what is held back and offered
// again, input that comes in pieces. On the simulated ring.
#include <nen/server/tcp_gather.hpp>
#include <nen/testing/simulated_tcp_server.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "server/tcp_sessions.hpp"
#include "support/catch.hpp"

namespace {

using nen::test::echo_session;
using nen::test::script;
using nen::test::scripted_session;
using nen::test::small_tcp;
using nen::testing::simulated_client;
using reason = nen::tcp::close_reason;
using peer = nen::tcp::peer;

using server = nen::testing::simulated_tcp_server<scripted_session, small_tcp, script>;
using echo_server = nen::testing::simulated_tcp_server<echo_session, small_tcp>;

std::string pattern(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + i * 7 % 26 + i / 5000);
  return text;
}

/// How many sends were submitted.
template <class Server>
std::size_t sends(Server& s) {
  const auto& history = s.inside().io().history();
  return static_cast<std::size_t>(std::count(history.begin(), history.end(), nen::operation::send));
}

}  // namespace

TEST_CASE("tcp: what is sent in one turn goes out in one operation") {
  server s;
  auto c = s.connect();
  s.state<script>().data = [](peer& me, std::string_view bytes) {
    for (const char letter : bytes) CHECK(me.send(std::string_view(&letter, 1)) == 1);
    CHECK(me.buffered() == bytes.size());
    return bytes.size();
  };
  c.send("abcdefgh");
  s.settle();
  CHECK(c.received() == "abcdefgh");
  CHECK(sends(s) == 1);
  s.state<script>().peers[0].send("from outside of its turn");
  s.settle();
  CHECK(c.take().ends_with("from outside of its turn"));
  CHECK(s.state<script>().peers[0].buffered() == 0);
}

TEST_CASE("tcp: a send takes what there is memory for, and on_writable tells of more") {
  server s;
  s.network().window = 200;
  auto c = s.connect();
  c.stop_reading();
  s.settle();
  const std::string all = pattern(20'000);
  std::string_view left = all;
  const auto push = [&](peer& me) {
    CHECK(me.room() <= small_tcp.response_bytes_max);
    const std::size_t accepted = me.send(left);
    CHECK(accepted <= left.size());
    left.remove_prefix(accepted);
  };
  s.state<script>().writable = push;
  push(s.state<script>().peers[0]);
  CHECK(left.size() > all.size() - 6000);  // four slots are the most that one connection holds
  CHECK(left.size() < all.size() - 1000);
  CHECK(s.state<script>().peers[0].room() == 0);
  s.settle();
  CHECK(s.state<script>().take() == "open");
  c.start_reading();
  s.settle();
  CHECK(c.received() == all);
  CHECK(s.state<script>().take().starts_with("writable, writable, "));
  s.settle();
  CHECK(s.state<script>().take().empty());  // once for a send that was refused, and no more
}

TEST_CASE("tcp: an echo without on_writable passes everything on, at its reader's speed") {
  echo_server s;
  s.network().window = 300;
  auto c = s.connect();
  c.stop_reading();
  const std::string all = pattern(30'000);
  c.send(all);
  s.pass(5'000);
  // What the server holds is bounded: the rest waits in the client's window.
  CHECK(c.unsent() > 20'000);
  CHECK(s.inside().send_slots().in_use() <= 4);
  auto other = s.connect();
  other.send("hello");
  s.settle();
  CHECK(other.received() == "hello");
  c.start_reading();
  s.settle();
  CHECK(c.received() == all);
}

TEST_CASE("tcp: what a session leaves is offered again when send slots come free") {
  echo_server s;
  s.network().window = 100;
  const std::string all = pattern(4'000);
  std::vector<simulated_client> greedy;
  for (int i = 0; i < 6; ++i) {  // more than the slots hold
    greedy.push_back(s.connect());
    greedy.back().stop_reading();
    greedy.back().send(all);
  }
  s.settle();
  auto late = s.connect();
  late.send(all);
  s.pass(20);
  for (auto& c : greedy) c.start_reading();
  s.settle();
  s.pass(100);
  for (auto& c : greedy) CHECK(c.received() == all);
  CHECK(late.received() == all);
  CHECK(s.counters().connections_closed.value() == 0);
}

TEST_CASE("tcp: a session that pauses is offered nothing until it resumes") {
  server s;
  s.network().window = 1000;
  auto c = s.connect();
  s.state<script>().data = [](peer& me, std::string_view) {
    me.pause();
    return std::size_t{3};
  };
  const std::string all = pattern(10'000);
  c.send(all);
  s.pass(60'000 - 1);
  CHECK(s.state<script>().take().starts_with("open, data 3 of "));
  CHECK(c.unsent() > 4'000);
  std::string got = all.substr(0, 3);
  s.state<script>().data = [&](peer&, std::string_view bytes) {
    got += bytes;
    return bytes.size();
  };
  s.state<script>().peers[0].resume();
  s.settle();
  CHECK(got == all);
}

TEST_CASE("tcp: a pause and a resume within one call change nothing") {
  server s;
  auto c = s.connect();
  s.state<script>().data = [](peer& me, std::string_view) {
    me.pause();
    me.resume();
    return std::size_t{1};
  };
  c.send("abc");
  s.settle();
  CHECK(s.state<script>().take() == "open, data 1 of 3, data 1 of 2, data 1 of 1");
}

namespace {

/// Each connection's bytes go to the other one; who has no room makes his source wait.
struct pair_state {
  peer ends[2];
  int count = 0;
};
struct relay {
  void on_open(peer& me, pair_state& p) { p.ends[p.count++] = me; }
  std::size_t on_data(peer& me, std::span<const std::byte> bytes, pair_state& p) {
    const std::size_t accepted = other(me, p).send(bytes);
    if (accepted != bytes.size()) me.pause();
    return accepted;
  }
  void on_writable(peer& me, pair_state& p) { other(me, p).resume(); }
  void on_end(peer& me, pair_state& p) { other(me, p).finish(); }

 private:
  static peer& other(const peer& me, pair_state& p) { return p.ends[me == p.ends[0] ? 1 : 0]; }
};

}  // namespace

TEST_CASE("tcp: a relay between two connections lets either feel the other's speed") {
  nen::testing::simulated_tcp_server<relay, small_tcp, pair_state> s;
  s.network().window = 700;
  auto a = s.connect();
  s.settle();
  auto b = s.connect();
  s.settle();
  const std::string there = pattern(50'000);
  const std::string back = pattern(20'000);
  b.stop_reading();
  a.send(there);
  a.finish();
  b.send(back);
  s.settle();
  CHECK(a.received() == back);
  CHECK(a.unsent() > 40'000);  // b does not read
  for (int i = 0; i < 200; ++i) {
    b.read(300);
    s.settle();
  }
  b.start_reading();
  s.settle();
  CHECK(b.received() == there);
  CHECK(b.saw_end());
  b.finish();
  s.settle();
  CHECK(s.counters().closes[reason::peer_finished].value() == 2);
}

namespace {

/// Answers lines of up to 30 bytes, in capitals.
struct shouting {
  nen::tcp::gather<30> input;

  std::size_t on_data(peer& me, std::span<const std::byte> bytes) {
    return input.feed(bytes, [&](std::span<const std::byte> all) -> std::size_t {
      const auto end = std::find(all.begin(), all.end(), std::byte{'\n'});
      if (end == all.end() || me.room() == 0) return 0;
      std::string line;
      for (auto at = all.begin(); at <= end; ++at)
        line += static_cast<char>(std::toupper(static_cast<int>(*at)));
      CHECK(me.send(line) == line.size());
      return line.size();
    });
  }
  void on_writable(peer& me) { (void)on_data(me, {}); }
};
static_assert(nen::tcp::session<shouting>);

}  // namespace

TEST_CASE("tcp: a gather keeps a message until the rest of it has come") {
  nen::testing::simulated_tcp_server<shouting, small_tcp> s;
  auto c = s.connect();
  const std::string lines = "hello\nyou\n\nthere are thirty bytes here..\nand the end\n";
  for (std::size_t piece = 1; piece <= lines.size(); ++piece) {
    for (std::size_t at = 0; at < lines.size(); at += piece) {
      c.send(std::string_view(lines).substr(at, piece));
      s.settle();
    }
    CAPTURE(piece);
    CHECK(c.take() == "HELLO\nYOU\n\nTHERE ARE THIRTY BYTES HERE..\nAND THE END\n");
  }
}

TEST_CASE("tcp: a gather whose message is too long ends the connection as stalled") {
  nen::testing::simulated_tcp_server<shouting, small_tcp> s;
  auto c = s.connect();
  c.send(std::string(30, 'x'));
  s.settle();
  CHECK_FALSE(c.server_is_gone());
  c.send("x");
  s.settle();
  CHECK(c.server_is_gone());
  CHECK(s.counters().closes[reason::stalled].value() == 1);
}

TEST_CASE("tcp: a session's object is made for each connection, in its own alignment and size") {
  struct large {
    alignas(16) char text[5000] = "new";
    bool is_used = false;

    void on_data(peer& me, std::string_view) {
      CHECK(reinterpret_cast<std::uintptr_t>(text) % 16 == 0);
      CHECK_FALSE(is_used);
      is_used = true;
      me.send(text);
      text[0] = 'X';
    }
  };
  nen::testing::simulated_tcp_server<large, small_tcp> s;
  for (int i = 0; i < 3; ++i) {
    auto c = s.connect();
    auto d = s.connect();
    c.send("?");
    d.send("?");
    s.settle();
    CHECK(c.received() == "new");
    CHECK(d.received() == "new");
    c.close();
    d.close();
    s.settle();
  }
}

TEST_CASE("tcp: the bill of a server of raw TCP lists what it has") {
  using bill_server = nen::tcp::server<shouting, nen::config{.shards = 2}, script>;
  constexpr nen::memory_bill bill = bill_server::memory();
  static_assert(bill.total == sizeof(bill_server));
  std::vector<std::string> names;
  std::size_t sum = 0;
  for (const nen::memory_item& item : bill.items) {
    names.emplace_back(item.name);
    sum += item.bytes;
    CHECK(item.bytes != 0);
  }
  CHECK(sum == bill.total);
  CHECK(names == std::vector<std::string>{"connections", "receive buffers", "send slots",
                                          "sessions", "application state", "bookkeeping"});
  CHECK(bill.items[3].bytes == 2 * (1024 + bill_server::shard::shed_slots) * sizeof(shouting));
  CHECK(bill.bookkeeping() * 20 < bill.total);
}
