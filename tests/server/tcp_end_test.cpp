// Every way in which a connection of raw TCP ends, and what its session is told: on the simulated
// ring, where time and order are the test's.
#include <nen/testing/simulated_tcp_server.hpp>

#include <chrono>
#include <stdexcept>
#include <string>

#include "server/tcp_sessions.hpp"
#include "support/catch.hpp"

namespace {

using nen::listen_options;
using nen::test::echo_session;
using nen::test::script;
using nen::test::scripted_session;
using nen::test::small_tcp;
using std::chrono::milliseconds;
using reason = nen::tcp::close_reason;
using peer = nen::tcp::peer;

using server = nen::testing::simulated_tcp_server<scripted_session, small_tcp, script>;
using echo_server = nen::testing::simulated_tcp_server<echo_session, small_tcp>;

/// Held without being read by a client: more than its window.
const std::string much(40'000, 'm');

template <class Server>
std::uint64_t closes(Server& s, reason why) {
  return s.counters().closes[why].value();
}

/// A server with one connection, whose client has said hello.
struct one {
  explicit one(const listen_options& options = {}) : all(1, {}, options), client(all.connect()) {
    client.send("hello");
    all.settle();
    CHECK(all.state<script>().take() == "open, data 5 of 5");
  }
  script& said() { return all.state<script>(); }
  peer& me() { return said().peers[0]; }

  server all;
  nen::testing::simulated_client client;
};

}  // namespace

TEST_CASE("tcp: a peer who sends the end is closed when all is sent, or as on_end wants it") {
  one s;
  s.client.finish();
  s.all.settle();
  CHECK(s.said().take() == "end, close peer_finished");
  CHECK(s.client.saw_end());
  CHECK(closes(s.all, reason::peer_finished) == 1);
  CHECK_FALSE(s.me().is_open());
}

TEST_CASE("tcp: without on_end the rest is sent before the connection closes") {
  echo_server all;
  all.network().window = 1000;
  auto client = all.connect();
  client.stop_reading();
  client.send(std::string(5000, 'e'));
  client.finish();
  all.settle();
  CHECK_FALSE(client.server_is_gone());
  client.start_reading();
  all.settle();
  CHECK(client.received().size() == 5000);
  CHECK(client.saw_end());
  CHECK(closes(all, reason::peer_finished) == 1);
}

TEST_CASE("tcp: a session may go on sending behind the end of its peer's bytes") {
  one s;
  s.said().end = [](peer&) {};
  s.client.finish();
  s.all.settle();
  CHECK(s.said().take() == "end");
  CHECK(s.me().send("still here") == 10);
  s.all.settle();
  CHECK(s.client.received() == "still here");
  const std::size_t accepted = s.me().send(much);  // so that it is called again: on_writable
  s.all.settle();
  CHECK(s.client.received().size() == 10 + accepted);
  CHECK(s.said().take() == "writable");  // and the end is told once
  s.me().close();
  s.all.settle();
  CHECK(s.said().take() == "close session");
  CHECK(s.client.saw_end());
}

TEST_CASE("tcp: a session that finishes goes on receiving until its peer finishes") {
  one s;
  s.me().send("the last words");
  s.me().finish();
  CHECK(s.me().send("too late") == 0);
  CHECK(s.me().room() == 0);
  s.all.settle();
  CHECK(s.client.received() == "the last words");
  CHECK(s.client.saw_end());
  CHECK(s.me().is_open());
  s.client.send("and yours");
  s.all.settle();
  CHECK(s.said().take() == "data 9 of 9");
  s.said().end = [](peer&) {};  // it need not close: both have finished
  s.client.finish();
  s.all.settle();
  CHECK(s.said().take() == "end, close peer_finished");
}

TEST_CASE("tcp: what was accepted is sent before the end of our bytes") {
  one s;
  s.all.network().window = 500;
  auto slow = s.all.connect();
  slow.stop_reading();
  s.all.settle();
  s.said().peers[1].send(std::string_view(much).substr(0, 2000));
  s.said().peers[1].finish();
  s.all.settle();
  CHECK_FALSE(slow.saw_end());
  slow.start_reading();
  s.all.settle();
  CHECK(slow.received().size() == 2000);
  CHECK(slow.saw_end());
}

TEST_CASE("tcp: a session that closes is told so when all is sent and its peer has read it") {
  one s;
  s.said().data = [](peer& me, std::string_view) {
    me.send("bye");
    me.close();
    CHECK_FALSE(me.is_open());
    CHECK(me.send("more") == 0);
    return std::size_t{1};
  };
  s.client.send("quit, and more");
  s.all.settle();
  CHECK(s.client.received() == "bye");
  CHECK(s.client.saw_end());
  CHECK(s.said().take() == "data 1 of 14");  // it lingers, and nothing is offered any more
  s.client.send("ignored");
  s.all.settle();
  CHECK(s.said().take() == "");
  s.client.finish();
  s.all.settle();
  CHECK(s.said().take() == "close session");
  CHECK(closes(s.all, reason::session) == 1);
}

TEST_CASE("tcp: a peer who never closes after our close is not waited for longer than it lingers") {
  one s({.linger_timeout = milliseconds(300)});
  s.me().close();
  s.all.pass(299);
  CHECK(s.said().take() == "");
  s.all.pass(2);
  CHECK(s.said().take() == "close session");
}

TEST_CASE("tcp: an abort resets the peer, whatever was accepted") {
  const bool from_within = GENERATE(false, true);
  one s;
  s.client.stop_reading();
  s.me().send(much);
  if (from_within) {
    s.said().data = [](peer& me, std::string_view bytes) {
      me.abort();
      return bytes.size();
    };
    s.client.send("x");
  } else {
    s.all.settle();
    s.me().abort();
  }
  s.all.settle();
  CHECK(s.client.was_reset());
  CHECK(s.client.server_is_gone());
  CHECK(s.said().journal.back() == "close session");
}

TEST_CASE("tcp: a close in good order can still be cut short by an abort") {
  one s({.linger_timeout = milliseconds(0)});
  s.me().close();
  s.all.pass(100'000);
  CHECK_FALSE(s.client.server_is_gone());
  s.me().abort();
  s.all.settle();
  CHECK(s.said().take() == "close session");
  CHECK(s.client.server_is_gone());
}

TEST_CASE("tcp: a reset is told, also to a session that is paused") {
  const bool is_paused = GENERATE(false, true);
  const bool has_bytes = GENERATE(false, true);
  one s;
  if (is_paused) s.me().pause();
  if (has_bytes) s.client.send("unread");
  s.all.settle();
  (void)s.said().take();
  s.client.reset();
  s.all.settle();
  CHECK(s.said().take() == "close peer_reset");
  CHECK(closes(s.all, reason::peer_reset) == 1);
}

TEST_CASE("tcp: a session that is paused is told of the end behind the bytes that came before") {
  one s;
  s.me().pause();
  s.client.send("before");
  s.all.settle();
  s.client.send(std::string(700, 'x'));
  s.client.finish();
  s.all.pass(50'000);
  CHECK(s.said().take() == "");
  s.me().resume();
  s.all.settle();
  const std::string told = s.said().take();
  CHECK(told.starts_with("data 6 of 6, data "));
  CHECK(told.ends_with(", end, close peer_finished"));
}

TEST_CASE("tcp: idle connections are closed") {
  echo_server plain(1, {}, {.idle_timeout = milliseconds(1000)});
  auto c = plain.connect();
  c.send("x");
  plain.pass(999);
  c.send("y");  // which begins it anew
  plain.pass(999);
  CHECK_FALSE(c.server_is_gone());
  plain.pass(2);
  CHECK(c.saw_end());
  CHECK(closes(plain, reason::idle_timeout) == 1);
  CHECK(plain.counters().timeouts_idle.value() == 1);
}

TEST_CASE("tcp: a session with on_timeout decides what becomes of an idle connection") {
  one s({.idle_timeout = milliseconds(1000)});
  s.said().timeout = [](peer& me) { me.send("ping"); };
  s.all.pass(1000);
  CHECK(s.said().take() == "timeout");
  CHECK(s.client.received() == "ping");
  s.all.pass(999);
  CHECK(s.said().take() == "");
  s.said().timeout = [](peer& me) { me.close(); };
  s.all.pass(1);
  s.client.finish();
  s.all.settle();
  CHECK(s.said().take() == "timeout, close idle_timeout");
}

TEST_CASE("tcp: a session's own timeout comes once, whatever happens until then") {
  one s({.idle_timeout = milliseconds(100)});
  s.said().timeout = [](peer&) {};
  s.me().set_timeout(1000);
  s.all.pass(600);
  s.client.send("x");
  s.all.pass(399);
  CHECK(s.said().take() == "data 1 of 1");
  s.all.pass(1);
  CHECK(s.said().take() == "timeout");
  s.all.pass(100'000);  // the option's idle timeout is no more
  CHECK(s.said().take() == "");
  s.me().set_timeout(50);
  s.me().set_timeout(0);
  s.all.pass(100'000);
  CHECK(s.said().take() == "");
  CHECK(s.me().is_open());
}

TEST_CASE("tcp: a peer who does not read is cut off") {
  one s({.write_timeout = milliseconds(700), .idle_timeout = milliseconds(0)});
  s.all.network().window = 100;
  auto slow = s.all.connect();
  s.all.settle();
  slow.stop_reading();
  s.said().peers[1].send(std::string_view(much).substr(0, 1000));
  s.all.pass(699);
  CHECK(s.said().take() == "open");
  s.all.pass(2);
  CHECK(s.said().take() == "close write_timeout");
  CHECK(closes(s.all, reason::write_timeout) == 1);
}

TEST_CASE("tcp: a session that leaves bytes while nothing can bring them on is closed") {
  one s;
  s.said().data = [](peer&, std::string_view bytes) { return bytes.size() > 9 ? 10 : 0; };
  s.client.send("0123456789012");
  s.all.settle();
  CHECK(s.said().take() == "data 10 of 13, data 0 of 3, close stalled");
  CHECK(closes(s.all, reason::stalled) == 1);
}

TEST_CASE("tcp: a session that leaves bytes and sends something is offered them again") {
  one s;
  int asked = 0;
  s.said().data = [&](peer& me, std::string_view bytes) {
    if (++asked > 2) return bytes.size();
    me.send("wait");
    return std::size_t{0};
  };
  s.client.send("abc");
  s.all.settle();
  CHECK(s.said().take() == "data 0 of 3, data 0 of 3, data 3 of 3");
  CHECK(s.me().is_open());
}

TEST_CASE("tcp: a server that is aborted cuts everybody off") {
  one s;
  s.all.abort();
  s.all.run_to_end();
  CHECK(s.said().take() == "close aborted");
  CHECK(closes(s.all, reason::aborted) == 1);
}

TEST_CASE("tcp: a server that stops lets sessions finish, until its drain timeout") {
  one s({.drain_timeout = milliseconds(500)});
  SECTION("one that closes") {
    s.client.finish();
    s.all.stop();
    s.all.pass(0);
    CHECK(s.all.is_over());
    CHECK(s.said().take().find("close ") != std::string::npos);
  }
  SECTION("one that has something to say") {
    s.said().drain = [](peer& me) {
      me.send("bye");
      me.close();
    };
    s.all.stop();
    s.all.pass(0);
    CHECK(s.client.received() == "bye");
    CHECK(s.client.saw_end());
    s.client.finish();
    s.all.pass(0);
    CHECK(s.all.is_over());
    CHECK(s.said().take() == "drain, close drained");
    CHECK(closes(s.all, reason::drained) == 1);
  }
  SECTION("one that does not") {
    s.said().drain = [](peer&) {};
    s.all.stop();
    s.all.pass(499);
    CHECK(s.said().take() == "drain");
    s.client.send("still served");
    s.all.pass(0);
    CHECK(s.said().take() == "data 12 of 12");
    s.all.pass(1);
    CHECK(s.all.is_over());
    CHECK(s.said().take() == "close aborted");
  }
}

TEST_CASE("tcp: without on_drain a connection is closed when all that was accepted is sent") {
  echo_server all;
  all.network().window = 1000;
  auto idle = all.connect();
  auto busy = all.connect();
  busy.stop_reading();
  busy.send(std::string(2500, 'e'));
  all.settle();
  all.stop();
  all.pass(0);
  CHECK(idle.saw_end());
  CHECK_FALSE(all.is_over());
  busy.start_reading();
  all.pass(0);
  CHECK(busy.received() == std::string(2500, 'e'));
  CHECK(busy.saw_end());
  busy.finish();
  all.pass(0);
  CHECK(all.is_over());
  CHECK(closes(all, reason::drained) == 2);
}

TEST_CASE("tcp: who comes when every slot is taken is told so by a close (overload::shed)") {
  server all(1, {}, {.overload = nen::overload::shed});
  std::vector<nen::testing::simulated_client> kept;
  for (std::uint32_t i = 0; i < small_tcp.connections; ++i) {
    kept.push_back(all.connect());
    kept.back().send("x");
  }
  all.settle();
  (void)all.state<script>().take();
  auto late = all.connect();
  all.settle();
  CHECK(late.saw_end());
  CHECK(all.state<script>().take() == "open, close shed");
  CHECK(closes(all, reason::shed) == 1);
}

TEST_CASE("tcp: who never said a word makes room when every slot is taken") {
  server all;
  std::vector<nen::testing::simulated_client> silent;
  for (std::uint32_t i = 0; i < small_tcp.connections; ++i) silent.push_back(all.connect());
  all.settle();
  auto late = all.connect();
  late.send("x");
  all.pass(1000);
  CHECK(closes(all, reason::evicted) >= 1);
  CHECK(all.counters().connections_evicted.value() == closes(all, reason::evicted));
  CHECK(all.state<script>().take().find("data 1 of 1") != std::string::npos);
}

TEST_CASE("tcp: a peer whose connection is over does nothing, also when its slot has a new owner") {
  constexpr nen::config single = [] {
    nen::config c = small_tcp;
    c.connections = 1;
    return c;
  }();
  nen::testing::simulated_tcp_server<scripted_session, single, script> all;
  auto& said = all.state<script>();
  auto first = all.connect();
  all.settle();
  const peer before = said.peers[0];
  before.abort();
  all.settle();
  auto next = all.connect();
  next.send("x");
  all.settle();
  REQUIRE(said.peers.size() == 2);
  (void)said.take();
  CHECK(before != said.peers[1]);
  CHECK_FALSE(before.is_open());
  CHECK(before.send("to the wrong one") == 0);
  CHECK(before.room() == 0);
  CHECK(before.buffered() == 0);
  before.abort();
  before.close();
  before.pause();
  before.set_timeout(1);
  all.pass(10);
  CHECK(said.peers[1].is_open());
  CHECK(next.received().empty());
  CHECK(said.take() == "");
}

TEST_CASE("tcp: within on_close nothing can be sent any more") {
  one s;
  bool was_asked = false;
  s.said().close = [&](peer& me) {
    was_asked = true;
    CHECK(me == s.me());
    CHECK_FALSE(me.is_open());
    CHECK(me.send("x") == 0);
    me.abort();
    me.close();
  };
  s.client.finish();
  s.all.settle();
  CHECK(was_asked);
  CHECK(s.client.received().empty());
}

#if defined(__cpp_exceptions)
TEST_CASE("tcp: an exception that leaves a session's function cuts its connection off") {
  listen_options options;
  static std::string said;
  options.on_exception = [](const nen::request&, const char* what) { said = what; };
  one s(options);
  const auto throws = [](peer&) { throw std::runtime_error("no"); };
  const auto thrown_in = GENERATE("on_data", "on_end", "on_timeout");
  INFO(thrown_in);
  if (thrown_in == std::string_view("on_data")) {
    s.said().data = [](peer& me, std::string_view) -> std::size_t {
      me.send("half");
      throw std::runtime_error("no");
    };
    s.client.send("x");
  } else if (thrown_in == std::string_view("on_end")) {
    s.said().end = throws;
    s.client.finish();
  } else {
    s.said().timeout = throws;
    s.me().set_timeout(1);
    s.all.pass(2);
  }
  s.all.settle();
  CHECK(said == "no");
  CHECK(s.client.server_is_gone());
  CHECK(s.said().journal.back().starts_with("close "));
  CHECK(s.all.counters().handler_exceptions.value() == 1);
  said.clear();
  s.said().open = throws;
  auto other = s.all.connect();
  s.all.settle();
  CHECK(said == "no");
  CHECK(other.was_reset());
  s.said().open = [](peer&) {};
  s.said().end = [](peer& me) { me.close(); };
  s.said().close = throws;
  auto third = s.all.connect();
  s.all.settle();
  third.finish();
  s.all.settle();
  CHECK(s.all.counters().handler_exceptions.value() == 3);
}
#endif
