// The dashboard as a server sends it: who may see it, and that what it is told is whole, whatever
// the sizes of messages, and grows with what the server does.
#include <nen/nen.hpp>
#include <nen/server/dashboard.hpp>
#include <nen/testing/simulated_server.hpp>

#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "support/catch.hpp"
#include "support/client.hpp"
#include "support/test_server.hpp"
#include "websocket/ws_client.hpp"

namespace {

using namespace nen::test;

constexpr std::string_view right_token = "open sesame; \xc3\xbc";

struct app {
  std::string_view token = right_token;
};
using room = nen::ws::group<24>;
struct guest {
  void on_open(nen::ws::peer& me, room& lobby) { lobby.join(me); }
  void on_message(nen::ws::peer&, nen::ws::message) {}
};

nen::reply hello(nen::response& res) { return res.text("hello"); }
nen::reply user(std::uint32_t id, nen::response& res) {
  return id == 7 ? res.status(nen::status::internal_server_error) : res.json({{"id", id}});
}
std::string_view token_of(const app& a) { return a.token; }

using routes = nen::router<
    nen::get<"/", hello>, nen::get<"/users/:id", user>,
    nen::get<"/a/pattern/that/is/so/long/that/a/few/of/them/do/not/fit/into/one/message/of/a/"
             "server/whose/messages/are/short",
             hello>,
    nen::route<nen::methods(nen::method::put, nen::method::patch), "/put", hello>,
    nen::any<"/any", hello>, nen::websocket<"/room", guest>, nen::dashboard<"/_nen">,
    nen::dashboard<"/secret", token_of>>;
constexpr std::uint32_t rows_of_users = 2;

constexpr nen::config with_short_answers(std::uint32_t bytes) {
  nen::config changed = small;
  changed.response_bytes_max = bytes;
  return changed;
}
using simulated = nen::testing::simulated_server<routes, small, app, room>;
constexpr nen::listen_options calm{};

std::string ask_for(std::string_view target, std::string_view more = "") {
  return "GET " + std::string(target) + " HTTP/1.1\r\nHost: h\r\n" + std::string(more) + "\r\n";
}

answer head_of(std::string_view whole) {
  return parse_answer_head(whole.substr(0, whole.find("\r\n\r\n") + 2));
}

// ---- What the page is told. ----

/// A list: each item is an array, or one value.
struct list {
  std::vector<std::vector<std::string>> items;
  std::size_t messages = 0;
};

/// Reads the one form of JSON that the dashboard's messages have, and nothing else.
class reader {
 public:
  explicit reader(std::string_view text) : left_(text) {}

  void take(std::string_view what) {
    if (!left_.starts_with(what))
      throw std::runtime_error("wanted " + std::string(what) + " at " + std::string(left_));
    left_.remove_prefix(what.size());
  }
  bool takes(std::string_view what) {
    const bool does = left_.starts_with(what);
    if (does) left_.remove_prefix(what.size());
    return does;
  }
  std::string value() {
    std::string out;
    if (!takes("\"")) {
      while (!left_.empty() && nen::is_digit(left_.front())) out += next();
      if (out.empty()) throw std::runtime_error("no value at " + std::string(left_));
      return out;
    }
    while (!takes("\"")) out += next();
    return out;
  }
  std::vector<std::string> item() {
    if (!takes("[")) return {value()};
    std::vector<std::string> values;
    do values.push_back(value());
    while (takes(","));
    take("]");
    return values;
  }
  bool is_done() const { return left_.empty(); }

 private:
  char next() {
    if (left_.empty()) throw std::runtime_error("ended in a value");
    const char c = left_.front();
    if (c < ' ' || c == '\\') throw std::runtime_error("an escape that nothing here needs");
    left_.remove_prefix(1);
    return c;
  }

  std::string_view left_;
};

/// All lists of a conversation, by kind and what they are of: "histogram 3".
using lists = std::map<std::string, list>;

void read_message(std::string_view text, lists& all) {
  reader in(text);
  in.take("{\"kind\":");
  std::string name = in.value();
  in.take(",\"of\":");
  if (const std::string of = in.value(); of != "0") name += " " + of;
  list& its = all[name];
  in.take(",\"first\":");
  const std::size_t first = std::stoul(in.value());
  if (first == 0) its = {};
  if (first != its.items.size()) throw std::runtime_error(name + " has a gap");
  ++its.messages;
  in.take(",\"rows\":[");
  if (!in.takes("]")) {
    do its.items.push_back(in.item());
    while (in.takes(","));
    in.take("]");
  }
  in.take("}");
  if (!in.is_done()) throw std::runtime_error("more behind a message");
}

/// A page that is open.
template <class Server>
class page {
 public:
  explicit page(Server& server, std::string_view path = "/_nen/live", std::string_view more = "")
      : visitor_(server, path, more) {}

  /// What is answered, with what was answered before.
  /// @param longest  bytes of the longest message so far
  lists& ask(std::string_view what) {
    visitor_.say(what);
    std::string got = visitor_.client().take();
    std::string_view in = got;
    int first = 0;
    std::string_view payload;
    while (take_frame(in, first, payload)) {
      if (first != text_frame) throw std::runtime_error("no text");
      longest = std::max(longest, payload.size());
      read_message(payload, all_);
    }
    return all_;
  }
  std::uint64_t number(const std::string& kind, std::size_t item, std::size_t value = 0) {
    return std::stoull(all_.at(kind).items.at(item).at(value));
  }
  /// By its name, its pool and its kind.
  std::uint64_t counter(std::vector<std::string> name) {
    const auto& names = all_.at("counter_names").items;
    for (std::size_t i = 0; i < names.size(); ++i)
      if (names[i] == name) return number("counters", i);
    throw std::runtime_error("no counter " + name[0]);
  }
  ws_visitor<Server>& visitor() { return visitor_; }

  std::size_t longest = 0;

 private:
  ws_visitor<Server> visitor_;
  lists all_;
};

std::uint64_t sum_of(const list& histogram) {
  std::uint64_t sum = 0;
  for (const auto& bucket : histogram.items) sum += std::stoull(bucket.at(1));
  return sum;
}

}  // namespace

TEST_CASE("the dashboard is told names once and totals that grow", "[dashboard]") {
  simulated s(1, {}, calm);
  page p(s);
  const lists& all = p.ask("n");
  CHECK(all.at("names").items[0][2] == nen::library_version);
  const auto& names = all.at("route_names").items;
  REQUIRE(names.size() == routes::route_count + 1);
  CHECK(names[0] == std::vector<std::string>{"", ""});
  CHECK(names[rows_of_users] == std::vector<std::string>{"GET", "/users/:id"});
  CHECK(names[4] == std::vector<std::string>{"PUT,PATCH", "/put"});
  CHECK(names[5] == std::vector<std::string>{"any", "/any"});

  p.ask("s");
  CHECK(all.at("end").items.empty());
  CHECK(all.at("counters").items.size() == all.at("counter_names").items.size());
  CHECK(all.at("pools").items.size() == all.at("pool_names").items.size());
  CHECK(all.at("routes").items.size() == names.size());
  CHECK(all.at("process").items.size() == 5);
  CHECK(p.number("process", 1) == 0);  // neither overloaded nor draining
  CHECK(p.number("process", 4) > 100'000);
  REQUIRE(all.at("shards").items.size() == 1);
  CHECK(p.number("shards", 0, 0) == 1);  // this page
  CHECK(p.number("routes", rows_of_users, 1) == 0);

  for (const char* path : {"/users/1", "/users/2", "/users/7", "/nowhere"})
    s.answer_to(ask_for(path));
  p.ask("s");
  CHECK(p.number("routes", rows_of_users, 1) == 2);
  CHECK(p.number("routes", rows_of_users, 4) == 1);
  CHECK(p.number("routes", 0, 3) == 1);   // 404
  CHECK(sum_of(all.at("latency")) == 5);  // the handshake's too
  CHECK(p.counter({"nen_requests_total", "", ""}) == 5);
  CHECK(p.counter({"connections_accepted", "", ""}) == 5);
  CHECK(p.counter({"connections_closed", "", ""}) ==
        p.counter({"closes", "", "peer_finished"}) + p.counter({"closes", "", "session"}));
  CHECK(sum_of(all.at("busy")) > 0);

  REQUIRE(all.at("groups").items.size() == 1);
  CHECK(p.number("groups", 0) == 0);
  ws_visitor in_the_room(s, "/room");
  p.ask("s");
  CHECK(p.number("groups", 0) == 1);

  p.ask("h 2 0");
  CHECK(sum_of(all.at("histogram 2")) == 3);
  CHECK(sum_of(all.at("histogram")) == 1);
}

TEST_CASE("the dashboard's lists are whole, however short messages have to be", "[dashboard]") {
  const auto tell = []<std::uint32_t Bytes>(std::integral_constant<std::uint32_t, Bytes>) {
    nen::testing::simulated_server<routes, with_short_answers(Bytes), app, room> s(1, {}, calm);
    page p(s);
    p.ask("n");
    const lists all = p.ask("s");
    CHECK(p.longest <= Bytes);
    CHECK(all.at("route_names").items.size() == routes::route_count + 1);
    CHECK(all.at("counters").items.size() == all.at("counter_names").items.size());
    CHECK(all.contains("end"));
    return all.at("counter_names").messages;
  };
  CHECK(tell(std::integral_constant<std::uint32_t, 16 * 1024>()) == 1);
  CHECK(tell(std::integral_constant<std::uint32_t, 2048>()) > 1);
  CHECK(tell(std::integral_constant<std::uint32_t, 1000>()) > 2);
}

TEST_CASE("a server whose messages are too short for the dashboard says so", "[dashboard]") {
  nen::testing::simulated_server<routes, with_short_answers(800), app, room> s(1, {}, calm);
  ws_visitor v(s, "/_nen/live");
  v.say("n");
  CHECK(v.hears().ends_with(
      "close(1011 config::response_bytes_max is too small for the dashboard) "));
}

TEST_CASE("the dashboard is closed to who asks for what it does not have", "[dashboard]") {
  simulated s(1, {}, calm);
  for (const char* asked : {"", "x", "names", "h", "h x", "h -1", "h 1 2 3x", "h 99999999999",
                            "h 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17"}) {
    INFO(asked);
    ws_visitor v(s, "/_nen/live");
    v.say(asked);
    CHECK(v.hears() == "close(1008 n, s, or h and some numbers) ");
  }
  page p(s);
  CHECK(p.ask("h 4000000000").empty());  // no such route
  CHECK(p.ask("h 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16").size() == routes::route_count);
}

TEST_CASE("a dashboard that does not read is answered when it does, and holds up nobody",
          "[dashboard]") {
  simulated s(1, {}, calm);
  ws_visitor v(s, "/_nen/live");
  v.client().stop_reading();
  for (int i = 0; i < 400; ++i) v.say(i % 2 == 0 ? "n" : "s");
  s.pass(100);
  page other(s);
  CHECK(other.ask("s").contains("end"));
  v.client().start_reading();
  s.pass(100);
  const std::string got = v.client().take();
  std::string_view in = got;
  lists all;
  int first = 0, ends = 0;
  std::string_view payload;
  bool is_end = false;
  while (take_frame(in, first, payload)) {
    REQUIRE(first == text_frame);
    read_message(payload, all);  // no list has a gap, also where it had to wait for room
    is_end = payload.starts_with("{\"kind\":\"end\"");
    if (is_end) ++ends;
  }
  CHECK(in.empty());
  CHECK(is_end);
  CHECK(ends == 200);
}

namespace {

/// The next message of a server on the kernel's ring.
std::string next_message(client& c) {
  std::string frame = c.read_bytes(2);
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(frame[i]); };
  std::size_t size = byte(1);
  if (size == 126) {
    frame += c.read_bytes(2);
    size = static_cast<std::size_t>(byte(2) << 8 | byte(3));
  }
  return c.read_bytes(size);
}

}  // namespace

TEST_CASE("a dashboard adds up what shards do while they go on", "[dashboard]") {
  constexpr nen::config two_shards = {.shards = 2, .websockets = 4};
  static nen::server<routes, two_shards, app, room> server;
  running serving(server, calm, two_shards.shards);
  client page(server.port());
  page.send(upgrade_of("/_nen/live"));
  std::string head;
  while (!head.ends_with("\r\n\r\n")) head += page.read_bytes(1);
  REQUIRE(head.starts_with("HTTP/1.1 101"));
  std::vector<client> others;
  for (int i = 0; i < 16; ++i) others.emplace_back(server.port());
  lists all;
  const auto ask = [&](std::string_view what, std::string_view last) {
    page.send(frame(text_frame, what));
    std::string message;
    while (!message.starts_with("{\"kind\":\"" + std::string(last) + "\"")) {
      message = next_message(page);
      read_message(message, all);
    }
  };
  ask("n", "route_names");
  for (int round = 1; round <= 50; ++round) {
    // Their shards are at work while this one's reads what they count.
    for (client& each : others) each.send(ask_for("/users/1"));
    ask("s", "end");
    for (client& each : others) CHECK(each.read_answer().status == 200);
  }
  ask("s", "end");
  CHECK(all.at("shards").items.size() == 2);
  CHECK(all.at("routes").items[rows_of_users][1] == "800");
  CHECK(all.at("shards").items[0][0] != "0");
  const auto requests = [&](std::size_t shard) {
    return std::stoull(all.at("shards").items[shard][1]);
  };
  CHECK(requests(0) + requests(1) == 801);  // and the handshake
  // A client may have its answer before the shard hears that it was sent.
  CHECK(eventually([&] {
    ask("h 2", "histogram");
    return sum_of(all.at("histogram 2")) == 800;
  }));
}

// ---- Who may see it. ----

namespace {

std::string post_form(std::string_view body) {
  return "POST /secret HTTP/1.1\r\nHost: h\r\nContent-Type: application/x-www-form-urlencoded\r\n"
         "Content-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}
const std::string cookie = "Cookie: a=b; nen_dashboard=b3BlbiBzZXNhbWU7IMO8\r\n";
const std::string bearer = "Authorization: bearer " + std::string(right_token) + "\r\n";

}  // namespace

TEST_CASE("who knows the token sees the dashboard, and nobody else", "[dashboard]") {
  struct {
    std::string request;
    int status;
  } const cases[] = {
      {ask_for("/_nen"), 200},
      {ask_for("/secret"), 401},
      {ask_for("/secret", bearer), 200},
      {ask_for("/secret", "Authorization: Bearer open sesame\r\n"), 401},
      {ask_for("/secret", "Authorization: Bearer " + std::string(right_token) + "!\r\n"), 401},
      {ask_for("/secret", "Authorization: Basic " + std::string(right_token) + "\r\n"), 401},
      {ask_for("/secret", "Authorization: Bearer\r\n"), 401},
      {ask_for("/secret", "Authorization: Bearer " + std::string(600, 'x') + "\r\n"), 401},
      {ask_for("/secret?token=open+sesame%3B%20%C3%BC"), 303},
      {ask_for("/secret?a=b&token=open+sesame%3B%20%C3%BC"), 303},
      {ask_for("/secret?token=open"), 401},
      {ask_for("/secret?token="), 401},
      {ask_for("/secret?token=%zz"), 401},
      {ask_for("/secret", cookie), 200},
      {ask_for("/secret", "Cookie: nen_dashboard=b3Blbg==\r\n"), 401},
      {ask_for("/secret", "Cookie: nen_dashboard=open sesame\r\n"), 401},
      {ask_for("/secret", "Cookie: nen_dashboard=" + std::string(800, 'A') + "\r\n"), 401},
      {ask_for("/secret", "Cookie: nen_dashboard=\r\n"), 401},
      {post_form("token=open+sesame%3B+%C3%BC"), 303},
      {post_form("token=open"), 401},
      {post_form(""), 401},
  };
  simulated s(1, {}, calm);
  for (const auto& each : cases) {
    INFO(each.request);
    const answer got = head_of(s.answer_to(each.request));
    CHECK(got.status == each.status);
    if (each.status == 303) {
      CHECK(got.field("Location") == "/secret");
      CHECK(got.field("Set-Cookie") ==
            "nen_dashboard=b3BlbiBzZXNhbWU7IMO8; Path=/secret; HttpOnly; SameSite=Lax");
    }
    if (each.status == 401) CHECK(got.field("WWW-Authenticate") == "Bearer realm=\"dashboard\"");
    if (each.status == 401) CHECK(got.count("Set-Cookie") == 0);
  }
}

TEST_CASE("the dashboard's WebSocket wants the token too, and a page of the same site",
          "[dashboard]") {
  struct {
    std::string target, more;
    int status;
  } const cases[] = {
      {"/_nen/live", "", 101},
      {"/_nen/live", "Origin: http://h\r\n", 101},
      {"/_nen/live", "Origin: https://h\r\n", 101},  // behind a proxy that speaks TLS
      {"/_nen/live", "Origin: http://evil\r\n", 403},
      {"/_nen/live", "Origin: http://h.evil\r\n", 403},
      {"/_nen/live", "Origin: null\r\n", 403},
      {"/secret/live", "", 401},
      {"/secret/live", "Origin: http://h\r\n", 401},
      {"/secret/live", cookie, 101},
      {"/secret/live", cookie + "Origin: http://h\r\n", 101},
      {"/secret/live", cookie + "Origin: http://evil\r\n", 403},
      {"/secret/live", bearer, 101},
      {"/secret/live?token=open+sesame%3B+%C3%BC", "", 101},
      {"/secret/live?token=open", "", 401},
  };
  simulated s(1, {}, calm);
  for (const auto& each : cases) {
    INFO(each.target << " " << each.more);
    ws_visitor v(s);
    v.send(upgrade_of(each.target, each.more));
    CHECK(v.take_answer().status == each.status);
  }
  page p(s, "/secret/live", cookie);
  CHECK(p.ask("s").contains("end"));
}

TEST_CASE("a token that was forgotten is nobody's", "[dashboard]") {
  simulated s(1, {}, calm);
  for (const std::string& token : {std::string(), std::string(300, 'x')}) {
    s.state<app>().token = token;
    const std::string requests[] = {
        ask_for("/secret"),
        ask_for("/secret", "Authorization: Bearer\r\n"),
        ask_for("/secret", "Authorization: Bearer " + token + "\r\n"),
        ask_for("/secret?token=" + token.substr(0, 200)),
        ask_for("/secret", "Cookie: nen_dashboard=\r\n"),
        post_form("token=" + token),
    };
    for (const std::string& request : requests) {
      INFO(request);
      CHECK(head_of(s.answer_to(request)).status == 401);
    }
  }
}

TEST_CASE("the dashboard's page may do nothing but what it is there for", "[dashboard]") {
  simulated s(1, {}, calm);
  for (const std::string& request : {ask_for("/_nen"), ask_for("/secret")}) {
    const std::string whole = s.answer_to(request);
    const answer got = head_of(whole);
    const std::string policy = got.field("Content-Security-Policy");
    CHECK(policy.starts_with("default-src 'none';"));
    CHECK(policy.find("unsafe") == policy.npos);
    CHECK(policy.find("frame-ancestors 'none'") != policy.npos);
    CHECK(got.field("X-Content-Type-Options") == "nosniff");
    CHECK(got.field("Referrer-Policy") == "no-referrer");
    CHECK(got.field("X-Frame-Options") == "DENY");
    CHECK(whole.find("<!doctype html>") != whole.npos);
    CHECK(whole.ends_with("</html>\n"));
  }
}
