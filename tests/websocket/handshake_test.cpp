// The opening handshake as a whole server does it: RFC 6455 §4.2, and what applications decide.
#include <nen/testing/simulated_server.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "support/catch.hpp"
#include "websocket/ws_client.hpp"

namespace {

struct agent {
  std::string_view name;
};

}  // namespace

template <>
struct nen::extractor<agent> {
  static std::optional<agent> from(const nen::request& req) {
    const auto name = req.field("User-Agent");
    if (!name) return std::nullopt;
    return agent{*name};
  }
};

namespace {

using namespace nen::test;

struct here : noting_echo {};

struct same_origin_only : noting_echo {
  static constexpr nen::ws::options options = {.same_origin = true};
};

struct speaker : noting_echo {
  static constexpr std::string_view known[] = {"chat.v2", "chat.v1"};
  static constexpr nen::ws::options options = {.protocols = known};
};

struct doorkeeper : noting_echo {
  static nen::ws::decision on_upgrade(const nen::request& req, nen::response& res) {
    if (req.query() == "forbidden") return res.status(nen::status::forbidden);
    if (req.query() == "elsewhere") return res.redirect("/other", nen::status::found);
    if (req.query() == "later") return res.field("Retry-After", "60").json({{"full", true}});
    res.field("Set-Cookie", "a=b");
    return nen::ws::decision::accept(req.query() == "mine" ? "mine" : "");
  }
};

struct reader : noting_echo {
  void on_open(nen::ws::peer& me, std::uint16_t number, const nen::request& req,
               std::string_view name, agent who, journal& notes) {
    notes += std::to_string(number) + " " + std::string(name) + " " +
             std::string(req.field("X-More").value_or("none")) + " " + std::string(who.name) + " " +
             std::string(req.query());
    (void)me.send("welcome");
  }
};

struct closes_at_once : noting_echo {
  void on_open(nen::ws::peer& me) {
    (void)me.send("bye");
    me.close(nen::ws::close_code::policy_violation, "no");
  }
};

/// Whom middleware acts on behind the handshake.
struct last_one {
  nen::ws::peer peer;
};
struct joins : noting_echo {
  void on_open(nen::ws::peer& me, last_one& last) {
    last.peer = me;
    (void)me.send("first");
  }
};
nen::reply act_behind(const nen::request& req, last_one& last, nen::next go) {
  const auto done = go();
  if (req.query() == "sends") (void)last.peer.send("second");
  if (req.query() == "asks") (void)last.peer.send(std::to_string(last.peer.buffered()));
  if (req.query() == "closes") last.peer.close();
  return done;
}

nen::reply check_token(const nen::request& req, journal& notes, nen::response& res, nen::next go) {
  if (req.query() == "refused") return res.status(nen::status::unauthorized);
  notes += "token";
  if (req.query() == "named") res.field("X-Named", "yes");
  if (req.query() == "long") {
    const std::string value(500, 'v');
    res.field("X-A", value).field("X-B", value).field("X-C", value);
  }
  return go();
}

using routes =
    nen::router<nen::websocket<"/", here>, nen::websocket<"/own", same_origin_only>,
                nen::websocket<"/speak", speaker>, nen::websocket<"/door", doorkeeper>,
                nen::websocket<"/read/:number/:name", reader>,
                nen::websocket<"/closes", closes_at_once>,
                nen::group<"/guarded", nen::use<check_token>, nen::websocket<"/room", here>>,
                nen::group<"/behind", nen::use<act_behind>, nen::websocket<"/", joins>>,
                nen::post<"/", [](nen::response& res) { return res.text("posted"); }>>;

constexpr nen::config config = [] {
  nen::config c = small;
  c.websockets = 3;
  return c;
}();

/// A server that expects its handlers to fail.
struct server : nen::testing::simulated_server<routes, config, journal, last_one> {
  explicit server(nen::listen_options options = {.on_exception = [](const nen::request&,
                                                                    const char*) {}})
      : simulated_server(1, {}, options) {}

  std::string notes() { return state<journal>().take(); }
};
using visitor = ws_visitor<server>;

struct check {
  const char* what;
  std::string request;
  int status;
};

/// The request of RFC 6455 §1.3 with one line changed, or left out.
std::string with(std::string_view line, std::string_view instead, std::string_view first = "GET") {
  std::string request = upgrade_of("/");
  if (!line.empty()) {
    const auto at = request.find("\r\n" + std::string(line) + ":") + 2;
    request.replace(at, request.find("\r\n", at) + 2 - at, instead);
  }
  return std::string(first) + request.substr(3);
}

}  // namespace

TEST_CASE("the answer to a handshake is a 101 that has what RFC 6455 asks for, and no content",
          "[websocket]") {
  server s;
  visitor v(s);
  v.send(upgrade_of("/"));
  const answer got = v.take_answer();
  CHECK(got.status == 101);
  CHECK(got.field("Upgrade") == "websocket");
  CHECK(got.field("Connection") == "Upgrade");
  CHECK(got.field("Sec-WebSocket-Accept") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  for (const auto never : {"Content-Length", "Transfer-Encoding", "Content-Type",
                           "Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions"})
    CHECK(got.count(never) == 0);
  CHECK(v.hears() == "");
  CHECK(s.notes() == "open ");
}

TEST_CASE("each rule of RFC 6455 section 4.2.1 has its answer", "[websocket]") {
  const std::string key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
  const check checks[] = {
      {"as it should be", with("", ""), 101},
      {"other methods", with("", "", "DELETE"), 405},
      {"HEAD is answered as GET is, RFC 9110", with("", "", "HEAD"), 400},
      {"no Upgrade", with("Upgrade", ""), 400},
      {"another protocol", with("Upgrade", "Upgrade: h2c\r\n"), 400},
      {"one of several", with("Upgrade", "Upgrade: h2c, WebSocket\r\n"), 101},
      {"in any case", with("Upgrade", "Upgrade: WEBSOCKET\r\n"), 101},
      {"in another line", with("Upgrade", "Upgrade: h2c\r\nupgrade: websocket\r\n"), 101},
      {"a part of a word", with("Upgrade", "Upgrade: websockets\r\n"), 400},
      {"no Connection", with("Connection", ""), 400},
      {"Connection without it", with("Connection", "Connection: keep-alive\r\n"), 400},
      {"in a list", with("Connection", "Connection: keep-alive, UPGRADE\r\n"), 101},
      {"in two lines", with("Connection", "Connection: x\r\nConnection: upgrade\r\n"), 101},
      {"no key", with("Sec-WebSocket-Key", ""), 400},
      {"a short key", with("Sec-WebSocket-Key", "Sec-WebSocket-Key: AAAA\r\n"), 400},
      {"a key that is no base64",
       with("Sec-WebSocket-Key", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZ!==\r\n"), 400},
      {"a key of 17 bytes",
       with("Sec-WebSocket-Key", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZWU=\r\n"), 400},
      {"two keys", with("Sec-WebSocket-Key", key + key), 400},
      {"no version", with("Sec-WebSocket-Version", ""), 400},
      {"a version that is no number",
       with("Sec-WebSocket-Version", "Sec-WebSocket-Version: thirteen\r\n"), 400},
      {"a version that is none", with("Sec-WebSocket-Version", "Sec-WebSocket-Version: 013\r\n"),
       400},
      {"another version", with("Sec-WebSocket-Version", "Sec-WebSocket-Version: 8\r\n"), 426},
      {"a later version", with("Sec-WebSocket-Version", "Sec-WebSocket-Version: 14\r\n"), 426},
      {"two versions",
       with("Sec-WebSocket-Version", "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Version: 13\r\n"),
       400},
      {"subprotocols that are none", upgrade_of("/", "Sec-WebSocket-Protocol: a b\r\n"), 400},
      {"extensions that are none", upgrade_of("/", "Sec-WebSocket-Extensions: ;\r\n"), 400},
      {"extensions that nobody knows", upgrade_of("/", "Sec-WebSocket-Extensions: x; y=1\r\n"),
       101},
      {"an ordinary request", "GET / HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"another route", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", 200},
  };
  for (const check& c : checks) {
    INFO(c.what);
    server s;
    visitor v(s);
    v.send(c.request);
    CHECK(v.take_answer().status == c.status);
    CHECK(s.notes() == (c.status == 101 ? "open " : ""));
    CHECK(s.inside().session().websockets().in_use() == (c.status == 101 ? 1 : 0));
  }
}

TEST_CASE("HTTP/1.0 has no WebSockets", "[websocket]") {
  server s;
  visitor v(s);
  auto request = upgrade_of("/");
  request.replace(request.find("1.1"), 3, "1.0");
  v.send(request);
  CHECK(v.take_answer().status == 400);
}

TEST_CASE("who asks for another version is told which one there is", "[websocket]") {
  server s;
  visitor v(s);
  v.send(with("Sec-WebSocket-Version", "Sec-WebSocket-Version: 25\r\n"));
  const answer got = v.take_answer();
  CHECK(got.status == 426);
  CHECK(got.field("Sec-WebSocket-Version") == "13");
  CHECK(got.field("Upgrade") == "websocket");
  CHECK(got.field("Connection") == "Upgrade");  // RFC 9110 §7.8
}

TEST_CASE("pages of other origins are refused where that is asked for", "[websocket]") {
  const check checks[] = {{"its own", "Origin: http://h\r\n", 101},
                          {"with the usual port", "Origin: http://H:80\r\n", 101},
                          {"another one", "Origin: http://evil.example\r\n", 403},
                          {"another port", "Origin: http://h:81\r\n", 403},
                          {"another scheme", "Origin: https://h\r\n", 403},
                          {"a page without one", "Origin: null\r\n", 403},
                          {"no browser", "", 101}};
  for (const check& c : checks) {
    INFO(c.what);
    server s;
    visitor v(s);
    v.send(upgrade_of("/own", c.request));
    CHECK(v.take_answer().status == c.status);
    visitor other(s);
    other.send(upgrade_of("/", c.request));
    CHECK(other.take_answer().status == 101);
  }
}

TEST_CASE("the first subprotocol that both sides speak is chosen", "[websocket]") {
  const std::pair<const char*, const char*> offers[] = {
      {"", ""},
      {"Sec-WebSocket-Protocol: chat.v1\r\n", "chat.v1"},
      {"Sec-WebSocket-Protocol: chat.v1, chat.v2\r\n", "chat.v1"},
      {"Sec-WebSocket-Protocol: chat.v3, chat.v2\r\n", "chat.v2"},
      {"Sec-WebSocket-Protocol: chat.v3\r\nSec-WebSocket-Protocol: chat.v2\r\n", "chat.v2"},
      {"Sec-WebSocket-Protocol: CHAT.V1\r\n", ""},
      {"Sec-WebSocket-Protocol: chat\r\n", ""}};
  for (const auto& [offer, chosen] : offers) {
    INFO(offer);
    server s;
    visitor v(s);
    v.send(upgrade_of("/speak", offer));
    const answer got = v.take_answer();
    CHECK(got.status == 101);
    CHECK(got.field("Sec-WebSocket-Protocol") == chosen);
    CHECK(got.count("Sec-WebSocket-Protocol") == (*chosen == 0 ? 0 : 1));
  }
}

TEST_CASE("a session may refuse with any answer, and the connection goes on", "[websocket]") {
  server s;
  visitor v(s);
  v.send(upgrade_of("/door?forbidden"));
  CHECK(v.take_answer().status == 403);
  v.send(upgrade_of("/door?elsewhere"));
  answer got = v.take_answer();
  CHECK(got.status == 302);
  CHECK(got.field("Location") == "/other");
  v.send(upgrade_of("/door?later"));
  got = v.take_answer();
  CHECK(got.status == 200);
  CHECK(got.field("Retry-After") == "60");
  CHECK(s.notes() == "");
  CHECK(s.inside().session().websockets().in_use() == 0);
}

TEST_CASE("what a session decides about the upgrade is in the answer", "[websocket]") {
  server s;
  visitor v(s);
  v.send(upgrade_of("/door?mine", "Sec-WebSocket-Protocol: other, mine\r\n"));
  const answer got = v.take_answer();
  CHECK(got.status == 101);
  CHECK(got.field("Set-Cookie") == "a=b");
  CHECK(got.field("Sec-WebSocket-Protocol") == "mine");
  v.say("x");
  CHECK(v.hears() == "text(x) ");
}

TEST_CASE("on_open reads the request, the path, extracted values and states", "[websocket]") {
  server s;
  visitor v(s, "/read/65535/a%20b?q", "X-More: more\r\nUser-Agent: me\r\n");
  CHECK(s.notes() == "65535 a b more me q ");
  CHECK(v.hears() == "text(welcome) ");
}

TEST_CASE("a value that does not fit is answered before there is a WebSocket", "[websocket]") {
  server s;
  visitor v(s);
  v.send(upgrade_of("/read/65536/b", "User-Agent: me\r\n"));
  CHECK(v.take_answer().status == 404);
  v.send(upgrade_of("/read/1/b"));
  CHECK(v.take_answer().status == 400);
  CHECK(s.counters().websockets_opened.value() == 0);
}

TEST_CASE("middleware stands in front of WebSockets as of everything", "[websocket]") {
  server s;
  visitor refused(s);
  refused.send(upgrade_of("/guarded/room?refused"));
  CHECK(refused.take_answer().status == 401);
  CHECK(s.notes() == "");
  visitor v(s);
  v.send(upgrade_of("/guarded/room?named"));
  const answer got = v.take_answer();
  CHECK(got.status == 101);
  CHECK(got.field("X-Named") == "yes");
  CHECK(s.notes() == "token open ");
  v.say("x");
  CHECK(v.hears() == "text(x) ");
}

TEST_CASE("middleware may act on a WebSocket behind its handshake", "[websocket]") {
  server s;
  visitor sends(s, "/behind/?sends");
  CHECK(sends.hears() == "text(first) text(second) ");
  visitor closes(s, "/behind/?closes");
  CHECK(closes.hears() == "text(first) close(1000) ");
  visitor asks(s);
  asks.send(upgrade_of("/behind/?asks"));
  const auto head_bytes = asks.client().received().find("\r\n\r\n") + 4;
  CHECK(asks.take_answer().status == 101);
  CHECK(asks.hears() == "text(first) text(" + std::to_string(head_bytes + 7) + ") ");
}

TEST_CASE("an answer whose fields are too long is a 500, and no WebSocket was there",
          "[websocket]") {
  server s;
  visitor v(s);
  v.send(upgrade_of("/guarded/room?long"));
  CHECK(v.take_answer().status == 500);
  CHECK(v.hears() == "end");
  CHECK(s.notes() == "token ");
  CHECK(s.counters().responses_replaced.value() == 1);
  CHECK(s.counters().websockets_opened.value() == s.counters().websockets_closed.value());
}

TEST_CASE("frames right behind the handshake are read, wherever it is cut", "[websocket]") {
  const std::string all = upgrade_of("/", "X-Filler: 0123456789\r\n") + frame(text_frame, "one") +
                          frame(ping_frame, "two") + frame(text_begins, "thr") + frame(ends, "ee") +
                          closing(1000);
  for (std::size_t cut = 1; cut <= all.size(); ++cut) {
    INFO("cut at " << cut);
    server s;
    visitor v(s);
    v.send(all.substr(0, cut));
    v.send(all.substr(cut));
    CHECK(v.take_answer().status == 101);
    CHECK(v.hears() == "text(one) pong(two) text(three) close(1000) end");
    CHECK(s.notes() == "open closed(1000) ");
  }
}

TEST_CASE("a handshake may come behind other requests of the same bytes", "[websocket]") {
  server s;
  visitor v(s);
  v.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n" + upgrade_of("/") +
         frame(text_frame, "x"));
  CHECK(v.take_answer().body == "posted");
  CHECK(v.take_answer().status == 101);
  CHECK(v.hears() == "text(x) ");
}

TEST_CASE("one WebSocket more than there are is told to come back", "[websocket]") {
  server s;
  visitor a(s, "/");
  visitor b(s, "/");
  visitor c(s, "/");
  visitor d(s);
  d.send(upgrade_of("/"));
  const answer got = d.take_answer();
  CHECK(got.status == 503);
  CHECK(got.field("Retry-After") == "1");
  CHECK(s.counters().websockets_full.value() == 1);
  b.send(closing(1000));
  d.send(upgrade_of("/"));
  CHECK(d.take_answer().status == 101);
  d.say("x");
  CHECK(d.hears() == "text(x) ");
}

TEST_CASE("the last answer of a connection may be a WebSocket", "[websocket]") {
  server s({.requests_per_connection_max = 1});
  visitor v(s, "/");
  v.say("x");
  CHECK(v.hears() == "text(x) ");
}

TEST_CASE("a session may close at once", "[websocket]") {
  server s;
  visitor v(s, "/closes");
  CHECK(v.hears() == "text(bye) close(1008 no) ");
  v.send(closing(1008));
  CHECK(v.hears() == "end");
  CHECK(s.notes() == "closed(1008) ");
}
