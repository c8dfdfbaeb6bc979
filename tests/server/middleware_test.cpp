// Rules of routes in whole servers, on both rings: every answer is decorated whoever writes it and
// whenever, and a body that is too long is refused before it is read.
#include <nen/http/authentication.hpp>
#include <nen/http/cors.hpp>
#include <nen/http/limits.hpp>
#include <nen/http/security_headers.hpp>
#include <nen/nen.hpp>
#include <nen/testing/simulated_server.hpp>

#include <atomic>
#include <stdexcept>
#include <string>

#include "support/catch.hpp"
#include "support/client.hpp"
#include "support/test_server.hpp"
#include "tasks/bad_days.hpp"

namespace {

using nen::body_part;
using nen::test::answer;
using nen::test::quiet;
using text = std::string_view;

struct app {
  std::atomic<int> streamed = 0;   // handlers of streamed routes that were called
  std::atomic<int> cancelled = 0;  // of their consumers, who were told that there is no more
};

nen::reply now(nen::response& res) { return res.text("hello"); }
nen::reply later(nen::response& res) {
  res.defer().after(5, [](const nen::request&, nen::response& r) { return r.text("hello"); });
  return res.later();
}
nen::reply never(nen::response& res) {
  (void)res.defer();
  return res.later();
}
nen::task<nen::reply> at_once(nen::context&, nen::response& res) {
  res.field("X-Own", "1");
  co_return res.text("hello");
}
nen::task<nen::reply> at_last(nen::context& ctx, nen::response& res) {
  res.field("X-Own", "1");
  co_await ctx.sleep(1);
  co_return res.text("hello");
}
nen::task<nen::reply> fails_at_last(nen::context& ctx, nen::response&) {
  co_await ctx.sleep(1);
  throw std::runtime_error("on purpose");
}
nen::task<nen::reply> fails_at_once(nen::context&, nen::response&) {
  throw std::runtime_error("on purpose");
  co_return co_await nen::task<nen::reply>();
}
nen::task<nen::reply> in_parts(nen::context& ctx, nen::response& res) {
  co_await ctx.sleep(1);
  auto out = co_await ctx.stream(res, "text/plain");
  co_await out.write("hello");
  co_return out.end();
}
nen::reply fails(nen::response& res) {
  res.field("X-Half", "written");
  throw std::runtime_error("on purpose");
}
nen::reply streams(nen::response& res) {
  return res.stream("text/plain", [](nen::body_stream& body) {
    (void)body.write("hello");
    (void)body.finish();
  });
}
nen::reply lies(nen::response& res) { return res.field("Connection", "no").text("x"); }
nen::reply size_of(const nen::request& req, nen::response& res) {
  return res.json({{"size", req.body().size()}});
}
nen::reply count_parts(app& a, nen::response& res) {
  ++a.streamed;
  return res.receive([&a, size = std::size_t{0}](const body_part& part, nen::response& r) mutable {
    size += part.bytes.size();
    if (part.is_cancelled) ++a.cancelled;
    return part.is_last ? r.json({{"size", size}}) : r.more();
  });
}
bool knows(text, text password) { return nen::equal_in_constant_time(password, "sesame"); }

using site =
    nen::router<nen::security_headers<>,
                nen::cors<nen::cors_options{.origins = "https://app.example"}>,
                nen::get<"/now", now>, nen::get<"/later", later>, nen::get<"/never", never>,
                nen::get<"/at-once", at_once>, nen::get<"/at-last", at_last>,
                nen::get<"/fails-at-last", fails_at_last>,
                nen::get<"/fails-at-once", fails_at_once>, nen::get<"/in-parts", in_parts>,
                nen::get<"/fails", fails>, nen::get<"/streams", streams>, nen::get<"/lies", lies>,
                nen::group<"/staff", nen::basic_auth<"staff", knows>, nen::get<"", now>>,
                nen::group<"/small", nen::body_limit<10>, nen::post<"", size_of>,
                           nen::streamed<nen::post<"/parts", count_parts>>,
                           nen::group<"/medium", nen::body_limit<1000>, nen::post<"", size_of>>>,
                nen::streamed<nen::post<"/parts", count_parts>>, nen::post<"/size", size_of>>;

constexpr nen::config sizes = {.connections = 16,
                               .receive_buffers = 16,
                               .receive_buffer_bytes = 512,
                               .send_slots = 32,
                               .send_slot_bytes = 4096,
                               .response_bytes_max = 4096,
                               .head_slots = 4,
                               .head_bytes_max = 1024,
                               .target_bytes_max = 256,
                               .body_slots = 4,
                               .body_bytes_max = 100};

nen::listen_options options() {
  nen::listen_options o = quiet;
  o.handler_timeout = std::chrono::milliseconds(50);
  return o;
}

std::string get(text path, text more = "") {
  return std::string("GET ")
      .append(path)
      .append(" HTTP/1.1\r\nHost: h\r\nOrigin: https://app.example\r\n")
      .append(more)
      .append("\r\n");
}
std::string post(text path, text lines, text body) {
  return std::string("POST ")
      .append(path)
      .append(" HTTP/1.1\r\nHost: h\r\nOrigin: https://app.example\r\n")
      .append(lines)
      .append("\r\n")
      .append(body);
}
std::string sized(text path, std::size_t announced, std::size_t sent) {
  return post(path, "Content-Length: " + std::to_string(announced) + "\r\n",
              std::string(sent, 'x'));
}
std::string chunk(std::size_t size) {
  char digits[16];
  std::snprintf(digits, sizeof digits, "%zx\r\n", size);
  return digits + std::string(size, 'x') + "\r\n";
}
constexpr text chunked = "Transfer-Encoding: chunked\r\n";

answer taken_apart(const std::string& got) {
  const auto end = got.find("\r\n\r\n");
  answer a = nen::test::parse_answer_head(text(got).substr(0, end + 2));
  a.body = got.substr(end + 4);
  return a;
}

/// A server on each ring, asked in the same way.
class simulated {
 public:
  answer ask(text request) {
    auto c = server_.connect();
    for (const char& byte : request) c.send({&byte, 1});
    server_.pass(100);
    return taken_apart(c.take());
  }
  answer ask_for_the_last_time(text request) { return ask(request); }
  app& state() { return server_.state<app>(); }

 private:
  nen::testing::simulated_server<site, sizes, app> server_{1, {}, options()};
};

class real {
 public:
  real()
      : running_((server.state<app>().streamed = server.state<app>().cancelled = 0, server),
                 options()) {}
  answer ask(text request) {
    nen::test::client c(server.port());
    c.send(request);
    return c.read_answer();
  }
  answer ask_for_the_last_time(text request) {
    nen::test::client c(server.port());
    c.send(request);
    (void)c.read_end();
    return taken_apart(std::string(c.rest()));
  }
  app& state() { return server.state<app>(); }

 private:
  static nen::server<site, sizes, app> server;
  nen::test::running<nen::server<site, sizes, app>> running_;
};
nen::server<site, sizes, app> real::server;

void check_decorated(const answer& a) {
  CHECK(a.field("X-Content-Type-Options") == "nosniff");
  CHECK(a.field("Content-Security-Policy").substr(0, 11) == "default-src");
  CHECK(a.count("X-Half") == 0);
}

template <class Ring>
void check_every_answer() {
  Ring ring;
  const struct {
    text path;
    int status;
  } asked[] = {{"/now", 200},           {"/later", 200},    {"/never", 503},
               {"/at-once", 200},       {"/at-last", 200},  {"/fails-at-last", 500},
               {"/fails-at-once", 500}, {"/in-parts", 200}, {"/fails", 500},
               {"/streams", 200},       {"/lies", 500},     {"/staff", 401},
               {"/nowhere", 404},       {"/size", 405}};
  for (const auto& one : asked) {
    CAPTURE(one.path);
    const answer a = ring.ask_for_the_last_time(get(one.path, "Connection: close\r\n"));
    CHECK(a.status == one.status);
    check_decorated(a);
    CHECK(a.field("Access-Control-Allow-Origin") == "https://app.example");
    CHECK(a.count("X-Own") == (one.path.starts_with("/at-") ? 1U : 0U));
  }
  for (const text malformed : {"GET /now HTTP/1.1\r\n\r\n", "nonsense\r\n\r\n",
                               "GET /now HTTP/1.1\r\nHost: h\r\nA: \x01\r\n\r\n"}) {
    CAPTURE(malformed);
    const answer a = ring.ask(malformed);
    CHECK(a.status == 400);
    check_decorated(a);
    CHECK(a.count("Access-Control-Allow-Origin") == 0);  // nobody knows who it was
  }
  const answer let_in = ring.ask(get("/staff", "Authorization: Basic YTpzZXNhbWU=\r\n"));
  CHECK(let_in.status == 200);
}

template <class Ring>
void check_limits() {
  Ring ring;
  const struct {
    std::string request;
    int status;
    text body;
  } asked[] = {
      {sized("/small", 10, 10), 200, "{\"size\":10}"},
      {sized("/small", 11, 0), 413, "Content Too Large"},
      {sized("/small", 11, 11), 413, "Content Too Large"},
      {post("/small", "Content-Length: 11\r\nExpect: 100-continue\r\n", ""), 413,
       "Content Too Large"},
      {post("/small", chunked, chunk(4) + chunk(6) + "0\r\n\r\n"), 200, "{\"size\":10}"},
      {post("/small", chunked, chunk(4) + "7\r\n"), 413, "Content Too Large"},
      {post("/small", chunked, chunk(10) + chunk(1)), 413, "Content Too Large"},
      {sized("/small/parts", 10, 10), 200, "{\"size\":10}"},
      {sized("/small/parts", 11, 3), 413, "Content Too Large"},
      // A route that takes more than its group, but no more than the server has room for.
      {sized("/small/medium", 100, 100), 200, "{\"size\":100}"},
      {sized("/small/medium", 101, 0), 413, "Content Too Large"},
      // Without a limit of their own.
      {sized("/size", 100, 100), 200, "{\"size\":100}"},
      {sized("/size", 101, 0), 413, "Content Too Large"},
      {sized("/parts", 5000, 5000), 200, "{\"size\":5000}"},
      {post("/parts", chunked, chunk(300) + chunk(300) + "0\r\n\r\n"), 200, "{\"size\":600}"},
  };
  for (const auto& one : asked) {
    CAPTURE(one.request.substr(0, 150));
    const answer a = ring.ask(one.request);
    CHECK(a.status == one.status);
    CHECK(a.body == one.body);
    CHECK(a.field("Access-Control-Allow-Origin") == "https://app.example");
    CHECK(a.says_close() == (one.status == 413));
    check_decorated(a);
  }
}

template <class Ring>
void check_streamed_limit() {
  Ring ring;
  CHECK(ring.ask(sized("/small/parts", 11, 0)).status == 413);
  CHECK(ring.state().streamed == 0);  // it was not even asked
  CHECK(ring.ask(post("/small/parts", chunked, chunk(4) + chunk(6) + "0\r\n\r\n")).status == 200);
  CHECK(ring.state().streamed == 1);
  CHECK(ring.ask(post("/small/parts", chunked, chunk(4) + chunk(7))).status == 413);
  CHECK(ring.state().streamed == 2);
  CHECK(nen::test::eventually([&] { return ring.state().cancelled == 1; }));
}

}  // namespace

TEST_CASE("every answer has the fields of its route, whoever writes it: simulated") {
  check_every_answer<simulated>();
}
TEST_CASE("every answer has the fields of its route, whoever writes it: the kernel's ring") {
  check_every_answer<real>();
}

TEST_CASE("a body longer than its route takes is refused before it is read: simulated") {
  check_limits<simulated>();
}
TEST_CASE("a body longer than its route takes is refused before it is read: the kernel's ring") {
  check_limits<real>();
}

TEST_CASE("a handler that takes parts is not asked for a body that is too long: simulated") {
  check_streamed_limit<simulated>();
}
TEST_CASE("a handler that takes parts is not asked for a body that is too long: kernel's ring") {
  check_streamed_limit<real>();
}
